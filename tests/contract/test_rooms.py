"""Who may import whom, as rules over folders: a new module keeps them without anybody naming it here.

What libraries each room may use stands in pyproject.toml, for lint-imports.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from graphlib import CycleError, TopologicalSorter

import grimp
import pytest

LIBRARY = {"kernel", "mesh", "policy", "events", "ports"}
# What a module's room may import of its own module; and, below, of the library.
OWN_ROOMS = {
    "rules": {"rules"},
    "tables": {"tables", "rules"},
    "schemas": {"schemas", "tables", "rules"},
    "queries": {"queries", "schemas", "tables", "rules"},
    "actions": {"actions", "queries", "schemas", "tables", "rules", "prompts"},
    "prompts": set(),
    "restoring": {"actions", "queries", "tables", "rules"},
    "functions": {"actions", "queries", "schemas", "tables", "rules"},
}
LIBRARY_ROOMS = {
    "rules": {"kernel", "policy"},
    "tables": {"kernel", "mesh", "policy"},
    "schemas": {"kernel", "mesh", "policy"},
}


@dataclass(frozen=True)
class Place:
    """Where a Python module lives: the business module it belongs to (None for the library), and its room."""

    module: str | None
    room: str


def place(name: str) -> Place | None:
    """None for what is no room: packages themselves, adapters, command line, the local stack."""
    match name.split("."):
        case ["functions", module, _]:
            return Place(module, "functions")
        case ["somos", "modules", module, room, *_]:
            return Place(module, room)
        case ["somos", room, *_] if room in LIBRARY:
            return Place(None, room)
        case ["somos", room, *_]:
            return Place(None, f"{room} (outside the library)")
    return None


def fault(importer: str, imported: str) -> str | None:
    """Why this import may not be; None when it may."""
    at, to = place(importer), place(imported)
    if at is None or to is None or at.module is None:
        return None
    if to.module is None:
        allowed = LIBRARY_ROOMS.get(at.room, LIBRARY)
        return None if to.room in allowed else f"{at.room} may not import {to.room}"
    if to.room == "functions":
        return "nobody imports a function"
    if at.module != to.module:
        return None if to.room == "queries" else f"of another module only queries, not {to.room}"
    return None if to.room in OWN_ROOMS.get(at.room, set()) else f"{at.room} may not import {to.room}"


@cache
def edges() -> list[tuple[str, str]]:
    graph = grimp.build_graph("somos", "functions", cache_dir=None)
    return [(one, other) for one in graph.modules for other in graph.find_modules_directly_imported_by(one)]


def faults(imports: Iterable[tuple[str, str]]) -> list[str]:
    return sorted(f"{one} -> {other}: {why}" for one, other in imports if (why := fault(one, other)))


def test_every_room_imports_only_what_it_may() -> None:
    assert len(edges()) > 1000
    assert faults(edges()) == []


def test_a_module_has_no_rooms_but_those_that_all_have() -> None:
    rooms = {(at.module, at.room) for one, _ in edges() if (at := place(one)) and at.module}
    unknown = {(module, room) for module, room in rooms if room not in OWN_ROOMS}
    assert unknown == set()


def asked_by(imports: Iterable[tuple[str, str]]) -> dict[str, set[str]]:
    """Which other modules each module asks; what its functions import counts as its own."""
    graph: dict[str, set[str]] = {}
    for one, other in imports:
        asking, asked = place(one), place(other)
        if asking and asked and asking.module and asked.module and asking.module != asked.module:
            graph.setdefault(asking.module, set()).add(asked.module)
    return graph


def test_modules_ask_one_another_in_no_circle() -> None:
    asked = asked_by(edges())
    order = list(TopologicalSorter(asked).static_order())  # raises CycleError, which names the circle
    assert asked["crm"] >= {"hunter", "relations", "sdr"}
    assert order.index("relations") < order.index("hunter") < order.index("sdr") < order.index("crm")


@pytest.mark.parametrize(
    "asked",
    [
        "somos.modules.crm.queries.deals",  # crm asks relations already
        "somos.modules.sdr.queries.people",  # and so does sdr
    ],
)
@pytest.mark.parametrize("asker", ["somos.modules.relations.queries.parties", "functions.relations.on_party_facts"])
def test_a_circle_of_modules_is_seen(asker: str, asked: str) -> None:
    with pytest.raises(CycleError, match="relations"):
        TopologicalSorter(asked_by([*edges(), (asker, asked)])).prepare()


@pytest.mark.parametrize(
    ("importer", "imported"),
    [
        ("functions.crm.deals", "functions.crm.tags"),
        ("functions.crm.deals", "somos.modules.finance.tables.invoices"),
        ("functions.crm.deals", "somos.modules.finance.actions.invoices"),
        ("functions.crm.deals", "somos.adapters.resend"),
        ("somos.modules.crm.rules.deals", "somos.mesh.clock"),
        ("somos.modules.crm.rules.deals", "somos.modules.crm.tables.deals"),
        ("somos.modules.crm.queries.deals", "somos.modules.crm.actions.deals"),
        ("somos.modules.crm.tables.deals", "somos.modules.crm.queries.deals"),
        ("somos.modules.crm.schemas.deals", "somos.modules.finance.schemas.invoices"),
    ],
)
def test_what_breaks_a_rule_is_seen(importer: str, imported: str) -> None:
    assert len(faults([(importer, imported)])) == 1


@pytest.mark.parametrize(
    ("importer", "imported"),
    [
        ("functions.crm.deals", "somos.modules.crm.actions.deals"),
        ("functions.crm.deals", "somos.modules.finance.queries.invoices"),
        ("functions.crm.deals", "somos.kernel.phones"),
        ("somos.modules.crm.queries.deals", "somos.modules.finance.queries"),
    ],
)
def test_what_keeps_the_rules_is_let_through(importer: str, imported: str) -> None:
    assert faults([(importer, imported)]) == []
