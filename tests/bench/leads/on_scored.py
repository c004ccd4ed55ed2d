"""Third step of four."""

from sqlalchemy import text

from somos.mesh import Context, topic
from tests.bench.leads.facts import Scored, Written
from tests.bench.leads.work import EFFECT, STATE


@topic(Scored, attempts=20)
def on_scored(event: Scored, ctx: Context) -> None:
    with ctx.write() as db:
        db.execute(text(EFFECT), {"lead": event.lead_id, "step": "written"})
        db.execute(text(STATE), {"lead": event.lead_id, "step": "written"})
        ctx.emit(Written(lead_id=event.lead_id))
