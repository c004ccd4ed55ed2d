"""Read one page of one source, once, and let the search move on."""

from somos.events.hunter import SourceWanted
from somos.mesh import Context, topic
from somos.mesh.queues import AGENTS
from somos.modules.hunter.actions import search_pages, search_sessions
from somos.modules.hunter.queries.search_sessions import UnreadPage, unread_page
from somos.ports.errors import OutsideError
from somos.ports.search import Search, SearchPage


# The source serves the same question free for an hour: attempts that all fall within it never buy twice.
@topic(SourceWanted, calls=[Search], queue=AGENTS, timeout=60, attempts=7)
def on_source_wanted(event: SourceWanted, ctx: Context) -> None:
    page = ctx.read(unread_page, event.session_id, event.source, event.query, event.page)
    answer, trouble = _ask(ctx, page) if page else (None, None)

    with ctx.write() as db:
        session = search_sessions.lock(db, event.session_id)
        stored_page = search_pages.find_page(db, event.session_id, event.source, event.query, event.page)
        if stored_page is None:
            return
        if answer is not None:
            search_pages.page_read(db, session, stored_page, answer)
        else:
            search_sessions.page_unread(db, session, stored_page, trouble, ctx.now)
        db.flush()
        step = search_sessions.advance(db, session, secret=ctx.settings.suppression_key, now=ctx.now)
        search_sessions.announce(ctx, session, step)


def _ask(ctx: Context, page: UnreadPage) -> tuple[SearchPage | None, Exception | None]:
    """The page's results, or what keeps the source from giving them; passing trouble is tried again, to the last."""
    search = ctx.port(Search)
    try:
        if page.source == "web":
            return ctx.once("page", search.web, query=page.query, page=page.page), None
        return ctx.once("page", search.maps, query=page.query, page=page.page, near=page.near), None
    except search_sessions.TROUBLE as error:
        return None, error
    except OutsideError as error:
        if error.retry_after is not None or not ctx.is_last_attempt():
            raise
        ctx.log.warning("search_page_unreached", code=error.code)
        return None, error
