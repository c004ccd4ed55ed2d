"""Addresses of e-mail as people write them. Pure."""

import re

from somos.kernel.hosts import ascii_host

_LONGEST_CELL = 500
_EMAIL = re.compile(
    r"[a-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[a-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
    r"@(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+(?:[a-z]{2,63}|xn--[a-z0-9-]{1,59})"
)


def normalise_email(text: str | None) -> str | None:
    """The address in lower case, or None when it cannot be one."""
    if not text or len(text) > 320:
        return None
    address = text.strip().lower().removeprefix("mailto:").split("?", 1)[0].strip("<> \t.,;")
    local, at, host = address.rpartition("@")
    host = (ascii_host(host) if at else None) or ""
    if not host or len(local) > 64:
        return None
    address = f"{local}@{host}"
    return address if len(address) <= 254 and _EMAIL.fullmatch(address) else None


def emails_in(text: str | None) -> tuple[str, ...]:
    """Every address in what a person wrote into one cell, in its order."""
    words = re.split(r"[\s;,/|<>()\[\]\"']+", (text or "")[:_LONGEST_CELL])
    return tuple(dict.fromkeys(address for word in words if "@" in word and (address := normalise_email(word))))
