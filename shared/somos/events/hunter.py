"""What the hunter states: searches under way and what became of each lead."""

from typing import Literal
from uuid import UUID

from somos.mesh.events import Event


class SearchRequested(Event):
    """A person asked for leads that fit an ICP."""

    session_id: UUID
    task_id: UUID


class SourceWanted(Event):
    """One page of one source is to be read for a search."""

    session_id: UUID
    source: Literal["web", "maps"]
    query: str
    page: int = 1


class LeadFound(Event):
    """A company not known before was stored."""

    lead_id: UUID
    session_id: UUID | None = None


class LeadEnriched(Event):
    """What the company's own site and the registry say of it is stored."""

    lead_id: UUID
    session_id: UUID | None = None


class LeadErased(Event):
    """What was known of a lead is gone: at the person's request, or because nobody used it in time."""

    lead_id: UUID
    why: Literal["request", "retention"]


class LeadSettled(Event):
    """Nothing more will be done to this lead by the search that found it."""

    lead_id: UUID
    session_id: UUID | None = None
    outcome: Literal["qualified", "rejected", "duplicate", "blocked", "undecided"]
