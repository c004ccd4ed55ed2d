"""Cadences: their draft is written, and frozen as a version."""

from sqlalchemy import delete, select

from somos.mesh import Context, Invalid
from somos.modules.sdr.queries.cadences import as_rules, published, steps_of
from somos.modules.sdr.rules.cadences import problems
from somos.modules.sdr.schemas.cadences import StepDraft
from somos.modules.sdr.tables.cadences import Cadence, CadenceStep, CadenceVersion
from somos.modules.sdr.tables.senders import Sender


def draft_of(ctx: Context, cadence: Cadence) -> CadenceVersion:
    """The version that may change, made when there is none."""
    of_cadence = select(CadenceVersion).where(CadenceVersion.cadence_id == cadence.id, CadenceVersion.version_no == 0)
    draft = ctx.db.scalars(of_cadence).first()
    return draft or ctx.create(CadenceVersion, cadence_id=cadence.id, version_no=0)


def write_steps(ctx: Context, version: CadenceVersion, steps: list[StepDraft]) -> None:
    senders = {step.sender_id: step.channel for step in steps if step.sender_id}
    known = {sender.id: sender.channel for sender in ctx.db.scalars(select(Sender).where(Sender.id.in_(senders)))}
    if any(known.get(id) != channel for id, channel in senders.items()):
        raise Invalid("Um dos remetentes não existe ou é de outro canal", field="steps")
    if len({step.step_no for step in steps}) != len(steps):
        raise Invalid("Dois passos têm o mesmo número", field="steps")
    ctx.db.execute(delete(CadenceStep).where(CadenceStep.cadence_version_id == version.id))
    ctx.db.add_all(CadenceStep(cadence_version_id=version.id, **step.model_dump()) for step in steps)
    ctx.db.flush()


def publish(ctx: Context, cadence: Cadence) -> None:
    """Freeze the draft as the next version. Raises Invalid when its steps lead nowhere."""
    steps = steps_of(ctx.db, draft_of(ctx, cadence).id)
    if wrong := problems(as_rules(steps)):
        raise Invalid(" ".join(wrong), field="steps")
    last = published(ctx.db, cadence.id)
    version = ctx.create(
        CadenceVersion,
        cadence_id=cadence.id,
        version_no=last.version_no + 1 if last else 1,
        published_at=ctx.now,
        published_by=ctx.principal.id,
    )
    write_steps(ctx, version, [StepDraft.model_validate(step, from_attributes=True, extra="ignore") for step in steps])
    ctx.change(cadence, published_no=version.version_no)
