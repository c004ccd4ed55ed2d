"""What leaves as a file, how a timeline is paged, and when an answer is overdue."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from somos.kernel import money
from somos.modules.crm.rules.deals import follow_up_at
from somos.modules.crm.rules.timeline import Cursor, field_changes, message_title

MOMENT = datetime(2026, 11, 23, 13, tzinfo=UTC)


def test_money_is_written_the_brazilian_way():
    assert [money.reais(cents) for cents in (0, 5, 123_456)] == ["0,00", "0,05", "1234,56"]


@given(st.datetimes(timezones=st.just(UTC)), st.text(min_size=1, max_size=40))
def test_a_cursor_survives_its_trip_to_the_client(at: datetime, id: str):
    cursor = Cursor(at, id)
    assert Cursor.parse(cursor.text) == cursor
    assert not cursor.is_before(at, id)
    if at > datetime.min.replace(tzinfo=UTC):
        assert cursor.is_before(at - timedelta(microseconds=1), id)


@given(st.text(max_size=60))
def test_what_is_no_cursor_is_a_value_error_and_nothing_else(text: str):
    try:
        Cursor.parse(text)
    except ValueError:
        return


def test_changes_are_told_in_the_words_of_people_without_the_programs_keys():
    changes = {"title_key": ["a", "b"], "value_cents": [1, 2], "title": ["A", "B"], "id": [None, "x"]}
    assert field_changes(changes) == [("title", "título", "A", "B"), ("value_cents", "valor", 1, 2)]


def test_a_message_names_its_channel():
    assert message_title("message_sent", "whatsapp") == "Mensagem enviada por WhatsApp"
    assert message_title("message_received", "email") == "Resposta recebida por e-mail"


@pytest.mark.parametrize(("days", "wait"), [(0, 1), (3, 1), (4, 3), (5, 2), (6, 1)])
def test_an_answer_is_due_the_next_day_and_never_on_a_weekend(days: int, wait: int):
    now = MOMENT + timedelta(days=days)  # MOMENT is a Monday
    assert follow_up_at(now) == now + timedelta(days=wait)


@pytest.mark.parametrize(
    ("answered", "due"),
    [
        ("2026-11-26T22:30-03:00", "2026-11-27T22:30-03:00"),  # Thursday evening, Friday already in UTC
        ("2026-11-27T21:30-03:00", "2026-11-30T21:30-03:00"),  # Friday evening: Monday, not Sunday
        ("2026-11-28T23:00-03:00", "2026-11-30T23:00-03:00"),  # Saturday night, Sunday already in UTC
        ("2026-11-29T22:00-03:00", "2026-11-30T22:00-03:00"),  # Sunday night, Monday already in UTC
        ("2026-12-31T23:30-03:00", "2027-01-01T23:30-03:00"),
        ("2018-11-02T22:00-03:00", "2018-11-05T22:00-02:00"),  # summer time began on that Sunday
    ],
)
def test_a_weekend_is_the_one_in_sao_paulo(answered: str, due: str):
    assert follow_up_at(datetime.fromisoformat(answered).astimezone(UTC)) == datetime.fromisoformat(due)
