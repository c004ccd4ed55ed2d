"""A small threaded HTTP/1.1 server for the sandbox: keeps connections, is a forward proxy, can drop a line.

Not werkzeug's or granian's: the fault "lost" must really close the connection after the work is done, requests
to a proxy carry a whole URL, and starting and stopping must take milliseconds.
"""

import socket
import struct
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler
from io import BytesIO
from socketserver import TCPServer, ThreadingMixIn
from types import TracebackType
from typing import Any, Self
from urllib.parse import unquote_to_bytes, urlsplit

from infra.sandbox.app import Outside
from infra.sandbox.config import Config

IDLE_S = 60
MAX_BODY = 20 * 1024 * 1024


class Handler(BaseHTTPRequestHandler):
    """One connection: read a request, run the app, answer, and again."""

    server: "Server"
    protocol_version = "HTTP/1.1"
    server_version = "somos-sandbox"
    sys_version = ""
    timeout = IDLE_S
    disable_nagle_algorithm = True
    wbufsize = 64 * 1024

    def answer(self) -> None:
        body = self._body()
        if body is None:
            self.close_connection = True
            self.send_error(413)
            return
        dropped = threading.Event()
        environ = self._environ(body)
        environ["sandbox.drop"] = dropped.set
        started: list[Any] = []

        def start_response(status: str, headers: list[tuple[str, str]], _exc_info: Any = None) -> Any:
            started[:] = [status, headers]
            return lambda _data: None

        pieces = self.server.outside(environ, start_response)
        try:
            if dropped.is_set():
                self._drop()
            else:
                self._write(started[0], started[1], iter(pieces))
        finally:
            close = getattr(pieces, "close", None)
            if close:
                close()

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = do_OPTIONS = answer

    def handle(self) -> None:
        with suppress(ConnectionError, TimeoutError):
            super().handle()

    def finish(self) -> None:
        with suppress(OSError):
            super().finish()

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def _body(self) -> bytes | None:
        if "chunked" in self.headers.get("Transfer-Encoding", "").lower():
            parts = []
            while size := int(self.rfile.readline().split(b";")[0], 16):
                parts.append(self.rfile.read(size))
                self.rfile.readline()
            self.rfile.readline()
            return b"".join(parts)
        length = self.headers.get("Content-Length", "0")
        if not length.isdigit() or int(length) > MAX_BODY:
            return None
        return self.rfile.read(int(length))

    def _environ(self, body: bytes) -> dict[str, Any]:
        # A request to a proxy carries the whole URL; then its host counts, not the header's.
        url = urlsplit(self.path)
        absolute = bool(url.scheme and url.netloc)
        path = (url.path or "/") if absolute else self.path.partition("?")[0]
        environ: dict[str, Any] = {
            "REQUEST_METHOD": self.command,
            "SCRIPT_NAME": "",
            "PATH_INFO": unquote_to_bytes(path).decode("latin-1"),
            "QUERY_STRING": url.query if absolute else self.path.partition("?")[2],
            "RAW_URI": self.path,
            "SERVER_NAME": self.server.host,
            "SERVER_PORT": str(self.server.port),
            "SERVER_PROTOCOL": self.request_version,
            "REMOTE_ADDR": self.client_address[0],
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "CONTENT_LENGTH": str(len(body)),
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "http",
            "wsgi.input": BytesIO(body),
            "wsgi.errors": sys.stderr,
            "wsgi.multithread": True,
            "wsgi.multiprocess": False,
            "wsgi.run_once": False,
        }
        for name, value in self.headers.items():
            key = "HTTP_" + name.upper().replace("-", "_")
            if key not in ("HTTP_CONTENT_TYPE", "HTTP_CONTENT_LENGTH") and "_" not in name:
                environ[key] = f"{environ[key]},{value}" if key in environ else value
        if absolute:
            environ["HTTP_HOST"] = url.netloc
        return environ

    def _write(self, status: str, headers: list[tuple[str, str]], pieces: Iterator[bytes]) -> None:
        code, _, reason = status.partition(" ")
        self.send_response(int(code), reason)
        for name, value in headers:
            self.send_header(name, value)
        sized = any(name.lower() == "content-length" for name, _ in headers)
        bodiless = self.command == "HEAD" or int(code) in (204, 304)
        chunked = not (sized or bodiless) and self.request_version == "HTTP/1.1"
        if chunked:
            self.send_header("Transfer-Encoding", "chunked")
        elif not (sized or bodiless):
            self.close_connection = True
        self.end_headers()
        for piece in pieces:
            if piece and not bodiless:
                self.wfile.write(b"%x\r\n%b\r\n" % (len(piece), piece) if chunked else piece)
        if chunked:
            self.wfile.write(b"0\r\n\r\n")
        self.wfile.flush()

    def _drop(self) -> None:
        """Close the line at once, as when a network breaks after the work was done."""
        self.close_connection = True
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()


class Server(ThreadingMixIn, TCPServer):
    """Accepts until told to stop; a thread per connection."""

    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 256

    def __init__(self, host: str, port: int, outside: Outside) -> None:
        super().__init__((host, port), Handler)
        self.outside = outside
        self.host, self.port = host, int(self.server_address[1])
        self._stopping = False
        self._open: set[socket.socket] = set()
        self._changed = threading.Condition()

    def accept_forever(self) -> None:
        while True:
            try:
                connection, address = self.get_request()
            except OSError:
                return
            if self._stopping:
                connection.close()
                return
            with self._changed:
                self._open.add(connection)
            self.process_request(connection, address)

    def shutdown_request(self, request: Any) -> None:
        super().shutdown_request(request)
        with self._changed:
            self._open.discard(request)
            self._changed.notify_all()

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not self._stopping and not isinstance(sys.exception(), OSError | ValueError):
            super().handle_error(request, client_address)

    def stop(self) -> None:
        self._stopping = True
        host = "127.0.0.1" if self.host in ("0.0.0.0", "::") else self.host
        with suppress(OSError), socket.create_connection((host, self.port), timeout=1):
            pass  # wakes the accepting thread
        with self._changed:
            for connection in self._open:
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
            self._changed.wait_for(lambda: not self._open, timeout=2)
        self.server_close()


class Sandbox:
    """A running sandbox: where it is, the world behind it, and how to stop it."""

    def __init__(self, host: str, port: int, state: str, config: Config) -> None:
        self._outside = Outside(config, state)
        try:
            self._server = Server(host, port, self._outside)
        except OSError:
            self._outside.stop()
            raise
        self.port = self._server.port
        self.url = f"http://{'127.0.0.1' if host == '0.0.0.0' else host}:{self.port}"
        self.proxies = {"http": self.url}
        self.world = self._outside.world
        self.world.state.set_setting("server_url", f"{self.url}/evolution")
        self._outside.start()
        self._thread = threading.Thread(target=self._server.accept_forever, name="sandbox-accept", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._server.stop()
        self._thread.join(timeout=5)
        self._outside.stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, e: BaseException | None, t: TracebackType | None) -> None:
        self.stop()


def start(
    port: int = 0,
    *,
    host: str = "127.0.0.1",
    state: str = ":memory:",
    config: Config | None = None,
    **changes: Any,
) -> Sandbox:
    """Run a sandbox in threads of this process; `changes` are fields of `Config`."""
    settled = config or Config()
    settled.update(changes)
    return Sandbox(host, port, state, settled)
