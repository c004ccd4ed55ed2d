"""Saving the versions of a profile."""

from uuid import UUID

from sqlalchemy.orm import Session

from somos.modules.hunter.rules.icp_profiles import Icp
from somos.modules.hunter.tables.icp_profiles import IcpProfile
from somos.modules.hunter.tables.icp_versions import IcpVersion


def save_version(db: Session, profile: IcpProfile, saved: Icp, by: UUID) -> None:
    """Keep these criteria as the profile's version `number`, for ever."""
    db.add(IcpVersion(icp_id=profile.id, number=profile.number, criteria=saved.model_dump(mode="json"), saved_by=by))
    db.flush()
