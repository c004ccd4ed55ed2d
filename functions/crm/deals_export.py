"""Deals as a spreadsheet, with the same filters and the same scope as the list."""

from sqlalchemy import select

from somos.kernel.sheets import write
from somos.mesh import Context, Download, Invalid, http
from somos.mesh.clock import day_of
from somos.modules.crm.rules.export import reais
from somos.modules.crm.schemas.deals import DealCriteria
from somos.modules.crm.tables import Company, Contact, Deal, DealStage, Pipeline

MOST = 20_000
HEADERS = [
    "Título", "Funil", "Etapa", "Situação", "Valor (R$)", "Probabilidade (%)", "Previsão", "Fechamento",
    "Empresa", "CNPJ ou CPF", "Contato", "Origem", "Criado em",
]  # fmt: skip
STATES = {"open": "aberto", "won": "ganho", "lost": "perdido"}


@http.get("/api/v1/deals/export", allow="crm:read", patience=60)
def deals_export(filter: DealCriteria, ctx: Context) -> Download:
    """CSV for Excel in Brazil; a cell that could be read as a formula is defused."""
    deals = ctx.chosen(filter)
    if ctx.count(deals) > MOST:
        raise Invalid(f"São mais de {MOST} negócios; filtre por período ou funil")
    chosen = deals.with_only_columns(Deal.id)
    rows = ctx.db.execute(
        select(Deal, Pipeline.name, DealStage.name, Company.name, Company.document, Contact.name)
        .join(Pipeline, Pipeline.id == Deal.pipeline_id)
        .join(DealStage, DealStage.id == Deal.stage_id)
        .outerjoin(Company, Company.id == Deal.company_id)
        .outerjoin(Contact, Contact.id == Deal.contact_id)
        .where(Deal.id.in_(chosen))
        .order_by(Deal.id)
    )
    lines = [
        [
            deal.title, pipeline, stage, STATES[deal.state], reais(deal.value_cents), deal.probability,
            deal.expected_close_date, deal.closed_on, company, document, contact, deal.origin,
            day_of(deal.created_at),
        ]
        for deal, pipeline, stage, company, document, contact in rows
    ]  # fmt: skip
    return Download(write(HEADERS, lines), "text/csv; charset=utf-8", f"negocios-{ctx.today}.csv")
