"""Alike names in one city: a suggestion for a person, never a merge."""

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from somos.kernel.names import name_similarity
from somos.kernel.places import same_place

SUGGEST_FROM = 0.84
STATES = ("open", "merged", "dismissed")


@dataclass(frozen=True, slots=True)
class Named:
    """A lead as the comparison sees it."""

    id: UUID
    name: str
    city: str | None
    cnpj: str | None = None


def may_be_one(cnpj: str | None, other: str | None) -> bool:
    """Whether two companies may be one: two CNPJs are two, whatever else agrees. So are headquarters and branch."""
    return cnpj is None or other is None or cnpj == other


def suggestions(lead: Named, others: Iterable[Named]) -> list[tuple[UUID, int]]:
    """(other lead, likeness 0-100), the most alike first."""
    pairs = []
    for other in others:
        if other.id == lead.id or not same_place(lead.city, other.city):
            continue
        if not may_be_one(lead.cnpj, other.cnpj):
            continue
        likeness = name_similarity(lead.name, other.name)
        if likeness >= SUGGEST_FROM:
            pairs.append((other.id, round(likeness * 100)))
    return sorted(pairs, key=lambda pair: (-pair[1], str(pair[0])))
