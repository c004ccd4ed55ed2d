"""What code demands of a draft and adds to it."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from somos.modules.sdr.rules.drafts import (
    problems,
    read_unsubscribe_token,
    unsubscribe_token,
    with_way_out,
)

LINK = "https://somos.example/api/v1/unsubscribe/abc"


@pytest.mark.parametrize("text", ["Olá, [Nome]!", "Olá, {nome}", "Olá {{ nome }}", "Sua empresa XXXX", "Oi <nome>"])
def test_a_draft_with_a_field_to_fill_is_pointed_out(text):
    assert problems("whatsapp", None, text)


@pytest.mark.parametrize("text", ["Olá, Ana! Vi o filme de vocês.", "Custa menos que R$ 10.000 (dez mil)."])
def test_a_finished_text_passes(text):
    assert problems("whatsapp", None, text) == []


def test_an_e_mail_needs_a_subject_of_one_line():
    assert problems("email", None, "Olá")
    assert problems("email", "Oi\nBcc: x@y.com", "Olá")
    assert problems("email", "Um filme para a Ana", "Olá") == []


def test_a_text_longer_than_the_channel_takes_is_refused():
    assert problems("whatsapp", None, "a" * 1201)


@pytest.mark.parametrize("channel", ["email", "whatsapp"])
def test_every_message_says_how_to_be_left_alone_once(channel):
    once = with_way_out(channel, "Olá, Ana.", LINK)
    assert once.startswith("Olá, Ana.")
    assert ("PARAR" in once) or (LINK in once)
    assert with_way_out(channel, once, LINK) == once


@given(st.uuids())
def test_an_unsubscribe_token_names_its_message(message_id):
    assert read_unsubscribe_token("k", unsubscribe_token("k", message_id)) == message_id


@given(st.uuids(), st.uuids(), st.text(max_size=60))
def test_a_token_that_we_did_not_make_is_nothing(one, other, noise):
    assert read_unsubscribe_token("k", unsubscribe_token("another", one)) is None
    assert read_unsubscribe_token("k", noise) is None
    if one != other:
        forged = unsubscribe_token("k", one)[:22] + unsubscribe_token("k", other)[22:]
        assert read_unsubscribe_token("k", forged) != other


def test_a_tampered_token_is_nothing():
    token = unsubscribe_token("k", UUID(int=7))
    assert read_unsubscribe_token("k", token[:-2] + "AA") is None
