"""What the world really sent: one data file per input under tests/world, read by one loader."""

import json
from pathlib import Path
from typing import Any

import pytest

WORLD = Path(__file__).parents[1] / "world"


class Case:
    """One input and what is right about it; `about` says what it is and why it is hard."""

    def __init__(self, path: Path) -> None:
        stored = json.loads(path.read_text("utf-8"))
        self.name: str = path.stem
        self.about: str = stored["about"]
        self.right: Any = stored["right"]
        # An input that JSON would change (bytes, a sheet, a mail) lies in a file of its own beside it.
        self.input: Any = (path.parent / stored["file"]).read_bytes() if "file" in stored else stored["input"]


def cases(door: str) -> list[Any]:
    """Every case that came through one door (a folder of tests/world), for `pytest.mark.parametrize`."""
    found = [Case(path) for path in sorted((WORLD / door).glob("*.json"))]
    assert found, f"no case lies in tests/world/{door}"
    return [pytest.param(case, id=case.name) for case in found]
