"""What Knative and Kubernetes share: a hardened container, its secrets as files, its settings from a ConfigMap."""

from collections.abc import Iterable, Mapping
from typing import Any

import yaml

HEADER = """\
# Derivado das declarações em functions/ e de infra/placement.toml por `somos derive`. Não edite.
"""
NAMESPACE = "somos"
PART_OF = "app.kubernetes.io/part-of"
SECRETS = "/var/openfaas/secrets"
CONFIG = "somos"
USER = 10001
PORT = 8080  # of every unit
DUMPER = getattr(yaml, "CSafeDumper", yaml.SafeDumper)  # libyaml writes ten times as fast where the wheel brings it


def documents(objects: Iterable[Any], note: str = "") -> str:
    """One YAML file."""
    return HEADER + note + "---\n".join(map(as_yaml, objects))


def as_yaml(content: Any) -> str:
    """Keys in the order given."""
    return yaml.dump(content, Dumper=DUMPER, sort_keys=False, allow_unicode=True, width=110)


def placed_image(image: str) -> str:
    """Without a tag: kustomize, compose or kubectl say which."""
    return f"ghcr.io/somos/somos-{image}"


def container(
    name: str,
    image: str,
    *,
    memory_mib: int,
    request_mib: int,
    environment: Mapping[str, str],
    settings: Iterable[str] = (),
    command: list[str] | None = None,
    port: int | None = None,
    ready: str | list[str],
) -> dict[str, Any]:
    """`ready` is a path of `port`, or a command."""
    spec: dict[str, Any] = {"name": name, "image": placed_image(image)}
    if command:
        spec["command"] = command
    if port:
        spec["ports"] = [{"containerPort": port}]
    spec["env"] = [
        *({"name": key, "value": value} for key, value in environment.items()),
        *(
            {
                "name": key,
                "valueFrom": {"configMapKeyRef": {"name": CONFIG, "key": key, "optional": True}},
            }
            for key in settings
        ),
    ]
    probe = {"httpGet": {"path": ready, "port": port}} if isinstance(ready, str) else {"exec": {"command": ready}}
    spec["readinessProbe"] = {**probe, "periodSeconds": 5, "timeoutSeconds": 3, "failureThreshold": 3}
    if isinstance(ready, str) and ready.startswith("/_/"):
        # Alive is less than ready: a database that is away is no reason to restart this.
        alive = {"httpGet": {"path": "/_/health", "port": port}}
        spec["livenessProbe"] = {**alive, "periodSeconds": 10, "timeoutSeconds": 3, "failureThreshold": 3}
    spec |= {
        "resources": {
            "requests": {"memory": f"{request_mib}Mi", "cpu": "20m"},
            "limits": {"memory": f"{memory_mib}Mi"},
        },
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": USER,
            "readOnlyRootFilesystem": True,
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "volumeMounts": [
            {"name": "tmp", "mountPath": "/tmp"},  # noqa: S108
            {"name": "secrets", "mountPath": SECRETS, "readOnly": True},
        ],
    }
    return spec


def pod(container: dict[str, Any], secrets: Iterable[str]) -> dict[str, Any]:
    """The rest of a pod: only the secrets named, each an object of its own as `faas-cli secret create` makes them."""
    sources = [{"secret": {"name": name, "items": [{"key": name, "path": name}]}} for name in secrets]
    return {
        "enableServiceLinks": False,
        "automountServiceAccountToken": False,
        "containers": [container],
        "volumes": [
            {"name": "tmp", "emptyDir": {"sizeLimit": "64Mi"}},
            {"name": "secrets", "projected": {"defaultMode": 0o444, "sources": sources}},
        ],
    }


def kustomization(resources: list[str], images: bool = False) -> dict[str, Any]:
    """For `kubectl apply -k`, which takes another folder in only when that has a kustomization of its own."""
    content: dict[str, Any] = {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "resources": resources,
    }
    if images:
        # Another registry or tag is said here, once: `kustomize edit set image`.
        content["images"] = [{"name": placed_image(image), "newTag": "latest"} for image in ("core", "ai")]
    return content
