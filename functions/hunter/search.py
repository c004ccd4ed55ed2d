"""Look for leads: accepted at once, told as it goes, continued when asked again."""

from somos.events.hunter import SearchRequested
from somos.mesh import Accepted, Conflict, Context, http
from somos.mesh.ids import uuid7
from somos.modules.hunter.queries import icp_profiles
from somos.modules.hunter.schemas.search_sessions import SearchRequest
from somos.modules.hunter.tables.icp_profiles import IcpProfile
from somos.modules.hunter.tables.search_sessions import SearchSession


@http.post("/api/v1/hunter/search", allow="hunter:write")
def search_start(wanted: SearchRequest, ctx: Context) -> Accepted:
    """Start a search, or join the one under way. What this version of the profile has read is not read again."""
    profile = ctx.get(IcpProfile, wanted.icp_id, lock=True)  # the lock lets one of two start it
    if profile.archived:
        raise Conflict("Este perfil está arquivado.", code="icp-archived")
    live = icp_profiles.live_search(ctx.db, profile.id)
    if live is not None:
        return Accepted(task_id=live.task_id)
    session_id = uuid7()
    session = SearchSession(
        id=session_id,
        icp_id=profile.id,
        icp_number=profile.number,
        task_id=ctx.start_task("hunter.search", session_id),
        requested_by=ctx.principal.id,
        sources=sorted(set(wanted.sources)),
        target=wanted.limit,
        credits_cap=wanted.credits_cap,
        moved_at=ctx.now,
    )
    ctx.db.add(session)
    ctx.emit(SearchRequested(session_id=session.id, task_id=session.task_id))
    return Accepted(task_id=session.task_id)
