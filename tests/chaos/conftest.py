"""The seed of a run: `CHAOS_SEED=7 pytest tests/chaos` repeats what seed 7 chose."""

import os

import pytest

DEFAULT = 20261123


@pytest.fixture
def seed() -> int:
    found = int(os.environ.get("CHAOS_SEED", DEFAULT))
    print(f"CHAOS_SEED={found}")  # shown when the test fails
    return found
