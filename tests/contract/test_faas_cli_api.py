"""The requests that the real faas-cli makes, and what it needs to read in the answers."""

import http.client
import json
import re
import threading
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from queue import SimpleQueue
from typing import Any

import pytest
import requests
import yaml
from sqlalchemy import text

from somos.adapters.sites.public_web import public_session
from somos.mesh import bodies, outbox
from somos.mesh.runtime import Runtime
from somos.mesh.worker import Sender
from somos.settings import ROOT
from tests.gateway.conftest import PASSWORD, Gateway, gateway

__all__ = ["gateway"]

DEPLOYMENT = {
    "service": "crm-deals",
    "image": "registry.example/somos-core:1",
    "namespace": "",
    "envProcess": "",
    "envVars": {"SOMOS_FUNCTION": "crm-deals"},
    "constraints": None,
    "secrets": ["database-url"],
    "labels": {"a": "b"},
    "annotations": {"topic": "x"},
    "limits": {"memory": "192Mi"},
    "requests": None,
    "readOnlyRootFilesystem": True,
}


def test_everything_under_system_asks_for_the_credentials(gateway: Gateway) -> None:
    for path in ("functions", "function/crm-deals", "info", "namespaces", "secrets", "logs?name=crm-deals"):
        answer = gateway.call(f"GET /system/{path}")
        assert answer.status_code == 401
        assert answer.headers["WWW-Authenticate"].startswith("Basic")
    assert gateway.call("GET /system/info", auth=("admin", "wrong")).status_code == 401
    assert gateway.call("GET /healthz").text == "OK"


def test_list_shows_every_function_with_the_fields_that_faas_cli_reads(gateway: Gateway) -> None:
    listed = gateway.call("GET /system/functions", admin=True).json()
    assert [one["name"] for one in listed] == sorted(gateway.mesh.functions)
    deals = next(one for one in listed if one["name"] == "crm-deals")
    assert deals["replicas"] == deals["availableReplicas"] == 1
    assert deals["image"] == "ghcr.io/somos/somos-core:latest"
    assert deals["envVars"]["SOMOS_FUNCTION"] == "crm-deals"
    assert deals["readOnlyRootFilesystem"] is True
    assert "database-url" in deals["secrets"]
    assert datetime.fromisoformat(deals["createdAt"])


def test_describe_takes_the_name_with_and_without_its_namespace(gateway: Gateway) -> None:
    for name in ("crm-deals", "crm-deals.openfaas-fn"):
        described = gateway.call(f"GET /system/function/{name}?usage=1", admin=True).json()
        assert described["name"] == "crm-deals"
        assert described["usage"]["totalMemoryBytes"] > 0
    assert gateway.call("GET /system/function/no-such", admin=True).status_code == 404


def test_invocations_are_counted(gateway: Gateway) -> None:
    def count() -> int:
        answer = gateway.call("GET /system/function/auth-me", admin=True).json()
        return int(answer["invocationCount"])

    assert count() == 0
    gateway.call("GET /function/auth-me/api/v1/auth/me")
    gateway.call("GET /api/v1/auth/me")
    assert count() == 2


def test_version_and_namespaces(gateway: Gateway) -> None:
    info = gateway.call("GET /system/info", admin=True).json()
    assert info["provider"]["provider"] == "somos-local"
    assert info["version"]["release"]
    assert info["arch"]
    assert gateway.call("GET /system/namespaces", admin=True).json() == ["openfaas-fn"]


def test_a_deployment_of_a_hosted_function_is_accepted_and_shown_without_drift(gateway: Gateway) -> None:
    assert gateway.call("PUT /system/functions", json=DEPLOYMENT, admin=True).status_code == 202
    shown = gateway.call("GET /system/function/crm-deals", admin=True).json()
    for ours, theirs in {"image": "image", "secrets": "secrets", "labels": "labels", "limits": "limits"}.items():
        assert shown[ours] == DEPLOYMENT[theirs]


