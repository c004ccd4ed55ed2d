"""What is known of a company: each value with its source, how it was read, where and when; and which one wins."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final, Literal, get_args
from urllib.parse import urlsplit

from somos.kernel.documents import normalise_cnpj
from somos.kernel.emails import normalise_email
from somos.kernel.hosts import domain_of
from somos.kernel.keys import CompanyKeys, KeyKind
from somos.kernel.phones import normalise_phone, phone_variants
from somos.kernel.places import parse_state
from somos.kernel.text import storable

Origin = Literal["person", "csv", "site", "maps", "web", "registry"]
ORIGINS: tuple[Origin, ...] = get_args(Origin)

# What a lead shows for each field comes from the first of these that knows it. The registry's phone and e-mail
# are usually the accountant's, so it comes last for those; for the law it comes first.
_CONTACT: Final = ("person", "csv", "site", "maps", "web", "registry")
_LEGAL: Final = ("person", "registry", "csv", "site", "maps", "web")
PRECEDENCE: Final[dict[str, tuple[str, ...]]] = {
    "company_name": ("person", "csv", "maps", "web", "site", "registry"),
    "legal_name": _LEGAL,
    "cnpj": ("person", "csv", "site", "registry", "maps", "web"),
    "domain": ("person", "csv", "maps", "web", "site", "registry"),
    "phone": _CONTACT,
    "email": _CONTACT,
    "contact_name": _CONTACT,
    "contact_role": _CONTACT,
    "city": ("person", "csv", "maps", "registry", "site", "web"),
    "uf": ("person", "csv", "maps", "registry", "site", "web"),
    "address": ("person", "csv", "maps", "registry", "site", "web"),
    "segment": ("person", "csv", "maps", "registry", "site", "web"),
    "cnae": _LEGAL,
    "size": _LEGAL,
    "registry_status": _LEGAL,
    "employees": ("person", "csv", "site", "maps", "web", "registry"),
    "instagram": _CONTACT,
    "linkedin": _CONTACT,
    "facebook": _CONTACT,
}
# Kept as evidence only; a lead has no column for them.
EVIDENCE_ONLY: Final = ("texto", "resumo", "atividade", "observacao")
MAX_EVIDENCE: Final = 4000
FIELDS: Final = (*PRECEDENCE, *EVIDENCE_ONLY)

# A key that comes only from the registry joins nothing: hundreds of companies share one accountant.
_KEY_ORIGINS: Final = frozenset({"person", "csv", "site", "maps", "web"})


@dataclass(frozen=True, slots=True)
class Fact:
    """One value of one field and where it comes from.

    `rank` orders values of one source, the best first. `late`: learnt after the lead was being judged.
    """

    field: str
    value: str
    source: Origin
    method: str
    url: str | None
    seen_at: datetime
    rank: int = 0
    late: bool = False


@dataclass(frozen=True, slots=True)
class Key:
    """An exact key: two leads never hold the same one."""

    kind: KeyKind
    value: str


def chosen(facts: Iterable[Fact]) -> dict[str, Fact]:
    """The fact that wins for each field: by source, then by rank, then the newest."""
    best: dict[str, tuple[tuple[object, ...], Fact]] = {}
    for fact in facts:
        order = PRECEDENCE.get(fact.field)
        if order is None:
            continue
        rank: tuple[object, ...] = (
            order.index(fact.source),
            fact.rank,
            -fact.seen_at.timestamp(),
            fact.value,
        )
        if fact.field not in best or rank < best[fact.field][0]:
            best[fact.field] = (rank, fact)
    return {field: fact for field, (_, fact) in sorted(best.items())}


def exact_keys(facts: Iterable[Fact]) -> list[Key]:
    """The keys by which these facts recognise a company, sorted.

    Of several CNPJs only the one that wins: the site of a branch shows its headquarters' too.
    """
    facts = list(facts)
    own = chosen(facts).get("cnpj")
    keys = {Key("cnpj", own.value)} if own else set()
    for fact in facts:
        if fact.source not in _KEY_ORIGINS:
            continue
        if fact.field == "domain":
            keys.add(Key("domain", fact.value))
        elif fact.field == "phone":
            keys.add(Key("phone", phone_variants(fact.value)[0]))
        elif fact.field == "email":
            keys.add(Key("email", fact.value))
        elif fact.field in ("instagram", "linkedin", "facebook"):
            keys.add(Key("profile", f"{fact.field}:{fact.value}"))
    return sorted(keys, key=lambda key: (key.kind, key.value))


def company_keys(facts: Iterable[Fact]) -> CompanyKeys:
    """The keys other modules recognise a company by."""
    best = {field: fact.value for field, fact in chosen(facts).items()}
    return CompanyKeys(best.get("cnpj"), best.get("domain"), best.get("phone"), best.get("email"))


def fact(
    field: str,
    value: str | None,
    source: Origin,
    method: str,
    url: str | None,
    seen_at: datetime,
    rank: int = 0,
) -> list[Fact]:
    """The fact, normalised for its field; nothing when the value cannot be one."""
    lines = [" ".join(line.split()) for line in storable(value or "").splitlines()]
    text = ("\n" if field in EVIDENCE_ONLY else " ").join(line for line in lines if line)
    normal = _NORMALISERS.get(field)
    clean = normal(text) if normal else text[: MAX_EVIDENCE if field in EVIDENCE_ONLY else 200]
    return [Fact(field, clean, source, method, storable(url) if url else None, seen_at, rank)] if clean else []


_PROFILE_HOSTS: Final = {"instagram.com": "instagram", "linkedin.com": "linkedin", "facebook.com": "facebook"}
_NOT_PROFILES: Final = frozenset(
    [
        "p", "reel", "reels", "explore", "stories", "tv", "sharer", "share", "dialog", "plugins", "login", "help",
        "legal", "watch", "groups", "events", "hashtag", "public", "pages", "people", "photo", "sharer.php",
    ]
)  # fmt: skip


def profile_of(url: str | None) -> tuple[str, str] | None:
    """(network, slug) of a company's profile page, or None: a post, a search or a person is no company."""
    try:
        parts = urlsplit(url if url and "://" in url else f"//{url or ''}")
        host = (parts.hostname or "").lower()
    except ValueError:
        return None
    network = next((name for end, name in _PROFILE_HOSTS.items() if host == end or host.endswith(f".{end}")), None)
    path = [part.lower() for part in parts.path.split("/") if part]
    if network is None or not path:
        return None
    if network == "linkedin":
        if len(path) < 2 or path[0] not in ("company", "school", "showcase"):
            return None
        return network, path[1][:120]
    slug = path[0].lstrip("@")
    if slug in _NOT_PROFILES or not re.fullmatch(r"[a-z0-9_.\-]{2,120}", slug):
        return None
    return network, slug


