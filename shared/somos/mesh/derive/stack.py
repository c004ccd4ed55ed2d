"""`stack.yml`: one OpenFaaS function per file of `functions/`."""

from collections.abc import Iterable
from typing import Any

import yaml

from somos.mesh.declare import Function
from somos.mesh.derive.needs import Needs, NeedsOf
from somos.mesh.derive.places import file_of

HEADER = """\
# Derivado das declarações em functions/ por `somos derive`. Não edite: mude a função e derive de novo.
"""
HTTP_TIMEOUT_S = 30
GRACE_S = 5  # the watchdog outlives the function, so that the function's own answer is what is seen
MEMORY = {"core": ("192Mi", "80Mi"), "ai": ("768Mi", "256Mi")}


def stack(functions: Iterable[Function], needs_of: NeedsOf) -> str:
    """The text of the file."""
    content = {
        "version": "1.0",
        "provider": {"name": "openfaas", "gateway": "${OPENFAAS_URL:-http://127.0.0.1:8080}"},
        "configuration": {"copy": ["./shared", "./gateway/routes.json"]},
        "functions": {function.name: _function(function, needs_of(function)) for function in functions},
    }
    return HEADER + yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=110)


def kind_of(function: Function) -> str:
    """What wakes it."""
    if function.endpoints:
        return "http"
    if function.webhooks:
        return "webhook"
    return "timer" if function.timers else "step"


def _function(function: Function, needs: Needs) -> dict[str, Any]:
    memory, request = MEMORY[needs.image]
    timeout = max([consumer.timeout for consumer in function.consumers], default=HTTP_TIMEOUT_S)
    entry: dict[str, Any] = {
        "lang": f"somos-{needs.image}",
        "handler": f"./{file_of(function).rsplit('/', 1)[0]}",
        "image": f"${{REGISTRY:-localhost:5000}}/somos-{needs.image}:${{TAG:-latest}}",
        "environment": {
            "SOMOS_FUNCTION": function.name,
            "exec_timeout": f"{timeout + GRACE_S}s",
            "read_timeout": f"{timeout + GRACE_S}s",
            "write_timeout": f"{timeout + GRACE_S}s",
        },
        "labels": {"somos.module": function.module, "somos.kind": kind_of(function)},
        "annotations": _annotations(function),
        "limits": {"memory": memory},
        "requests": {"memory": request},
        "readonly_root_filesystem": True,
    }
    if needs.secrets:
        entry["secrets"] = list(needs.secrets)
    return entry


def _annotations(function: Function) -> dict[str, str]:
    routes = [f"{e.method} {e.path}" for e in function.endpoints]
    routes += [f"POST {w.path}" for w in function.webhooks]
    topics = [topic.type for topic in function.topics]
    found = {"description": function.doc.splitlines()[0] if function.doc else function.name}
    if routes:
        found["routes"] = ", ".join(routes)
    if function.timers:
        # What OpenFaaS's cron-connector looks for; it runs one schedule per function.
        found["topic"] = "cron-function"
        found["schedule"] = function.timers[0].schedule
    elif topics:
        found["topic"] = ",".join(topics)
    return found
