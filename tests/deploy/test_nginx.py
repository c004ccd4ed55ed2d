"""The shipped nginx configuration, run by Debian's nginx on loopback."""

import http.client
import json
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator

import pytest
from websockets.sync.client import connect

from somos.settings import ROOT
from tests.deploy.edge import Edge, running


@pytest.fixture
def edge(request: pytest.FixtureRequest, needs: Callable[[str, str], str]) -> Iterator[Edge]:
    with running(needs("nginx", "nginx-light"), {"SOMOS_PLACEMENT": getattr(request, "param", "function")}) as made:
        yield made


def test_a_request_reaches_the_function_that_declares_it(edge: Edge) -> None:
    answer, raw = edge.ask("GET", "/api/v1/deals/0190c3c0-0000-7000-8000-000000000001?x=1")
    assert answer.status == 200
    assert json.loads(raw)["path"] == "/function/crm-deals/api/v1/deals/0190c3c0-0000-7000-8000-000000000001?x=1"
    _, raw = edge.ask("GET", "/api/v1/deals/board?pipeline_id=1")
    assert json.loads(raw)["path"].startswith("/function/crm-deal-reports/")


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


def test_each_route_takes_of_a_body_what_it_declares(edge: Edge) -> None:
    routes = json.loads((ROOT / "gateway" / "routes.json").read_text())["edges"]
    large = {e["path"]: e["max_bytes"] for e in routes if e.get("max_bytes", 0) > 1_000_000 and "{" not in e["path"]}
    assert large.keys() >= {"/api/v1/imports", "/api/v1/leads/import", "/webhook/whatsapp"}
    for path, most in {**large, "/api/v1/tags": 1_000_000, "/api/v1/auth/refresh": 64_000}.items():
        assert edge.ask("POST", path, body=b"x" * most)[0].status == 200, path
        refused, raw = edge.ask("POST", path, {"Content-Length": str(most + 1)})
        # Whoever reports something would repeat it after a 413.
        assert refused.status == (422 if path.startswith("/webhook/") else 413), path
        assert json.loads(raw)["type"] == "/problems/too-large", path
