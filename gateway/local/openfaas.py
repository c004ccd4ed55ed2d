"""OpenFaaS's own gateway API, so that the real faas-cli lists, describes, deploys and reads logs here."""

import asyncio
import base64
import contextlib
import hmac
import json
import platform
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

from gateway.local.deployment import Deployment, Scaling
from gateway.local.exchange import Answer, Call
from gateway.local.hosts import Hosts
from gateway.local.logs import NAMESPACE, Logs, shown
from gateway.local.metrics import Metrics
from somos.cli.needs import needs_of
from somos.mesh import clock
from somos.mesh.bodies import Receive, Send
from somos.mesh.derive.placement import Placement
from somos.mesh.derive.stack import stack_functions
from somos.mesh.derive.units import units

USER = "admin"
VERSION = {"sha": "local", "release": "0.27.14"}  # the gateway API this speaks
NOT_HERE = "namespace not found: este gateway só tem o namespace " + NAMESPACE


class OpenFaas:
    """What it hosts is what `functions/` declares. A deployment of those is noted and shown; one of anything
    else is kept as registered, with no replica, because this gateway runs no containers."""

    def __init__(self, hosts: Hosts, metrics: Metrics, logs: Logs, password: str) -> None:
        self._hosts = hosts
        self._metrics = metrics
        self._logs = logs
        self._credentials = f"{USER}:{password}".encode()
        self._born = clock.now().isoformat()
        self._deployed: dict[str, dict[str, Any]] = {}
        self._replicas: dict[str, int] = {}
        self._secrets: dict[str, str] = {}

    def answer(self, call: Call) -> Answer:
        """Everything under /system but the logs, which stream."""
        if refusal := self.refusal(call):
            return refusal
        what, _, name = call.path.removeprefix("/system/").strip("/").partition("/")
        if call.query_value("namespace", NAMESPACE) not in ("", NAMESPACE):
            return Answer.text(NOT_HERE, 400)
        handler = self._handlers.get((what, call.method))
        if handler is None:
            known = any(one == what for one, _ in self._handlers)
            return Answer.text("method not allowed" if known else "not found", 405 if known else 404)
        try:
            return handler(call, name)
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            return Answer.text("o corpo não é o que a API do OpenFaaS espera", 400)

    def refusal(self, call: Call) -> Answer | None:
        """401 without the right basic credentials."""
        scheme, _, given = call.header("Authorization").partition(" ")
        sent = b""
        with contextlib.suppress(ValueError):
            sent = base64.b64decode(given)
        if scheme.lower() == "basic" and hmac.compare_digest(sent, self._credentials):
            return None
        answer = Answer.text("invalid credentials", 401)
        answer.headers.append(("WWW-Authenticate", 'Basic realm="Restricted"'))
        return answer

    async def logs(self, call: Call, receive: Receive, send: Send) -> None:
        """Stream lines as NDJSON; with `follow`, until the reader leaves."""
        name, instance = call.query_value("name").removesuffix(f".{NAMESPACE}"), call.query_value("instance")
        since, tail = _time(call.query_value("since")), _number(call.query_value("tail"))
        headers = [(b"content-type", b"application/x-ndjson"), (b"x-content-type-options", b"nosniff")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        # granian keeps the headers back until there is some body; a blank line is nothing to an NDJSON reader.
        await send({"type": "http.response.body", "body": b"\n", "more_body": True})

        async def write(line: dict[str, Any]) -> None:
            body = json.dumps(shown(line), ensure_ascii=False).encode() + b"\n"
            await send({"type": "http.response.body", "body": body, "more_body": True})

        async def follow() -> None:
            async for line in self._logs.follow(name, instance):
                await write(line)

        async def left() -> None:
            while (await receive())["type"] != "http.disconnect":
                pass

        following = call.query_value("follow") in ("true", "1")
        tasks = [asyncio.create_task(follow()), asyncio.create_task(left())] if following else []
        for line in self._logs.last(name, tail, since, instance):
            await write(line)
        if tasks:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        with contextlib.suppress(OSError, RuntimeError):  # the reader left first
            await send({"type": "http.response.body", "body": b""})

    # -- what is answered

    @cached_property
    def _handlers(self) -> dict[tuple[str, str], Callable[[Call, str], Answer]]:
        return {
            ("info", "GET"): self._info,
            ("namespaces", "GET"): lambda _call, _name: Answer.json([NAMESPACE]),
            ("namespace", "GET"): self._namespace,
            ("functions", "GET"): lambda _call, _name: Answer.json([self._status(name) for name in self._names()]),
            ("functions", "POST"): self._deploy,
            ("functions", "PUT"): self._update,
            ("functions", "DELETE"): self._remove,
            ("function", "GET"): self._describe,
            ("scale-function", "POST"): self._scale,
            ("secrets", "GET"): lambda _call, _name: Answer.json(
                [{"name": name, "namespace": NAMESPACE} for name in sorted(self._secrets)]
            ),
            ("secrets", "POST"): self._add_secret,
            ("secrets", "PUT"): self._change_secret,
            ("secrets", "DELETE"): self._drop_secret,
        }

    def _info(self, _call: Call, _name: str) -> Answer:
        provider = {"provider": "somos-local", "version": VERSION, "orchestration": "one process"}
        return Answer.json({"provider": provider, "version": VERSION, "arch": platform.machine()})

    def _namespace(self, _call: Call, name: str) -> Answer:
        if name != NAMESPACE:
            return Answer.text(NOT_HERE, 404)
        return Answer.json({"name": NAMESPACE, "annotations": {}, "labels": {}})

    def _describe(self, call: Call, name: str) -> Answer:
        name = name.removesuffix(f".{NAMESPACE}")
        if name not in self._names():
            return Answer.text(f"no such function: {name}", 404)
        status = self._status(name)
        if call.query_value("usage") in ("1", "true"):
            status["usage"] = {"cpu": 0, "totalMemoryBytes": _memory()}
        return Answer.json(status)

    def _deploy(self, call: Call, _name: str) -> Answer:
        deployment = Deployment.model_validate_json(call.body)
        self._deployed[deployment.service] = deployment.model_dump(exclude_unset=True)
        return Answer(202)

    def _update(self, call: Call, _name: str) -> Answer:
        # 404 makes faas-cli try again as a POST: a first deployment.
        return self._deploy(call, _name) if call.json()["service"] in self._names() else Answer.text("not found", 404)

    def _remove(self, call: Call, _name: str) -> Answer:
        name = call.json()["functionName"]
        if name in self._hosts:
            return Answer.text(f"{name} vem de functions/: apague o arquivo para removê-la", 409)
        return Answer(202) if self._deployed.pop(name, None) else Answer.text(f"no such function: {name}", 404)

    def _scale(self, call: Call, name: str) -> Answer:
        name = name.removesuffix(f".{NAMESPACE}")
        if name not in self._names():
            return Answer.text(f"no such function: {name}", 404)
        self._replicas[name] = Scaling.model_validate_json(call.body).replicas
        return Answer(202)

    def _add_secret(self, call: Call, _name: str) -> Answer:
        sent = call.json()
        if sent["name"] in self._secrets:
            return Answer.text(f"secret {sent['name']} already exists", 409)
        self._secrets[sent["name"]] = _value_of(sent)
        return Answer(201)

    def _change_secret(self, call: Call, _name: str) -> Answer:
        sent = call.json()
        if sent["name"] not in self._secrets:
            return Answer.text(f"no such secret: {sent['name']}", 404)
        self._secrets[sent["name"]] = _value_of(sent)
        return Answer(200)

    def _drop_secret(self, call: Call, _name: str) -> Answer:
        name = call.json()["name"]
        return Answer(200) if self._secrets.pop(name, None) is not None else Answer.text("no such secret", 404)

    # -- what is known of a function

    @cached_property
    def _stack(self) -> dict[str, Any]:
        """As `stack.yml` deploys them, derived now, so that it is true also before `somos derive`."""
        placement = Placement.load()
        placed = units(self._hosts.functions.values(), placement.targets["function"], placement, needs_of)
        functions = stack_functions(placed, "function")
        for one in functions.values():
            one["environment"] = {name: _plain(value) for name, value in one["environment"].items()}
        return functions

    def prepare(self) -> None:
        """Derive what is shown before anybody asks: faas-cli waits five seconds for its first answer."""
        _ = self._stack

    def _names(self) -> list[str]:
        return sorted({*self._hosts.functions, *self._deployed})

    def _status(self, name: str) -> dict[str, Any]:
        declared = self._stack.get(name, {})
        # What a faas-cli deployed last is what it wants to see, also in `diff`.
        deployed = self._deployed.get(name, {})
        here = name in self._hosts
        return {
            "name": name,
            "namespace": NAMESPACE,
            "image": deployed.get("image") or _plain(declared.get("image", "")),
            "envProcess": deployed.get("envProcess", ""),
            "envVars": deployed.get("envVars", declared.get("environment")) or {},
            "constraints": deployed.get("constraints") or [],
            "secrets": deployed.get("secrets", declared.get("secrets")) or [],
            "labels": deployed.get("labels", declared.get("labels")) or {},
            "annotations": deployed.get("annotations", declared.get("annotations")) or {},
            "limits": deployed.get("limits", declared.get("limits")),
            "requests": deployed.get("requests", declared.get("requests")),
            "readOnlyRootFilesystem": bool(
                deployed.get("readOnlyRootFilesystem", declared.get("readonly_root_filesystem", False))
            ),
            "replicas": self._replicas.get(name, 1 if here else 0),
            "availableReplicas": 1 if here else 0,
            "invocationCount": self._metrics.invocations[name],
            "createdAt": self._born,
        }


def _value_of(sent: dict[str, Any]) -> str:
    return str(sent.get("value") or sent.get("rawValue") or "")


def _plain(text: str) -> str:
    """`${REGISTRY:-localhost:5000}/x:${TAG:-latest}` as faas-cli resolves it without those variables."""
    for part in text.split("${")[1:]:
        variable = part.split("}")[0]
        text = text.replace("${" + variable + "}", variable.partition(":-")[2])
    return text


def _time(text: str) -> datetime | None:
    with contextlib.suppress(ValueError):
        parsed = datetime.fromisoformat(text)
        return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)
    return None


def _number(text: str) -> int:
    return int(text) if text.lstrip("-").isdigit() else -1


def _memory() -> int:
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
