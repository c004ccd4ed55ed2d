"""What is written to a log holds no secret and nobody's data: the one place that strips both.

Texts are searched for what looks like either. Of exceptions whose message repeats what they were given (a value that
did not fit, a statement's parameters, a row that was there already) only the kind is told, never the message.
"""

import re
import traceback
from collections.abc import Iterator
from functools import cache
from typing import Any

HIDDEN = "***"
LONGEST = 2_000
_NAMES = r"api[-_ ]?key|apikey|authorization|password|passwd|senha|secret|token|cookie|signature|credential"
_PATTERNS = (
    # JSON Web Tokens, and whatever follows a scheme of authorisation.
    r"\beyJ[\w-]{8,}(?:\.[\w-]*){1,2}",
    r"(?i)(?<=\bbearer )\S+|(?<=\bbasic )\S+",
    # A name that says it, and its value: in a URL, in JSON, in a Python literal, in a header.
    rf"(?i)(?<![a-z])(?P<kept>['\"]?[\w-]*(?:{_NAMES})[\w-]*['\"]?\s*[=:]\s*)(?:'[^']*'|\"[^\"]*\"|[^\s&,;)}}\]]+)",
    # The user and password of an address.
    r"(?<=://)[^/\s@]+(?=@)",
    # Links of one use.
    r"(?P<kept>/unsubscribe/)[^/\s?\"']+",
    # People: e-mail addresses, telephone numbers, CPF and CNPJ.
    r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+",
    r"(?<![\w-])\+?55\d{10,11}(?![\w-])|\(\d{2}\)\s?9?\d{4}-\d{4}",
    r"(?<!\d)\d{3}\.\d{3}\.\d{3}-\d{2}(?!\d)|(?<!\w)[\dA-Z]{2}\.[\dA-Z]{3}\.[\dA-Z]{3}/[\dA-Z]{4}-\d{2}",
    # What pydantic was given.
    r"(?s)(?P<kept>input_value=).*?(?=, input_type=|$)",
)  # fmt: skip


@cache
def _patterns() -> tuple[re.Pattern[str], ...]:
    """Compiled for the first line that is written, not for a unit's start."""
    return tuple(map(re.compile, _PATTERNS))


_NAME = re.compile(rf"(?i){_NAMES}")
_QUIET = frozenset({"ValidationError", "ValidationException"})


def redact(value: Any, name: str = "") -> Any:
    """A value as a log may hold it; `name` is what it is called there."""
    if value is None or isinstance(value, bool | int | float):
        return value
    if _NAME.search(name):
        return HIDDEN
    if isinstance(value, dict):
        return {str(key): redact(inner, str(key)) for key, inner in value.items()}
    if isinstance(value, list | tuple | set):
        return [redact(inner, name) for inner in value]
    return redacted(str(value))


def redacted(text: str) -> str:
    """The text without what looks like a secret or like somebody's data, and without what is past all reading: a
    pattern's time grows with the square of a word's length."""
    if len(text) > LONGEST:
        text = f"{text[:LONGEST]}… ({len(text)})"
    for pattern in _patterns():
        text = pattern.sub(_hide, text)
    return text


def trace_of(error: BaseException) -> str:
    """The traceback, its causes first, as a log may hold it."""
    return "\n\n".join(
        "".join(traceback.format_tb(one.__traceback__)) + f"{type(one).__qualname__}: {message_of(one)}"
        for one in reversed(list(_chain(error)))
    )


def message_of(error: BaseException) -> str:
    """What it says, without what it was given."""
    if type(error).__name__ in _QUIET and hasattr(error, "errors"):
        faults = error.errors(include_input=False, include_context=False, include_url=False)
        return "; ".join(f"{'.'.join(map(str, one['loc']))} {one['type']}" for one in faults[:20])
    if hasattr(error, "statement"):  # SQLAlchemy's, around the driver's, which names the row that was there
        return f"{_driver_code(getattr(error, 'orig', None))} [{error.statement}]"
    if error.args and isinstance(error.args[0], dict):
        return _driver_code(error)
    return redacted(str(error))


def _driver_code(error: BaseException | None) -> str:
    """The kind, and PostgreSQL's five characters where pg8000 has them (under its letter C)."""
    fields = error.args[0] if error is not None and error.args else None
    return f"{type(error).__name__} {fields.get('C', '') if isinstance(fields, dict) else ''}".strip()


def _chain(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    at: BaseException | None = error
    while at is not None and id(at) not in seen:
        seen.add(id(at))
        yield at
        at = at.__cause__ or (None if at.__suppress_context__ else at.__context__)


def _hide(match: re.Match[str]) -> str:
    kept = match.groupdict().get("kept") or ""
    return kept + HIDDEN
