"""Real servers from Debian's packages; a test whose server is missing says which package it wants."""

import shutil
from collections.abc import Callable

import pytest


@pytest.fixture(scope="session")
def needs() -> Callable[[str, str], str]:
    """`needs("nginx", "nginx-light")`: the program's path, or a skip that names the package."""

    def find(program: str, package: str) -> str:
        found = shutil.which(program) or shutil.which(program, path="/usr/sbin:/sbin")
        if found is None:
            pytest.skip(f"falta o programa {program}: apt-get install {package}")
        return found

    return find
