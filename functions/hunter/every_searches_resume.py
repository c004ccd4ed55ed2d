"""Searches that wait for a new day go on; those that stand still are nudged, and given up after a while."""

from somos.mesh import Context, cron
from somos.modules.hunter.actions import search_sessions


@cron("*/5 * * * *", timeout=60)
def every_searches_resume(ctx: Context) -> None:
    with ctx.write() as db:
        for session, step in search_sessions.revive(db, secret=ctx.settings.suppression_key, now=ctx.now):
            search_sessions.announce(ctx, session, step)
