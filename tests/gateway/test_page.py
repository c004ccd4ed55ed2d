"""The page at `/` speaks only of what exists."""

import json
import re
from pathlib import Path

from somos.settings import ROOT

PAGE = ROOT / "gateway" / "local" / "page"
OPERATIONS = {
    f"{method.upper()} {path}"
    for path, operations in json.loads((ROOT / "gateway" / "openapi.json").read_text())["paths"].items()
    for method in operations
}
OWN = {
    "/openapi.json",
    "/map.json",
    "/_local/people",
    "/_local/source",
    "/health",
    "/health/integrations",
    "/metrics",
    "/ws",
}


def scripts() -> list[Path]:
    return sorted(PAGE.glob("*.js"))


def test_every_operation_that_it_names_is_declared() -> None:
    named = {found for script in scripts() for found in re.findall(r'"((?:GET|POST) /[^"]+)"', script.read_text())}
    assert len(named) >= 8
    assert named <= OPERATIONS


def test_every_address_that_it_asks_is_answered() -> None:
    asked = {
        found.partition("?")[0]
        for script in scripts()
        for found in re.findall(r'["`](/(?:api|health|metrics|_local|openapi|map)[^"`$]*)', script.read_text())
    }
    paths = {operation.partition(" ")[2] for operation in OPERATIONS}
    known = OWN | paths | {path.split("{")[0] for path in paths}
    assert asked - known == set()


def test_every_file_that_it_loads_is_here() -> None:
    loaded = set(re.findall(r'(?:src|href)="([^"#]+)"', (PAGE / "index.html").read_text()))
    for script in scripts():
        loaded |= {found.removeprefix("./") for found in re.findall(r'from "([^"]+)"', script.read_text())}
    assert loaded
    assert {name for name in loaded if not (PAGE / name).is_file()} == set()


def test_nothing_comes_from_the_network() -> None:
    for file in PAGE.iterdir():
        addresses = re.findall(r"https?://[\w.]+", file.read_text())
        assert set(addresses) <= {"http://www.w3.org"}, file.name
