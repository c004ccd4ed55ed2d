"""Pipelines of sales: each kind of work has its own stages."""

from uuid import UUID

from somos.mesh import Conflict, Context, Page, http
from somos.modules.crm.schemas.pipelines import PipelineDraft, PipelineFilter, PipelinePatch, PipelineView
from somos.modules.crm.tables import Deal, Pipeline


@http.get("/api/v1/pipelines", allow="crm:read")
def pipelines_list(filter: PipelineFilter, ctx: Context) -> Page[PipelineView]:
    return ctx.page(ctx.visible(Pipeline).where(*filter.clauses()), PipelineView)


@http.get("/api/v1/pipelines/{id}", allow="crm:read")
def pipelines_get(id: UUID, ctx: Context) -> PipelineView:
    return PipelineView.model_validate(ctx.get(Pipeline, id))


@http.post("/api/v1/pipelines", allow="crm.configure")
def pipelines_create(draft: PipelineDraft, ctx: Context) -> PipelineView:
    if ctx.count(ctx.visible(Pipeline).where(Pipeline.code == draft.code)):
        raise Conflict("Já existe um funil com este código", code="pipeline-exists")
    pipeline = Pipeline(**draft.model_dump())
    ctx.db.add(pipeline)
    ctx.db.flush()
    return PipelineView.model_validate(pipeline)


@http.patch("/api/v1/pipelines/{id}", allow="crm.configure")
def pipelines_patch(id: UUID, patch: PipelinePatch, ctx: Context) -> PipelineView:
    pipeline = ctx.get(Pipeline, id, lock=True)
    for name, value in patch.model_dump(exclude_unset=True).items():
        setattr(pipeline, name, value)
    ctx.db.flush()
    return PipelineView.model_validate(pipeline)


@http.delete("/api/v1/pipelines/{id}", allow="crm.configure")
def pipelines_delete(id: UUID, ctx: Context) -> None:
    pipeline = ctx.get(Pipeline, id, lock=True)
    if ctx.count(ctx.visible(Deal).where(Deal.pipeline_id == id)):
        raise Conflict("O funil tem negócios; desative-o em vez de apagar", code="pipeline-in-use")
    ctx.db.delete(pipeline)
