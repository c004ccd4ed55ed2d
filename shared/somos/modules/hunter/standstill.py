"""Searches that stand still: those that wait for a new day go on, the others are helped, then given up."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from somos.mesh.clock import day_of
from somos.modules.hunter import sessions
from somos.modules.hunter.rules.limits import MAX_NUDGES, STALLED_AFTER_MINUTES
from somos.modules.hunter.rules.states import UNSETTLED
from somos.modules.hunter.sessions import Step
from somos.modules.hunter.tables import Lead, SearchPage, SearchSession


def revive(db: Session, *, secret: str, now: datetime) -> Iterator[tuple[SearchSession, Step]]:
    """Every search that needed help, with what it wants next."""
    still = now - timedelta(minutes=STALLED_AFTER_MINUTES)
    found = select(SearchSession).where(
        SearchSession.state.in_(["queued", "running", "paused"]), SearchSession.moved_at < still
    )
    for session in db.scalars(found.order_by(SearchSession.id).with_for_update(key_share=True, skip_locked=True)):
        if session.state == "paused":
            if session.reason != "day-cap" or day_of(session.moved_at) == day_of(now):
                continue
            sessions.resume(session)
        elif session.nudges >= MAX_NUDGES:
            waiting = session.found - session.settled
            sessions.end(session, "failed", f"{waiting} leads ficaram sem resposta das fontes.", now)
            yield session, Step()
            continue
        else:
            session.nudges += 1
            _nudge(db, session, still)
        db.flush()
        yield session, sessions.advance(db, session, secret=secret, now=now)


def _nudge(db: Session, session: SearchSession, still: datetime) -> None:
    """Pages nobody answered are given up, and still counted as paid; leads are stated again."""
    if session.state == "queued":
        sessions.start(db, session)
        return
    db.execute(
        update(SearchPage)
        .where(SearchPage.session_id == session.id, SearchPage.state == "wanted", SearchPage.wanted_at < still)
        .values(state="failed")
        .execution_options(synchronize_session=False)
    )
    db.execute(
        update(Lead)
        .where(Lead.session_id == session.id, Lead.state.in_(UNSETTLED))
        .values(held=True)
        .execution_options(synchronize_session=False)
    )
