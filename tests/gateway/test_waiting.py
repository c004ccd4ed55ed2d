"""One slow table silences nothing else, and nobody's query outlives the wish to know its answer."""

import http.client
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests
from sqlalchemy import Connection, text

from gateway.local.app import PEOPLE_THREADS
from somos.mesh import disconnects
from somos.mesh.database import engine_for
from tests.gateway.conftest import Gateway

_WAITING = text("select count(*) from pg_locks where relation = cast('crm.deals' as regclass) and not granted")


@pytest.fixture
def locked(gateway: Gateway) -> Iterator[Connection]:
    """Somebody changes the table of deals and does not come to an end."""
    owner = engine_for(gateway.mesh.runtime.settings.database_owner_url, pool_size=1)
    with owner.connect() as connection:
        connection.execute(text("lock table crm.deals in access exclusive mode"))
        yield connection
        connection.rollback()
    owner.dispose()


def until(true: Callable[[], bool]) -> None:
    for _ in range(1500):
        if true():
            return
        threading.Event().wait(0.01)
    raise AssertionError("it never came to that")


def waiting(connection: Connection) -> int:
    found: int = connection.execute(_WAITING).scalar_one()
    return found


def test_health_signing_in_and_webhooks_answer_while_every_reader_of_deals_waits(
    gateway: Gateway, locked: Connection
) -> None:
    diretor, settings = gateway.mesh.person("Diretor"), gateway.mesh.runtime.settings
    with ThreadPoolExecutor(PEOPLE_THREADS * 2) as people:
        headers = {"Authorization": f"Bearer {diretor.token}"}
        read = lambda _: requests.get(f"{gateway.url}/api/v1/deals", headers=headers, timeout=60)  # noqa: E731
        answers = people.map(read, range(PEOPLE_THREADS * 2))
        until(lambda: waiting(locked) >= PEOPLE_THREADS)
        assert gateway.call("GET /health").json()["parts"]["database"] == {"ok": True}
        assert gateway.call("GET /metrics").status_code == 200
        who = {"email": "ana@somos.test", "password": "nenhuma destas"}
        assert gateway.call("POST /api/v1/auth/login", json=who).status_code == 401
        event = {"event": "connection.update", "instance": "somos", "data": {"state": "open"}}
        signed = {"Authorization": f"Bearer {settings.outside['EVOLUTION_WEBHOOK_TOKEN']}"}
        assert gateway.call("POST /webhook/whatsapp", json=event, headers=signed).status_code == 200
        assert waiting(locked) >= PEOPLE_THREADS, "they waited all the while"
        locked.rollback()
        assert {answer.status_code for answer in answers} <= {200, 409}


def test_who_waits_too_long_for_a_lock_is_told_so(gateway: Gateway, locked: Connection) -> None:
    refused = gateway.call("GET /api/v1/deals", as_=gateway.mesh.person("Diretor"))
    assert refused.status_code == 409
    assert refused.json()["type"] == "/problems/lost-race"
    assert int(refused.headers["Retry-After"]) > 0
    assert waiting(locked) == 0


def test_the_query_of_a_client_that_left_is_cancelled_and_its_connection_serves_nobody_else(
    gateway: Gateway, locked: Connection, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(disconnects, "AFTER_S", 0.01)
    caplog.set_level("INFO")
    connection = http.client.HTTPConnection("127.0.0.1", gateway.port, timeout=10)
    token = gateway.mesh.person("Diretor").token
    connection.request("GET", "/api/v1/deals", headers={"Authorization": f"Bearer {token}"})
    until(lambda: waiting(locked) == 1)
    connection.close()
    until(lambda: "client_disconnected" in caplog.text)
    until(lambda: waiting(locked) == 0)
    # Cancelled, not run into the limit of waiting for a lock.
    until(lambda: "statement_timed_out" in caplog.text)
