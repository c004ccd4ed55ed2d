"""What the pipeline states of a lead: it has a deal, it became a client and is never prospected again."""

from somos.events.crm import DealOpened, DealWon
from somos.mesh import Context, topic
from somos.modules.hunter.actions import leads


@topic(DealOpened)
def on_deal_opened(event: DealOpened, ctx: Context) -> None:
    with ctx.write() as db:
        if event.lead_id is not None:
            leads.deal_opened(db, event.lead_id, event.deal_id)


@topic(DealWon)
def on_deal_won(event: DealWon, ctx: Context) -> None:
    with ctx.write() as db:
        leads.deal_won(db, event.deal_id)
