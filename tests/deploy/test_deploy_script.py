"""The order of a deployment, and what a failed step does; Docker, faas-cli and curl are stand-ins that write down."""

import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from somos.settings import ROOT

# Each writes its words (and the tag it was told), and fails or answers as a file of its name says.
STAND_IN = """#!/bin/bash
echo "$(basename "$0")${TAG:+[$TAG]} $*" >>"$LOG"
if [[ -f $SAYS/$(basename "$0") ]]; then . "$SAYS/$(basename "$0")"; fi
"""
BROKEN_2 = 'if [[ $(readlink "$SOMOS_HOME/current") == */2 ]]; then printf 503; else printf 200; fi'


@dataclass
class Server:
    home: Path
    folder: Path

    def deploy(self, *words: str, **more: str) -> "subprocess.CompletedProcess[str]":
        environment = {
            "PATH": f"{self.folder / 'bin'}:/usr/bin:/bin",
            "SOMOS_DEPLOY_ENV": "/dev/null",
            "SOMOS_HOME": str(self.home),
            "LOG": str(self.folder / "log"),
            "SAYS": str(self.folder / "says"),
            "GATE": "http://edge/health=200",
            "GATE_S": "1",
            "GATE_PAUSE_S": "0.05",
            **more,
        }
        (self.folder / "log").write_text("")
        command = [str(ROOT / "infra" / "deploy" / "deploy"), *words]
        return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)

    def says(self, program: str, script: str) -> None:
        (self.folder / "says" / program).write_text(script)

    @property
    def steps(self) -> list[str]:
        """What was asked of whom, each look at the gate once."""
        found: list[str] = []
        for line in (self.folder / "log").read_text().splitlines():
            if "docker image" in line:
                continue
            word = _step(line)
            if not found or found[-1] != word:
                found.append(word)
        return found

    @property
    def now(self) -> str:
        return (self.home / "current").readlink().name


def _step(line: str) -> str:
    known = {
        "docker pull": "pull",
        "somos.cli derive --to /release": "files",
        "somos.cli migrate --expand": "expand",
        "somos.cli migrate": "contract",
        "faas-cli[1]": "functions 1",
        "faas-cli[2]": "functions 2",
        "docker[1] compose": "services 1",
        "docker[2] compose": "services 2",
        "curl": "gate",
        "backup": "backup",
    }
    return next(step for words, step in known.items() if words in line)


@pytest.fixture
def server(tmp_path: Path) -> Server:
    for name in ("bin", "says", "home/releases"):
        (tmp_path / name).mkdir(parents=True)
    for program in ("docker", "faas-cli", "curl", "kubectl"):
        file = tmp_path / "bin" / program
        file.write_text(STAND_IN)
        file.chmod(0o755)
    for tag in ("1", "2"):
        backup = tmp_path / "home" / "releases" / tag / "infra" / "backup" / "backup"
        backup.parent.mkdir(parents=True)
        backup.write_text(STAND_IN)
        backup.chmod(0o755)
    made = Server(tmp_path / "home", tmp_path)
    made.says("curl", "printf 200")
    done = made.deploy("1")
    assert done.returncode == 0, done.stderr
    return made


def test_it_migrates_before_it_switches_and_looks_before_it_says_well(server: Server) -> None:
    assert server.deploy("2").returncode == 0
    assert server.steps == ["pull", "files", "expand", "functions 2", "services 2", "gate"]
    assert server.now == "2"
    assert (server.home / "previous").readlink().name == "1"


def test_it_contracts_only_when_the_new_version_is_well(server: Server) -> None:
    server.says("docker", '[[ $* == *--expand ]] && echo "esperam a contração: crm_0007"; true')
    assert server.deploy("2").returncode == 0
    assert server.steps[-2:] == ["gate", "contract"]
    assert not (server.home / "previous").exists()  # the version before no longer fits


def test_without_images_nothing_is_touched(server: Server) -> None:
    server.says("docker", "exit 1")
    assert server.deploy("2").returncode == 2
    assert server.steps == ["pull"]
    assert server.now == "1"


def test_without_its_files_a_version_is_not_switched_to(server: Server) -> None:
    server.says("docker", "[[ $* != *derive* ]]")
    assert server.deploy("2").returncode == 2
    assert server.steps == ["pull", "files"]
    assert server.now == "1"


def test_its_files_can_be_had_before_anything_runs(server: Server) -> None:
    assert server.deploy("--files", "2").returncode == 0
    assert server.steps == ["pull", "files"]
    assert server.now == "1"


