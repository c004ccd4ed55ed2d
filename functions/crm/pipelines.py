"""Pipelines of sales: each kind of work has its own stages."""

from uuid import UUID

from somos.kernel.refusals import NotAllowed
from somos.mesh import Context, Page, http
from somos.modules.crm.schemas.pipelines import PipelineDraft, PipelineFilter, PipelinePatch, PipelineView
from somos.modules.crm.tables.deals import Deal
from somos.modules.crm.tables.pipelines import Pipeline


@http.get("/api/v1/pipelines", allow="crm:read")
def pipelines_list(filter: PipelineFilter, ctx: Context) -> Page[PipelineView]:
    return ctx.page(ctx.visible(Pipeline).where(*filter.clauses()), PipelineView)


@http.get("/api/v1/pipelines/{id}", allow="crm:read")
def pipelines_get(id: UUID, ctx: Context) -> PipelineView:
    return ctx.show(ctx.get(Pipeline, id), PipelineView)


@http.post("/api/v1/pipelines", allow="crm.configure")
def pipelines_create(draft: PipelineDraft, ctx: Context) -> PipelineView:
    twins = ctx.visible(Pipeline).where(Pipeline.code == draft.code)
    ctx.refuse_twin(twins, PipelineView, "Já existe um funil com este código", code="pipeline-exists")
    return ctx.show(ctx.create(Pipeline, draft), PipelineView)


@http.patch("/api/v1/pipelines/{id}", allow="crm.configure")
def pipelines_patch(id: UUID, patch: PipelinePatch, ctx: Context) -> PipelineView:
    return ctx.show(ctx.change(ctx.get(Pipeline, id, lock=True), patch), PipelineView)


@http.delete("/api/v1/pipelines/{id}", allow="crm.configure")
def pipelines_delete(id: UUID, ctx: Context) -> None:
    pipeline = ctx.get(Pipeline, id, lock=True)
    if ctx.count(ctx.visible(Deal).where(Deal.pipeline_id == id)):
        raise NotAllowed("O funil tem negócios; desative-o em vez de apagar", code="pipeline-in-use")
    ctx.db.delete(pipeline)
