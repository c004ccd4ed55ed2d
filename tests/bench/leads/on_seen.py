"""First step of four."""

from sqlalchemy import text

from somos.mesh import Context, topic
from tests.bench.leads.facts import Enriched, Seen
from tests.bench.leads.work import EFFECT, STATE


@topic(Seen, attempts=20)
def on_seen(event: Seen, ctx: Context) -> None:
    with ctx.write() as db:
        db.execute(text(EFFECT), {"lead": event.lead_id, "step": "enriched"})
        db.execute(text(STATE), {"lead": event.lead_id, "step": "enriched"})
        ctx.emit(Enriched(lead_id=event.lead_id))
