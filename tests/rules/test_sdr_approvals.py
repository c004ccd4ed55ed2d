"""An approval binds person, channel, sender and the exact text."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from somos.modules.sdr.rules.approvals import content_hash

BOUND = {
    "to": "+5511987654321",
    "channel": "whatsapp",
    "sender": "id|comercial",
    "subject": None,
    "text": "Olá, Ana.",
}


@pytest.mark.parametrize(
    ("part", "other"),
    [
        ("to", "+5511987654322"),
        ("channel", "email"),
        ("sender", "id|outra"),
        ("subject", "Olá"),
        ("text", "Olá, Ana!"),
        ("text", "Olá, Ana. "),
        ("text", "olá, Ana."),
    ],
)
def test_one_other_character_or_party_is_another_approval(part, other):
    assert content_hash(**BOUND) != content_hash(**{**BOUND, part: other})


@given(st.text(), st.text())
def test_two_texts_never_share_an_approval(one, other):
    assume(one != other)
    assert content_hash(**{**BOUND, "text": one}) != content_hash(**{**BOUND, "text": other})


@given(st.text(), st.text())
def test_text_cannot_slip_between_subject_and_body(subject, text):
    assume(subject)
    assert content_hash(**{**BOUND, "subject": subject, "text": text}) != content_hash(
        **{**BOUND, "subject": None, "text": subject + text}
    )


def test_the_same_content_has_the_same_hash():
    assert content_hash(**BOUND) == content_hash(**dict(BOUND))
