"""Memory of the units of the house that PYTHONPATH names first; prints it as JSON. Run by `grown_house`."""

import json
import os
import sys
from pathlib import Path

from somos.cli.needs import needs_of
from somos.local.unit_processes import UnitProcesses
from somos.mesh.derive.placement import Placement, of_grain
from somos.mesh.derive.units import units
from somos.mesh.loader import load
from tests.bench.setting import pss_mib
from tests.bench.units import WATCHDOG_MIB, ask, sizes_alone


def main() -> None:
    functions, placement = load().values(), Placement.load()
    folder, token = Path(os.environ["BENCH_FOLDER"]), os.environ["BENCH_TOKEN"]
    apart = units(functions, of_grain("function"), placement, needs_of)
    forked = UnitProcesses(apart, os.environ, folder / "forked")
    forked.start(300)
    try:
        ask(forked.ports.values(), token)
        together = pss_mib(*forked.parents)
    finally:
        forked.stop()
    compact = units(functions, placement.targets["compact"], placement, needs_of)
    sizes = sizes_alone(compact, os.environ, folder, token)
    json.dump({"units": len(apart), "forked": together, "compact": [one + WATCHDOG_MIB for one in sizes]}, sys.stdout)


main()
