"""`infra/knative/`: every unit as a Knative Service, and what stands around them."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from somos.mesh.derive.pods import NAMESPACE, PART_OF, PORT, container, documents, kustomization, pod
from somos.mesh.derive.stack import labels_of, runtime_environment
from somos.mesh.derive.units import Unit

PING = """\
# Desligados: quem faz andar os relógios é o somos-relay (infra/services), em qualquer plataforma. Aplique este arquivo
# para ter um segundo relógio: a batida, que não é assinada, só manda olhar a hora, e dita duas vezes é uma só.
"""
BROKER = """\
# Só para quem prefere o broker do Knative ao caminho direto do worker até a função. Ponha FUNCTION_URL do worker no
# endereço do broker (http://broker-ingress.knative-eventing.svc.cluster.local/somos/somos): cada entrega leva o
# atributo `function`, e cada Trigger entrega só as da sua função. A garantia continua no PostgreSQL: entrega que o
# broker perder vence de novo, entrega repetida encontra a linha feita.
"""
BROKER_NAME = "somos"
MOST_TIMEOUT_S = 600  # Knative's own max-revision-timeout-seconds


def knative(units: Iterable[Unit], folder: str) -> dict[str, str]:
    """The files, by name."""
    units = list(units)
    by_module: dict[str, list[Unit]] = defaultdict(list)
    for unit in units:
        by_module[unit.modules[0] if len(unit.modules) == 1 else unit.name].append(unit)
    files = {
        f"{folder}/{module}.yaml": documents([_service(unit) for unit in of_module])
        for module, of_module in by_module.items()
    }
    resources = ["namespace.yaml", *sorted(name.rsplit("/", 1)[1] for name in files), "../services"]
    return {
        **files,
        f"{folder}/namespace.yaml": documents([_namespace(), _addresses()]),
        f"{folder}/pingsources.yaml": documents(_pings(units), PING),
        f"{folder}/triggers.yaml": documents([_broker(), *_triggers(units)], BROKER),
        f"{folder}/kustomization.yaml": documents([kustomization(resources, images=True)]),
    }


def _service(unit: Unit) -> dict[str, Any]:
    labels = {PART_OF: "somos", **labels_of(unit)}
    spec = pod(
        container(
            "function",
            unit.image,
            memory_mib=unit.memory_mib,
            request_mib=unit.cost.request_mib,
            environment={
                **unit.environment,
                **runtime_environment(unit),
                "max_inflight": str(unit.concurrency),
                "exec_timeout": f"{unit.patience}s",
                "read_timeout": f"{unit.patience}s",
                "write_timeout": f"{unit.patience}s",
            },
            settings=("PUBLIC_URL", *unit.settings),
            port=PORT,
            ready="/_/ready",
        ),
        unit.secrets,
    )
    return {
        "apiVersion": "serving.knative.dev/v1",
        "kind": "Service",
        "metadata": {
            "name": unit.name,
            "namespace": NAMESPACE,
            # Only the edge and the mesh call functions; nothing of theirs is published by Knative itself.
            "labels": {**labels, "networking.knative.dev/visibility": "cluster-local"},
        },
        "spec": {
            "template": {
                "metadata": {"labels": labels, "annotations": _autoscaling(unit)},
                "spec": {
                    "containerConcurrency": unit.concurrency,
                    "timeoutSeconds": min(unit.patience, MOST_TIMEOUT_S),
                    **spec,
                },
            }
        },
    }


def _autoscaling(unit: Unit) -> dict[str, str]:
    prefix = "autoscaling.knative.dev"
    return {
        f"{prefix}/class": f"kpa.{prefix}",
        f"{prefix}/metric": "concurrency",
        # Another replica comes when every thread of this one is busy, before requests wait.
        f"{prefix}/target": str(unit.threads),
        f"{prefix}/min-scale": str(unit.scale.min),
        f"{prefix}/max-scale": str(unit.scale.max),
        f"{prefix}/window": "60s",
        f"{prefix}/scale-down-delay": "30s",
        # A person who comes back within minutes finds it awake; a step nobody waits for sleeps at once.
        f"{prefix}/scale-to-zero-pod-retention-period": "5m" if unit.tier == "interactive" else "1m",
    }


def _namespace() -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE, "labels": {PART_OF: "somos"}}}


def _addresses() -> dict[str, Any]:
    """What the worker is told of this placement; everything else is the deployer's own ConfigMap `somos`."""
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "somos-placement", "namespace": NAMESPACE, "labels": {PART_OF: "somos"}},
        "data": {
            "SOMOS_PLACEMENT": "knative",
            "FUNCTION_URL": f"http://{{unit}}.{NAMESPACE}.svc.cluster.local",
        },
    }


def _pings(units: list[Unit]) -> list[dict[str, Any]]:
    return [
        {
            "apiVersion": "sources.knative.dev/v1",
            "kind": "PingSource",
            "metadata": {"name": function, "namespace": NAMESPACE, "labels": {PART_OF: "somos"}},
            "spec": {
                "schedule": schedule,
                "timezone": "America/Sao_Paulo",
                "contentType": "application/json",
                "data": f'{{"function": "{function}"}}',
                "sink": _sink(unit),
            },
        }
        for unit in units
        for function, schedule in unit.schedules
    ]


def _broker() -> dict[str, Any]:
    return {
        "apiVersion": "eventing.knative.dev/v1",
        "kind": "Broker",
        "metadata": {"name": BROKER_NAME, "namespace": NAMESPACE, "labels": {PART_OF: "somos"}},
    }


def _triggers(units: list[Unit]) -> list[dict[str, Any]]:
    return [
        {
            "apiVersion": "eventing.knative.dev/v1",
            "kind": "Trigger",
            "metadata": {"name": function.name, "namespace": NAMESPACE, "labels": {PART_OF: "somos"}},
            "spec": {
                "broker": BROKER_NAME,
                "filter": {"attributes": {"function": function.name}},
                "subscriber": _sink(unit),
            },
        }
        for unit in units
        for function in unit.functions
        if function.consumers
    ]


def _sink(unit: Unit) -> dict[str, Any]:
    return {"ref": {"apiVersion": "serving.knative.dev/v1", "kind": "Service", "name": unit.name}}
