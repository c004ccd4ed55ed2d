"""Requests that nobody decided in time lapse, and their messages with them."""

from somos.mesh import Context, cron
from somos.modules.sdr.actions.messages import expire_due


@cron("*/15 * * * *")
def every_approvals_expire(ctx: Context) -> None:
    with ctx.write():
        if lapsed := expire_due(ctx):
            ctx.notify("outreach.expired", {"count": lapsed}, role="Diretor")
