"""Everything that happened around a deal or a company, newest first, from every place that knows a part of it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import ColumnElement, Select, Text, and_, cast, func, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from somos.mesh import Context, Invalid, Page
from somos.mesh.records import Audit
from somos.modules.crm.rules.timeline import Cursor, field_changes, message_title
from somos.modules.crm.schemas.timeline import FieldChange, TimelineFilter, TimelineItem
from somos.modules.crm.tables.companies import Company
from somos.modules.crm.tables.deal_activities import DealActivity
from somos.modules.crm.tables.deals import Deal
from somos.modules.crm.tables.private_notes import PrivateNote
from somos.modules.sdr.queries.conversations import conversation

T = TypeVar("T", bound=Any)
DEALS_OF_A_COMPANY = 200


@dataclass(frozen=True)
class Subject:
    """What the timeline is about: rows whose changes count, and deals whose activities do."""

    audited: Sequence[tuple[str, UUID]]
    deal_ids: Sequence[UUID]
    lead_ids: Sequence[UUID]

    @classmethod
    def of_deal(cls, deal: Deal) -> "Subject":
        return cls([("crm.deals", deal.id)], [deal.id], [deal.lead_id] if deal.lead_id else [])

    @classmethod
    def of_company(cls, company: Company, deals: Iterable[Deal]) -> "Subject":
        """With the deals of the company that the asker may see."""
        seen = list(deals)
        return cls(
            [("crm.companies", company.id)],
            [deal.id for deal in seen],
            [deal.lead_id for deal in seen if deal.lead_id],
        )


def timeline_of_deal(ctx: Context, deal: Deal, filter: TimelineFilter) -> Page[TimelineItem]:
    return _page(ctx, Subject.of_deal(deal), filter)


def timeline_of_company(ctx: Context, company: Company, filter: TimelineFilter) -> Page[TimelineItem]:
    """With what happened in the company's deals that the asker may see, and no others."""
    deals = ctx.visible(Deal).where(Deal.company_id == company.id).order_by(Deal.id.desc()).limit(DEALS_OF_A_COMPANY)
    return _page(ctx, Subject.of_company(company, ctx.db.scalars(deals)), filter)


def _page(ctx: Context, subject: Subject, filter: TimelineFilter) -> Page[TimelineItem]:
    try:
        cursor = Cursor.parse(filter.cursor) if filter.cursor is not None else None
    except ValueError as error:
        raise Invalid("O cursor não é desta lista", field="cursor") from error
    items = _newest(ctx.db, subject, ctx.visible(PrivateNote), cursor, filter.limit)
    shown = items[: filter.limit]
    last = shown[-1] if len(items) > filter.limit else None
    return Page[TimelineItem](items=shown, next=Cursor(last.at, last.id).text if last else None)


def _newest(
    db: Session, subject: Subject, notes: Select[PrivateNote], cursor: Cursor | None, limit: int
) -> list[TimelineItem]:
    """At most `limit` + 1 items older than the cursor; `notes` are the asker's own."""
    messages = {item.id: item for lead_id in subject.lead_ids for item in _messages(db, lead_id)}
    activities = list(_activities(db, subject.deal_ids, cursor, limit))
    for activity in activities:
        # The activity says when and on which deal; the conversation knows the words.
        message = messages.pop(str(activity.reference_id), None)
        if message is not None:
            activity.body = message.body
    items = [
        *activities,
        *messages.values(),
        *_private(db, notes, subject.deal_ids, cursor, limit),
        *_changes(db, subject.audited, cursor, limit),
    ]
    older = items if cursor is None else [item for item in items if cursor.is_before(item.at, item.id)]
    return sorted(older, key=lambda item: (item.at, item.id), reverse=True)[: limit + 1]


def _activities(db: Session, deal_ids: Sequence[UUID], cursor: Cursor | None, limit: int) -> Iterable[TimelineItem]:
    rows = select(DealActivity).where(DealActivity.deal_id.in_(deal_ids))
    for row in db.scalars(_older(rows, DealActivity.happened_at, cast(DealActivity.id, Text), cursor, limit)):
        yield TimelineItem(
            id=str(row.id),
            at=row.happened_at,
            kind=row.kind,
            title=row.subject,
            body=row.body,
            deal_id=row.deal_id,
            actor_id=row.author_id,
            actor_kind=row.author_kind,
            channel=row.channel,
            reference_id=row.reference_id,
        )


def _private(
    db: Session, notes: Select[PrivateNote], deal_ids: Sequence[UUID], cursor: Cursor | None, limit: int
) -> Iterable[TimelineItem]:
    rows = notes.where(PrivateNote.deal_id.in_(deal_ids))
    for row in db.scalars(_older(rows, PrivateNote.happened_at, cast(PrivateNote.id, Text), cursor, limit)):
        yield TimelineItem(
            id=str(row.id),
            at=row.happened_at,
            kind=row.kind,
            title=row.subject,
            body=row.body,
            deal_id=row.deal_id,
            actor_id=row.author_id,
            actor_kind="user",
            private=True,
        )


def _changes(
    db: Session, audited: Sequence[tuple[str, UUID]], cursor: Cursor | None, limit: int
) -> Iterable[TimelineItem]:
    for table, row_id in audited:
        rows = select(Audit).where(Audit.table_name == table, Audit.row_id == row_id)
        for row in db.scalars(_older(rows, Audit.at, func.concat("audit-", Audit.id), cursor, limit)):
            created = row.op == "insert"
            changes = (
                []
                if created
                else [
                    FieldChange(field=f, label=label, old=old, new=new)
                    for f, label, old, new in field_changes(row.changes)
                ]
            )
            if created or changes:
                yield TimelineItem(
                    id=f"audit-{row.id}",
                    at=row.at,
                    kind="created" if created else "field_change",
                    title="Criado" if created else "Alterou " + ", ".join(change.label for change in changes),
                    deal_id=row_id if table == "crm.deals" else None,
                    actor_id=row.actor_id,
                    actor_kind=row.actor_kind,
                    function=row.function,
                    correlation=row.correlation,
                    changes=changes,
                )


def _messages(db: Session, lead_id: UUID) -> Iterable[TimelineItem]:
    for item in conversation(db, lead_id):
        kind = "message_received" if item.direction == "in" else "message_sent"
        yield TimelineItem(
            id=str(item.id),
            at=item.at,
            kind=kind,
            title=message_title(kind, item.channel),
            body=item.text,
            actor_id=item.author_id,
            actor_kind=item.author,
            channel=item.channel,
            reference_id=item.id,
        )


def _older(
    rows: Select[T],
    at: InstrumentedAttribute[datetime],
    id: ColumnElement[str],
    cursor: Cursor | None,
    limit: int,
) -> Select[T]:
    """The newest that may stand on this page; of equal times, the greater id comes first, as in Python."""
    key = id.collate("C")
    if cursor is not None:
        rows = rows.where(or_(at < cursor.at, and_(at == cursor.at, key < cursor.id)))
    return rows.order_by(at.desc(), key.desc()).limit(limit + 1)
