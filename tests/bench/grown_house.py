"""What derive takes in a house of hundreds of functions, and what memory its units take, forked and compact."""

import json
import os
import resource
import subprocess
from pathlib import Path
from statistics import median

from somos.settings import ROOT
from tests.bench.grown import grow
from tests.bench.rows import Budget, Row
from tests.bench.setting import PYTHON, Setting

FUNCTIONS, MORE, MODULES = 240, 300, 15
GIB = 1024


def derive(setting: Setting, quick: bool) -> list[Row]:
    """In seconds of one core: what a person waits who runs nothing beside it. Bytecode is there, as after any other
    command."""
    turns = 1 if quick else 3
    house = grow(setting.folder / "derived", FUNCTIONS, MODULES)
    _somos(house, "derive")
    checked = [_somos(house, "derive", "--check") for _ in range(turns)]
    larger = grow(setting.folder / "built", MORE, MODULES)
    _somos(larger, "derive", "--to", str(setting.folder / "first"))
    built = [_somos(larger, "derive", "--to", str(setting.folder / f"out-{turn}")) for turn in range(turns)]
    _somos(larger, "derive", "--built")
    return [
        Row(f"derive --check, {FUNCTIONS} functions", median(checked), None, "s", Budget(8, 4)),
        Row(f"everything built, {MORE} functions", median(built), None, "s", Budget(5, 4), "derive --to a folder"),
        Row("nothing changed since it was built", _somos(larger, "derive", "--built"), None, "s"),
    ]


def memory_of_grown_house(setting: Setting, quick: bool) -> list[Row]:
    """Grain `function` forked from one parent per image; and `compact`, each unit a container of its own."""
    house = grow(setting.folder / "grown", FUNCTIONS, MODULES)
    environment = setting.environment(
        PYTHONPATH=f"{house}:{house / 'shared'}:{ROOT}",
        ROUTES_FILE=str(house / "gateway" / "routes.json"),
        BENCH_TOKEN=setting.token(),
        BENCH_FOLDER=str(setting.folder / "grown-units"),
    )
    (setting.folder / "grown-units").mkdir()
    _somos(house, "derive")
    done = subprocess.run(
        [PYTHON, "-m", "tests.bench.grown_units"], cwd=house, env=environment, capture_output=True, text=True
    )
    if done.returncode:
        raise RuntimeError(done.stderr[-2000:])
    found = json.loads(done.stdout)
    return [
        Row(
            f"{found['units']} units forked on one machine",
            found["forked"],
            None,
            "MiB",
            Budget(1.6 * GIB, 1.2 * GIB),
            f"of {MODULES} modules; PSS of one parent per image and of every sibling, each ready and asked twice",
        ),
        Row(
            f"{found['units']} functions in {len(found['compact'])} compact units",
            sum(found["compact"]),
            None,
            "MiB",
            Budget(4 * GIB, 2.5 * GIB),
            "PSS of each by itself, and its watchdog",
        ),
    ]


def _somos(house: Path, *words: str) -> float:
    """Run a command of the house's own; how many seconds of CPU it took."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    environment["PYTHONPATH"] = f"{house}:{house / 'shared'}"
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        [PYTHON, "-m", "somos.cli", *words], cwd=house, env=environment, capture_output=True, text=True
    )
    if done.returncode:
        raise RuntimeError(f"somos {' '.join(words)}: {done.stderr[-2000:]}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
