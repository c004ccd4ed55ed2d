"""One story under each grain, with units as real processes that hold only their own secrets."""

import os
import signal
from collections.abc import Iterator
from typing import get_args

import pytest

from somos.local.processes import wait_for
from somos.local.unit_processes import UnitProcesses
from somos.mesh.derive.placement import Grain
from somos.settings import ROOT, Settings
from tests.flows.office import Office, opened
from tests.harness.mesh import Mesh
from tests.harness.units import Placed, running_units
from tests.harness.world import World


def expected(grain: str) -> set[str]:
    """The units of this grain, counted from folders: who asks a model has a room for prompts."""
    files = [file for file in ROOT.glob("functions/*/*.py") if file.name != "__init__.py"]
    ai = {f"{room.parent.name}-ai" for room in ROOT.glob("shared/somos/modules/*/prompts")}
    assert ai >= {"hunter-ai", "sdr-ai"}
    return {
        "all": {"somos"},
        "module": {file.parent.name for file in files} | ai,
        "function": {f"{file.parent.name}-{file.stem}".replace("_", "-") for file in files},
    }[grain]


@pytest.fixture(scope="module", params=get_args(Grain))
def grain(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def placed(grain: Grain, settings: Settings) -> Iterator[tuple[UnitProcesses, Placed]]:
    with running_units(grain, settings) as found:
        yield found


@pytest.fixture
def office(committed: Mesh, outside: World, placed: tuple[UnitProcesses, Placed]) -> Iterator[Office]:
    committed.app = placed[1]
    with opened(committed, outside) as made:
        yield made


def test_a_stranger_becomes_a_deal_in_units_of_this_grain(
    office: Office, placed: tuple[UnitProcesses, Placed], grain: str
) -> None:
    names = {unit.name for unit in placed[0].units}
    assert names == expected(grain)

    office.search(limit=4)
    office.campaign(office.leads(state="qualified"))
    assert office.received() == []
    office.approve()
    office.settle()
    assert len(office.received()) == len([m for m in office.messages() if m["sent_at"]]) > 0
    deals = office.all("/api/v1/deals")
    assert len(deals) == office.answers().get("interested", 0) > 0


def test_a_unit_that_is_killed_comes_back_and_its_caller_waits(
    office: Office, placed: tuple[UnitProcesses, Placed]
) -> None:
    units, _ = placed
    before = office.ask("GET /api/v1/tags")
    victim = _process_of(units, "crm-tags")
    os.kill(victim, signal.SIGKILL)
    assert office.ask("GET /api/v1/tags") == before
    assert wait_for(lambda: units.is_ready(units.unit_of["crm-tags"]), 10)
    assert _process_of(units, "crm-tags") != victim


def test_a_unit_is_told_only_its_own_secrets(placed: tuple[UnitProcesses, Placed], grain: str) -> None:
    units, _ = placed
    told = units.environment_of(units.unit_of["crm-tags"])
    assert {"DATABASE_URL", "REDIS_URL", "JWT_PUBLIC_KEY"} <= told.keys()
    assert "DATABASE_OWNER_URL" not in told
    if grain != "all":
        assert not told.keys() & {"JWT_PRIVATE_KEY", "OPENAI_API_KEY", "EVOLUTION_API_KEY", "RESEND_API_KEY"}


def _process_of(units: UnitProcesses, function: str) -> int:
    """The process that listens where this function answers."""
    from somos.local.addresses import holder_of

    holder = holder_of(units.port_of(function))
    assert holder is not None
    return int(holder.split()[1])
