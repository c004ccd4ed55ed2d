"""Profiles, their versions and the search under way."""

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from somos.modules.hunter.rules.icp_profiles import Icp
from somos.modules.hunter.rules.rubric import rubric_of
from somos.modules.hunter.rules.search_sessions import LIVE_SESSIONS
from somos.modules.hunter.schemas.icp_profiles import CriterionView, IcpSummary, IcpView
from somos.modules.hunter.tables.icp_profiles import IcpProfile
from somos.modules.hunter.tables.icp_versions import IcpVersion
from somos.modules.hunter.tables.search_sessions import SearchSession


def criteria(db: Session, icp_id: UUID, number: int) -> Icp:
    """The criteria as that version was saved."""
    statement = select(IcpVersion.criteria).where(IcpVersion.icp_id == icp_id, IcpVersion.number == number)
    return Icp.model_validate(db.scalars(statement).one())


def view(db: Session, profile: IcpProfile) -> IcpView:
    """The profile with its newest criteria and what they are worth."""
    newest = criteria(db, profile.id, profile.number)
    rubric = rubric_of(newest)
    return IcpView(
        **IcpSummary.model_validate(profile).model_dump(),
        criteria=newest,
        rubric_version=rubric.version,
        rubric=[CriterionView.model_validate(criterion) for criterion in rubric.criteria],
    )


def live_search(db: Session, icp_id: UUID) -> SearchSession | None:
    """The search of this profile that has not ended."""
    statement = select(SearchSession).where(
        SearchSession.icp_id == icp_id, SearchSession.kind == "search", SearchSession.state.in_(LIVE_SESSIONS)
    )
    return db.scalars(statement).first()
