"""What compose's services share: a hardened container, its secrets as files. And `infra/services/units.yaml`."""

from collections.abc import Iterable, Mapping
from typing import Any

from somos.mesh.derive.pods import HEADER, PORT, SECRETS, USER, documents
from somos.mesh.derive.stack import environment_of, image_of, labels_of
from somos.mesh.derive.units import GRACE_S, Unit

METRICS_PORT = 8081  # of-watchdog's own
NOTE = """\
# As unidades sem OpenFaaS nem Knative: o mesmo contêiner, com o próprio nome como endereço, uma réplica de cada.
"""


def composed_units(units: Iterable[Unit], target: str) -> str:
    """The units as plain services, each found by its name."""
    units = list(units)
    services = {unit.name: _unit(unit, target) for unit in units}
    names = {name for unit in units for name in unit.secrets}
    return documents([{"services": services, "secrets": secret_files(names)}]).replace(HEADER, HEADER + NOTE)


def secret_files(names: Iterable[str]) -> dict[str, Any]:
    """Where the files are: the same folder for every version that is deployed."""
    return {name: {"file": f"${{SOMOS_SECRETS:-/etc/somos/secrets}}/{name}"} for name in sorted(names)}


def hardened(
    image: str,
    *,
    memory_mib: int,
    environment: Mapping[str, str],
    secrets: Iterable[str],
    labels: Mapping[str, str],
    grace_s: int,
    check: list[str],
    command: Iterable[str] = (),
    ports: Iterable[int] = (),
    replicas: int = 1,
) -> dict[str, Any]:
    """One service of an image of ours. Its ports are for its neighbours, never for the machine's own addresses."""
    service: dict[str, Any] = {"image": image_of(image)}
    if command:
        service["command"] = list(command)
    service |= {
        "user": f"{USER}:{USER}",
        "read_only": True,
        "tmpfs": ["/tmp:size=64m"],  # noqa: S108
        "cap_drop": ["ALL"],
        "security_opt": ["no-new-privileges:true"],
        "restart": "unless-stopped",
        "stop_grace_period": f"{grace_s}s",
        "environment": dict(environment),
        "secrets": [{"source": name, "target": f"{SECRETS}/{name}"} for name in secrets],
        "deploy": {"replicas": replicas, "resources": {"limits": {"memory": f"{memory_mib}M"}}},
        "labels": dict(labels),
    }
    if ports:
        service["expose"] = [str(port) for port in ports]
    timing = {"interval": "10s", "timeout": "5s", "retries": 3, "start_period": "20s"}
    return service | {"healthcheck": {"test": ["CMD", *check], **timing}}


def asks(port: int, path: str) -> list[str]:
    """A command that fails unless that address says 200."""
    return ["python", "-c", f"import urllib.request as r; r.urlopen('http://127.0.0.1:{port}{path}', timeout=4)"]


def _unit(unit: Unit, target: str) -> dict[str, Any]:
    return hardened(
        unit.image,
        memory_mib=unit.memory_mib,
        environment=environment_of(unit, target),
        secrets=unit.secrets,
        labels=labels_of(unit),
        grace_s=unit.patience + GRACE_S,
        check=asks(PORT, "/_/ready"),
        ports=(PORT, METRICS_PORT),
    )
