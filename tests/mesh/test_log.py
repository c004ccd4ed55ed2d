"""What a log holds: no secret, nobody's data, whichever way it got there."""

import io
import json
import logging
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import BaseModel
from sqlalchemy import Engine, text

from somos.mesh import log as logs
from somos.mesh.log import log
from tests.harness.mesh import Mesh

SECRETS = {
    "an API key": "4f9a1c77e0b24d7c8d1e",
    "an access token": "eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl",
    "a password": "correta-bateria-cavalo",
    "an e-mail address": "joana.silva@cliente.com.br",
    "a telephone number": "5511987654321",
    "a CPF": "123.456.789-09",
    "a link of one use": "u8Jk2nX9aQ",
}
WAYS = {
    "an API key": "GET https://x.test/search.json?engine=google&api_key={0}&q=a",
    "an access token": "Authorization: Bearer {0}",
    "a password": "postgresql://somos:{0}@db/somos",
    "an e-mail address": "no mailbox for <{0}>",
    "a telephone number": "sending to +{0} failed",
    "a CPF": "document {0} is taken",
    "a link of one use": "GET /api/v1/unsubscribe/{0} - 200",
}


class Evolution(BaseModel):
    event: int


@pytest.fixture
def said() -> Iterator[io.StringIO]:
    """All that the process logs, as it is written."""
    root, written = logging.getLogger(), io.StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(logs._Json())
    before = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield written
    root.removeHandler(handler)
    root.setLevel(before)


@pytest.mark.parametrize("what", SECRETS)
def test_a_secret_is_stripped_however_it_is_logged(said: io.StringIO, what: str) -> None:
    secret, sentence = SECRETS[what], WAYS[what].format(SECRETS[what])
    log.info(sentence)
    log.warning("sent", address=sentence, inner={"list": [sentence]}, apikey=secret)
    logging.getLogger("urllib3").debug("%s %s", "a", sentence)
    try:
        try:
            raise KeyError(sentence)
        except KeyError as error:
            raise RuntimeError(f"while asking: {sentence}") from error
    except RuntimeError:
        log.exception("broke")
        logging.getLogger("flask").exception("Exception on / [POST]")
    assert len(said.getvalue().splitlines()) == 5
    assert secret not in said.getvalue()


def test_what_pydantic_was_given_is_in_no_traceback(said: io.StringIO) -> None:
    for given in ({"event": SECRETS["an API key"]}, {"event": {"apikey": SECRETS["a password"]}}):
        try:
            Evolution.model_validate(given)
        except ValueError:
            log.exception("unreadable")
    assert "event int_parsing" in said.getvalue()
    assert not [secret for secret in SECRETS.values() if secret in said.getvalue()]


def test_what_a_statement_was_given_is_in_no_traceback(said: io.StringIO, engine: Engine) -> None:
    for statement in (
        "select :it::int",
        "insert into auth.users (email) values (:it)",
        "select pg_input_error_info(:it)",
    ):
        try:
            with engine.begin() as connection:
                connection.execute(text(statement), {"it": SECRETS["an e-mail address"]})
        except Exception:
            log.exception("refused")
    assert "auth.users" in said.getvalue()
    assert not [secret for secret in SECRETS.values() if secret in said.getvalue()]


def test_ids_and_times_stay_readable(said: io.StringIO) -> None:
    kept = {
        "delivery": "0190c3c0-0000-7000-8000-551187654321",
        "until": "2026-11-23T13:00:00+00:00",
        "function": "sdr-on-message-claimed",
        "attempts": 3,
    }
    log.info("postponed", **kept)
    assert {name: json.loads(said.getvalue())[name] for name in kept} == kept


def test_what_ends_a_thread_is_logged_like_all_else(capsys: pytest.CaptureFixture[str]) -> None:
    before, root = threading.excepthook, logging.getLogger()
    handlers, level = root.handlers[:], root.level
    logs.configure()

    def dies() -> None:
        raise ValueError(WAYS["a password"].format(SECRETS["a password"]))

    thread = threading.Thread(target=dies)
    thread.start()
    thread.join()
    root.handlers, threading.excepthook = handlers, before
    root.setLevel(level)
    line: Any = json.loads(capsys.readouterr().err.splitlines()[-1])
    assert line["event"] == "thread_crashed"
    assert SECRETS["a password"] not in line["trace"]


def test_a_broken_request_leaves_nothing_of_what_was_sent(
    mesh: Mesh, said: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks(*_: object, **__: object) -> None:
        raise RuntimeError(f"bad password={SECRETS['a password']} for {SECRETS['an e-mail address']}")

    monkeypatch.setattr("somos.policy.limits.Limit.hit", breaks)
    sent = {"email": SECRETS["an e-mail address"], "password": SECRETS["a password"]}
    assert mesh.call("POST /api/v1/auth/login", sent).status == 500
    assert "handler_failed" in said.getvalue()
    assert not [secret for secret in SECRETS.values() if secret in said.getvalue()]


def test_a_word_without_end_costs_no_time_and_is_cut(said: io.StringIO) -> None:
    log.info("a" * 10_000_000, field="b." * 5_000_000)
    assert len(said.getvalue()) < 10_000
