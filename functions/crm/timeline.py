"""Everything that happened around a deal or a company: activities, messages, changes of fields, own notes."""

from uuid import UUID

from somos.mesh import Context, Invalid, Page, http
from somos.modules.crm.queries.timeline import Subject, timeline
from somos.modules.crm.rules.timeline import Cursor
from somos.modules.crm.schemas.timeline import TimelineFilter, TimelineItem
from somos.modules.crm.tables import Company, Deal, PrivateNote

DEALS_OF_A_COMPANY = 200


@http.get("/api/v1/deals/{id}/timeline", allow="crm:read")
def timeline_of_deal(id: UUID, filter: TimelineFilter, ctx: Context) -> Page[TimelineItem]:
    return _page(ctx, Subject.of_deal(ctx.get(Deal, id)), filter)


@http.get("/api/v1/companies/{id}/timeline", allow="crm:read")
def timeline_of_company(id: UUID, filter: TimelineFilter, ctx: Context) -> Page[TimelineItem]:
    """With what happened in the company's deals that the asker may see, and no others."""
    company = ctx.get(Company, id)
    deals = ctx.visible(Deal).where(Deal.company_id == id).order_by(Deal.id.desc()).limit(DEALS_OF_A_COMPANY)
    return _page(ctx, Subject.of_company(company, ctx.db.scalars(deals)), filter)


def _page(ctx: Context, subject: Subject, filter: TimelineFilter) -> Page[TimelineItem]:
    try:
        cursor = Cursor.parse(filter.cursor) if filter.cursor is not None else None
    except ValueError as error:
        raise Invalid("O cursor não é desta lista", field="cursor") from error
    items = timeline(ctx.db, subject, ctx.visible(PrivateNote), cursor, filter.limit)
    shown = items[: filter.limit]
    last = shown[-1] if len(items) > filter.limit else None
    return Page[TimelineItem](items=shown, next=Cursor(last.at, last.id).text if last else None)
