"""Adds to a deal's activities."""

from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from somos.mesh import Context
from somos.mesh.ids import uuid7
from somos.modules.crm.tables.deal_activities import DealActivity
from somos.modules.crm.tables.deals import Deal


def record(ctx: Context, deal_id: UUID, kind: str, subject: str, **more: Any) -> DealActivity:
    """Something happened to a deal, by who asks."""
    more["happened_at"] = more.get("happened_at") or ctx.now
    author = ctx.principal
    return ctx.create(
        DealActivity,
        deal_id=deal_id,
        kind=kind,
        subject=subject,
        author_id=author.id if author.is_person else None,
        author_kind=author.kind.value,
        **more,
    )


def record_message(
    ctx: Context, lead_id: UUID, kind: str, subject: str, reference_id: UUID, channel: str | None = None
) -> None:
    """A message of a conversation, on the deal its lead became, if any; once, however often it is told."""
    deal_id = ctx.db.scalar(select(Deal.id).where(Deal.lead_id == lead_id))
    if deal_id is None:
        return
    ctx.db.execute(
        insert(DealActivity)
        .values(
            id=uuid7(),
            version=1,
            deal_id=deal_id,
            kind=kind,
            subject=subject,
            author_kind="system",
            happened_at=ctx.now,
            channel=channel,
            reference_id=reference_id,
        )
        .on_conflict_do_nothing(index_elements=[DealActivity.reference_id])
    )
