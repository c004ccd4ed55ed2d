"""Imports function files, so that they declare themselves."""

import importlib
import sys
from pathlib import Path

from somos.mesh.declare import Function, registry
from somos.settings import ROOT


def load(*names: str) -> dict[str, Function]:
    """Every function of `functions/`, or those asked for by name (`crm-deals`) or module (`crm`).

    Raises LookupError when a name is neither.
    """
    if str(ROOT) not in sys.path:
        sys.path.insert(0, str(ROOT))
    files = sorted(_files())
    for name in names:
        if not any(name in _names(file) for file in files):
            raise LookupError(f"Nenhum arquivo em functions/ declara a função {name!r}, e não há módulo com esse nome")
    if names:
        files = [file for file in files if not _names(file).isdisjoint(names)]
    for file in files:
        importlib.import_module(".".join(file.relative_to(ROOT).with_suffix("").parts))
    # A file may have imported another one, a test may declare its own: what was not asked for is not answered for.
    return {name: registry[name] for name in map(_name, files) if name in registry}


def _files() -> list[Path]:
    return [file for file in (ROOT / "functions").glob("*/*.py") if file.name != "__init__.py"]


def _names(file: Path) -> set[str]:
    """What it can be asked for by."""
    return {_name(file), file.parent.name}


def _name(file: Path) -> str:
    return f"{file.parent.name}-{file.stem}".replace("_", "-")
