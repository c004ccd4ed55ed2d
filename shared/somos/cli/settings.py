"""Where a command finds the mesh: its environment, or the stack that runs in this folder."""

import os
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from somos.mesh.runtime import Runtime


def reach_stack() -> None:
    """Fill in what the environment leaves open from the local stack, when this folder has one."""
    if "SOMOS_STACK" in os.environ:
        return  # a part of it: its supervisor told it everything
    from somos.local.environment import FOLDER, for_a_command

    if (FOLDER / "ports.json").exists():
        for_a_command(FOLDER)


def runtime(*needed: str) -> "Runtime":
    """This process's runtime, once the settings it needs are there."""
    reach_stack()
    from somos.mesh.runtime import current

    configured = current()
    missing = [name for name in needed if not getattr(configured.settings, name)]
    if missing:
        names = ", ".join(name.upper() for name in missing)
        raise click.ClickException(f"falta definir {names}; ou suba a pilha local: somos up")
    return configured
