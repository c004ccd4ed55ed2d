"""Ten times, at once, in reverse: what a provider reports has the effect of one.

The world's people get real messages and answer by real, signed webhooks. The same story is told with each webhook
delivered once, in order, and in every bad way; what it leaves in the business tables must be the same.
"""

import json
import re
from collections import Counter
from datetime import date
from typing import Any

import pytest

from infra.sandbox.webhooks import svix_headers
from somos.mesh.ids import uuid7
from somos.mesh.loader import load
from somos.modules.hunter.tables.leads import Lead
from tests.conftest import empty
from tests.contract.rows import tables
from tests.flows.office import Office, opened
from tests.harness.mesh import Answer, Mesh
from tests.harness.world import World

pytestmark = [pytest.mark.committed, pytest.mark.timeout(300)]

# One of each kind of person on each channel that knows the kind.
BY_WHATSAPP = ("interested", "question", "later", "no", "optout", "out_of_office", "wrong_person")
BY_EMAIL = ("interested", "optout", "bounce", "complaint", "silence")
ONCE: dict[str, Any] = {"times": 1, "order": "sent", "parallel": False}
REPORTED = {
    "messages.upsert", "send.message", "messages.update",
    "email.sent", "email.delivered", "email.opened", "email.bounced", "email.complained", "email.received",
}  # fmt: skip

_left: dict[str, list[str]] = {}


# -- the story


def told(mesh: Mesh, world: World, how: dict[str, Any]) -> list[str]:
    """The story from its beginning, in an empty house; what it leaves in the tables."""
    empty(mesh.runtime.settings.database_owner_url)
    world.post("reset", seed=4)  # so that the providers' ids are the same every time
    with opened(mesh, world) as office:
        answered(office, how)
        reported = {row["event"] for row in world.get("webhooks", limit=5000)}
        assert reported >= REPORTED, "the world does not report all that it should"
        # The story is worth comparing: who is interested has a deal, whoever wants no more is suppressed.
        assert mesh.one("select count(*) from crm.deals") == 2
        assert mesh.one("select count(distinct coalesce(source, '')) from sdr.suppressions") >= 2
        return standing(mesh)


def answered(office: Office, how: dict[str, Any]) -> None:
    """Messages go out, people answer, and all of it is reported like that."""
    people = {"whatsapp": cast(office, BY_WHATSAPP, 0), "email": cast(office, BY_EMAIL, 1)}
    for channel, persons in people.items():
        office.campaign([{"id": lead(office, person)} for person in persons], channel)
    office.world.post("webhooks", action="hold")
    office.approve()
    office.settle()
    statuses = {one["status"] for one in office.world.post("webhooks", action="release", **how)["deliveries"]}
    assert statuses == {200}
    office.settle()


def cast(office: Office, temperaments: tuple[str, ...], parity: int) -> list[Any]:
    """People of these kinds; those of one channel are not those of the other."""
    everybody = sorted(office.world.get("people"), key=lambda person: str(person["id"]))[parity::2]
    chosen = [person for person in everybody if person["phone"] and person["email"]][: len(temperaments)]
    for person, temperament in zip(chosen, temperaments, strict=True):
        office.world.post(f"people/{person['id']}", temperament=temperament)
    return chosen


def lead(office: Office, person: Any) -> str:
    """As the hunter leaves one."""
    with office.mesh.db() as db:
        made = Lead(
            id=uuid7(), state="qualified", score=82, source="web", icp_id=uuid7(), icp_number=1,
            company_name=person["company"], contact_name=person["name"], city="São Paulo", uf="SP",
            phone="+" + person["phone"], email=person["email"], legal_basis="legitimate_interest",
            collected_at=office.mesh.time, retain_until=date(2099, 1, 1),
        )  # fmt: skip
        db.add(made)
        return str(made.id)


_UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
# Ids of ours and of the providers, links and marks made of them.
_OWN = re.compile(rf"{_UUID}|unsubscribe/[\w-]+|\b[0-9A-F]{{20}}\b|<[^<>@ ]+@[^<>@ ]+>")
_TIME = re.compile(r"^\d{4}-\d\d-\d\dT")
# Somebody may say no twice, with a word and by a complaint: the row keeps which came first. Statements are numbered on
# from story to story.
_BY_CHANCE = {
    "sdr.suppressions": {"source", "channel", "reason", "response_id", "message_id"},
    "relations.parties": {"number"},
}


def standing(mesh: Mesh) -> list[str]:
    """Every business row; what differs from story to story is only told by being there."""
    found = []
    for name in tables():
        for row in mesh.rows(f"select to_jsonb(t) - 'id' - 'version' as row from {name} t"):
            plain = {
                key: "a time" if isinstance(value, str) and _TIME.match(value) else value
                for key, value in row["row"].items()
                if not key.endswith("_hash") and key not in _BY_CHANCE.get(name, ())
            }
            found.append(f"{name} {_OWN.sub('an id', json.dumps(plain, sort_keys=True, ensure_ascii=False))}")
    return sorted(found)


# -- what must hold


@pytest.mark.parametrize(
    "how",
    [
        {"times": 10, "order": "sent", "parallel": False},
        {"times": 10, "order": "reversed", "parallel": False},
        {"times": 10, "order": "random", "parallel": True},
    ],
    ids=["ten times", "ten times in reverse", "ten times at once"],
)
def test_a_report_told_many_times_has_the_effect_of_one(committed: Mesh, outside: World, how: dict[str, Any]) -> None:
    if "once" not in _left:
        _left["once"] = told(committed, outside, ONCE)
    once, many = Counter(_left["once"]), Counter(told(committed, outside, how))
    differ = [f"- {row}" for row in once - many] + [f"+ {row}" for row in many - once]
    assert not differ, "\n".join(sorted(differ, key=lambda line: line[2:]))


def test_what_was_told_and_done_is_told_again_and_nothing_happens(committed: Mesh, outside: World) -> None:
    with opened(committed, outside) as office:
        answered(office, ONCE)
        before = everything(committed)
        again = {"times": 10, "order": "reversed", "parallel": True}
        statuses = {one["status"] for one in outside.post("webhooks", action="replay", **again)["deliveries"]}
        office.settle()
        assert statuses == {200}
        assert everything(committed) == before


def everything(mesh: Mesh) -> list[str]:
    """Every business row to the letter, and how many events there were."""
    every = " union all ".join(f"select '{name} ' || t::text as row from {name} t" for name in tables())
    rows = mesh.rows(every + " union all select 'events ' || count(*) from mesh.outbox order by row")
    return [row["row"] for row in rows]


# -- who may tell, and what


def hooks() -> list[str]:
    return [hook.path for function in load().values() for hook in function.webhooks]


def evolution(mesh: Mesh, text: str, token: str | None = None, id: str = "3EB0AA") -> Answer:
    """Somebody writes on WhatsApp."""
    key = {"remoteJid": "5511955550101@s.whatsapp.net", "fromMe": False, "id": id}
    body = {"event": "messages.upsert", "instance": "somos", "data": {"key": key, "message": {"conversation": text}}}
    token = mesh.runtime.settings.outside["EVOLUTION_WEBHOOK_TOKEN"] if token is None else token
    return mesh.call("POST /webhook/whatsapp", body, headers={"Authorization": f"Bearer {token}"})


def resend(mesh: Mesh, event: str, secret: str | None = None, id: str = "msg_1", late_s: int = 0) -> Answer:
    """Resend reports of one mail, signed as Svix does."""
    raw = json.dumps({"type": event, "data": {"email_id": "4ef9a417-02ed-4d39-9759-9611e0fcc8a2"}}).encode()
    headers = svix_headers(
        secret or mesh.runtime.settings.outside["RESEND_WEBHOOK_SECRET"], id, int(mesh.time.timestamp()) - late_s, raw
    )
    return mesh.call("POST /webhook/email", headers=headers, data=raw, content_type="application/json")


def test_only_these_may_tell_us_anything() -> None:
    """Each has its forgeries below; whoever adds one adds them."""
    assert sorted(hooks()) == ["/webhook/email", "/webhook/whatsapp"]


