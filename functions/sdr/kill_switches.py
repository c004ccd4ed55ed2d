"""The switches that stop sending at once: everything, one channel, or what the agent wrote."""

from uuid import UUID

from sqlalchemy import true

from somos.kernel.refusals import NotAllowed
from somos.mesh import Context, Page, http
from somos.modules.sdr.actions.messages import release
from somos.modules.sdr.schemas.kill_switches import KillSwitchFilter, KillSwitchView, StopAll
from somos.modules.sdr.tables.kill_switches import KillSwitch
from somos.modules.sdr.tables.messages import OutreachMessage


@http.get("/api/v1/kill-switches", allow="sdr:read")
def kill_switches_list(filter: KillSwitchFilter, ctx: Context) -> Page[KillSwitchView]:
    return ctx.page(ctx.visible(KillSwitch).where(*filter.clauses()), KillSwitchView)


@http.post("/api/v1/kill-switches", allow="agent.stop")
def kill_switches_create(stop: StopAll, ctx: Context) -> KillSwitchView:
    switch = ctx.create(KillSwitch, stop, on_by=ctx.principal.id)
    ctx.notify("outreach.stopped", {"scope": stop.scope}, role="Diretor")
    return ctx.show(switch, KillSwitchView)


@http.post("/api/v1/kill-switches/{id}/off", allow="agent.stop", status=200)
def kill_switches_off(id: UUID, ctx: Context) -> KillSwitchView:
    """Let go: what was held is looked at again, under every check."""
    switch = ctx.get(KillSwitch, id, lock=True)
    if switch.off_at is not None:
        raise NotAllowed("O interruptor já foi desligado", code="switch-off")
    ctx.change(switch, off_at=ctx.now, off_by=ctx.principal.id)
    scope, _, which = switch.scope.partition(":")
    stopped = OutreachMessage.channel == which if scope == "channel" else true()
    release(ctx, stopped)
    return ctx.show(switch, KillSwitchView)
