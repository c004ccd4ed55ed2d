"""Is this somebody we already have? Exact keys say so; alike names only suggest it."""

from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Literal

from somos.modules.sheet import fold

SUGGEST_FROM = 0.84  # below it, Brazilian company names that share a common word drown the real twins

# Words that say nothing of which company it is.
_NOISE = frozenset(
    [
        "ltda", "me", "epp", "eireli", "mei", "sa", "s", "a", "cia", "do", "da", "de", "dos", "das", "e",
        "the", "o", "os", "as", "grupo", "comercial", "brasil", "comercio", "servicos",
    ]
)  # fmt: skip


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


def significant(name: str) -> list[str]:
    """The words of a name that identify it; all of them when none does."""
    words = fold(name).split()
    return [word for word in words if word not in _NOISE] or words


def likeness(mine: Known, other: Known) -> Likeness | None:
    """Exact when any key is equal; similar when names resemble and the cities do not contradict."""
    same = tuple(
        field
        for field in ("document", "domain", "phone", "email")
        if getattr(mine, field) and getattr(mine, field) == getattr(other, field)
    )
    if same:
        return Likeness("exact", same, 100)
    if mine.document and other.document:
        return None  # two documents, two companies, however alike their names
    if mine.city and other.city and fold(mine.city) != fold(other.city):
        return None
    score = name_similarity(mine.name, other.name)
    if score < SUGGEST_FROM:
        return None
    fields = ("name", "city") if mine.city and other.city else ("name",)
    return Likeness("similar", fields, round(score * 100))


def name_similarity(one: str, other: str) -> float:
    """0..1, blind to accents, order of words and company suffixes; the same either way round."""
    words, others = sorted(significant(one)), sorted(significant(other))
    if not words or not others:
        return 0.0
    first, second = sorted([" ".join(words), " ".join(others)])
    return SequenceMatcher(None, first, second, autojunk=False).ratio()