def test_a_new_name_is_put_then_posted_as_faas_cli_does_and_has_no_replica(gateway: Gateway) -> None:
    new = {**DEPLOYMENT, "service": "crm-new"}
    assert gateway.call("PUT /system/functions", json=new, admin=True).status_code == 404
    assert gateway.call("POST /system/functions", json=new, admin=True).status_code == 202
    assert gateway.call("GET /system/function/crm-new", admin=True).json()["availableReplicas"] == 0
    assert gateway.call("POST /function/crm-new", json={}).status_code == 404
    gone = gateway.call("DELETE /system/functions", json={"functionName": "crm-new"}, admin=True)
    assert gone.status_code == 202


def test_a_function_of_this_repository_cannot_be_removed_and_the_answer_says_how(gateway: Gateway) -> None:
    answer = gateway.call("DELETE /system/functions", json={"functionName": "crm-deals"}, admin=True)
    assert answer.status_code == 409
    assert "apague o arquivo" in answer.text


def test_scale_is_accepted_for_known_functions(gateway: Gateway) -> None:
    asked = {"serviceName": "crm-deals", "replicas": 3, "namespace": "openfaas-fn"}
    assert gateway.call("POST /system/scale-function/crm-deals", json=asked, admin=True).status_code == 202
    assert gateway.call("GET /system/function/crm-deals", admin=True).json()["replicas"] == 3
    assert gateway.call("POST /system/scale-function/no-such", json=asked, admin=True).status_code == 404


@pytest.mark.parametrize("replicas", [-1, 1.5, "3", None, True, 2**64])
def test_a_scale_that_go_could_not_read_back_is_refused(gateway: Gateway, replicas: Any) -> None:
    asked = {"serviceName": "crm-deals", "replicas": replicas, "namespace": "openfaas-fn"}
    assert gateway.call("POST /system/scale-function/crm-deals", json=asked, admin=True).status_code == 400
    listed = gateway.call("GET /system/functions", admin=True).json()
    assert {one["replicas"] for one in listed} == {1}


@pytest.mark.parametrize(
    "wrong",
    [{"labels": ["a"]}, {"secrets": "database-url"}, {"envVars": {"A": 1}}, {"limits": {"memory": 192}},
     {"service": ""}, {"service": "crm_deals/.."}, {"readOnlyRootFilesystem": "yes"}],
)  # fmt: skip
def test_a_deployment_that_go_could_not_read_back_is_refused(gateway: Gateway, wrong: dict[str, Any]) -> None:
    assert gateway.call("POST /system/functions", json={**DEPLOYMENT, **wrong}, admin=True).status_code == 400


def test_a_namespace_is_described_and_no_other_exists(gateway: Gateway) -> None:
    shown = gateway.call("GET /system/namespace/openfaas-fn", admin=True)
    assert shown.json() == {"name": "openfaas-fn", "annotations": {}, "labels": {}}
    assert gateway.call("GET /system/namespace/other", admin=True).status_code == 404


def test_before_the_first_deployment_there_is_nothing_to_differ_from_stack_yml(gateway: Gateway) -> None:
    """`faas-cli diff` reads stack.yml with its variables filled in: none of them is set here."""
    filled = re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", (ROOT / "stack.yml").read_text())
    told = yaml.safe_load(filled)["functions"]
    for shown in gateway.call("GET /system/functions", admin=True).json():
        one = told[shown["name"]]
        assert shown["envVars"] == {name: value or "" for name, value in one["environment"].items()}
        assert (shown["image"], shown["labels"]) == (one["image"], one["labels"])
        assert shown["annotations"] == one["annotations"]


def test_secrets_are_created_once_changed_and_removed_and_never_shown(gateway: Gateway) -> None:
    secret = {"name": "api-key", "value": "very secret"}
    statuses = [
        gateway.call(f"{method} /system/secrets", json=secret, admin=True).status_code
        for method in ("POST", "POST", "PUT", "DELETE", "PUT")
    ]
    assert statuses == [201, 409, 200, 200, 404]
    gateway.call("POST /system/secrets", json=secret, admin=True)
    listed = gateway.call("GET /system/secrets", admin=True)
    assert listed.json() == [{"name": "api-key", "namespace": "openfaas-fn"}]


