"""What nobody used is not kept: leads that were never written to are erased when their time is over."""

from somos.events.hunter import LeadErased, LeadSettled
from somos.mesh import Context, cron
from somos.modules.hunter.actions import leads


@cron("20 4 * * *", timeout=120)
def every_retention_purge(ctx: Context) -> None:
    with ctx.write() as db:
        purged = leads.purge(db, ctx.today, ctx.settings.suppression_key, ctx.now)
        for lead_id in purged.erased:
            ctx.emit(LeadErased(lead_id=lead_id, why="retention"))
        for lead in purged.ended:
            ctx.emit(LeadSettled(lead_id=lead.lead_id, session_id=lead.session_id, outcome="blocked"))
