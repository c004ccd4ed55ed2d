"""`stack.yml` and its compact sibling: the units as OpenFaaS functions, in the keys that faas-cli reads."""

from collections.abc import Iterable
from typing import Any

from somos.mesh.declare import Function
from somos.mesh.derive.anchors import anchored
from somos.mesh.derive.pods import as_yaml
from somos.mesh.derive.units import Unit

HEADER = """\
# yaml-language-server: $schema={schema}
# Derivado das declarações em functions/ e de infra/placement.toml por `somos derive`. Não edite: mude a função, ou
# o grão, e derive de novo. Quem hospeda o quê, com que segredos, está em infra/placement.md.
# As unidades partilham imagens. Só estas constroem: {builders}. `faas-cli build --filter` com
# outro nome não constrói nada. O que muitas dizem igual está uma vez, nos blocos x-.
"""
LANGUAGE = "somos-python"
REGISTRY = "${REGISTRY:-ghcr.io/somos}"
# Into the build context, beside the functions: what the image holds.
COPIED = ("./shared", "./gateway", "./infra/requirements", "./infra/placement.toml")


def stack(units: Iterable[Unit], target: str = "function", schema: str = "infra/openfaas/stack.schema.json") -> str:
    """The text of the file. `target` is what the workers' and the edge's map of units calls it."""
    functions = stack_functions(units, target)
    content = {
        "version": "1.0",
        "provider": {"name": "openfaas", "gateway": "${OPENFAAS_URL:-http://127.0.0.1:8080}"},
        "configuration": {"copy": list(COPIED)},
    }
    builders = ", ".join(name for name, one in functions.items() if "build_args" in one)
    return HEADER.format(schema=schema, builders=builders) + as_yaml(content) + anchored(functions)


def kind_of(function: Function) -> str:
    """What wakes it."""
    if function.endpoints:
        return "http"
    if function.webhooks:
        return "webhook"
    return "timer" if function.timers else "step"


def image_of(image: str) -> str:
    """The address of `core` or `ai`; a variable that is not set would break the YAML, so each has a default."""
    return f"{REGISTRY}/somos-{image}:${{TAG:-latest}}"


def labels_of(unit: Unit) -> dict[str, str]:
    """What dashboards and operators select by."""
    labels = {"somos.unit": unit.name, "somos.image": unit.image, "somos.tier": unit.tier}
    if len(unit.modules) == 1:
        labels["somos.module"] = unit.modules[0]
    if len(unit.functions) == 1:
        labels["somos.kind"] = kind_of(unit.functions[0])
    return labels


def stack_functions(units: Iterable[Unit], target: str) -> dict[str, Any]:
    """Each unit by name, in the keys of `stack.yml`."""
    built: set[str] = set()
    by_unit = {}
    for unit in units:
        # Every unit of an image is the same image: one build of each is enough.
        by_unit[unit.name] = _function(unit, target, build=unit.image not in built)
        built.add(unit.image)
    return by_unit


def _function(unit: Unit, target: str, build: bool) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "lang": LANGUAGE,
        "handler": "./functions",
        "image": image_of(unit.image),
        **({"build_args": {"SOMOS_IMAGE": unit.image}} if build else {"skip_build": True}),
        "environment": environment_of(unit, target),
        "labels": {
            **labels_of(unit),
            "com.openfaas.scale.min": str(max(1, unit.scale.min)),
            "com.openfaas.scale.max": str(unit.scale.max),
        },
        "annotations": _annotations(unit),
        "limits": {"memory": f"{unit.memory_mib}Mi"},
        "requests": {"memory": f"{unit.cost.request_mib}Mi"},
        "readonly_root_filesystem": True,
    }
    if unit.secrets:
        entry["secrets"] = list(unit.secrets)
    return entry


def environment_of(unit: Unit, target: str) -> dict[str, str]:
    """Its whole environment; what the house says of itself is filled in when it is deployed."""
    return {
        **unit.environment,
        **runtime_environment(unit),
        **{name: f"${{{name}:-}}" for name in ("PUBLIC_URL", *unit.settings)},
        "SOMOS_PLACEMENT": target,
        "max_inflight": str(unit.concurrency),
        "exec_timeout": f"{unit.patience}s",
        "read_timeout": f"{unit.patience}s",
        "write_timeout": f"{unit.patience}s",
    }


def runtime_environment(unit: Unit) -> dict[str, str]:
    """How many threads answer, and how many connections they share. Docstrings, which core units never read, would
    cost a tenth of their start and 5 MiB of each; of the `ai` image's, a model is told some."""
    threads = {"THREADS": str(unit.threads), "POOL_SIZE": str(max(1, unit.threads // 2))}
    return {**threads, "PYTHONOPTIMIZE": "2"} if unit.image == "core" else threads


def _annotations(unit: Unit) -> dict[str, str]:
    annotations = {"description": _description(unit)}
    if len(unit.functions) == 1:
        function = unit.functions[0]
        routes = [f"{e.method} {e.path}" for e in function.endpoints]
        routes += [f"POST {path}" for w in function.webhooks for path in w.paths]
        if routes:
            annotations["routes"] = ", ".join(routes)
    if unit.schedules:
        # What OpenFaaS's cron-connector looks for; the relay ticks already, and a tick stated twice is one.
        annotations["topic"] = "cron-function"
        annotations["schedule"] = unit.schedules[0][1]
    elif unit.topics:
        annotations["topic"] = ",".join(unit.topics)
    return annotations


def _description(unit: Unit) -> str:
    if len(unit.functions) > 1:
        return f"{len(unit.functions)} funções: {', '.join(unit.hosts) or 'todas'}"
    doc = unit.functions[0].doc
    return doc.splitlines()[0] if doc else unit.name