def test_a_failed_migration_stops_everything(server: Server) -> None:
    server.says("docker", "[[ $* != *migrate* ]]")
    done = server.deploy("2")
    assert done.returncode == 3
    assert "nada foi trocado" in done.stderr
    assert server.steps == ["pull", "files", "expand"]
    assert server.now == "1"


def test_a_failed_backup_stops_before_the_migration(server: Server) -> None:
    server.says("backup", "exit 3")
    assert server.deploy("2", BACKUP_FIRST="1").returncode == 3
    assert server.steps == ["pull", "files", "backup"]


def test_a_version_that_is_not_well_is_taken_back(server: Server) -> None:
    server.says("docker", '[[ $* == *--expand ]] && echo "esperam a contração: crm_0007"; true')
    server.says("curl", BROKEN_2)
    done = server.deploy("2")
    assert done.returncode == 4
    assert "de volta a 1" in done.stderr
    assert server.steps == [
        "pull", "files", "expand", "functions 2", "services 2", "gate", "functions 1", "services 1", "gate",
    ]  # fmt: skip
    assert server.now == "1"


def test_a_switch_that_fails_half_way_is_taken_back(server: Server) -> None:
    server.says("faas-cli", "[[ $TAG == 1 ]]")
    assert server.deploy("2").returncode == 4
    assert server.steps == ["pull", "files", "expand", "functions 2", "functions 1", "services 1", "gate"]
    assert server.now == "1"


def test_it_says_when_the_version_before_is_not_well_either(server: Server) -> None:
    server.says("curl", "printf 503")
    assert server.deploy("2").returncode == 5


def test_a_failed_contraction_leaves_the_new_version_in_place(server: Server) -> None:
    server.says("docker", '[[ $* == *--expand ]] && echo "esperam a contração: crm_0007"; [[ $* != *migrate ]]')
    assert server.deploy("2").returncode == 6
    assert server.now == "2"


def test_one_can_go_back_by_hand(server: Server) -> None:
    server.deploy("2")
    assert server.deploy("--back").returncode == 0
    assert server.steps == ["functions 1", "services 1", "gate"]
    assert server.now == "1"


def test_knative_gets_its_manifests_with_the_tag(server: Server) -> None:
    found = "printf '      - image: ghcr.io/somos/somos-ai:latest\\n        image: ghcr.io/somos/somos-core\\n'"
    server.says("kubectl", f'[[ $1 == apply ]] && cat >>"$LOG" || {found}')
    assert server.deploy("2", FUNCTIONS="knative", REGISTRY="ghcr.io/casa").returncode == 0
    written = (server.folder / "log").read_text()
    assert "- image: ghcr.io/casa/somos-ai:2\n" in written
    assert " image: ghcr.io/casa/somos-core:2\n" in written


def test_with_units_as_containers_compose_alone_is_asked_for_the_whole_house(server: Server) -> None:
    server.says("docker", 'echo "$COMPOSE_FILE $SOMOS_PLACEMENT $FUNCTION_URL" >>"$LOG.told"')
    assert server.deploy("2", FUNCTIONS="compose").returncode == 0
    assert server.steps == ["pull", "files", "expand", "services 2", "gate"]
    files, *told = (server.folder / "log.told").read_text().splitlines()[-1].split()
    assert told == ["compose", "http://{unit}:8080"]
    assert {Path(name).parent.name for name in files.split(":")} == {"compose", "services"}
    assert all((ROOT / name).is_file() for name in files.split(":"))


def test_a_dry_run_changes_nothing(server: Server) -> None:
    done = server.deploy("--dry-run", "2")
    assert done.returncode == 0
    assert "faria: faas-cli deploy" in done.stdout
    assert server.steps == []
    assert server.now == "1"


@pytest.mark.parametrize("tag", ["3", "../etc", "-x", ""])
def test_a_version_that_is_not_here_is_refused(server: Server, tag: str) -> None:
    assert server.deploy(tag).returncode == 1
    assert server.now == "1"


def test_old_releases_go_and_five_stay(server: Server) -> None:
    for tag in "345678":
        (server.home / "releases" / tag).mkdir()
        assert server.deploy(tag).returncode == 0
    kept = {folder.name for folder in (server.home / "releases").iterdir()}
    assert {"7", "8"} <= kept
    assert len(kept) == 5


def test_images_without_a_release_go_with_it(server: Server) -> None:
    here = "printf 'ghcr.io/somos/somos-core:%s\\n' 0 1 2"
    server.says("docker", f'if [[ $* == "image ls"* ]]; then {here}; fi')
    assert server.deploy("2").returncode == 0
    gone = [line for line in (server.folder / "log").read_text().splitlines() if "image rm" in line]
    assert gone == ["docker image rm ghcr.io/somos/somos-core:0"]