def _slug(network: str, value: str) -> str | None:
    profile = profile_of(value) if "/" in value else profile_of(f"https://{network}.com/{value.lstrip('@')}")
    if profile is None and network == "linkedin" and "/" not in value:
        profile = profile_of(f"https://linkedin.com/company/{value}")
    return profile[1] if profile and profile[0] == network else None


def _employees(value: str) -> str | None:
    count = headcount(value) or headcount(f"{value} pessoas")
    return str(count) if count else None


_NORMALISERS: Final[dict[str, Callable[[str], str | None]]] = {
    "cnpj": normalise_cnpj,
    "domain": domain_of,
    "phone": normalise_phone,
    "email": normalise_email,
    "uf": parse_state,
    "employees": _employees,
    "instagram": lambda value: _slug("instagram", value),
    "linkedin": lambda value: _slug("linkedin", value),
    "facebook": lambda value: _slug("facebook", value),
}

_PEOPLE = r"(?:funcion[aá]ri|colaborador|profissiona|pessoas|talentos|empregad|integrantes|especialistas|employees)"
_COUNT = re.compile(
    rf"(?i)(?<![\d.,])(\d{{1,3}}(?:\.\d{{3}})+|\d{{1,6}})\s*\+?\s*"
    rf"(?:(?:a|até|-|–|e)\s*\d[\d.]*\s*)?(?:de\s+)?(?:\w+\s+)?{_PEOPLE}"
)


def headcount(text: str) -> int | None:
    """How many people a sentence says a company has; the smaller end of a range."""
    match = _COUNT.search(text)
    return int(match[1].replace(".", "")) if match else None


def late(facts: Iterable[Fact]) -> list[Fact]:
    """The same facts, learnt after the lead was being judged: shown, but part of no score."""
    return [replace(fact, late=True) for fact in facts]
