"""Secrets of the local stack: made once, kept in files only their owner reads."""

import contextlib
import os
import secrets
from collections.abc import Callable
from pathlib import Path


def kept(folder: Path, name: str, make: Callable[[], str]) -> str:
    """The secret of that name; made and written whole the first time, so two starters agree on one."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / name
    with contextlib.suppress(FileNotFoundError):
        return path.read_text().strip()
    part = folder / f".{name}.{os.getpid()}"
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(make() + "\n")
    # A link, unlike a rename, fails when another process was first; then its secret is the one.
    with contextlib.suppress(FileExistsError):
        os.link(part, path)
    part.unlink()
    return path.read_text().strip()


def kept_password(folder: Path, name: str) -> str:
    """192 random bits that need no escaping in addresses, SQL or configuration files."""
    return kept(folder, name, lambda: secrets.token_hex(24))


def kept_pair(folder: Path, name: str) -> tuple[str, str]:
    """An Ed25519 pair as PEM texts: private, public."""
    public = folder / f"{name}-public.pem"
    private = kept(folder, f"{name}-private.pem", _new_private_key)
    if not public.exists():
        kept(folder, public.name, lambda: _public_of(private))
    return private, public.read_text().strip()


def _new_private_key() -> str:
    from somos.policy.tokens import new_keypair

    return new_keypair()[0].strip()


def _public_of(private: str) -> str:
    from cryptography.hazmat.primitives import serialization

    key = serialization.load_pem_private_key(private.encode(), password=None)
    shape = serialization.PublicFormat.SubjectPublicKeyInfo
    return key.public_key().public_bytes(serialization.Encoding.PEM, shape).decode().strip()
