"""A lead became a deal."""

from somos.events.crm import DealOpened
from somos.mesh import Context, topic
from somos.modules.hunter.actions import leads


@topic(DealOpened)
def on_deal_opened(event: DealOpened, ctx: Context) -> None:
    with ctx.write() as db:
        if event.lead_id is not None:
            leads.deal_opened(db, event.lead_id, event.deal_id)
