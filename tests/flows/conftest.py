"""Stories over the whole mesh and a simulated world that answers by real webhooks."""

from collections.abc import Iterator
from contextlib import nullcontext

import pytest

from somos.settings import Settings
from tests.flows.office import Office, opened
from tests.harness.mesh import Mesh
from tests.harness.units import Placed, running_units
from tests.harness.world import World


@pytest.fixture(params=[False, True], ids=["once", "every delivery twice"])
def twice(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


@pytest.fixture(scope="session")
def placed(request: pytest.FixtureRequest, settings: Settings) -> Iterator[Placed | None]:
    """The units of `--grain`; none when everything runs in this process."""
    grain = request.config.getoption("grain")
    with nullcontext((None, None)) if grain == "all" else running_units(grain, settings) as (_, door):
        yield door


@pytest.fixture
def office(committed: Mesh, outside: World, placed: Placed | None) -> Iterator[Office]:
    """A house at work, in the grain asked for."""
    if placed is not None:
        committed.app = placed
    with opened(committed, outside) as made:
        yield made