def test_a_wrong_signature_is_refused_and_leaves_nothing(mesh: Mesh) -> None:
    other = "whsec_b3V0cm8gc2VncmVkbyBxdWFscXVlcg=="
    token = mesh.runtime.settings.outside["EVOLUTION_WEBHOOK_TOKEN"]
    forged = [mesh.call(f"POST {path}", {"event": "messages.upsert", "type": "email.sent"}) for path in hooks()]
    forged += [evolution(mesh, "Oi", token=wrong) for wrong in ("", "x", token[:-1], token + "x", f"{token}.a.b")]
    forged += [resend(mesh, "email.sent", secret=other), resend(mesh, "email.sent", late_s=3600)]
    forged += [resend(mesh, "email.sent", late_s=-3600)]
    for answer in forged:
        answer.refused(401, "unauthorised")
    assert mesh.one("select count(*) from mesh.inbox") == 0
    assert mesh.one("select count(*) from mesh.outbox") == 0


def test_a_signature_of_other_words_is_refused(mesh: Mesh) -> None:
    raw = b'{"type": "email.delivered", "data": {}}'
    secret = mesh.runtime.settings.outside["RESEND_WEBHOOK_SECRET"]
    headers = svix_headers(secret, "msg_1", int(mesh.time.timestamp()), raw)
    other = raw.replace(b"delivered", b"complained")
    mesh.call("POST /webhook/email", headers=headers, data=other).refused(401, "unauthorised")
    assert mesh.one("select count(*) from mesh.inbox") == 0


def test_a_whatsapp_report_of_other_words_under_the_same_id_is_read_beside_the_first(mesh: Mesh) -> None:
    """Messages are edited, or decrypted later, under the id they had: a refusal among them must not be lost."""
    for text in ("Oi!", "Oi!", "PARAR", "PARAR"):
        assert evolution(mesh, text).status == 200
        mesh.drain()
    assert [row["altered"] for row in mesh.rows("select altered from mesh.inbox")] == [False, False]
    heard = mesh.rows("select text, edits is null as first from sdr.responses order by id")
    assert [(row["text"], row["first"]) for row in heard] == [("Oi!", True), ("PARAR", False)]
    assert mesh.one("select count(*) from sdr.suppressions") == 1


def test_a_mail_report_of_other_words_under_the_same_id_is_flagged_and_not_acted_on(mesh: Mesh) -> None:
    for event in ("email.delivered", "email.delivered", "email.bounced"):
        assert resend(mesh, event).status == 200
    mesh.drain()
    assert [row["altered"] for row in mesh.rows("select altered from mesh.inbox")] == [True]
    assert [row["receipt"] for row in mesh.rows("select receipt from sdr.message_receipts")] == ["delivered"]


def test_an_unaltered_report_is_not_flagged(mesh: Mesh) -> None:
    for _ in range(3):
        evolution(mesh, "Oi!")
    assert [row["altered"] for row in mesh.rows("select altered from mesh.inbox")] == [False]


@pytest.mark.parametrize("raw", [b"", b"{", b"[]", b"null", b'"a"', b'{"event": 1}', b"\xff\xfe", b'{"data": []}'])
def test_what_is_no_report_at_all_is_kept_for_a_person_and_breaks_nothing(mesh: Mesh, raw: bytes) -> None:
    token = {"Authorization": f"Bearer {mesh.runtime.settings.outside['EVOLUTION_WEBHOOK_TOKEN']}"}
    assert mesh.call("POST /webhook/whatsapp", headers=token, data=raw).status == 200
    secret = mesh.runtime.settings.outside["RESEND_WEBHOOK_SECRET"]
    signed = svix_headers(secret, "msg_1", int(mesh.time.timestamp()), raw)
    assert mesh.call("POST /webhook/email", headers=signed, data=raw).status == 200
    assert [bytes(row["raw"]) for row in mesh.rows("select raw from mesh.inbox")] == [raw, raw]
    mesh.drain(tolerate=True)
    assert mesh.one("select count(*) from sdr.responses") == 0
