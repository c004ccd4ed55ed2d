"""What stands in `infra/placement.toml`: the grain of each target, who stays alone, and what an image costs."""

import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from somos.mesh.queues import QUEUES
from somos.settings import ROOT

FILE = ROOT / "infra" / "placement.toml"
Grain = Literal["function", "module", "all"]
Tier = Literal["interactive", "webhook", "background"]
Platform = Literal["openfaas", "knative", "compose"]
Positive = Annotated[int, Field(gt=0)]
# What each edition of OpenFaaS takes (infra/README.md says how they are licensed).
EDITIONS = {"CE": 15, "Edge": 250, "Standard": 500}

# What of a target says which functions share a unit.
UNITS = ("grain", "alone", "groups", "warm")


class PlacementError(Exception):
    """The file says something that cannot be; the message says where."""


class _Strict(BaseModel):
    # A key that nobody reads is a typo that would deploy something else.
    model_config = ConfigDict(extra="forbid", frozen=True)


class ImageCost(_Strict):
    """What a unit of this image takes."""

    first_mib: Positive
    each_mib: int = Field(ge=0)
    request_mib: Positive
    threads: Positive
    concurrency: Positive


class Scale(_Strict):
    min: int = Field(ge=0)
    max: Positive


class Target(_Strict):
    """One way to deploy everything."""

    platform: Platform
    file: str
    grain: Grain
    limit: Positive | None = None
    alone: tuple[str, ...] = ()
    groups: dict[str, tuple[str, ...]] = {}
    warm: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _each_module_once(self) -> Self:
        grouped = [module for modules in self.groups.values() for module in modules]
        twice = sorted({module for module in grouped if grouped.count(module) > 1})
        if twice:
            raise ValueError(f"{', '.join(twice)} está em mais de um grupo")
        return self


class ServiceCost(_Strict):
    memory_mib: Positive
    replicas: Positive


class Placement(_Strict):
    """The whole file."""

    images: dict[Literal["core", "ai"], ImageCost]
    tiers: dict[Tier, Scale]
    targets: dict[str, Target]
    services: dict[Literal["worker", "relay", "realtime"], ServiceCost]

    @model_validator(mode="before")
    @classmethod
    def _the_same_units_elsewhere(cls, data: Any) -> Any:
        """A target that says `like` another has its units, and says itself only where they run."""
        targets = data.get("targets", {})
        for name, target in targets.items():
            if isinstance(target, dict) and "like" in target:
                if target["like"] not in targets:
                    raise ValueError(f"targets.{name} é como {target['like']!r}, que não existe")
                own = {key: value for key, value in target.items() if key != "like"}
                shared = {key: targets[target["like"]][key] for key in UNITS if key in targets[target["like"]]}
                targets = {**targets, name: {**shared, **own}}
        return {**data, "targets": targets}

    def crowded(self) -> list[str]:
        """Queues of which all workers together send one unit more at once than it takes: it answers 429 to the rest."""
        takes = min(image.concurrency for image in self.images.values())
        sent = {queue.name: queue.width * self.services["worker"].replicas for queue in QUEUES.values()}
        return [
            f"infra/placement.toml: os workers levam até {most} entregas da fila {name!r} de uma vez, "
            f"e uma unidade aceita {takes}"
            for name, most in sent.items()
            if most > takes
        ]

    @classmethod
    def load(cls, path: Path = FILE) -> "Placement":
        """Raises PlacementError naming every key that is wrong."""
        try:
            return cls.model_validate(tomllib.loads(path.read_text()))
        except tomllib.TOMLDecodeError as error:
            raise PlacementError(f"{path.name}: {error}") from None
        except ValidationError as error:
            faults = "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors())
            raise PlacementError(f"{path.name}: {faults}") from None


def of_grain(grain: Grain) -> Target:
    """A target that only has a grain: for one's own machine."""
    return Target(platform="openfaas", file="", grain=grain)
