"""An outside of the toys that does as a test tells it."""

from collections.abc import Callable
from typing import Any, Protocol

from somos.mesh.effects import operation


class NothingHappened(Exception):
    """The call surely had no effect."""

    outcome = "none"
    retry_after: float | None = None


class SaidNo(Exception):
    """The provider refused for good."""

    outcome = "refused"
    code = "said-no"


class Postman(Protocol):
    """Tells the outside of a note."""

    @operation(unknown="retry")
    def tell(self, note: str, key: str) -> str:
        """A receipt; takes our key."""
        ...

    @operation(unknown="park")
    def shout(self, note: str) -> str:
        """A receipt; cannot be taken back."""
        ...

    @operation(unknown="reconcile")
    def book(self, note: str, key: str) -> str:
        """A receipt; `book_lookup` finds it again."""
        ...


class ToyPostman(Postman):
    """Keeps what it was told; `trouble` is raised by the next calls, after the effect when `late`.

    `meanwhile` runs while a call is under way.
    """

    def __init__(self) -> None:
        self.told: list[tuple[str, str]] = []
        self.trouble: list[BaseException] = []
        self.late = False
        self.meanwhile: Callable[[], None] | None = None

    def _do(self, name: str, key: str) -> str:
        if self.meanwhile:
            self.meanwhile()
        if self.trouble and not self.late:
            raise self.trouble.pop(0)
        self.told.append((name, key))
        if self.trouble:
            raise self.trouble.pop(0)
        return f"recibo-{key}"

    @operation(unknown="retry")
    def tell(self, note: str, key: str) -> str:
        return self._do("tell", key)

    @operation(unknown="park")
    def shout(self, note: str) -> str:
        return self._do("shout", note)

    @operation(unknown="reconcile")
    def book(self, note: str, key: str) -> str:
        return self._do("book", key)

    def book_lookup(self, note: str, key: str) -> str | None:
        return f"recibo-{key}" if ("book", key) in self.told else None


class ToyWiring:
    """Gives the postman for every port."""

    def __init__(self) -> None:
        self.postman = ToyPostman()

    def port(self, protocol: type) -> Any:
        return self.postman
