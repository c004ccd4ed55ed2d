"""What Evolution says of a message, read into plain values."""

from datetime import UTC, datetime

import pytest

from somos.modules.sdr.rules.evolution import health_of, moment_of, read_message, text_of


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
    assert text_of(message) == text


@pytest.mark.parametrize("stamp", [1767225600, "1767225600", {"low": 1767225600, "high": 0}])
def test_the_time_is_read_however_it_is_written(stamp):
    assert moment_of(stamp) == datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize("stamp", [None, "agora", {}, 10**30])
def test_no_time_is_no_time(stamp):
    assert moment_of(stamp) is None


@pytest.mark.parametrize(
    ("state", "reason", "health"),
    [
        ("open", 200, "ok"),
        ("close", 401, "disconnected"),
        ("close", 403, "blocked"),
        ("refused", None, "disconnected"),
        ("connecting", 200, None),
    ],
)
def test_a_ban_is_told_from_a_lost_session(state, reason, health):
    assert health_of(state, reason) == health
