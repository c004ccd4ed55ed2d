"""Cadences: edited as a draft, frozen when published; who is in one stays on the version it began with."""

from uuid import UUID

from somos.mesh import Context, Page, http
from somos.modules.sdr.actions.cadences import draft_of, publish, write_steps
from somos.modules.sdr.queries.cadences import steps_of, versions_of
from somos.modules.sdr.schemas.cadences import (
    CadenceDetail,
    CadenceDraft,
    CadenceFilter,
    CadencePatch,
    CadenceView,
    StepView,
    VersionView,
)
from somos.modules.sdr.tables.cadences import Cadence


@http.get("/api/v1/cadences", allow="sdr:read")
def cadences_list(filter: CadenceFilter, ctx: Context) -> Page[CadenceView]:
    return ctx.page(ctx.visible(Cadence).where(*filter.clauses()), CadenceView)


@http.get("/api/v1/cadences/{id}", allow="sdr:read")
def cadences_get(id: UUID, ctx: Context) -> CadenceDetail:
    return _detail(ctx, ctx.get(Cadence, id))


@http.post("/api/v1/cadences", allow="sdr:write")
def cadences_create(draft: CadenceDraft, ctx: Context) -> CadenceDetail:
    cadence = ctx.create(Cadence, name=draft.name, description=draft.description)
    write_steps(ctx, draft_of(ctx, cadence), draft.steps)
    return _detail(ctx, cadence)


@http.patch("/api/v1/cadences/{id}", allow="sdr:write")
def cadences_patch(id: UUID, patch: CadencePatch, ctx: Context) -> CadenceDetail:
    """Change the draft; published versions stay as they are."""
    cadence = ctx.get(Cadence, id, lock=True)
    ctx.change(cadence, **patch.model_dump(exclude_unset=True, exclude={"steps"}))
    if patch.steps:
        write_steps(ctx, draft_of(ctx, cadence), patch.steps)
    return _detail(ctx, cadence)


@http.post("/api/v1/cadences/{id}/publish", allow="outreach.approve", status=200)
def cadences_publish(id: UUID, ctx: Context) -> CadenceDetail:
    """Freeze the draft as the next version; new enrolments get it."""
    cadence = ctx.get(Cadence, id, lock=True)
    publish(ctx, cadence)
    return _detail(ctx, cadence)


def _detail(ctx: Context, cadence: Cadence) -> CadenceDetail:
    versions = [
        VersionView(
            version_no=version.version_no,
            published_at=version.published_at,
            steps=[ctx.show(step, StepView) for step in steps_of(ctx.db, version.id)],
        )
        for version in versions_of(ctx.db, cadence.id)
    ]
    return CadenceDetail(**ctx.show(cadence, CadenceView).model_dump(), versions=versions)
