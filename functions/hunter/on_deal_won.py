"""A lead became a client: it is never prospected again."""

from somos.events.crm import DealWon
from somos.mesh import Context, topic
from somos.modules.hunter.actions import leads


@topic(DealWon)
def on_deal_won(event: DealWon, ctx: Context) -> None:
    with ctx.write() as db:
        leads.deal_won(db, event.deal_id)
