"""What nobody used is not kept: leads that were never written to are erased when their time is over."""

from somos.events.hunter import LeadSettled
from somos.mesh import Context, cron
from somos.modules.hunter import erasing


@cron("20 4 * * *", emits=[LeadSettled], timeout=120)
def every_retention_purge(ctx: Context) -> None:
    with ctx.write() as db:
        for lead in erasing.purge(db, ctx.today, ctx.settings.suppression_key, ctx.now):
            ctx.emit(LeadSettled(lead_id=lead.lead_id, session_id=lead.session_id, outcome="blocked"))
