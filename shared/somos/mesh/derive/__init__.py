"""Files derived from the declarations, and the checks that the declarations hold together.

`somos derive` writes them; `somos derive --check` fails when one differs from what it would write, or when the
declarations contradict themselves. Knows no module.
"""

import importlib
import json
import os
import pkgutil
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from somos.mesh.declare import Function
from somos.mesh.derive.containers import composed_units
from somos.mesh.derive.faults import Fault, faults
from somos.mesh.derive.knative import knative
from somos.mesh.derive.map import map_json, map_markdown
from somos.mesh.derive.needs import Needs, NeedsOf
from somos.mesh.derive.nginx import nginx_bodies, nginx_routes, nginx_units
from somos.mesh.derive.openapi import openapi
from somos.mesh.derive.permissions import permissions
from somos.mesh.derive.placement import Placement
from somos.mesh.derive.pods import documents, kustomization
from somos.mesh.derive.services import compose, kubernetes
from somos.mesh.derive.stack import stack
from somos.mesh.derive.table import placement_table
from somos.mesh.derive.units import homes, units, warnings
from somos.mesh.events import Event
from somos.mesh.routes import Routes
from somos.settings import ROOT

__all__ = ["Derived", "Fault", "Needs", "NeedsOf", "derive", "known_events"]


@dataclass(frozen=True)
class Derived:
    """What the files should say, and what is wrong with what they are derived from."""

    files: dict[str, str]
    faults: list[Fault]
    warnings: list[str] = field(default_factory=list)
    """What a person must know before deploying; no reason to fail."""

    def write(self, root: Path = ROOT) -> list[str]:
        """Bring the files up to date; returns those that changed."""
        changed = self.stale(root)
        for name in changed:
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(self.files[name])
        return changed

    def stale(self, root: Path = ROOT) -> list[str]:
        """Files that differ from what would be written."""
        return [name for name, text in self.files.items() if _read(root / name) != text]

    def drift(self, root: Path = ROOT) -> list[Fault]:
        """The same as faults: where the first difference stands, and what to do."""
        return [
            Fault(
                f"{name}:{_first_difference(_read(root / name), self.files[name])}",
                "não corresponde às declarações em functions/",
                "Rode `somos derive` e versione o resultado",
            )
            for name in self.stale(root)
        ]


def derive(
    functions: Iterable[Function],
    events: Iterable[type[Event]],
    needs_of: NeedsOf = lambda _: Needs(),
    placement: Placement | None = None,
) -> Derived:
    """Everything, in memory. The files are left out while the declarations contradict themselves.

    Raises PlacementError when infra/placement.toml cannot be read as one.
    """
    functions = sorted(functions, key=lambda function: function.name)
    events = list(events)
    found = faults(functions, events)
    if found:
        return Derived({}, found)
    routes = Routes.of(functions)
    placed, told = _placed(functions, needs_of, placement or Placement.load())
    return Derived(
        {
            **placed,
            "gateway/openapi.json": openapi(functions),
            "gateway/routes.json": json.dumps(routes.as_json(), indent=1) + "\n",
            "gateway/nginx/routes.conf": nginx_routes(routes),
            "gateway/nginx/bodies.conf": nginx_bodies(routes),
            "gateway/permissions.md": permissions(functions),
            "gateway/map.json": map_json(functions, events),
            "gateway/map.md": map_markdown(functions),
        },
        [],
        told,
    )


def _placed(functions: list[Function], needs_of: NeedsOf, placement: Placement) -> tuple[dict[str, str], list[str]]:
    """The files that say where everything runs, and what a person must know of them."""
    found = {name: units(functions, target, placement, needs_of) for name, target in placement.targets.items()}
    files: dict[str, str] = {}
    for name, target in placement.targets.items():
        if target.platform == "knative":
            files |= knative(found[name], target.file)
        elif target.platform == "compose":
            files[target.file] = composed_units(found[name], name)
        else:
            schema = os.path.relpath("infra/openfaas/stack.schema.json", os.path.dirname(target.file) or ".")
            files[target.file] = stack(found[name], name, schema)
        files[f"gateway/nginx/units/{name}.conf"] = nginx_units(found[name], target.platform)
    files |= {
        "infra/services/compose.yaml": compose(placement),
        "infra/services/kubernetes.yaml": kubernetes(placement),
        "infra/services/kustomization.yaml": documents([kustomization(["kubernetes.yaml"])]),
        "infra/placement.md": placement_table({n: (target, found[n]) for n, target in placement.targets.items()}),
        "gateway/units.json": json.dumps({name: homes(one) for name, one in found.items()}, indent=1) + "\n",
    }
    told = [line for name, target in placement.targets.items() for line in warnings(name, target, found[name])]
    return files, told


def known_events() -> list[type[Event]]:
    """Every event that `somos.events` declares."""
    package = importlib.import_module("somos.events")
    for module in pkgutil.iter_modules(package.__path__, package.__name__ + "."):
        importlib.import_module(module.name)
    return [event for event in Event.__subclasses__() if event.__module__.startswith(package.__name__ + ".")]


def _read(path: Path) -> str:
    return path.read_text() if path.is_file() else ""


def _first_difference(before: str, after: str) -> int:
    pairs = zip(before.splitlines(), after.splitlines(), strict=False)
    return next((at for at, (old, new) in enumerate(pairs, 1) if old != new), len(before.splitlines()) + 1)
