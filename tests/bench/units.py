"""Memory of a whole placement: every unit as a forked sibling, and the worst case of one container each."""

import http.client
from collections.abc import Iterable, Mapping
from pathlib import Path

from somos.cli.needs import needs_of
from somos.local.addresses import LOOPBACK
from somos.local.unit_processes import UnitProcesses
from somos.mesh.derive.placement import Placement, of_grain
from somos.mesh.derive.units import Unit, units
from somos.mesh.loader import load
from tests.bench.rows import Budget, Row
from tests.bench.setting import PYTHON, Setting, answers, free_port, process, pss_mib

# The watchdog in front of each container, as measured (infra/README.md).
WATCHDOG_MIB = 12
# Measured alone, of which the rest are like: what people wait for, a step, a sender, who calls a model.
SAMPLE = ("crm-tags", "crm-deals", "auth-login", "hunter-on-lead-found", "sdr-on-message-claimed", "sdr-hook-whatsapp")
SAMPLE_AI = ("hunter-on-lead-enriched",)
GIB = 1024


def memory_of_placement(setting: Setting, quick: bool) -> list[Row]:
    """Grain `function`: siblings' sum and each one's share, and the sum of as many separate containers."""
    found = units(load().values(), of_grain("function"), Placement.load(), needs_of)
    core = [unit for unit in found if unit.image == "core"]
    siblings = _siblings(setting, core)
    told = (setting.environment(), setting.folder, setting.token())
    alone = sizes_alone([unit for unit in core if unit.name in SAMPLE[: 3 if quick else None]], *told)
    ai = sizes_alone([unit for unit in found if unit.name in SAMPLE_AI], *told, calling_a_model=True)
    apart = max(alone) * len(core) + max(ai) * (len(found) - len(core)) + WATCHDOG_MIB * len(found)
    return [
        Row(
            f"{len(core)} core units forked, sum",
            siblings,
            None,
            "MiB",
            Budget(GIB, 0.75 * GIB),
            "PSS of the parent and of every sibling, each ready, connected and asked twice",
        ),
        Row("one of them", siblings / len(core), None, "MiB", Budget(15, 9)),
        Row("a core unit alone, heaviest of the sample", max(alone), None, "MiB", Budget(80, 65)),
        Row("an ai unit alone", max(ai), None, "MiB"),
        Row(
            f"{len(found)} containers of one function",
            apart,
            None,
            "MiB",
            Budget(8 * GIB, 6 * GIB),
            f"heaviest of {len(alone)} core units x {len(core)}, the ai unit x {len(found) - len(core)}, and a "
            f"watchdog of {WATCHDOG_MIB} MiB each; nothing shared is counted once",
        ),
    ]


def _siblings(setting: Setting, core: list[Unit]) -> float:
    processes = UnitProcesses(core, setting.environment(), setting.folder / "units")
    processes.start(180)
    try:
        ask((processes.ports[unit.name] for unit in core), setting.token())
        return pss_mib(*processes.parents)
    finally:
        processes.stop()


def sizes_alone(
    sample: list[Unit], told: Mapping[str, str], folder: Path, token: str, calling_a_model: bool = False
) -> list[float]:
    """Each started by itself, as a container does."""
    environment_of = UnitProcesses(sample, told, folder / "alone").environment_of
    sizes = []
    for unit in sample:
        port, command = free_port(), [PYTHON, "-m", "somos.mesh.serve"]
        environment = {**environment_of(unit), "PORT": str(port)}
        if calling_a_model:
            # A model is only called with a delivery in hand: load here what the first one would.
            load_it = "from langchain_openai import ChatOpenAI"
            command = [PYTHON, "-c", f"{load_it}; from somos.mesh.serve import main; main()"]
        with process([*command, *(["--port", str(port)])], environment, folder / f"{unit.name}.log") as child:
            answers(port, "/_/ready", child)
            ask([port], token)
            sizes.append(pss_mib(child.pid))
    return sizes


def ask(ports: Iterable[int], token: str) -> None:
    """What loads late is loaded: a token is checked, the database is read."""
    for port in ports:
        connection = http.client.HTTPConnection(LOOPBACK, port, timeout=30)
        for path in ("/_/ready", "/api/v1/deals?limit=1", "/api/v1/tags?limit=1"):
            connection.request("GET", path, headers={"Authorization": f"Bearer {token}"})
            connection.getresponse().read()
        connection.close()
