"""The outside of the chain: a file that every call adds one line to, and that no kill takes back."""

import os
import random
import time
from typing import Any, Protocol

from somos.mesh.effects import operation


class Book(Protocol):
    """Where effects are written down."""

    @operation(unknown="park")
    def stamp(self, chain: int) -> str:
        """Takes no key: never repeated."""
        ...

    @operation(unknown="retry")
    def post(self, chain: int, key: str) -> str:
        """Takes our key."""
        ...


class FileBook(Book):
    """Takes a moment before and after the effect, so that kills fall on either side of it."""

    def __init__(self, path: str) -> None:
        self._path = path

    @operation(unknown="park")
    def stamp(self, chain: int) -> str:
        return self._write("stamp", chain, "-")

    @operation(unknown="retry")
    def post(self, chain: int, key: str) -> str:
        return self._write("post", chain, key)

    def _write(self, kind: str, chain: int, key: str) -> str:
        time.sleep(random.uniform(0, 0.03))
        file = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        os.write(file, f"{kind} {chain} {key}\n".encode())
        os.close(file)
        time.sleep(random.uniform(0, 0.03))
        return f"{kind}-{chain}"


class Shelf:
    """Gives the book for every port."""

    def __init__(self, path: str) -> None:
        self._book = FileBook(path)

    def port(self, protocol: type) -> Any:
        return self._book
