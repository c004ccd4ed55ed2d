"""The client said yes: the contract is the next step, and the direction hears of it."""

from datetime import timedelta

from somos.events.crm import DealWon
from somos.mesh import Context, topic
from somos.modules.crm.actions.deal_activities import record
from somos.modules.crm.tables import Deal

CONTRACT_WITHIN = timedelta(days=2)


@topic(DealWon)
def on_deal_won(event: DealWon, ctx: Context) -> None:
    with ctx.write() as db:
        deal = db.get(Deal, event.deal_id)
        if deal is None or deal.state != "won":
            return
        due = ctx.now + CONTRACT_WITHIN
        task = "Preparar o contrato"
        record(db, deal.id, "task", task, ctx.principal, ctx.now, due_at=due, assignee_id=deal.owner_id)
        ctx.notify("deal.won", {"deal_id": str(deal.id)}, role="Diretor")
