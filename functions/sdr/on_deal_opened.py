"""A deal about a lead is open: a person talks to them now, so no cadence does."""

from somos.events.crm import DealOpened
from somos.mesh import Context, topic
from somos.modules.sdr.actions.locks import lock
from somos.modules.sdr.actions.people import stop_person
from somos.modules.sdr.queries.people import known_by_leads

REASON = "Há um negócio em andamento com a empresa."


@topic(DealOpened)
def on_deal_opened(event: DealOpened, ctx: Context) -> None:
    if event.lead_id is None:
        return
    with ctx.write() as db:
        known = known_by_leads(db, [event.lead_id])
        lock(db, known.keys)
        stop_person(db, known.keys, "stopped_deal", REASON, ctx.now, conversations=False)
