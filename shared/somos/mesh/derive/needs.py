"""What a function needs of where it runs; the mesh asks, because it knows neither ports nor adapters."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from somos.mesh.declare import Function


@dataclass(frozen=True)
class Needs:
    """`image` is `ai` when the function talks to a model; `secrets` are names of secret files."""

    image: Literal["core", "ai"] = "core"
    secrets: tuple[str, ...] = ()


NeedsOf = Callable[[Function], Needs]
