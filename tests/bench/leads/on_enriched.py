"""Second step of four."""

from sqlalchemy import text

from somos.mesh import Context, topic
from tests.bench.leads.facts import Enriched, Scored
from tests.bench.leads.work import EFFECT, STATE


@topic(Enriched, attempts=20)
def on_enriched(event: Enriched, ctx: Context) -> None:
    with ctx.write() as db:
        db.execute(text(EFFECT), {"lead": event.lead_id, "step": "scored"})
        db.execute(text(STATE), {"lead": event.lead_id, "step": "scored"})
        ctx.emit(Scored(lead_id=event.lead_id))
