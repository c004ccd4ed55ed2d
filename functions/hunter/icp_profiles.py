"""Ideal customer profiles: who is worth looking for. Saving criteria makes a new version."""

from typing import Any
from uuid import UUID

from sqlalchemy import select

from somos.mesh import Conflict, Context, Page, http
from somos.modules.hunter.actions.icp_profiles import save_version
from somos.modules.hunter.queries.icp_profiles import criteria, live_search, view
from somos.modules.hunter.schemas.icp_profiles import (
    IcpDraft,
    IcpFilter,
    IcpPatch,
    IcpSummary,
    IcpVersionView,
    IcpView,
    VersionFilter,
)
from somos.modules.hunter.tables.icp_profiles import IcpProfile
from somos.modules.hunter.tables.icp_versions import IcpVersion


@http.get("/api/v1/icp-profiles", allow="hunter:read")
def icp_profiles_list(filter: IcpFilter, ctx: Context) -> Page[IcpSummary]:
    return ctx.page(ctx.visible(IcpProfile).where(*filter.clauses()), IcpSummary)


@http.post("/api/v1/icp-profiles", allow="hunter:write")
def icp_profiles_create(draft: IcpDraft, ctx: Context) -> IcpView:
    profile = ctx.create(IcpProfile, name=draft.name, created_by=ctx.principal.id)
    save_version(ctx.db, profile, draft.criteria, ctx.principal.id)
    return view(ctx.db, profile)


@http.get("/api/v1/icp-profiles/{id}", allow="hunter:read")
def icp_profiles_get(id: UUID, ctx: Context) -> IcpView:
    return view(ctx.db, ctx.get(IcpProfile, id))


@http.patch("/api/v1/icp-profiles/{id}", allow="hunter:write")
def icp_profiles_patch(id: UUID, patch: IcpPatch, ctx: Context) -> IcpView:
    """Change a profile; other criteria become a new version, the same ones do not."""
    profile = ctx.get(IcpProfile, id, lock=True)
    ctx.change(profile, **patch.model_dump(include={"name", "archived"}, exclude_unset=True))
    if patch.criteria is not None and patch.criteria != criteria(ctx.db, id, profile.number):
        profile.number += 1
        save_version(ctx.db, profile, patch.criteria, ctx.principal.id)
    return view(ctx.db, profile)


@http.delete("/api/v1/icp-profiles/{id}", allow="hunter:write")
def icp_profiles_delete(id: UUID, ctx: Context) -> None:
    """Put a profile away. It stays in what its searches and scores say of themselves."""
    profile = ctx.get(IcpProfile, id, lock=True)
    if live_search(ctx.db, id) is not None:
        raise Conflict("Há uma busca em andamento com este perfil; cancele-a antes.", code="search-live")
    profile.archived = True


@http.get("/api/v1/icp-profiles/{id}/versions", allow="hunter:read")
def icp_profiles_versions(id: UUID, filter: VersionFilter, ctx: Context) -> Page[IcpVersionView]:
    ctx.get(IcpProfile, id)
    versions: Any = select(IcpVersion).where(IcpVersion.icp_id == id, *filter.clauses())
    return ctx.page(versions, IcpVersionView)