def test_a_body_that_is_not_what_the_api_expects_is_a_400(gateway: Gateway) -> None:
    for body in (b"", b"not json", b"[]", b"{}"):
        assert gateway.call("POST /system/functions", data=body, admin=True).status_code == 400, body


def test_invoke_reaches_the_functions_one_endpoint_of_that_method(gateway: Gateway) -> None:
    diretor = gateway.mesh.person("Diretor")
    answer = gateway.call("GET /function/auth-me.openfaas-fn", as_=diretor)
    assert answer.json()["name"] == diretor.principal.name
    assert answer.headers["X-Call-Id"]
    assert int(answer.headers["X-Start-Time"]) > 0


def test_invoke_says_which_paths_there_are_when_the_call_is_not_clear(gateway: Gateway) -> None:
    answer = gateway.call("DELETE /function/auth-users")
    assert answer.status_code in (404, 405)
    assert "/api/v1/users" in answer.json()["detail"]
    assert gateway.call("POST /function/no-such").status_code == 404


def test_an_event_handler_answers_only_to_the_mesh(gateway: Gateway) -> None:
    step = next(name for name, one in gateway.mesh.functions.items() if one.topics)
    assert gateway.call(f"POST /function/{step}", json={}).status_code == 404
    type_ = gateway.mesh.functions[step].topics[0].type
    forged = {"Ce-Type": type_, "Ce-Id": "1", "Ce-Event": "1", "Ce-Signature": "t=1,v1=0"}
    assert gateway.call(f"POST /function/{step}", json={}, headers=forged).status_code == 401


def test_logs_are_ndjson_of_that_function(gateway: Gateway) -> None:
    for _ in range(3):
        gateway.call("GET /api/v1/auth/me")
    gateway.call("GET /api/v1/users")
    answer = gateway.call("GET /system/logs?name=auth-me&tail=2&follow=false", admin=True)
    assert answer.headers["Content-Type"] == "application/x-ndjson"
    lines = [json.loads(line) for line in answer.text.strip().splitlines()]
    assert [line["name"] for line in lines] == ["auth-me", "auth-me"]
    assert all(line.keys() == {"name", "namespace", "instance", "timestamp", "text"} for line in lines)
    assert "GET /api/v1/auth/me - 401" in lines[-1]["text"]


def test_logs_that_are_followed_arrive_as_they_happen(gateway: Gateway) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", gateway.port, timeout=10)
    credentials = b64encode(f"admin:{PASSWORD}".encode()).decode()
    connection.request(
        "GET", "/system/logs?name=auth-me&follow=true", headers={"Authorization": f"Basic {credentials}"}
    )
    stream = connection.getresponse()
    try:
        assert stream.readline() == b"\n"
        for _ in range(2):
            gateway.call("GET /api/v1/auth/me")
            assert "401" in json.loads(stream.readline())["text"]
    finally:
        stream.close()
        connection.close()


def test_an_async_call_is_kept_in_the_database_and_its_answer_goes_to_the_callback(
    gateway: Gateway, callback: "Callback"
) -> None:
    diretor = gateway.mesh.person("Diretor")
    gateway.app._calls.callbacks = callback.session
    answer = gateway.call(
        "GET /async-function/auth-me.openfaas-fn/api/v1/auth/me",
        as_=diretor,
        headers={"X-Callback-Url": "http://cliente.example/done"},
    )
    assert answer.status_code == 202
    with gateway.mesh.db() as db:
        stored = str(db.execute(text("select data from mesh.outbox")).scalar_one())
    assert diretor.token not in stored  # sealed: a credential is never in the outbox
    work(gateway)
    told = callback.heard.get(timeout=10)
    assert told["headers"]["X-Call-Id"] == answer.headers["X-Call-Id"]
    assert told["headers"]["X-Function-Status"] == "200"
    assert told["body"]["name"] == diretor.principal.name
    assert work(gateway) == 0


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1/", "http://gateway:8080/function/x", "http://[fec0::1]/", "file:///x"]
)
def test_an_answer_is_taken_to_no_private_address(gateway: Gateway, url: str) -> None:
    refused = gateway.call("POST /async-function/auth-me/api/v1/auth/me", headers={"X-Callback-Url": url})
    assert refused.status_code == 422
    assert refused.json()["errors"][0]["field"] == "X-Callback-Url"


