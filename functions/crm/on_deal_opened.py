"""A deal that came from an answer gets its first task: nobody who said yes waits unnoticed."""

from somos.events.crm import DealOpened
from somos.mesh import Context, topic
from somos.modules.crm.actions.deal_activities import has_next_step, record
from somos.modules.crm.rules.deals import follow_up_at
from somos.modules.crm.tables import Deal


@topic(DealOpened)
def on_deal_opened(event: DealOpened, ctx: Context) -> None:
    if event.lead_id is None:
        return
    with ctx.write() as db:
        deal = db.get(Deal, event.deal_id)
        if deal is None or deal.state != "open" or has_next_step(db, deal.id):
            return
        record(
            db,
            deal.id,
            "task",
            "Responder a quem demonstrou interesse",
            ctx.principal,
            ctx.now,
            due_at=follow_up_at(ctx.now),
            assignee_id=deal.owner_id,
        )
