"""Stages of a pipeline: the columns of its board."""

from uuid import UUID

from somos.kernel.refusals import NotAllowed
from somos.mesh import Context, Page, http
from somos.modules.crm.schemas.deal_stages import StageDraft, StageFilter, StagePatch, StageView
from somos.modules.crm.tables.deal_stage_history import DealStageHistory
from somos.modules.crm.tables.deal_stages import DealStage
from somos.modules.crm.tables.pipelines import Pipeline


@http.get("/api/v1/deal-stages", allow="crm:read")
def deal_stages_list(filter: StageFilter, ctx: Context) -> Page[StageView]:
    return ctx.page(ctx.visible(DealStage).where(*filter.clauses()), StageView)


@http.get("/api/v1/deal-stages/{id}", allow="crm:read")
def deal_stages_get(id: UUID, ctx: Context) -> StageView:
    return ctx.show(ctx.get(DealStage, id), StageView)


@http.post("/api/v1/deal-stages", allow="crm.configure")
def deal_stages_create(draft: StageDraft, ctx: Context) -> StageView:
    ctx.get(Pipeline, draft.pipeline_id)
    _refuse_taken(ctx, draft.pipeline_id, draft.name)
    return ctx.show(ctx.create(DealStage, draft), StageView)


@http.patch("/api/v1/deal-stages/{id}", allow="crm.configure")
def deal_stages_patch(id: UUID, patch: StagePatch, ctx: Context) -> StageView:
    stage = ctx.get(DealStage, id, lock=True)
    if patch.name not in (None, stage.name):
        _refuse_taken(ctx, stage.pipeline_id, patch.name)
    return ctx.show(ctx.change(stage, patch), StageView)


@http.delete("/api/v1/deal-stages/{id}", allow="crm.configure")
def deal_stages_delete(id: UUID, ctx: Context) -> None:
    stage = ctx.get(DealStage, id, lock=True)
    if ctx.count(ctx.visible(DealStageHistory).where(DealStageHistory.stage_id == id)):
        raise NotAllowed("Já houve negócios nesta etapa; o histórico deles a usa", code="stage-in-use")
    ctx.db.delete(stage)


def _refuse_taken(ctx: Context, pipeline_id: UUID, name: str) -> None:
    twins = ctx.visible(DealStage).where(DealStage.pipeline_id == pipeline_id, DealStage.name == name)
    ctx.refuse_twin(twins, StageView, "O funil já tem uma etapa com este nome", code="stage-exists")