def test_a_public_name_that_leads_to_a_private_address_gets_no_answer(gateway: Gateway, callback: "Callback") -> None:
    gateway.app._calls.callbacks = lambda: public_session("", lambda host, port: ["127.0.0.1"])
    headers = {"X-Callback-Url": "http://rebinding.example/done"}
    assert gateway.call("GET /async-function/auth-me/api/v1/auth/me", headers=headers).status_code == 202
    assert work(gateway) == 1
    assert callback.heard.empty()


def test_an_async_call_that_could_not_be_delivered_is_refused_before_it_is_taken(gateway: Gateway) -> None:
    """The largest that is taken is delivered, sealed as it is; a larger one is no 202 that dies later."""
    path = "/async-function/auth-login/api/v1/auth/login"
    assert gateway.call(f"POST {path}", data=b"x" * (bodies.JSON + 1)).status_code == 413
    assert gateway.call(f"POST {path}", data=b"x" * bodies.JSON).status_code == 202
    work(gateway)
    assert gateway.mesh.one("select count(*) from mesh.deliveries where state = 'done'") == 1


def test_the_gateway_takes_of_a_body_what_its_route_declares(gateway: Gateway) -> None:
    for path, most in (
        ("/api/v1/auth/login", bodies.ANONYMOUS),
        ("/api/v1/tags", bodies.JSON),
        ("/function/auth-login", bodies.ANONYMOUS),
        ("/function/crm-tags/api/v1/tags", bodies.JSON),
        ("/api/v1/imports", bodies.UPLOAD),
        ("/api/v1/nothing", bodies.ANONYMOUS),
        ("/system/functions", bodies.JSON),
    ):
        over = gateway.call(f"POST {path}", data=iter([b"x" * most, b"x"]), admin=path.startswith("/system"))
        assert over.status_code == 413, path
        assert gateway.call(f"POST {path}", data=iter([b"x" * most])).status_code != 413, path


def test_a_report_that_is_too_large_is_refused_with_a_status_that_its_sender_gives_up_on(gateway: Gateway) -> None:
    most = gateway.mesh.functions["sdr-hook-whatsapp"].max_bytes
    assert gateway.call("POST /webhook/whatsapp", data=iter([b"x" * most, b"x"])).status_code == 422


def test_an_async_call_to_nobody_is_refused_at_once(gateway: Gateway) -> None:
    assert gateway.call("POST /async-function/no-such").status_code == 404


class Callback:
    """Somebody who waits for the answer of an async call."""

    def __init__(self) -> None:
        self.heard: SimpleQueue[dict[str, Any]] = SimpleQueue()
        heard = self.heard

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                heard.put({"headers": dict(self.headers), "body": json.loads(body)})
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                return

        self.server = HTTPServer(("127.0.0.1", 0), Handler)

    def session(self) -> requests.Session:
        """Takes what is for anybody here: nobody of the public internet listens to tests."""
        made = requests.Session()
        made.trust_env = False
        made.proxies = {"http": f"http://127.0.0.1:{self.server.server_port}"}
        return made


@pytest.fixture
def callback() -> Iterator[Callback]:
    made = Callback()
    thread = threading.Thread(target=made.server.serve_forever, args=(0.01,))
    thread.start()
    yield made
    made.server.shutdown()
    thread.join()
    made.server.server_close()


def work(gateway: Gateway) -> int:
    """What a worker does: claim what is due, post it through the gateway; how many there were."""
    settings = replace(gateway.mesh.runtime.settings, gateway_url=gateway.url)
    runtime = Runtime(settings, engine=gateway.mesh.runtime.engine, routes=gateway.mesh.runtime.routes)
    claims = outbox.claim(runtime.engine, "default", 10)
    for claim in claims:
        Sender(runtime).send([claim])
    return len(claims)
