"""What PostgreSQL cannot hold leaves every text, and nothing else does."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from somos.kernel.text import storable, storable_json

anything = st.text(st.characters(exclude_categories=[]) | st.sampled_from("\x00\ud83d\udc4d\\u0d8c"), max_size=30)
values = st.recursive(
    anything, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(anything, inner, max_size=3)
)


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        (rb'"parar\u0000"', "parar"),
        (rb'"parar\ud83d"', "parar"),
        (rb'"\udc4dparar"', "parar"),
        (rb'"parar \ud83d\udc4d"', "parar 👍"),
        (rb'"parar \ud83d\ud83d\udc4d"', "parar 👍"),
        (rb'"parar \uD83D\uDC4D\uDC4D"', "parar 👍"),
        (rb'"C:\\u0000 \\ud83d"', r"C:\u0000 \ud83d"),
        (rb'"C:\\\u0000"', "C:\\"),
        (b'"parar\xed\xa0\xbd"', "parar"),
        (b'"parar\x00"', "parar"),
        ('"Não, í"'.encode(), "Não, í"),
    ],
)
def test_a_json_text_keeps_all_that_can_be_held(sent: bytes, kept: str) -> None:
    assert json.loads(storable_json(sent)) == kept


@given(anything)
def test_a_text_that_passed_can_be_written_and_passes_again_unchanged(text: str) -> None:
    kept = storable(text)
    assert "\x00" not in kept
    assert kept.encode().decode() == kept == storable(kept)


@given(values)
def test_a_json_value_that_passed_reads_as_its_own_texts_do(value: object) -> None:
    for escaped in (True, False):
        raw = json.dumps(value, ensure_ascii=escaped).encode("utf-8", "surrogatepass")
        assert json.loads(storable_json(raw)) == _stripped(json.loads(json.dumps(value)))


def _stripped(value: object) -> object:
    if isinstance(value, dict):
        return {storable(name): _stripped(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_stripped(inner) for inner in value]
    return storable(value) if isinstance(value, str) else value
