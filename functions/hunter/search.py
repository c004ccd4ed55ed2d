"""Look for leads: accepted at once, told as it goes, continued when asked again."""

from somos.events.hunter import SearchRequested
from somos.mesh import Accepted, Conflict, Context, http
from somos.modules.hunter.actions import search_sessions
from somos.modules.hunter.queries import icp_profiles
from somos.modules.hunter.schemas.search_sessions import SearchRequest
from somos.modules.hunter.tables.icp_profiles import IcpProfile


@http.post("/api/v1/hunter/search", allow="hunter:write")
def search_start(request: SearchRequest, ctx: Context) -> Accepted:
    """Start a search, or join the one under way. What this version of the profile has read is not read again."""
    profile = ctx.get(IcpProfile, request.icp_id, lock=True)  # the lock lets one of two start it
    if profile.archived:
        raise Conflict("Este perfil está arquivado.", code="icp-archived")
    live = icp_profiles.live_search(ctx.db, profile.id)
    if live is not None:
        return Accepted(task_id=live.task_id)
    session = search_sessions.begin(
        ctx,
        profile,
        kind="search",
        sources=sorted(set(request.sources)),
        target=request.limit,
        credits_cap=request.credits_cap,
    )
    ctx.emit(SearchRequested(session_id=session.id, task_id=session.task_id))
    return Accepted(task_id=session.task_id)
