"""Leads that said "later" come back on their day."""

from somos.mesh import Context, cron
from somos.modules.hunter.actions import leads


@cron("10 7 * * *")
def every_leads_wake(ctx: Context) -> None:
    with ctx.write() as db:
        leads.wake(db, ctx.today)
