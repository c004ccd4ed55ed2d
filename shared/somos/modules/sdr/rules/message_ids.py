"""How a mail names the mails it answers (RFC 5322, and what programs make of it)."""

import re

# The nearest of a long thread are enough.
MAX_IDS = 30
_IN_BRACKETS = re.compile(r"<\s*([^<>\s]+)\s*>")
_BARE = re.compile(r"[^<>\s,;\"]+@[^<>\s,;\"]+")
_ANSWER = re.compile(r"(?i)^\s*((re|res|rif|aw|sv|enc|fwd?|fw|tr)(\[\d+\])?\s*:\s*)+")


def message_ids(header: str | None) -> list[str]:
    """Every id that a header names, each as `<id>`, in its order; also when brackets or spaces are missing."""
    if not header:
        return []
    ids = _IN_BRACKETS.findall(header) or _BARE.findall(header)
    return list(dict.fromkeys(f"<{one}>" for one in ids if len(one) <= 300))


def answered_ids(in_reply_to: str | None, references: str | None) -> list[str]:
    """What a mail answers, the nearest first: every id of In-Reply-To, then References from its end."""
    return list(dict.fromkeys([*message_ids(in_reply_to), *reversed(message_ids(references))]))[:MAX_IDS]


def as_id(reported: object) -> str | None:
    """One id that a provider reports, as `<id>`."""
    return next(iter(message_ids(reported if isinstance(reported, str) else None)), None)


def is_answer_subject(subject: str) -> bool:
    """`Re: ...`, `RES: ...`: the words are of whom it answers."""
    return bool(_ANSWER.match(subject))
