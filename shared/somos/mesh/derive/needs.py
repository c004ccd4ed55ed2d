"""What a function needs of where it runs; the mesh asks, because it knows neither ports nor adapters."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from somos.mesh.declare import Function

Image = Literal["core", "ai"]


@dataclass(frozen=True)
class Needs:
    """`image` is `ai` when the function talks to a model; `secrets` are names of secret files, `settings` names of
    the environment that are none."""

    image: Image = "core"
    secrets: tuple[str, ...] = ()
    settings: tuple[str, ...] = ()


NeedsOf = Callable[[Function], Needs]
