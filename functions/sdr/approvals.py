"""Requests that wait for a person, the ones that were decided, and those that nobody decided in time."""

from uuid import UUID

from somos.mesh import Context, Page, cron, http
from somos.modules.sdr.actions.messages import expire_due
from somos.modules.sdr.schemas.approvals import ApprovalFilter, ApprovalView
from somos.modules.sdr.tables.approvals import Approval


@http.get("/api/v1/approvals", allow="sdr:read")
def approvals_list(filter: ApprovalFilter, ctx: Context) -> Page[ApprovalView]:
    return ctx.page(ctx.visible(Approval).where(*filter.clauses()), ApprovalView)


@http.get("/api/v1/approvals/{id}", allow="sdr:read")
def approvals_get(id: UUID, ctx: Context) -> ApprovalView:
    return ctx.show(ctx.get(Approval, id), ApprovalView)


@cron("*/15 * * * *")
def approvals_expire(ctx: Context) -> None:
    """Requests that nobody decided in time lapse, and their messages with them."""
    with ctx.write():
        if lapsed := expire_due(ctx):
            ctx.notify("outreach.expired", {"count": lapsed}, role="Diretor")
