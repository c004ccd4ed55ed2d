"""A wheel holds what the code reads beside itself: prompts, and the template of a revision."""

from pathlib import Path

from setuptools import Distribution
from setuptools.config.pyprojecttoml import apply_configuration

from somos.settings import ROOT

LIBRARY = ROOT / "shared"


def wheel() -> set[Path]:
    """Every file that setuptools would put in."""
    made = apply_configuration(Distribution({"src_root": str(ROOT)}), ROOT / "pyproject.toml")
    found: set[Path] = set()
    for package in made.packages:
        folder = LIBRARY.joinpath(*package.split("."))
        patterns = ["*.py", *made.package_data.get("", ()), *made.package_data.get(package, ())]
        found |= {file for pattern in patterns for file in folder.glob(pattern)}
    return found


def test_a_wheel_holds_every_file_of_the_library_but_its_readmes() -> None:
    files = (file for file in (LIBRARY / "somos").rglob("*") if file.is_file() and "__pycache__" not in file.parts)
    wanted = {file for file in files if file.name != "README.md"}
    assert {file.suffix for file in wanted} == {".py", ".md", ".mako"}
    assert wanted <= wheel()
