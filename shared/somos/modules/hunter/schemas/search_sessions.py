"""Shapes of searches: what is asked for, and how far it is."""

from datetime import datetime
from typing import Annotated, ClassVar, Literal
from uuid import UUID

from pydantic import Field

from somos.mesh import Body, Filter, OneOf, View
from somos.modules.hunter.rules.icp_profiles import Source
from somos.modules.hunter.rules.limits import CREDITS_PER_SESSION, LEADS_PER_SEARCH, MAX_LEADS_PER_SEARCH
from somos.modules.hunter.rules.search_sessions import KINDS, SESSION
from somos.modules.hunter.tables.search_sessions import SearchSession

SessionState = Annotated[str, OneOf(SESSION.states)]
Kind = Annotated[str, OneOf(KINDS)]


class SearchRequest(Body):
    """Which profile to search for, where, how many leads more, and at what cost at most."""

    icp_id: UUID
    sources: list[Source] = Field(default=["web", "maps"], min_length=1, max_length=2)
    limit: int = Field(LEADS_PER_SEARCH, ge=1, le=MAX_LEADS_PER_SEARCH, description="Quantos leads a mais")
    credits_cap: int = Field(CREDITS_PER_SESSION, ge=1, le=1000, description="Teto de consultas pagas desta busca")


class SessionResume(Body):
    """Go on, perhaps with a higher cap."""

    credits_cap: int | None = Field(None, ge=1, le=1000)


class SessionFilter(Filter):
    """Searches by profile, state and kind."""

    table: ClassVar[type[SearchSession]] = SearchSession
    sort: Literal["id", "-id", "updated_at", "-updated_at"] = "-id"
    icp_id: UUID | None = None
    state: SessionState | None = None
    kind: Kind | None = None
    requested_by: UUID | None = None


class SessionView(View):
    """A search: how far it is and what it cost."""

    id: UUID
    kind: Kind
    icp_id: UUID
    icp_number: int
    task_id: UUID
    requested_by: UUID
    state: SessionState
    reason: str | None
    sources: list[str]
    target: int
    credits_cap: int
    found: int
    repeated: int
    ignored: int
    settled: int
    qualified: int
    rejected: int
    duplicates: int
    blocked: int
    undecided: int = Field(description="Pontuados sem o modelo: uma pessoa decide")
    credits: int
    created_at: datetime
    updated_at: datetime
    finished_at: datetime | None


class SessionDetail(SessionView):
    """With what is left of the day's paid look-ups."""

    credits_today: int
    credits_per_day: int
