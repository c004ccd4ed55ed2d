"""Text from outside: what is compared and searched, and what PostgreSQL can hold.

Two things it cannot: the NUL character, and half a surrogate pair (an emoji cut in two). Both are legal in JSON, in
Python and in JavaScript, so both are really sent.
"""

import re
import unicodedata

# Every escape of a JSON text, one by one, so that `\\u0000` (a backslash and five characters) is not taken for one.
# The first group is what cannot be held; a whole surrogate pair matches before its halves.
_ESCAPE = re.compile(
    rb"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"
    rb"|(\\u(?:0000|[dD][89a-fA-F][0-9a-fA-F]{2}))"
    rb"|\\.",
    re.DOTALL,
)
# A half as UTF-8 would write it; `json.loads` takes these bytes for characters.
_ENCODED_HALF = re.compile(rb"\xed[\xa0-\xbf][\x80-\xbf]")


def fold(text: str) -> str:
    """Lower case, without accents or punctuation: what is compared and searched."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    plain = "".join(character for character in plain if not unicodedata.combining(character))
    return re.sub(r"[^a-z0-9]+", " ", plain).strip()


def storable(text: str) -> str:
    """The text without what cannot be held."""
    return text.replace("\x00", "").encode("utf-8", "ignore").decode()


def storable_json(raw: bytes) -> bytes:
    """JSON whose texts hold nothing that cannot be held; what is no JSON stays none."""
    if b"\x00" in raw or b"\xed" in raw:
        raw = _ENCODED_HALF.sub(b"", raw.replace(b"\x00", b""))
    return _ESCAPE.sub(lambda match: b"" if match[1] else match[0], raw) if b"\\u" in raw else raw
