"""A file said never to write to somebody: they are suppressed, and what was on its way to them ends."""

from somos.events.sdr import SuppressionWanted
from somos.mesh import Context, topic
from somos.modules.sdr.actions.people import silence


@topic(SuppressionWanted)
def on_suppression_wanted(event: SuppressionWanted, ctx: Context) -> None:
    with ctx.write() as db:
        silence(ctx, db, dict(event.keys), source="manual", reason=event.reason, added_by=ctx.actor_id)
