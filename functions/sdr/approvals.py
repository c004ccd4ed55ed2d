"""Requests that wait for a person, and the ones that were decided."""

from uuid import UUID

from somos.mesh import Context, Page, http
from somos.modules.sdr.schemas.approvals import ApprovalFilter, ApprovalView
from somos.modules.sdr.tables.approvals import Approval


@http.get("/api/v1/approvals", allow="sdr:read")
def approvals_list(filter: ApprovalFilter, ctx: Context) -> Page[ApprovalView]:
    return ctx.page(ctx.visible(Approval).where(*filter.clauses()), ApprovalView)


@http.get("/api/v1/approvals/{id}", allow="sdr:read")
def approvals_get(id: UUID, ctx: Context) -> ApprovalView:
    return ctx.show(ctx.get(Approval, id), ApprovalView)
