"""The template's image, really built and run; what it needs from outside is made or fetched before, and kept.

of-watchdog's own image cannot be had everywhere, so a stand-in starts what the watchdog would, on the watchdog's port.
"""

import os
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import requests
import yaml
from sqlalchemy import text

from somos.local.addresses import free_port
from somos.local.processes import wait_for
from somos.mesh.database import engine_for
from somos.settings import ROOT, Settings
from tests.deploy.docker import Docker, NoDaemon, archive, daemon
from tests.harness.mesh import Mesh
from tests.harness.units import variables

pytestmark = [pytest.mark.image, pytest.mark.timeout(1500)]

KEPT = ROOT / ".somos" / "images"
IMAGE = "somos.test/somos-core:tested"
UNIT = "crm-tags"
GRACE_S = 20
STAND_IN = '#!/bin/sh\nexec python -m somos.mesh.serve --host 127.0.0.1 --port "${port:-8080}"\n'
# As compose and Kubernetes run it.
CONFINED = ("--network=host", "--read-only", "--tmpfs=/tmp", "--cap-drop=ALL", "--security-opt=no-new-privileges")


@pytest.fixture(scope="module")
def docker(needs: Callable[[str, str], str]) -> Iterator[Docker]:
    server, client = needs("dockerd", "docker.io"), needs("docker", "docker.io")
    if os.geteuid():
        pytest.skip("dockerd só roda como root")
    with tempfile.TemporaryDirectory(prefix="somos-docker-") as folder:
        try:
            with daemon(server, client, Path(folder)) as running:
                yield running
        except NoDaemon as why:
            pytest.skip(f"dockerd não inicia aqui: {why}")


@pytest.fixture(scope="module")
def image(docker: Docker, needs: Callable[[str, str], str]) -> str:
    """Built from wheels alone, by the script that people run."""
    docker("import", str(_base(needs)), "somos.test/base")
    docker("import", "-", "somos.test/watchdog", stdin=archive({"fwatchdog": STAND_IN}))
    registry, _, tag = IMAGE.rpartition("/somos-core:")
    told = {"BASE_IMAGE": "somos.test/base", "WATCHDOG_IMAGE": "somos.test/watchdog", "REGISTRY": registry, "TAG": tag}
    built = subprocess.run(
        [ROOT / "infra" / "images" / "build", "--wheels", KEPT / "wheels", "core"],
        env={**docker.environment, **told}, capture_output=True, text=True,
    )  # fmt: skip
    assert built.returncode == 0, built.stdout[-3000:] + built.stderr[-3000:]
    return IMAGE


def _base(needs: Callable[[str, str], str]) -> Path:
    """Debian with its Python, as `python:3.11-slim-bookworm` is; made once."""
    kept = KEPT / "bookworm.tar"
    if not kept.exists():
        program = needs("debootstrap", "debootstrap")
        KEPT.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix="somos-base-") as name:
            root = f"{name}/root"
            asked = ["--variant=minbase", "--include=python3,python3-venv,ca-certificates", "bookworm", root]
            subprocess.run([program, *asked], check=True, capture_output=True)
            left = [f"--exclude=./{path}" for path in ("dev", "var/cache/apt", "var/lib/apt/lists")]
            subprocess.run(["tar", "-C", root, *left, "-cf", f"{name}/base.tar", "."], check=True)
            shutil.move(f"{name}/base.tar", kept)
    return kept


class Unit:
    """One container of the image, as stack.yml describes the unit."""

    def __init__(self, docker: Docker, image: str, settings: Settings, folder: Path) -> None:
        self.docker, self.port = docker, free_port()
        told = yaml.safe_load((ROOT / "stack.yml").read_text())["functions"][UNIT]
        self.memory = int(told["limits"]["memory"].removesuffix("Mi")) << 20
        folder.chmod(0o755)
        for name in told["secrets"]:
            (folder / name).write_text(variables(settings)[name.upper().replace("-", "_")])
            shutil.chown(folder / name, 10001, 10001)
            (folder / name).chmod(0o400)
        environment = {k: v for k, v in told["environment"].items() if "$" not in v} | {"port": str(self.port)}
        self.id = docker(
            "run", "--detach", *CONFINED, f"--memory={self.memory}", f"--volume={folder}:/var/openfaas/secrets:ro",
            *(f"--env={name}={value}" for name, value in environment.items()), image,
        )  # fmt: skip
        answered = wait_for(self.is_ready, 30, every=0.1)
        assert answered, docker.run("logs", self.id)

    def ask(self, method: str, path: str, **sent: object) -> requests.Response:
        return requests.request(method, f"http://127.0.0.1:{self.port}{path}", timeout=60, **sent)  # type: ignore[arg-type]

    def is_ready(self) -> bool:
        try:
            return self.ask("GET", "/_/ready").ok
        except requests.ConnectionError:
            return False

    def python(self, code: str) -> subprocess.CompletedProcess[str]:
        """Run inside."""
        return self.docker.run("exec", self.id, "python", "-c", code)


@pytest.fixture
def unit(docker: Docker, image: str, settings: Settings, tmp_path: Path) -> Iterator[Unit]:
    made = Unit(docker, image, settings, tmp_path)
    yield made
    docker("rm", "--force", made.id)


@pytest.fixture
def signed_in(committed: Mesh) -> dict[str, str]:
    """A container has the real time."""
    committed.time = datetime.now(UTC)
    return {"Authorization": f"Bearer {committed.person('Comercial').token}"}


