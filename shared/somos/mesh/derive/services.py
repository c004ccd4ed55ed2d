"""`infra/services/`: what runs beside the functions (worker, relay, realtime), for compose and for Kubernetes."""

from dataclasses import dataclass
from typing import Any, Literal

from somos.mesh.derive.containers import asks, hardened, secret_files
from somos.mesh.derive.placement import Placement
from somos.mesh.derive.pods import HEADER, NAMESPACE, PART_OF, container, documents, pod

Name = Literal["worker", "relay", "realtime"]
READY_FILE = "/tmp/ready"  # noqa: S108
READY = ["test", "-s", READY_FILE]


@dataclass(frozen=True)
class Service:
    """One long-running process that is no function."""

    name: Name
    command: tuple[str, ...]
    secrets: tuple[str, ...]
    why: str
    settings: tuple[str, ...] = ()
    port: int | None = None
    metrics_port: int | None = None
    grace: int = 30

    @property
    def fixed(self) -> dict[str, str]:
        """What it is told wherever it runs."""
        return {"METRICS_PORT": str(self.metrics_port)} if self.metrics_port else {}


SERVICES = (
    Service(
        "worker",
        ("python", "-m", "somos.cli", "worker"),
        ("database-url", "mesh-secret", "redis-url"),
        "leva cada entrega à sua função",
        ("GATEWAY_URL", "FUNCTION_URL", "SOMOS_PLACEMENT"),
        grace=60,
    ),
    Service(
        "relay",
        ("python", "-m", "somos.cli", "relay"),
        ("database-url", "redis-url"),
        "faz andar os relógios e toca o que ficou parado; vários podem rodar",
        metrics_port=9464,
    ),
    Service(
        "realtime",
        ("python", "-m", "gateway.realtime", "--host", "0.0.0.0", "--port", "8081"),  # noqa: S104
        ("jwt-public-key", "redis-url"),
        "mantém os WebSockets",
        port=8081,
    ),
)


def compose(placement: Placement) -> str:
    """A file to be named beside those of infra/compose."""
    names = {name for service in SERVICES for name in service.secrets}
    content = {
        "services": {f"somos-{one.name}": _composed(one, placement) for one in SERVICES},
        "secrets": secret_files(names),
    }
    return documents([content]).replace(HEADER, HEADER + "".join(f"# {s.name}: {s.why}.\n" for s in SERVICES))


def kubernetes(placement: Placement) -> str:
    """Deployments, and an address for the hub."""
    deployments = [_deployment(one, placement) for one in SERVICES]
    return documents([*deployments, *(_address(one) for one in SERVICES if one.port)])


def _composed(service: Service, placement: Placement) -> dict[str, Any]:
    cost = placement.services[service.name]
    return hardened(
        "core",
        command=service.command,
        memory_mib=cost.memory_mib,
        environment={
            **{name: f"${{{name}:-}}" for name in service.settings},
            **service.fixed,
            "SOMOS_READY_FILE": READY_FILE,
        },
        secrets=service.secrets,
        labels={"somos.service": service.name},
        grace_s=service.grace,
        check=asks(service.port, "/health") if service.port else READY,
        ports=[port for port in (service.port, service.metrics_port) if port],
        replicas=cost.replicas,
    )


def _deployment(service: Service, placement: Placement) -> dict[str, Any]:
    cost = placement.services[service.name]
    labels = {PART_OF: "somos", "somos.service": service.name}
    main_container = container(
        service.name,
        "core",
        memory_mib=cost.memory_mib,
        request_mib=cost.memory_mib // 2,
        environment=service.fixed | ({} if service.port else {"SOMOS_READY_FILE": READY_FILE}),
        command=list(service.command),
        port=service.port,
        ready="/health" if service.port else READY,
    )
    # The deployer's own settings, then what the placement in use says of addresses.
    main_container["envFrom"] = [
        {"configMapRef": {"name": name, "optional": True}} for name in ("somos", "somos-placement")
    ]
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": f"somos-{service.name}", "namespace": NAMESPACE, "labels": labels},
        "spec": {
            "replicas": cost.replicas,
            "selector": {"matchLabels": {"somos.service": service.name}},
            "template": {
                "metadata": {"labels": labels},
                "spec": {"terminationGracePeriodSeconds": service.grace + 10, **pod(main_container, service.secrets)},
            },
        },
    }


def _address(service: Service) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {
            "name": f"somos-{service.name}",
            "namespace": NAMESPACE,
            "labels": {PART_OF: "somos", "somos.service": service.name},
        },
        "spec": {
            "selector": {"somos.service": service.name},
            "ports": [{"name": "http", "port": service.port, "targetPort": service.port}],
        },
    }
