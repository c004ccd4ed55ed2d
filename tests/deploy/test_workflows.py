"""The workflows: what they run is pinned, may do little, and reaches the server by a key it knows."""

import re
import subprocess
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from somos.settings import ROOT

WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))


def _steps(file: Path) -> list[dict[str, Any]]:
    return [step for job in _read(file)["jobs"].values() for step in job["steps"]]


def _read(file: Path) -> Any:
    return yaml.safe_load(file.read_text())


@pytest.mark.parametrize("file", WORKFLOWS, ids=lambda file: file.stem)
def test_actions_are_pinned_to_a_major_version(file: Path) -> None:
    used = [step["uses"] for step in _steps(file) if "uses" in step]
    assert used
    assert all(re.fullmatch(r"[\w-]+/[\w-]+@v\d+", one) for one in used), used


@pytest.mark.parametrize("file", WORKFLOWS, ids=lambda file: file.stem)
def test_a_workflow_may_only_read_unless_a_job_says_more(file: Path) -> None:
    workflow = _read(file)
    assert workflow["permissions"] == {"contents": "read"}
    assert "pull_request_target" not in file.read_text()
    assert all("timeout-minutes" in job for job in workflow["jobs"].values())


@pytest.mark.parametrize("file", WORKFLOWS, ids=lambda file: file.stem)
def test_nothing_that_a_stranger_writes_is_put_into_a_script(file: Path) -> None:
    scripts = "\n".join(step["run"] for step in _steps(file) if "run" in step)
    assert set(re.findall(r"\$\{\{\s*(.*?)\s*\}\}", scripts)) <= {"matrix.image"}


def test_a_deployment_knows_the_server_waits_its_turn_and_is_approved() -> None:
    file = ROOT / ".github" / "workflows" / "deploy.yml"
    assert "StrictHostKeyChecking yes" in file.read_text()
    workflow = _read(file)
    assert workflow["concurrency"]["cancel-in-progress"] is False
    assert workflow["jobs"]["deploy"]["environment"] == "production"


def test_what_the_daily_run_leaves_out_runs_in_a_job_of_its_own() -> None:
    options = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["pytest"]["ini_options"]
    left_out = re.findall(r"not (\w+)", options["addopts"][-1])
    jobs = _read(ROOT / ".github" / "workflows" / "ci.yml")["jobs"]
    assert set(jobs["slow"]["strategy"]["matrix"]["mark"]) == set(left_out)
    assert jobs["slow"]["steps"][-1]["run"].endswith('./scripts/test -m "$MARK"')


def test_what_the_workflows_run_is_here() -> None:
    named = re.findall(r"(?:^|\s|TAG/)((?:infra|scripts|\.ci)/[\w/]+)", "".join(file.read_text() for file in WORKFLOWS))
    assert {"infra/images/build", "infra/deploy/deploy", ".ci/run"} <= set(named)
    assert all((ROOT / name).exists() or (ROOT / f"{name}.txt").exists() for name in named)


def test_every_shell_script_is_clean(needs: Callable[[str, str], str]) -> None:
    shellcheck = needs("shellcheck", "shellcheck")
    files = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    scripts = [name for name in files.split("\0") if name and _is_shell(ROOT / name)]
    assert "infra/backup/backup" in scripts
    done = subprocess.run([shellcheck, "-x", *scripts], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def _is_shell(file: Path) -> bool:
    if not file.is_file() or file.is_symlink():
        return False
    with file.open("rb") as opened:
        first = opened.readline(100)
    return re.match(rb"#!.*\b(ba)?sh\b", first) is not None
