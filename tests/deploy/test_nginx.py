"""The shipped nginx configuration, run by Debian's nginx on loopback."""

import http.client
import json
import os
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from string import Template
from typing import Any

import pytest
from websockets.sync.client import connect
from websockets.sync.server import serve

from somos.local.addresses import free_port
from somos.settings import ROOT
from tests.deploy.ports import until_open

NGINX = ROOT / "gateway" / "nginx"


@dataclass
class Edge:
    """nginx in front of functions that repeat what reached them."""

    http_port: int
    https_port: int
    context: ssl.SSLContext
    functions: Any
    pid: int
    folder: Path
    seen: list[dict[str, Any]] = field(default_factory=list)

    def ask(self, method: str, path: str, headers: dict[str, str] | None = None, body: bytes = b"") -> Any:
        connection = http.client.HTTPSConnection("127.0.0.1", self.https_port, context=self.context, timeout=10)
        connection.request(method, path, body=body or None, headers={"Host": "somos.test", **(headers or {})})
        answer = connection.getresponse()
        raw = answer.read()
        connection.close()
        return answer, raw


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


@pytest.fixture
def edge(request: pytest.FixtureRequest, needs: Callable[[str, str], str]) -> Iterator[Edge]:
    program = needs("nginx", "nginx-light")
    # nginx's workers run as another user: the folder must let them pass.
    tmp_path = Path(tempfile.mkdtemp(prefix="somos-nginx-"))
    tmp_path.chmod(0o755)
    functions = ThreadingHTTPServer(("127.0.0.1", 0), _Functions)
    threading.Thread(target=functions.serve_forever, daemon=True).start()
    realtime = serve(lambda socket: socket.send(socket.recv()), "127.0.0.1", 0)
    threading.Thread(target=realtime.serve_forever, daemon=True).start()
    context = _certificate(tmp_path)
    (tmp_path / "acme" / ".well-known" / "acme-challenge").mkdir(parents=True)
    (tmp_path / "acme" / ".well-known" / "acme-challenge" / "proof").write_text("prova")
    values = {
        "NGINX_RUN": str(tmp_path),
        "NGINX_CONF": "/etc/nginx",
        "NGINX_LOG": "/dev/stdout",
        "SOMOS_NGINX": str(NGINX),
        "SOMOS_PLACEMENT": getattr(request, "param", "function"),
        "SOMOS_DOMAIN": "somos.test",
        "FUNCTIONS_UPSTREAM": f"127.0.0.1:{functions.server_port}",
        "REALTIME_UPSTREAM": f"127.0.0.1:{realtime.socket.getsockname()[1]}",
        "HTTP_PORT": f"127.0.0.1:{free_port()}",
        "HTTPS_PORT": f"127.0.0.1:{free_port()}",
        "ACME_ROOT": str(tmp_path / "acme"),
        "TLS_FOLDER": str(tmp_path),
    }
    rendered = tmp_path / "nginx.conf"
    # safe_substitute leaves nginx's own $names alone, as envsubst with a list of names does.
    rendered.write_text(_Capitals((NGINX / "nginx.conf.template").read_text()).safe_substitute(values))
    checked = subprocess.run([program, "-t", "-c", str(rendered)], capture_output=True, text=True)
    assert checked.returncode == 0, checked.stderr
    with (tmp_path / "out").open("w") as out:
        child = subprocess.Popen([program, "-c", str(rendered), "-g", "daemon off;"], stdout=out, stderr=out)
    https = int(values["HTTPS_PORT"].rsplit(":", 1)[1])
    made = Edge(int(values["HTTP_PORT"].rsplit(":", 1)[1]), https, context, functions, child.pid, tmp_path)
    until_open(https, child)
    yield made
    os.kill(child.pid, signal.SIGQUIT)
    child.wait(10)
    functions.shutdown()
    functions.server_close()
    realtime.shutdown()
    shutil.rmtree(tmp_path)


class _Capitals(Template):
    idpattern = None
    braceidpattern = "[A-Z_]+"
    pattern = r"\$(?:(?P<escaped>\$\$)|(?P<named>(?!))|\{(?P<braced>[A-Z_]+)\}|(?P<invalid>(?!)))"


def test_a_request_reaches_the_function_that_declares_it(edge: Edge) -> None:
    answer, raw = edge.ask("GET", "/api/v1/deals/0190c3c0-0000-7000-8000-000000000001?x=1")
    assert answer.status == 200
    assert json.loads(raw)["path"] == "/function/crm-deals/api/v1/deals/0190c3c0-0000-7000-8000-000000000001?x=1"
    _, raw = edge.ask("GET", "/api/v1/deals/board?pipeline_id=1")
    assert json.loads(raw)["path"].startswith("/function/crm-board/")


@pytest.mark.parametrize(
    ("edge", "path", "host"),
    [
        ("function", "/function/crm-tags/api/v1/tags", "somos.test"),
        ("compact", "/function/sales/api/v1/tags", "somos.test"),
        ("knative", "/api/v1/tags", "crm-tags.somos.svc.cluster.local"),
    ],
    indirect=["edge"],
)
def test_the_placement_says_how_the_unit_of_a_function_is_addressed(edge: Edge, path: str, host: str) -> None:
    reached = json.loads(edge.ask("GET", "/api/v1/tags", {"Host": "somos.test"})[-1])
    assert (reached["path"], reached["headers"]["Host"]) == (path, host)


