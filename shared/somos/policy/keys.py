"""API keys: a random secret shown once, of which only a hash and a recognisable beginning are kept."""

import hashlib
import secrets
from dataclasses import dataclass, field
from typing import Final

PREFIX: Final = "sk_"
_SHOWN: Final = 8


@dataclass(frozen=True)
class NewKey:
    """`secret` goes to the person once; `hash` and `hint` go to the database."""

    secret: str = field(repr=False)
    hash: str
    hint: str


def new_key() -> NewKey:
    """256 random bits; sha256 is enough, there is nothing to guess."""
    secret = PREFIX + secrets.token_urlsafe(32)
    return NewKey(secret=secret, hash=hash_of(secret), hint=secret[: len(PREFIX) + _SHOWN])


def hash_of(secret: str) -> str:
    """What the database is asked for."""
    return hashlib.sha256(secret.encode()).hexdigest()


def is_key(credential: str) -> bool:
    """Whether a bearer credential is an API key rather than a token."""
    return credential.startswith(PREFIX)
