"""The switches that stop sending at once: everything, one channel, or what the agent wrote."""

from uuid import UUID

from sqlalchemy import true

from somos.mesh import Conflict, Context, Page, http
from somos.modules.sdr.actions.messages import release
from somos.modules.sdr.schemas.senders import KillSwitchFilter, KillSwitchView, StopAll
from somos.modules.sdr.tables import KillSwitch, OutreachMessage


@http.get("/api/v1/kill-switches", allow="sdr:read")
def kill_switches_list(filter: KillSwitchFilter, ctx: Context) -> Page[KillSwitchView]:
    return ctx.page(ctx.visible(KillSwitch).where(*filter.clauses()), KillSwitchView)


@http.post("/api/v1/kill-switches", allow="agent.stop")
def kill_switches_on(stop: StopAll, ctx: Context) -> KillSwitchView:
    switch = KillSwitch(scope=stop.scope, reason=stop.reason, on_by=ctx.principal.id)
    ctx.db.add(switch)
    ctx.db.flush()
    ctx.notify("outreach.stopped", {"scope": stop.scope}, role="Diretor")
    return KillSwitchView.model_validate(switch)


@http.post("/api/v1/kill-switches/{id}/off", allow="agent.stop", status=200)
def kill_switches_off(id: UUID, ctx: Context) -> KillSwitchView:
    """Let go: what was held is looked at again, under every check."""
    switch = ctx.get(KillSwitch, id, lock=True)
    if switch.off_at is not None:
        raise Conflict("O interruptor já foi desligado", code="switch-off", fresh=KillSwitchView.model_validate(switch))
    switch.off_at, switch.off_by = ctx.now, ctx.principal.id
    ctx.db.flush()
    scope, _, which = switch.scope.partition(":")
    held = OutreachMessage.channel == which if scope == "channel" else true()
    release(ctx, ctx.db, held)
    return KillSwitchView.model_validate(switch)
