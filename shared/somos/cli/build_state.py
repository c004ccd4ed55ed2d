"""When the files that are built were last built, and whether what they follow from has changed since."""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from somos.settings import ROOT

NOTE = Path(".somos") / "derived.json"
# Everything that `somos derive` reads, and the packages that it reads it with.
INPUTS = ("functions/**/*.py", "shared/somos/**/*.py", "infra/placement.toml", "infra/requirements/all.txt")


@dataclass(frozen=True)
class Note:
    """What the last build was made from, and what it made."""

    inputs: str = ""
    files: tuple[str, ...] = ()


def is_current(root: Path = ROOT) -> bool:
    """Whether every file is there that was built from these inputs."""
    noted = _noted(root)
    return noted.inputs == _digest(root) and all((root / name).is_file() for name in noted.files)


def note(files: Iterable[str], root: Path = ROOT) -> None:
    """These files were just built; those that an earlier build left, and this one did not make, go."""
    built = Note(_digest(root), tuple(sorted(files)))
    for name in set(_noted(root).files).difference(built.files):
        (root / name).unlink(missing_ok=True)
    (root / NOTE).parent.mkdir(exist_ok=True)
    (root / NOTE).write_text(json.dumps(asdict(built)))


def _noted(root: Path) -> Note:
    try:
        return Note(**json.loads((root / NOTE).read_text()))
    except (OSError, ValueError, TypeError):
        return Note()


def _digest(root: Path) -> str:
    digest = hashlib.sha256()
    for file in sorted(file for pattern in INPUTS for file in root.glob(pattern)):
        digest.update(f"{file.relative_to(root)}\0".encode() + file.read_bytes())
    return digest.hexdigest()
