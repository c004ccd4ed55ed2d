"""Cadences: edited as a draft, frozen when published; who is in one stays on the version it began with."""

from uuid import UUID

from sqlalchemy import delete, select

from somos.mesh import Context, Invalid, Page, http
from somos.modules.sdr.queries.cadences import as_rules, published, steps_of
from somos.modules.sdr.rules.cadences import problems
from somos.modules.sdr.schemas.cadences import (
    CadenceDetail,
    CadenceDraft,
    CadenceFilter,
    CadencePatch,
    CadenceView,
    StepDraft,
    StepView,
    VersionView,
)
from somos.modules.sdr.tables import Cadence, CadenceStep, CadenceVersion, Sender


@http.get("/api/v1/cadences", allow="sdr:read")
def cadences_list(filter: CadenceFilter, ctx: Context) -> Page[CadenceView]:
    return ctx.page(ctx.visible(Cadence).where(*filter.clauses()), CadenceView)


@http.get("/api/v1/cadences/{id}", allow="sdr:read")
def cadences_get(id: UUID, ctx: Context) -> CadenceDetail:
    return _detail(ctx, ctx.get(Cadence, id))


@http.post("/api/v1/cadences", allow="sdr:write")
def cadences_create(draft: CadenceDraft, ctx: Context) -> CadenceDetail:
    cadence = Cadence(name=draft.name, description=draft.description)
    ctx.db.add(cadence)
    ctx.db.flush()
    _write_steps(ctx, _draft_of(ctx, cadence), draft.steps)
    return _detail(ctx, cadence)


@http.patch("/api/v1/cadences/{id}", allow="sdr:write")
def cadences_edit(id: UUID, patch: CadencePatch, ctx: Context) -> CadenceDetail:
    """Change the draft; published versions stay as they are."""
    cadence = ctx.get(Cadence, id, lock=True)
    changes = patch.model_dump(exclude_unset=True, exclude={"steps"})
    for name, value in changes.items():
        setattr(cadence, name, value)
    if patch.steps:
        _write_steps(ctx, _draft_of(ctx, cadence), patch.steps)
    ctx.db.flush()
    return _detail(ctx, cadence)


@http.post("/api/v1/cadences/{id}/publish", allow="outreach.approve", status=200)
def cadences_publish(id: UUID, ctx: Context) -> CadenceDetail:
    """Freeze the draft as the next version; new enrolments get it."""
    cadence = ctx.get(Cadence, id, lock=True)
    steps = steps_of(ctx.db, _draft_of(ctx, cadence).id)
    if wrong := problems(as_rules(steps)):
        raise Invalid(" ".join(wrong), field="steps")
    last = published(ctx.db, id)
    version = CadenceVersion(
        cadence_id=id,
        version_no=last.version_no + 1 if last else 1,
        published_at=ctx.now,
        published_by=ctx.principal.id,
    )
    ctx.db.add(version)
    ctx.db.flush()
    _write_steps(ctx, version, [StepDraft.model_validate(step, from_attributes=True, extra="ignore") for step in steps])
    cadence.published_no = version.version_no
    ctx.db.flush()
    return _detail(ctx, cadence)


def _draft_of(ctx: Context, cadence: Cadence) -> CadenceVersion:
    of_cadence = select(CadenceVersion).where(CadenceVersion.cadence_id == cadence.id, CadenceVersion.version_no == 0)
    draft = ctx.db.scalars(of_cadence).first()
    if draft is None:
        draft = CadenceVersion(cadence_id=cadence.id, version_no=0)
        ctx.db.add(draft)
        ctx.db.flush()
    return draft


def _write_steps(ctx: Context, version: CadenceVersion, steps: list[StepDraft]) -> None:
    senders = {step.sender_id: step.channel for step in steps if step.sender_id}
    known = {sender.id: sender.channel for sender in ctx.db.scalars(select(Sender).where(Sender.id.in_(senders)))}
    if any(known.get(id) != channel for id, channel in senders.items()):
        raise Invalid("Um dos remetentes não existe ou é de outro canal", field="steps")
    if len({step.step_no for step in steps}) != len(steps):
        raise Invalid("Dois passos têm o mesmo número", field="steps")
    ctx.db.execute(delete(CadenceStep).where(CadenceStep.cadence_version_id == version.id))
    ctx.db.add_all(CadenceStep(cadence_version_id=version.id, **step.model_dump()) for step in steps)
    ctx.db.flush()


def _detail(ctx: Context, cadence: Cadence) -> CadenceDetail:
    of_cadence = select(CadenceVersion).where(CadenceVersion.cadence_id == cadence.id)
    return CadenceDetail(
        **CadenceView.model_validate(cadence).model_dump(),
        versions=[
            VersionView(
                version_no=version.version_no,
                published_at=version.published_at,
                steps=[StepView.model_validate(step) for step in steps_of(ctx.db, version.id)],
            )
            for version in ctx.db.scalars(of_cadence.order_by(CadenceVersion.version_no))
        ],
    )
