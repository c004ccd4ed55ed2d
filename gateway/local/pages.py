"""The page at `/`: its files, the documents it draws, and what only the local stack may show."""

import gzip
import hashlib
import ipaddress
import json
import mimetypes
import os
from collections.abc import Callable
from functools import cache, cached_property
from importlib.resources import files
from pathlib import Path
from threading import Lock
from typing import Any

from gateway.local.exchange import Answer, Call
from gateway.local.hosts import Hosts
from somos.mesh.derive import known_events
from somos.mesh.derive.map import map_json
from somos.mesh.derive.openapi import openapi
from somos.mesh.problems import MethodNotAllowed, NotFound
from somos.settings import ROOT

HERE = Path(__file__).with_name("page")
# Swagger UI's own files, from the package that ships them.
SWAGGER = ("swagger-ui-bundle.js", "swagger-ui.css")
POLICY = (
    "default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; connect-src 'self' ws: wss:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
# Said by whoever passes on what somebody else asked.
FORWARDED = ("Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Real-Ip", "Via")
NAMES = {"127.0.0.1", "localhost", "[::1]"}


class Pages:
    """Everything is read once and sent compressed; an unchanged file is answered 304."""

    def __init__(self, hosts: Hosts) -> None:
        self._hosts = hosts
        # One thread derives, the others wait: CPython's parser of syntax trees does not like company.
        self._deriving = Lock()
        self._documents: dict[str, Callable[[Call], Answer]] = {
            "/openapi.json": lambda call: _text(call, "application/json", self._openapi),
            "/map.json": lambda call: _text(call, "application/json", self._map),
            "/_local/source": self._source,
            "/_local/people": self._people,
        }

    def answer(self, call: Call) -> Answer:
        if call.method not in ("GET", "HEAD"):
            return Answer.problem(MethodNotAllowed(headers={"Allow": "GET"}))
        if document := self._documents.get(call.path):
            return document(call)
        name = call.path.lstrip("/") or "index.html"
        path = _swagger(name.removeprefix("swagger/")) if name.startswith("swagger/") else HERE / name
        if path is None or not path.is_file() or path.parent not in (HERE, _swagger_folder()):
            return Answer.problem(NotFound("Endereço desconhecido"))
        kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
        return _text(call, kind, path.read_bytes())

    @cached_property
    def _functions(self) -> list[Any]:
        return sorted(self._hosts.functions.values(), key=lambda function: function.name)

    @cached_property
    def _openapi(self) -> bytes:
        with self._deriving:
            return openapi(self._functions).encode()

    @cached_property
    def _map(self) -> bytes:
        with self._deriving:
            return map_json(self._functions, known_events()).encode()

    def _source(self, call: Call) -> Answer:
        """The text of a file that the map names, and of no other."""
        drawn = json.loads(self._map)
        known = {node["file"] for node in (*drawn["functions"], *drawn["events"])}
        file = call.query_value("file")
        if file not in known or not _is_local(call):
            return Answer.problem(NotFound("Arquivo desconhecido"))
        return Answer.text((ROOT / file).read_text())

    def _people(self, call: Call) -> Answer:
        """Who can sign in on this machine's own stack; empty anywhere else."""
        if "SOMOS_STACK" not in os.environ or not _is_local(call):
            return Answer.json({"people": []})
        from somos.local import people

        shown = [{"name": one.name, "role": one.role, "email": one.email} for one in people.PEOPLE]
        return Answer.json({"people": shown, "password": people.password()})


def _is_local(call: Call) -> bool:
    """Asked from this machine and by its name: neither the network around, nor a foreign page that resolves its own
    name to it, nor somebody behind a proxy or tunnel that runs here."""
    if any(call.header(name) for name in FORWARDED):
        return False
    try:
        peer = ipaddress.ip_address(call.client)
    except ValueError:
        return False
    return peer.is_loopback and call.header("Host").rsplit(":", 1)[0] in NAMES


def _text(call: Call, kind: str, raw: bytes) -> Answer:
    tag = f'"{hashlib.sha256(raw).hexdigest()[:20]}"'
    headers = [("ETag", tag), ("Cache-Control", "no-cache"), ("X-Content-Type-Options", "nosniff")]
    if call.header("If-None-Match") == tag:
        return Answer(304, headers)
    if kind.startswith("text/") or "javascript" in kind:
        headers.append(("Content-Security-Policy", POLICY))
        kind += "; charset=utf-8"
    headers += [("Content-Type", kind), ("Vary", "Accept-Encoding")]
    if len(raw) > 1_000 and "gzip" in call.header("Accept-Encoding"):
        return Answer(200, [*headers, ("Content-Encoding", "gzip")], _packed(tag, raw))
    return Answer(200, headers, raw)


@cache
def _packed(_tag: str, raw: bytes) -> bytes:
    return gzip.compress(raw, 6, mtime=0)


@cache
def _swagger_folder() -> Path | None:
    try:
        return Path(str(files("flask_swagger_ui"))) / "dist"
    except ModuleNotFoundError:
        return None


def _swagger(name: str) -> Path | None:
    folder = _swagger_folder()
    return folder / name if folder and name in SWAGGER else None
