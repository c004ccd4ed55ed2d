"""nginx as it is shipped, from Debian's package, on loopback, in front of functions that repeat what reached them."""

import http.client
import json
import os
import re
import shutil
import signal
import ssl
import subprocess
import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from websockets.sync.server import serve

from somos.local.addresses import free_port
from somos.settings import ROOT
from tests.deploy.ports import until_open

NGINX = ROOT / "gateway" / "nginx"


@dataclass
class Edge:
    """nginx, running, and what stands behind it."""

    http_port: int
    https_port: int
    context: ssl.SSLContext
    functions: ThreadingHTTPServer
    folder: Path

    def ask(self, method: str, path: str, headers: dict[str, str] | None = None, body: bytes = b"") -> Any:
        connection = http.client.HTTPSConnection("127.0.0.1", self.https_port, context=self.context, timeout=10)
        connection.request(method, path, body=body or None, headers={"Host": "somos.test", **(headers or {})})
        answer = connection.getresponse()
        raw = answer.read()
        connection.close()
        return answer, raw


@contextmanager
def running(
    program: str, told: Mapping[str, str], configuration: Path = NGINX, functions_port: int = 0
) -> Iterator[Edge]:
    """nginx told what `told` says, and about this machine whatever else it needs."""
    # nginx's workers run as another user: the folder must let them pass.
    folder = Path(tempfile.mkdtemp(prefix="somos-nginx-"))
    folder.chmod(0o755)
    functions = ThreadingHTTPServer(("127.0.0.1", functions_port), _Functions)
    threading.Thread(target=functions.serve_forever, args=(0.01,), daemon=True).start()
    realtime = serve(lambda socket: socket.send(socket.recv()), "127.0.0.1", 0)
    threading.Thread(target=realtime.serve_forever, daemon=True).start()
    context = _certificate(folder)
    (folder / "acme" / ".well-known" / "acme-challenge").mkdir(parents=True)
    (folder / "acme" / ".well-known" / "acme-challenge" / "proof").write_text("prova")
    http_port, https_port = free_port(), free_port()
    values = {
        **told,
        "NGINX_RUN": str(folder),
        "NGINX_CONF": "/etc/nginx",
        "NGINX_LOG": str(folder / "out"),
        "SOMOS_NGINX": str(configuration),
        "SOMOS_DOMAIN": "somos.test",
        "FUNCTIONS_UPSTREAM": f"127.0.0.1:{functions.server_port}",
        "REALTIME_UPSTREAM": f"127.0.0.1:{realtime.socket.getsockname()[1]}",
        "HTTP_PORT": f"127.0.0.1:{http_port}",
        "HTTPS_PORT": f"127.0.0.1:{https_port}",
        "ACME_ROOT": str(folder / "acme"),
        "TLS_FOLDER": str(folder),
    }
    rendered = folder / "nginx.conf"
    rendered.write_text(rendered_template(values))
    checked = subprocess.run([program, "-t", "-c", str(rendered)], capture_output=True, text=True)
    assert checked.returncode == 0, checked.stderr
    with (folder / "errors").open("w") as errors:
        child = subprocess.Popen([program, "-c", str(rendered), "-g", "daemon off;"], stdout=errors, stderr=errors)
    until_open(https_port, child)
    yield Edge(http_port, https_port, context, functions, folder)
    os.kill(child.pid, signal.SIGQUIT)
    child.wait(10)
    functions.shutdown()
    functions.server_close()
    realtime.shutdown()
    shutil.rmtree(folder)


def rendered_template(values: Mapping[str, str]) -> str:
    """As envsubst does with a list of names: nginx's own $names are left alone."""
    return re.sub(r"\$\{([A-Z_]+)\}", lambda name: values[name[1]], (NGINX / "nginx.conf.template").read_text())


class _Functions(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        self.rfile.read(length)
        found = {"path": self.path, "method": self.command, "headers": dict(self.headers), "padding": "a" * 2000}
        raw = json.dumps(found).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)

    do_POST = do_PUT = do_PATCH = do_DELETE = do_GET

    def log_message(self, format: str, *args: Any) -> None:
        pass


def _certificate(folder: Path) -> ssl.SSLContext:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "somos.test")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    (folder / "fullchain.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (folder / "privkey.pem").write_bytes(private)
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context
