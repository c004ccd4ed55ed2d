"""The last step."""

from sqlalchemy import text

from somos.mesh import Context, topic
from tests.bench.leads.facts import Written
from tests.bench.leads.work import EFFECT, STATE


@topic(Written, attempts=20)
def on_written(event: Written, ctx: Context) -> None:
    with ctx.write() as db:
        db.execute(text(EFFECT), {"lead": event.lead_id, "step": "sent"})
        db.execute(text(STATE), {"lead": event.lead_id, "step": "sent"})