def test_a_function_in_the_image_answers(unit: Unit, committed: Mesh, signed_in: dict[str, str]) -> None:
    made = unit.ask("POST", "/api/v1/tags", json={"name": "Do contêiner"}, headers=signed_in)
    assert made.status_code == 201, made.text
    assert committed.one("select name from crm.tags") == "Do contêiner"
    assert unit.ask("GET", "/api/v1/tags", headers=signed_in).json()["items"][0]["id"] == made.json()["id"]
    assert unit.ask("GET", "/api/v1/tags").status_code == 401


def test_it_hosts_what_it_was_told_and_says_when_it_is_ready(unit: Unit) -> None:
    assert unit.ask("GET", "/_/ready").json()["functions"] == [UNIT]
    assert unit.ask("GET", "/api/v1/deals").status_code == 404
    _, *check = unit.docker.inspect(IMAGE)["Config"]["Healthcheck"]["Test"]
    assert unit.docker.run("exec", unit.id, *check).returncode == 0


def test_nothing_but_tmp_can_be_written_and_nobody_is_root(unit: Unit) -> None:
    assert unit.python("import os; print(os.getuid(), os.getgid())").stdout == "10001 10001\n"
    for path in ("/srv/somos/functions/x.py", "/opt/somos/x", "/var/openfaas/secrets/x", "/etc/x"):
        refused = unit.python(f"open({path!r}, 'w')")
        assert "Read-only file system" in refused.stderr, path
    assert unit.python("open('/tmp/x', 'w')").returncode == 0
    written = unit.python("import somos.mesh.host as m; print(m.__cached__); open(m.__cached__)")
    assert written.returncode == 0, written.stderr


def test_it_lives_within_the_memory_of_stack_yml_and_dies_beyond(unit: Unit, docker: Docker) -> None:
    if docker("info", "--format", "{{.MemoryLimit}}") != "true":
        pytest.skip("o cgroup de memória desta máquina não se limita")
    assert unit.docker.inspect(unit.id)["HostConfig"]["Memory"] == unit.memory
    hog = f"kept = bytearray({2 * unit.memory}); kept[::4096] = b'x' * len(kept[::4096]); print('kept')"
    killed = docker.run("run", "--rm", *CONFINED, f"--memory={unit.memory}", IMAGE, "python", "-c", hog)
    assert (killed.returncode, killed.stdout) == (137, "")
    stats = unit.docker("stats", "--no-stream", "--format", "{{.MemUsage}}", unit.id)
    print(f"\n{UNIT}: {stats}, image {docker.inspect(IMAGE)['Size'] >> 20} MiB")


def test_a_request_in_flight_is_answered_before_it_stops(
    unit: Unit, committed: Mesh, signed_in: dict[str, str], settings: Settings
) -> None:
    answers: list[requests.Response] = []
    owner = engine_for(settings.database_owner_url, pool_size=1)

    def ask() -> None:
        answers.append(unit.ask("POST", "/api/v1/tags", json={"name": "Em voo"}, headers=signed_in))

    asking = threading.Thread(target=ask)
    waits = "select count(*) from pg_locks where not granted and relation = 'crm.tags'::regclass"
    with owner.begin() as connection:
        connection.execute(text("lock table crm.tags in access exclusive mode"))
        asking.start()
        assert wait_for(lambda: connection.execute(text(waits)).scalar_one() == 1, 20)
        stopping = subprocess.Popen(
            [unit.docker.program, "stop", "--time", str(GRACE_S), unit.id],
            env=unit.docker.environment, stdout=subprocess.DEVNULL,
        )  # fmt: skip
        assert wait_for(lambda: not unit.is_ready(), GRACE_S / 2)
        assert answers == []
    owner.dispose()
    asking.join(GRACE_S)
    assert [answer.status_code for answer in answers] == [201]
    assert stopping.wait(GRACE_S) == 0
    ended = unit.docker.inspect(unit.id)["State"]
    assert (ended["ExitCode"], ended["OOMKilled"]) == (0, False)
    assert committed.one("select count(*) from crm.tags") == 1


def test_no_secret_is_in_the_image_or_in_the_units_environment(unit: Unit, docker: Docker, settings: Settings) -> None:
    told = docker.inspect(unit.id)["Config"]["Env"] + docker("history", "--no-trunc", IMAGE).splitlines()
    known = [settings.database_url, settings.jwt_public_key, settings.redis_url]
    assert not [line for line in told for secret in known if secret in line]
    names = [line.partition("=")[0].upper() for line in docker.inspect(IMAGE)["Config"]["Env"]]
    assert not [name for name in names if any(word in name for word in ("KEY", "TOKEN", "SECRET", "PASSWORD", "_URL"))
                and name != "UPSTREAM_URL"]  # fmt: skip
    kept = unit.python("import pathlib; print([str(p) for p in pathlib.Path('/srv').rglob('.*')])")
    assert kept.stdout == "[]\n"


@pytest.mark.parametrize("service", ["somos-worker", "somos-relay", "somos-realtime"])
def test_the_same_image_runs_the_services(docker: Docker, image: str, service: str) -> None:
    told = yaml.safe_load((ROOT / "infra" / "services" / "compose.yaml").read_text())["services"][service]
    shown = docker("run", "--rm", *CONFINED, f"--user={told['user']}", image, *told["command"], "--help")
    assert "Usage" in shown or "usage" in shown
