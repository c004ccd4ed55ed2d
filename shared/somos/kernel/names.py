"""How alike two company names are. A likeness only ever suggests; keys decide. Pure."""

from somos.kernel.text import fold

# Words that say nothing of which company it is.
_NOISE = frozenset(
    [
        "ltda", "me", "epp", "eireli", "mei", "sa", "s", "a", "cia", "do", "da", "de", "dos", "das", "e",
        "the", "o", "os", "as", "grupo", "comercial", "brasil", "comercio", "servicos",
    ]
)  # fmt: skip


def significant(name: str) -> list[str]:
    """The words of a name that identify it; all of them when none does."""
    words = fold(name).split()
    return [word for word in words if word not in _NOISE] or words


def name_similarity(one: str, other: str) -> float:
    """0..1, blind to accents, order of words and company suffixes; the same either way round."""
    from rapidfuzz.distance import Indel  # on first use

    words, others = sorted(significant(one)), sorted(significant(other))
    if not words or not others:
        return 0.0
    return Indel.normalized_similarity(" ".join(words), " ".join(others))
