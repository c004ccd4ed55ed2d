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
