"""The pipelines, stages and lost reasons a producer starts with. Installing twice changes nothing."""

from typing import Final

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from somos.mesh import locks
from somos.mesh.ids import stable
from somos.modules.crm.tables.deal_stages import DealStage
from somos.modules.crm.tables.lost_reasons import LostReason
from somos.modules.crm.tables.pipelines import Pipeline

# (name, probability, days before the badge, what must be filled to enter)
_Stage = tuple[str, int, int | None, list[str]]

_FIRST: Final[list[_Stage]] = [
    ("Novo contato", 10, 3, []),
    ("Qualificação", 20, 7, ["contact_id"]),
]
_LAST: Final[list[_Stage]] = [
    ("Proposta enviada", 50, 10, ["company_id", "value_cents"]),
    ("Negociação", 75, 10, ["company_id", "value_cents", "expected_close_date"]),
]

PIPELINES: Final[list[tuple[str, str, list[_Stage]]]] = [
    ("publicidade", "Publicidade", [*_FIRST, ("Briefing", 35, 7, ["company_id"]), *_LAST]),
    ("institucional", "Institucional", [*_FIRST, ("Visita e roteiro", 35, 14, ["company_id"]), *_LAST]),
    ("evento", "Evento", [*_FIRST, ("Data reservada", 40, 5, ["company_id", "expected_close_date"]), *_LAST]),
    ("recorrente", "Recorrente", [*_FIRST, ("Piloto", 40, 30, ["company_id"]), *_LAST]),
]

LOST_REASONS: Final = [
    "Preço",
    "Prazo",
    "Fechou com outra produtora",
    "Projeto cancelado ou adiado",
    "Sem verba",
    "Sem resposta",
    "Fora do nosso perfil",
]


def install(db: Session) -> None:
    """Into an empty house only: what people renamed, removed or added since stays theirs."""
    locks.take(db, "crm.seed", ["install"])
    if not db.scalar(select(exists(select(Pipeline.id)))):
        for position, (code, name, stages) in enumerate(PIPELINES):
            pipeline = Pipeline(id=stable("crm.pipelines", code), code=code, name=name, position=position)
            db.add(pipeline)
            db.flush()
            db.add_all(_stage(pipeline, order, stage) for order, stage in enumerate(stages))
    if not db.scalar(select(exists(select(LostReason.id)))):
        for position, name in enumerate(LOST_REASONS):
            db.add(LostReason(id=stable("crm.lost_reasons", name), name=name, position=position))
    db.flush()


def _stage(pipeline: Pipeline, position: int, stage: _Stage) -> DealStage:
    name, probability, max_days, required = stage
    return DealStage(
        id=stable("crm.deal_stages", pipeline.code, name),
        pipeline_id=pipeline.id,
        name=name,
        position=position,
        probability=probability,
        max_days=max_days,
        required_fields=required,
    )
