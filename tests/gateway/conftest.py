"""A real Redis-compatible server for the gateway's tests."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from somos.local.engines import Valkey, start_valkey


@pytest.fixture(scope="session")
def valkey(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Valkey]:
    engine = start_valkey(Path(tmp_path_factory.mktemp("valkey")))
    yield engine
    engine.stop()