def test_every_public_route_is_known_to_nginx(edge: Edge) -> None:
    routes = json.loads((ROOT / "gateway" / "routes.json").read_text())["edges"]
    sample = [edge_ for n, edge_ in enumerate(routes) if n % 7 == 0 and edge_["path"] != "/api/v1/auth/login"]
    for route in sample:
        path = route["path"].replace("{id}", "7").replace("{", "").replace("}", "")
        answer, raw = edge.ask(route["method"], path)
        assert answer.status == 200, (route, answer.status)
        assert json.loads(raw)["path"].startswith(f"/function/{route['function']}/"), route


@pytest.mark.parametrize(
    "path",
    ["/function/crm-deals", "/async-function/crm-deals", "/system/functions", "/healthz", "/metrics", "/",
     "/api/v1/nothing", "/api/v1/../function/crm-deals", "/webhook/nobody"],
)  # fmt: skip
def test_what_is_not_public_does_not_exist_outside(edge: Edge, path: str) -> None:
    answer, raw = edge.ask("GET", path)
    assert answer.status == 404
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert json.loads(raw)["type"] == "/problems/not-found"


def test_nobody_outside_can_pretend_to_be_the_mesh(edge: Edge) -> None:
    forged = {"Ce-Type": "crm.deal_opened", "Ce-Id": "1", "Ce-Signature": "t=1,v1=0", "X-Real-Ip": "10.0.0.1"}
    _, raw = edge.ask("GET", "/api/v1/deals", headers=forged)
    reached = {name.lower(): value for name, value in json.loads(raw)["headers"].items()}
    assert "ce-type" not in reached
    assert "somos-signature" not in reached
    assert reached["x-real-ip"] == "127.0.0.1"


def test_security_headers_are_on_every_answer(edge: Edge) -> None:
    for path in ("/api/v1/deals", "/nothing"):
        answer, _ = edge.ask("GET", path)
        assert answer.headers["Strict-Transport-Security"].startswith("max-age=31536000")
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["X-Frame-Options"] == "DENY"
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
        assert answer.headers["Server"] == "nginx"


def test_signing_in_is_limited_to_five_a_minute(edge: Edge) -> None:
    answers = [edge.ask("POST", "/api/v1/auth/login", body=b"{}")[0] for _ in range(9)]
    statuses = [answer.status for answer in answers]
    assert statuses[0] == 200
    assert statuses.count(429) >= 2
    refused = answers[statuses.index(429)]
    assert refused.headers["Retry-After"] == "10"
    assert refused.headers["Content-Type"] == "application/problem+json"


def test_the_api_is_limited_per_address_but_webhooks_are_not(edge: Edge) -> None:
    statuses: list[int] = []

    def burst(path: str, method: str) -> None:
        for _ in range(40):
            statuses.append(edge.ask(method, path)[0].status)

    def together(path: str, method: str) -> list[int]:
        statuses.clear()
        threads = [threading.Thread(target=burst, args=(path, method)) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return list(statuses)

    assert 429 in together("/api/v1/deals", "GET")
    assert set(together("/webhook/whatsapp", "POST")) == {200}


def test_a_socket_passes_through(edge: Edge) -> None:
    with connect(f"wss://127.0.0.1:{edge.https_port}/ws", ssl=edge.context) as socket_:
        socket_.send("oi")
        assert socket_.recv() == "oi"


def test_plain_http_only_leads_to_https_and_proves_the_domain(edge: Edge) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", edge.http_port, timeout=5)
    connection.request("GET", "/api/v1/deals", headers={"Host": "somos.test"})
    answer = connection.getresponse()
    answer.read()
    assert (answer.status, answer.headers["Location"]) == (301, "https://somos.test/api/v1/deals")
    connection.request("GET", "/.well-known/acme-challenge/proof", headers={"Host": "somos.test"})
    assert connection.getresponse().read() == b"prova"
    connection.close()


def test_answers_are_compressed_and_http2_is_offered(edge: Edge) -> None:
    answer, _ = edge.ask("GET", "/api/v1/deals", headers={"Accept-Encoding": "gzip"})
    assert answer.headers["Content-Encoding"] == "gzip"
    offering = ssl.create_default_context()
    offering.check_hostname, offering.verify_mode = False, ssl.CERT_NONE
    offering.set_alpn_protocols(["h2", "http/1.1"])
    with socket.create_connection(("127.0.0.1", edge.https_port)) as raw, offering.wrap_socket(raw) as tls:
        assert tls.selected_alpn_protocol() == "h2"


def test_a_function_that_is_away_is_a_problem_and_not_a_page(edge: Edge) -> None:
    edge.functions.shutdown()
    edge.functions.server_close()
    answer, raw = edge.ask("GET", "/api/v1/deals")
    assert answer.status == 503
    assert json.loads(raw)["type"] == "/problems/unavailable"


def test_the_log_holds_neither_queries_nor_secrets(edge: Edge) -> None:
    edge.ask("GET", "/api/v1/deals?q=ana@exemplo.com.br", headers={"Authorization": "Bearer segredo"})
    limit = time.monotonic() + 5
    while "/api/v1/deals" not in (edge.folder / "out").read_text() and time.monotonic() < limit:
        pass
    written = (edge.folder / "out").read_text()
    assert "ana@exemplo" not in written
    assert "segredo" not in written
    assert json.loads(written.strip().splitlines()[-1])["function"] == "crm-deals"
