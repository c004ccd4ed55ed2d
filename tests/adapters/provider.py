"""A provider that does as it is told: one prepared answer per request, and a record of what it was asked."""

import json
import socket
import struct
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit


@dataclass
class Reply:
    """One answer. `manner`: plain, lost (worked, then hung up), half (hung up midway), drip (a byte at a time),
    mute (never answers)."""

    status: int = 200
    body: Any = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    manner: str = "plain"

    @property
    def raw(self) -> bytes:
        if isinstance(self.body, bytes):
            return self.body
        return self.body.encode() if isinstance(self.body, str) else json.dumps(self.body).encode()


@dataclass(frozen=True)
class Asked:
    method: str
    target: str
    headers: dict[str, str]
    body: bytes

    @property
    def path(self) -> str:
        return urlsplit(self.target).path

    @property
    def query(self) -> dict[str, str]:
        return {name: values[0] for name, values in parse_qs(urlsplit(self.target).query).items()}

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Provider(ThreadingHTTPServer):
    """Serves on a port of its own until closed; the last prepared answer repeats."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.asked: list[Asked] = []
        self.over = threading.Event()
        self._replies: list[Reply] = []
        self._lock = threading.Lock()
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()

    def will(self, *replies: Reply) -> "Provider":
        self._replies = list(replies)
        return self

    def next_reply(self, asked: Asked) -> Reply:
        with self._lock:
            self.asked.append(asked)
            if not self._replies:
                return Reply(500, {"error": "nothing was prepared"})
            return self._replies.pop(0) if len(self._replies) > 1 else self._replies[0]

    def close(self) -> None:
        self.over.set()
        self.shutdown()
        self.server_close()

    def handle_error(self, request: Any, client_address: Any) -> None:
        pass


class _Handler(BaseHTTPRequestHandler):
    server: Provider
    protocol_version = "HTTP/1.1"

    def answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        headers = {name.lower(): value for name, value in self.headers.items()}
        reply = self.server.next_reply(Asked(self.command, self.path, headers, body))
        if reply.manner == "mute":
            self.server.over.wait(10)
        if reply.manner in ("lost", "mute"):
            self._hang_up()
            return
        self.send_response(reply.status)
        for name, value in {"Content-Type": "application/json", **reply.headers}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(reply.raw)))
        self.end_headers()
        if reply.manner == "half":
            self.wfile.write(reply.raw[: len(reply.raw) // 2])
            self.close_connection = True
        elif reply.manner == "drip":
            for position in range(len(reply.raw)):
                self.wfile.write(reply.raw[position : position + 1])
                self.wfile.flush()
                if self.server.over.wait(0.02):
                    return
        else:
            self.wfile.write(reply.raw)

    do_GET = do_POST = do_PUT = do_CONNECT = answer

    def _hang_up(self) -> None:
        self.close_connection = True
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()

    def log_message(self, format: str, *args: Any) -> None:
        pass
