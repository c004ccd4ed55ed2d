"""Is this somebody we already have? Exact keys say so; alike names only suggest it."""

from dataclasses import dataclass
from typing import Literal

from somos.kernel.names import name_similarity
from somos.kernel.places import same_place

SUGGEST_FROM = 0.84  # below it, Brazilian company names that share a common word drown the real twins


@dataclass(frozen=True, slots=True)
class Known:
    """A company or contact as the comparison sees it; values are normalised."""

    name: str
    city: str | None = None
    document: str | None = None
    domain: str | None = None
    phone: str | None = None
    email: str | None = None


@dataclass(frozen=True, slots=True)
class Likeness:
    """How one resembles another: by a key (certain) or by name (a hint), with the fields that matched."""

    kind: Literal["exact", "similar"]
    fields: tuple[str, ...]
    score: int  # 0..100


def may_be_one(document: str | None, other: str | None) -> bool:
    """Whether two companies may be one: two documents are two, whatever else agrees. So are headquarters and branch."""
    return document is None or other is None or document == other


def likeness(mine: Known, other: Known) -> Likeness | None:
    """Exact when any key is equal; similar when names resemble and the cities do not contradict."""
    if not may_be_one(mine.document, other.document):
        return None
    same = tuple(
        field
        for field in ("document", "domain", "phone", "email")
        if getattr(mine, field) and getattr(mine, field) == getattr(other, field)
    )
    if same:
        return Likeness("exact", same, 100)
    if mine.city and other.city and not same_place(mine.city, other.city):
        return None
    score = name_similarity(mine.name, other.name)
    if score < SUGGEST_FROM:
        return None
    fields = ("name", "city") if mine.city and other.city else ("name",)
    return Likeness("similar", fields, round(score * 100))
