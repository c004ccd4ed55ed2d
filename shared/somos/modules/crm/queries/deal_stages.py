"""Stages of the pipelines."""

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from somos.modules.crm.tables.deal_stages import DealStage
from somos.modules.crm.tables.pipelines import Pipeline


class NoPipeline(LookupError):
    """No pipeline has a stage yet; `somos.modules.crm.actions.seed.install` makes the default ones."""


def first_stage(db: Session, pipeline_id: UUID | None = None) -> DealStage:
    """Where deals of a pipeline start; without one, of the first active pipeline. Raises NoPipeline."""
    stages = select(DealStage).join(Pipeline, Pipeline.id == DealStage.pipeline_id).where(Pipeline.active)
    if pipeline_id is not None:
        stages = stages.where(Pipeline.id == pipeline_id)
    stage = db.scalars(stages.order_by(Pipeline.position, Pipeline.id, DealStage.position, DealStage.id)).first()
    if stage is None:
        raise NoPipeline("nenhum funil ativo tem etapas")
    return stage
