"""What Evolution says of a message, read into a neutral one; whole webhooks lie in tests/world/whatsapp."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from somos.adapters.evolution.messages import moment_of, read_message, words_of
from somos.adapters.evolution.reports import EvolutionReports
from somos.ports.whatsapp import Connection, Receipt


def told(**changes):
    return {
        "key": {"remoteJid": "5511987654321@s.whatsapp.net", "fromMe": False, "id": "3EB0"},
        "pushName": "Ana",
        "message": {"conversation": "Oi"},
        "messageTimestamp": 1767225600,
        **changes,
    }


def test_a_message_from_a_person_is_read():
    message = read_message(told())
    assert (message.provider_id, message.phone, message.text, message.name) == ("3EB0", "+5511987654321", "Oi", "Ana")
    assert message.at == datetime(2026, 1, 1, tzinfo=UTC)
    assert not message.from_me


@pytest.mark.parametrize(
    "key",
    [
        {"remoteJid": "120363@lid", "remoteJidAlt": "5511987654321@s.whatsapp.net", "id": "A"},
        {"remoteJid": "5511987654321@s.whatsapp.net", "remoteJidAlt": "120363@lid", "id": "A"},
    ],
)
def test_a_hidden_number_is_taken_from_where_it_stands(key):
    message = read_message(told(key=key))
    assert (message.phone, message.lid) == ("+5511987654321", "120363@lid")


def test_a_number_that_stays_hidden_has_only_its_own_id():
    message = read_message(told(key={"remoteJid": "120363@lid", "id": "A"}))
    assert (message.phone, message.lid) == (None, "120363@lid")


@pytest.mark.parametrize(
    "key",
    [
        {"remoteJid": "120@g.us", "id": "A"},
        {"remoteJid": "status@broadcast", "id": "A"},
        {"remoteJid": "1@newsletter", "id": "A"},
        {"remoteJid": "5511@s.whatsapp.net"},
        {"remoteJid": None, "id": "A"},
        None,
        "texto",
    ],
)
def test_what_is_not_between_two_people_is_left_alone(key):
    assert read_message(told(key=key)) is None


@pytest.mark.parametrize(
    ("message", "text"),
    [
        ({"conversation": "Oi"}, "Oi"),
        ({"extendedTextMessage": {"text": "Oi"}}, "Oi"),
        ({"imageMessage": {"caption": "Veja"}}, "Veja"),
        ({"imageMessage": {}}, "[imagem]"),
        ({"audioMessage": {"seconds": 3}}, "[áudio]"),
        ({"reactionMessage": {}}, ""),
        (None, ""),
        ("texto", ""),
    ],
)
def test_the_words_are_found_whatever_kind_of_message_it_is(message, text):
    assert words_of(message) == text


@pytest.mark.parametrize("stamp", [1767225600, "1767225600", {"low": 1767225600, "high": 0}])
def test_the_time_is_read_however_it_is_written(stamp):
    assert moment_of(stamp) == datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize("stamp", [None, "agora", {}, 10**30])
def test_no_time_is_no_time(stamp):
    assert moment_of(stamp) is None


def reported(event: str, data: object):
    return EvolutionReports().read({"event": event, "instance": "somos", "data": data})


@pytest.mark.parametrize(
    ("state", "reason", "health"),
    [
        ("open", 200, "ok"),
        ("close", 401, "disconnected"),
        ("close", 403, "blocked"),
        ("refused", None, "disconnected"),
    ],
)
def test_a_ban_is_told_from_a_lost_session(state, reason, health):
    (report,) = reported("connection.update", {"state": state, "statusReason": reason}).reports
    assert isinstance(report, Connection)
    assert report.health == health


def test_being_about_to_connect_says_nothing_yet():
    assert reported("connection.update", {"state": "connecting", "statusReason": 200}).reports == ()


FLAT = {"keyId": "A", "remoteJid": "1@lid", "fromMe": True}


@pytest.mark.parametrize(
    ("data", "receipts"),
    [
        ({**FLAT, "status": "DELIVERY_ACK"}, ["delivered"]),
        ({**FLAT, "status": "FAILED"}, ["failed"]),
        ({**FLAT, "status": "PENDING"}, []),
        ({**FLAT, "status": 4}, ["read"]),
        ([{**FLAT, "status": "SERVER_ACK"}, {**FLAT, "status": "READ"}], ["sent", "read"]),
        ({"key": {"id": "A", "fromMe": True}, "update": {"status": 3}}, ["delivered"]),
        ([{"key": {"id": "A", "fromMe": True}, "update": {"status": 0}}], ["failed"]),
        ({**FLAT, "fromMe": False, "status": "READ"}, []),
        ({**FLAT}, []),
    ],
)
def test_receipts_are_read_in_every_shape(data, receipts):
    told = reported("messages.update", data)
    assert [report.receipt for report in told.reports if isinstance(report, Receipt)] == receipts
    assert told.unknown == ()


@pytest.mark.parametrize(
    ("event", "data"), [("messages.update", {**FLAT, "status": "TELEPATHY"}), ("connection.update", {"state": "limbo"})]
)
def test_words_that_nobody_knows_are_told_and_mean_nothing(event, data):
    told = reported(event, data)
    assert told.reports == ()
    assert len(told.unknown) == 1


words = st.sampled_from(
    ["key", "id", "remoteJid", "message", "protocolMessage", "editedMessage", "type", "status", "5511@s.whatsapp.net"]
)
leaves = words | st.none() | st.booleans() | st.integers() | st.text(max_size=5)
shapes = st.recursive(leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=4))
events = st.sampled_from(
    ["messages.upsert", "messages.edited", "messages.delete", "messages.update", "send.message", "connection.update"]
)


@given(events | shapes, shapes)
def test_whatever_comes_is_read_or_left_alone(event, data):
    EvolutionReports().read({"event": event, "instance": data, "data": data})
