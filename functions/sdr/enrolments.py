"""People going through cadences; a person may take somebody out of one."""

from uuid import UUID

from somos.kernel.refusals import NotAllowed
from somos.mesh import Context, Page, http
from somos.modules.sdr.actions.enrolments import stop_enrolment
from somos.modules.sdr.actions.messages import cancel_of_enrolment
from somos.modules.sdr.queries.people import lock_people
from somos.modules.sdr.rules.machines import LIVE_ENROLMENTS
from somos.modules.sdr.schemas.campaigns import Pause
from somos.modules.sdr.schemas.enrolments import EnrolmentFilter, EnrolmentView
from somos.modules.sdr.tables.enrolments import Enrolment


@http.get("/api/v1/enrolments", allow="sdr:read")
def enrolments_list(filter: EnrolmentFilter, ctx: Context) -> Page[EnrolmentView]:
    return ctx.page(ctx.visible(Enrolment).where(*filter.clauses()), EnrolmentView)


@http.post("/api/v1/enrolments/{id}/stop", allow="sdr:write", status=200)
def enrolments_stop(id: UUID, stop: Pause, ctx: Context) -> EnrolmentView:
    """End one person's cadence; what has not left is cancelled."""
    lock_people(ctx.db, Enrolment, [id])
    enrolment = ctx.get(Enrolment, id, lock=True)
    if enrolment.state not in LIVE_ENROLMENTS:
        raise NotAllowed("A cadência já terminou", code="enrolment-ended")
    stop_enrolment(enrolment, "stopped_manual", stop.reason)
    with ctx.as_system():  # withdraws the open request to approve, which only people decide
        cancel_of_enrolment(ctx, enrolment.id, stop.reason)
    ctx.db.flush()
    return ctx.show(enrolment, EnrolmentView)
