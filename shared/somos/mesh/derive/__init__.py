"""Files derived from the declarations, and the checks that the declarations hold together.

`somos derive` writes them; `somos derive --check` fails when a committed one differs from what it would write, or when
the declarations contradict themselves. Knows no module.
"""

import importlib
import json
import os
import pkgutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
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
from somos.mesh.derive.placement import Placement, Target
from somos.mesh.derive.placement_table import placement_table
from somos.mesh.derive.pods import documents, kustomization
from somos.mesh.derive.services import compose, kubernetes
from somos.mesh.derive.stack import stack
from somos.mesh.derive.units import Unit, homes, units, warnings
from somos.mesh.events import Event
from somos.mesh.routes import Routes
from somos.settings import ROOT

__all__ = ["Derived", "Fault", "Needs", "NeedsOf", "derive", "known_events", "write"]

STACK = "stack.yml"


@dataclass(frozen=True)
class Derived:
    """What the files should say, and what is wrong with what they are derived from.

    There are none while the declarations contradict themselves.
    """

    functions: list[Function]
    events: list[type[Event]]
    units: dict[str, list[Unit]]
    """Those of each target."""
    placement: Placement
    faults: list[Fault]

    @cached_property
    def committed(self) -> dict[str, str]:
        """What people review: versioned, and checked for drift."""
        if self.faults:
            return {}
        targets = {name: (target, self.units[name]) for name, target in self.placement.targets.items()}
        return {
            **{target.file: stack(them, name) for name, (target, them) in targets.items() if target.file == STACK},
            "gateway/map.md": map_markdown(self.functions),
            "gateway/permissions.md": permissions(self.functions),
            "infra/placement.md": placement_table(targets),
        }

    @cached_property
    def built(self) -> dict[str, str]:
        """What machines read: built where it is needed, and never versioned."""
        if self.faults:
            return {}
        routes = Routes.of(self.functions)
        files: dict[str, str] = {}
        for name, target in self.placement.targets.items():
            files |= _manifests(name, target, self.units[name])
            files[f"gateway/nginx/units/{name}.conf"] = nginx_units(self.units[name], target.platform)
        return files | {
            "infra/services/compose.yaml": compose(self.placement),
            "infra/services/kubernetes.yaml": kubernetes(self.placement),
            "infra/services/kustomization.yaml": documents([kustomization(["kubernetes.yaml"])]),
            "gateway/openapi.json": openapi(self.functions),
            "gateway/routes.json": json.dumps(routes.as_json()) + "\n",
            "gateway/units.json": json.dumps({name: homes(one) for name, one in self.units.items()}) + "\n",
            "gateway/nginx/routes.conf": nginx_routes(routes),
            "gateway/nginx/bodies.conf": nginx_bodies(routes),
            "gateway/map.json": map_json(self.functions, self.events),
        }

    @property
    def files(self) -> dict[str, str]:
        return self.committed | self.built

    @property
    def warnings(self) -> list[str]:
        """What a person must know before deploying; no reason to fail."""
        targets = self.placement.targets.items()
        lines = [line for name, target in targets for line in warnings(name, target, self.units.get(name, []))]
        return lines + self.placement.crowded()

    def drift(self, root: Path = ROOT) -> list[Fault]:
        """Where a committed file first differs from what it should say, and what to do."""
        return [
            Fault(
                f"{name}:{_first_difference(_read(root / name), self.committed[name])}",
                "não corresponde às declarações em functions/",
                "Rode `somos derive` e versione o resultado",
            )
            for name in _stale(self.committed, root)
        ]


def write(files: Mapping[str, str], root: Path = ROOT) -> list[str]:
    """Bring files up to date; returns those that changed."""
    changed = _stale(files, root)
    for name in changed:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(files[name])
    return changed


def derive(
    functions: Iterable[Function],
    events: Iterable[type[Event]],
    needs_of: NeedsOf = lambda _: Needs(),
    placement: Placement | None = None,
) -> Derived:
    """Everything, in memory; each group of files is made when it is asked for.

    Raises PlacementError when infra/placement.toml cannot be read as one.
    """
    functions = sorted(functions, key=lambda function: function.name)
    events, placement = list(events), placement or Placement.load()
    problems = faults(functions, events)
    targets = {} if problems else placement.targets
    placed = {name: units(functions, target, placement, needs_of) for name, target in targets.items()}
    return Derived(functions, events, placed, placement, problems)


def _manifests(name: str, target: Target, units: list[Unit]) -> dict[str, str]:
    """What a platform reads of its units, but for the stack that people review."""
    if target.platform == "knative":
        return knative(units, target.file)
    if target.platform == "compose":
        return {target.file: composed_units(units, name)}
    if target.file == STACK:
        return {}
    schema = os.path.relpath("infra/openfaas/stack.schema.json", os.path.dirname(target.file) or ".")
    return {target.file: stack(units, name, schema)}


def known_events() -> list[type[Event]]:
    """Every event that `somos.events` declares."""
    package = importlib.import_module("somos.events")
    for module in pkgutil.iter_modules(package.__path__, package.__name__ + "."):
        importlib.import_module(module.name)
    return [event for event in Event.__subclasses__() if event.__module__.startswith(package.__name__ + ".")]


def _stale(files: Mapping[str, str], root: Path) -> list[str]:
    """Files that differ from what would be written."""
    return [name for name, text in files.items() if _read(root / name) != text]


def _read(path: Path) -> str:
    return path.read_text() if path.is_file() else ""


def _first_difference(before: str, after: str) -> int:
    pairs = zip(before.splitlines(), after.splitlines(), strict=False)
    return next((at for at, (old, new) in enumerate(pairs, 1) if old != new), len(before.splitlines()) + 1)
