"""Imports function files, so that they declare themselves."""

import importlib
import sys
from pathlib import Path

from somos.mesh.declare import Function, registry
from somos.settings import ROOT


def load(name: str | None = None) -> dict[str, Function]:
    """Every function of `functions/`, or the one named `crm-deals`; returns the registry.

    Raises LookupError when there is no such file.
    """
    if str(ROOT) not in sys.path:
        sys.path.insert(0, str(ROOT))
    files = sorted(_files())
    if name is not None:
        files = [file for file in files if _name(file) == name]
        if not files:
            raise LookupError(f"Nenhum arquivo em functions/ declara a função {name!r}")
    for file in files:
        importlib.import_module(".".join(file.relative_to(ROOT).with_suffix("").parts))
    return registry


def _files() -> list[Path]:
    return [file for file in (ROOT / "functions").glob("*/*.py") if file.name != "__init__.py"]


def _name(file: Path) -> str:
    return f"{file.parent.name}-{file.stem}".replace("_", "-")
