"""Says when it began, by the clock all processes of a machine share."""

import time

from sqlalchemy import text

from somos.mesh import Context, topic
from tests.bench.leads.facts import Probed


@topic(Probed)
def on_probed(event: Probed, ctx: Context) -> None:
    began = time.monotonic()
    with ctx.write() as db:
        db.execute(text("insert into bench.starts values (:probe, :at)"), {"probe": event.probe_id, "at": began})
