"""Leads as a spreadsheet that other tools read; refused ones never leave."""

from somos.mesh import Context, Download, Invalid, http
from somos.modules.hunter.rules.lead_exports import sheet_of
from somos.modules.hunter.schemas.leads import ExportFilter
from somos.modules.hunter.tables.leads import Lead

MOST = 20_000


@http.get("/api/v1/leads/export", allow="hunter:read", patience=60)
def lead_exports_csv(filter: ExportFilter, ctx: Context) -> Download:
    """CSV of the leads that the filters choose, with the reason of each score."""
    leads = ctx.chosen(filter)
    if ctx.count(leads) > MOST:
        raise Invalid(f"São mais de {MOST} leads; filtre por perfil, estado ou nota")
    content = sheet_of(ctx.db.scalars(leads.order_by(Lead.id)), filter.layout)
    return Download(content, "text/csv; charset=utf-8", f"leads-{ctx.today}.csv")
