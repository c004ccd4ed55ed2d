"""Passes a portfolio from one person to another: everything or nothing."""

from typing import Any
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from somos.mesh import Context
from somos.modules.crm.schemas.handovers import HandoverDraft
from somos.modules.crm.tables.companies import Company
from somos.modules.crm.tables.contacts import Contact
from somos.modules.crm.tables.deal_activities import DealActivity
from somos.modules.crm.tables.deals import Deal
from somos.modules.crm.tables.handovers import Handover


def hand_over(ctx: Context, draft: HandoverDraft) -> Handover:
    """Deals in any state, companies, contacts and the tasks not done yet. The record says how much it was."""
    before, after = draft.from_user_id, draft.to_user_id
    pending = (DealActivity.assignee_id == before, DealActivity.done_at.is_(None))
    return ctx.create(
        Handover,
        draft,
        made_by=ctx.principal.id,
        deals=_pass(ctx.db, Deal, Deal.owner_id == before, owner_id=after),
        companies=_pass(ctx.db, Company, Company.owner_id == before, owner_id=after),
        contacts=_pass(ctx.db, Contact, Contact.owner_id == before, owner_id=after),
        tasks=_pass(ctx.db, DealActivity, *pending, assignee_id=after),
    )


def _pass(db: Session, table: Any, *which: Any, **values: UUID) -> int:
    rows = select(table.id).where(*which).with_for_update().subquery()
    count = db.scalar(select(func.count()).select_from(rows)) or 0
    db.execute(update(table).where(*which).values(**values, version=table.version + 1))
    return count
