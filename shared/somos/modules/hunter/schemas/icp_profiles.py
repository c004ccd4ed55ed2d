"""Shapes of profiles and their versions."""

from datetime import datetime
from typing import Annotated, ClassVar, Literal
from uuid import UUID

from pydantic import Field

from somos.mesh import Body, Filter, Model, Patch, Record, View
from somos.modules.hunter.rules.icp_profiles import Icp
from somos.modules.hunter.tables.icp_profiles import IcpProfile

Name = Annotated[str, Field(min_length=2, max_length=120)]


class IcpFields(Model):
    """How a profile is called."""

    name: Name = Field(examples=["Agências de publicidade em São Paulo, 50+ funcionários"])


class IcpDraft(IcpFields, Body):
    """A profile to save."""

    criteria: Icp


class IcpPatch(IcpFields, Patch):
    """What of a profile changes; new criteria are a new version."""

    criteria: Icp
    archived: bool


class IcpFilter(Filter):
    """Profiles; archived ones only when asked for."""

    table: ClassVar[type[IcpProfile]] = IcpProfile
    sort: Literal["id", "-id", "name", "-name"] = "name"
    archived: bool = False


class IcpSummary(IcpFields, Record):
    """A profile in a list."""

    number: int = Field(description="Versão mais nova")
    archived: bool
    created_at: datetime
    updated_at: datetime


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
