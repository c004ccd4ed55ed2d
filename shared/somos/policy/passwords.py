"""Passwords: bcrypt over a digest, so that length neither breaks nor weakens it."""

import base64
import hashlib
import unicodedata
from functools import cache
from typing import Final

import bcrypt

MIN_LENGTH: Final = 10
MAX_LENGTH: Final = 200


class WeakPassword(ValueError):
    """The sentence is for the person who chose it."""


def check_strength(password: str, *, about: tuple[str, ...] = ()) -> None:
    """Refuse what is guessed first: short, one character repeated, or the person's own e-mail or name."""
    if len(password) < MIN_LENGTH:
        raise WeakPassword(f"A senha precisa ter pelo menos {MIN_LENGTH} caracteres")
    if len(password) > MAX_LENGTH:
        raise WeakPassword(f"A senha pode ter no máximo {MAX_LENGTH} caracteres")
    if len(set(password)) < 4:
        raise WeakPassword("A senha repete os mesmos caracteres; escolha outra")
    folded = password.casefold()
    if any(folded == word.casefold() for word in about):
        raise WeakPassword("A senha não pode ser o seu nome nem o seu e-mail")


def hash_password(password: str, cost: int) -> str:
    """The hash to store. `cost` is the logarithm of the work; each step doubles it."""
    return bcrypt.hashpw(_digest(password), bcrypt.gensalt(cost)).decode()


def verify_password(password: str, stored: str | None, cost: int) -> bool:
    """Whether it matches. Without a stored hash it takes as long, so time tells nobody who exists."""
    usable = stored is not None and stored.startswith("$2")  # anything else is an account without a password
    against = stored if usable and stored is not None else _nobody(cost)
    return bcrypt.checkpw(_digest(password), against.encode()) and usable


def is_outdated(stored: str, cost: int) -> bool:
    """Whether the hash was made with less work than is asked for today; then a login makes it anew."""
    return int(stored.split("$")[2]) < cost


@cache
def _nobody(cost: int) -> str:
    return bcrypt.hashpw(b"nobody", bcrypt.gensalt(cost)).decode()


def _digest(password: str) -> bytes:
    # bcrypt reads 72 bytes and stops at a zero byte: a digest in base64 has neither problem. Normalised,
    # because keyboards differ in how they compose an accent.
    plain = unicodedata.normalize("NFKC", password).encode()
    return base64.b64encode(hashlib.sha256(plain).digest())
