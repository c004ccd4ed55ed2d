"""`somos up` on a data folder used before: from exec to the gateway's first answer."""

import json
import os
import statistics
import time
from pathlib import Path

from somos.settings import ROOT
from tests.bench.rows import Budget, Row
from tests.bench.setting import PYTHON, Setting, answers, process, until

COMMAND = [PYTHON, "-m", "somos.cli", "up", "--any-port"]
# What would point the stack at servers of somebody else.
FOREIGN = ("DATABASE_URL", "DATABASE_OWNER_URL", "REDIS_URL")


def stack_up(setting: Setting, quick: bool) -> list[Row]:
    folder = setting.folder / "somos"
    first = _seconds(setting, folder)
    spent = [_seconds(setting, folder) for _ in range(2 if quick else 4)]
    return [
        Row(
            "somos up on a used data folder, first answer",
            statistics.median(spent),
            None,
            "s",
            Budget(8, 4),
            f"everything ready; on an empty folder, with the database made, {first:.1f} s",
        )
    ]


def _seconds(setting: Setting, folder: Path) -> float:
    """Until the gateway answers, with every part it needs behind it."""
    environment = {name: value for name, value in os.environ.items() if name not in FOREIGN}
    environment |= {"SOMOS_FOLDER": str(folder), "PYTHONPATH": f"{ROOT}:{ROOT / 'shared'}"}
    ports = folder / "ports.json"
    ports.unlink(missing_ok=True)
    begun = time.perf_counter()
    with process(COMMAND, environment, setting.log("stack")) as running:
        until(lambda: ports.exists() or running.ended, 60, "the stack chose no ports")
        answers(json.loads(ports.read_text())["gateway"], "/health", running)
        return time.perf_counter() - begun
