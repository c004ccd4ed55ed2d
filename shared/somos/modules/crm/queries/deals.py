"""Deals as a spreadsheet."""

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from somos.kernel.money import reais
from somos.kernel.sheets import write
from somos.mesh import Invalid
from somos.mesh.clock import day_of
from somos.modules.crm.rules.deals import DEAL
from somos.modules.crm.tables.companies import Company
from somos.modules.crm.tables.contacts import Contact
from somos.modules.crm.tables.deal_stages import DealStage
from somos.modules.crm.tables.deals import Deal
from somos.modules.crm.tables.pipelines import Pipeline

MOST = 20_000
HEADERS = [
    "Título", "Funil", "Etapa", "Situação", "Valor (R$)", "Probabilidade (%)", "Previsão", "Fechamento",
    "Empresa", "CNPJ ou CPF", "Contato", "Origem", "Criado em",
]  # fmt: skip


def sheet(db: Session, chosen: Select[Deal]) -> bytes:
    """One line per deal. Raises Invalid when they are too many for a person to wait."""
    if (db.scalar(select(func.count()).select_from(chosen.order_by(None).subquery())) or 0) > MOST:
        raise Invalid(f"São mais de {MOST} negócios; filtre por período ou funil")
    rows = db.execute(
        select(Deal, Pipeline.name, DealStage.name, Company.name, Company.document, Contact.name)
        .join(Pipeline, Pipeline.id == Deal.pipeline_id)
        .join(DealStage, DealStage.id == Deal.stage_id)
        .outerjoin(Company, Company.id == Deal.company_id)
        .outerjoin(Contact, Contact.id == Deal.contact_id)
        .where(Deal.id.in_(chosen.with_only_columns(Deal.id)))
        .order_by(Deal.id)
    )
    lines = [
        [
            deal.title, pipeline, stage, DEAL.names[deal.state], reais(deal.value_cents), deal.probability,
            deal.expected_close_date, deal.closed_on, company, document, contact, deal.origin,
            day_of(deal.created_at),
        ]
        for deal, pipeline, stage, company, document, contact in rows
    ]  # fmt: skip
    return write(HEADERS, lines)
