"""What happens to an outside call whose outcome is unknown is declared on the port's operation."""

from collections.abc import Callable
from typing import Any, Literal, TypeVar

Unknown = Literal["retry", "reconcile", "park"]
# After a restore also what could be looked up is held for a person (somos.mesh.restore).
MAY_BE_PARKED = ("reconcile", "park")
F = TypeVar("F", bound=Callable[..., Any])


def operation(unknown: Unknown) -> Callable[[F], F]:
    """Declare a port's operation.

    `retry`: calling again is harmless or the provider takes our key. `reconcile`: `<name>_lookup` on the same
    port is asked first. `park`: a person decides; it is never repeated by itself.
    """

    def mark(method: F) -> F:
        method.__unknown__ = unknown  # type: ignore[attr-defined]
        return method

    return mark


class Parked(Exception):
    """The call may have had its effect and nobody can tell; a person decides."""


class Later(Exception):
    """Not now: deliver again at `due` (aware datetime) or after that many seconds; not a failure."""

    def __init__(self, due: Any, why: str) -> None:
        super().__init__(why)
        self.due = due
