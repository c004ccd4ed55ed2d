"""What comes in at a webhook's door, and what is turned away so that its sender gives up."""

import json
from typing import cast

import pytest

from somos.mesh import refused_webhooks
from somos.mesh.dispatch import Application
from somos.mesh.problems import TooLarge
from tests.harness.mesh import Answer, Mesh

PATH = "POST /webhook/whatsapp"


def told(mesh: Mesh, raw: bytes, path: str = PATH, token: str | None = None) -> Answer:
    token = token or mesh.runtime.settings.outside["EVOLUTION_WEBHOOK_TOKEN"]
    headers = {"Authorization": f"Bearer {token}"}
    return mesh.call(path, headers=headers, data=raw, content_type="application/json")


def report(picture: str = "") -> bytes:
    said = {"imageMessage": {"caption": "parar", "jpegThumbnail": picture}}
    key = {"id": "A", "remoteJid": "5511955550101@s.whatsapp.net", "fromMe": False}
    event = {"event": "messages.upsert", "instance": "somos", "data": {"key": key, "message": said}}
    return json.dumps(event).encode()


def test_a_report_with_a_large_picture_is_taken_without_it(mesh: Mesh) -> None:
    assert told(mesh, report("A" * 15_000_000)).status == 200
    mesh.drain()
    assert mesh.one("select length(raw) from mesh.inbox") < 1_000
    assert mesh.one("select text from sdr.responses") == "parar"


def test_what_is_too_large_all_the_same_gets_a_status_that_is_not_repeated(mesh: Mesh) -> None:
    told(mesh, report("A" * 25_000_001)).refused(422, "too-large")
    assert mesh.one("select count(*) from mesh.inbox") == 0


@pytest.mark.parametrize("event", ["messages-upsert", "connection-update"])
def test_a_report_is_taken_under_the_name_of_its_event_too(mesh: Mesh, event: str) -> None:
    assert told(mesh, report(), f"{PATH}/{event}").status == 200
    assert told(mesh, report()).status == 200
    assert mesh.one("select count(*) from mesh.inbox") == 1


def test_a_wrong_token_is_turned_away_unread_and_told_on_the_health_page(mesh: Mesh) -> None:
    mesh.runtime.redis.delete("somos:webhooks-refused:evolution")
    for _ in range(2):
        told(mesh, report("A" * 26_000_000), token="outra").refused(401)
    standing = {one["provider"]: one for one in mesh.runtime.wiring.health()}
    assert standing["evolution"]["state"] == "webhooks-refused"
    assert standing["evolution"]["webhooks_refused"]["count"] == 2
    assert standing["resend"]["webhooks_refused"] is None
    mesh.runtime.redis.delete("somos:webhooks-refused:evolution")


def test_a_body_that_is_not_even_read_is_answered_by_whose_it_is(mesh: Mesh) -> None:
    application = cast(Application, mesh.app)
    answers = {path: application.unread("POST", path, TooLarge()).status for path in (PATH[5:], "/api/v1/tags", "/x")}
    assert answers == {"/webhook/whatsapp": 422, "/api/v1/tags": 413, "/x": 413}


def test_refusals_that_cannot_be_counted_are_refusals_all_the_same() -> None:
    refused_webhooks.note(None, "evolution")
    assert refused_webhooks.recent(None, "evolution") is None
