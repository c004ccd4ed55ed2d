"""What machines read of the declarations is built where it is needed, and is not versioned."""

import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner

from somos.cli.build_state import INPUTS, is_current, note
from somos.cli.declarations import derive, derived
from somos.settings import ROOT


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A project of one function, built."""
    function = tmp_path / "functions" / "crm" / "deals.py"
    function.parent.mkdir(parents=True)
    function.write_text("first")
    (tmp_path / "routes.json").write_text("{}")
    note(["routes.json"], tmp_path)
    return tmp_path


def test_git_ignores_what_is_built_and_keeps_what_is_reviewed() -> None:
    found = derived()
    asked = subprocess.run(
        ["git", "check-ignore", "--no-index", *found.files], cwd=ROOT, capture_output=True, text=True
    )
    assert set(asked.stdout.split()) == set(found.built)


def test_everything_can_be_written_to_a_folder_for_who_keeps_manifests_in_git(tmp_path: Path) -> None:
    done = CliRunner().invoke(derive, ["--to", str(tmp_path)])
    assert done.exit_code == 0, done.output
    written = {str(file.relative_to(tmp_path)): file.read_text() for file in tmp_path.rglob("*") if file.is_file()}
    assert written == derived().files


def test_it_is_built_once_while_nothing_changes(root: Path) -> None:
    assert is_current(root)


@pytest.mark.parametrize("change", ["changed", "second"])
def test_a_function_that_is_changed_or_added_asks_for_it_again(root: Path, change: str) -> None:
    file = "deals.py" if change == "changed" else "tags.py"
    (root / "functions" / "crm" / file).write_text(change)
    assert not is_current(root)


def test_a_file_that_is_missing_asks_for_it_again(root: Path) -> None:
    (root / "routes.json").unlink()
    assert not is_current(root)


def test_what_an_earlier_build_left_goes(root: Path) -> None:
    (root / "units.json").write_text("{}")
    note(["units.json"], root)
    assert not (root / "routes.json").exists()
    assert is_current(root)


@pytest.mark.parametrize("pattern", INPUTS)
def test_each_kind_of_input_exists(pattern: str) -> None:
    assert next(iter(ROOT.glob(pattern)), None)
