"""Shapes of profiles and their versions."""

from datetime import datetime
from typing import Annotated, ClassVar, Literal
from uuid import UUID

from pydantic import Field

from somos.mesh.schemas import Body, Filter, View
from somos.modules.hunter.rules.icp_profiles import Icp
from somos.modules.hunter.tables.icp_profiles import IcpProfile

Name = Annotated[str, Field(min_length=2, max_length=120)]


class IcpDraft(Body):
    """A profile to save."""

    name: Name = Field(examples=["Agências de publicidade em São Paulo, 50+ funcionários"])
    criteria: Icp


class IcpChange(Body):
    """What of a profile changes; new criteria are a new version."""

    name: Name | None = None
    criteria: Icp | None = None
    archived: bool | None = None


class IcpFilter(Filter):
    """Profiles; archived ones only when asked for."""

    table: ClassVar[type[IcpProfile]] = IcpProfile
    sort: Literal["id", "-id", "name", "-name"] = "name"
    archived: bool = False


class IcpSummary(View):
    """A profile in a list."""

    id: UUID
    name: str
    number: int = Field(description="Versão mais nova")
    archived: bool
    created_at: datetime
    updated_at: datetime
    version: int


class CriterionView(View):
    """One question of the rubric and what a full yes is worth."""

    id: str
    label: str
    question: str
    points: int


class IcpView(IcpSummary):
    """A profile with its newest criteria, and the rubric they make."""

    criteria: Icp
    rubric_version: str
    rubric: list[CriterionView]


class IcpVersionView(View):
    """One saved version; never changed."""

    id: UUID
    icp_id: UUID
    number: int
    criteria: Icp
    saved_by: UUID
    created_at: datetime


class VersionFilter(Filter):
    """Versions of one profile, newest first."""

    sort: Literal["number", "-number"] = "-number"
