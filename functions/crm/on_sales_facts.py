"""What a deal's beginning and end ask of people."""

from datetime import timedelta

from somos.events.crm import DealOpened, DealWon
from somos.mesh import Context, topic
from somos.modules.crm.actions.deal_activities import record
from somos.modules.crm.queries.deal_activities import is_planned
from somos.modules.crm.rules.deals import follow_up_at
from somos.modules.crm.tables.deals import Deal

CONTRACT_WITHIN = timedelta(days=2)


@topic(DealOpened)
def on_deal_opened(event: DealOpened, ctx: Context) -> None:
    """A deal that came from an answer gets its first task: nobody who said yes waits unnoticed."""
    if event.lead_id is None:
        return
    with ctx.write() as db:
        deal = db.get(Deal, event.deal_id)
        if deal is None or deal.state != "open" or is_planned(db, deal.id):
            return
        task, due = "Responder a quem demonstrou interesse", follow_up_at(ctx.now)
        record(ctx, deal.id, "task", task, due_at=due, assignee_id=deal.owner_id)


@topic(DealWon)
def on_deal_won(event: DealWon, ctx: Context) -> None:
    """The contract is the next step, and the direction is notified."""
    with ctx.write() as db:
        deal = db.get(Deal, event.deal_id)
        if deal is None or deal.state != "won":
            return
        due = ctx.now + CONTRACT_WITHIN
        record(ctx, deal.id, "task", "Preparar o contrato", due_at=due, assignee_id=deal.owner_id)
        ctx.notify("deal.won", {"deal_id": str(deal.id)}, role="Diretor")
