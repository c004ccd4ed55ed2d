"""How long the test suite takes on two cores: what `./scripts/test` runs, without chaos, drills and images."""

import subprocess
import time

from somos.settings import ROOT
from tests.bench.rows import Budget, Row
from tests.bench.setting import PYTHON, Setting


def suite(setting: Setting, quick: bool) -> list[Row]:
    """A failing suite has no time: RuntimeError with what it said last."""
    command = [PYTHON, "-m", "pytest", "-n", "2"]
    begun = time.perf_counter()
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    seconds = time.perf_counter() - begun
    last = ran.stdout.strip().splitlines()[-1:]
    if ran.returncode:
        raise RuntimeError(f"the suite failed: {' '.join(last)}")
    return [Row("the test suite, chaos aside, 2 cores", seconds, None, "s", Budget(240, 120), " ".join(last))]
