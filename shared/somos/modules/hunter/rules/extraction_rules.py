"""What an administrator teaches about reading sites: addresses to ignore and to prefer, written as globs.

Globs, not regular expressions: they are easy to write, and no pattern can keep a worker busy for ever.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Literal, get_args

from somos.kernel.hosts import domain_of
from somos.kernel.phones import is_mobile

Kind = Literal["email", "phone", "social"]
KINDS: tuple[Kind, ...] = get_args(Kind)
Action = Literal["ignore", "prefer"]
ACTIONS: tuple[Action, ...] = get_args(Action)
MAX_STARS = 4


@dataclass(frozen=True, slots=True)
class Rule:
    """One line of the table: for values of this kind that look like the pattern, do this."""

    kind: Kind
    action: Action
    pattern: str


# What holds before anybody edits anything.
DEFAULTS: tuple[Rule, ...] = (
    *(
        Rule("email", "ignore", pattern)
        for pattern in (
            "no-reply@*", "noreply@*", "nao-responda@*", "naoresponda@*", "*@sentry.*", "*@*.sentry.io",
            "*@example.*", "*@exemplo.com", "*@dominio.com*", "*@seusite.*", "*.png", "*.jpg", "*.webp",
            "postmaster@*", "abuse@*", "dpo@*", "privacidade@*", "lgpd@*", "curriculo*@*", "vagas@*", "rh@*",
        )
    ),
    *(
        Rule("email", "prefer", pattern)
        for pattern in ("comercial@*", "contato@*", "atendimento@*", "marketing@*", "novosnegocios@*")
    ),
    *(Rule("social", "ignore", pattern) for pattern in ("*/sharer*", "*/share?*", "*/intent/*", "*/p/*")),
)  # fmt: skip


def refuse_pattern(pattern: str) -> str | None:
    """Why a pattern cannot be used, or None."""
    if pattern.count("*") > MAX_STARS:
        return f"Use no máximo {MAX_STARS} asteriscos."
    if not pattern.strip("*? "):
        return "O padrão combina com qualquer valor."
    return None


def kept(kind: Kind, values: Iterable[str], rules: Sequence[Rule]) -> list[str]:
    """Values that no rule ignores, the preferred first, otherwise in the order they came."""
    mine = [rule for rule in rules if rule.kind == kind]
    left = [value for value in values if not _matches(value, mine, "ignore")]
    return sorted(left, key=lambda value: not _matches(value, mine, "prefer"))


def own_first(emails: Iterable[str], domain: str | None) -> list[str]:
    """Addresses of the company's own domain before free mail; those of somebody else's domain are left out."""
    kept = [email for email in emails if domain_of(email) in (None, domain) or domain is None]
    return sorted(kept, key=lambda email: domain_of(email) != domain)


def mobile_first(phones: Iterable[str]) -> list[str]:
    """Numbers that may have WhatsApp before landlines."""
    return sorted(phones, key=lambda phone: not is_mobile(phone))


def _matches(value: str, rules: Iterable[Rule], action: Action) -> bool:
    return any(rule.action == action and _compiled(rule.pattern).fullmatch(value.lower()) for rule in rules)


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    parts = {"*": ".*?", "?": "."}
    return re.compile("".join(parts.get(mark, re.escape(mark)) for mark in pattern.lower()))
