"""When a message may leave: hours and days of the receiver, holidays, caps, ramp."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from somos.kernel.business_days import holidays_of
from somos.modules.sdr.rules.windows import (
    PERSON_CAP,
    PERSON_CAP_PERIOD,
    Ramp,
    Window,
    cap_on,
    day_bounds,
    minute_of,
    next_opening,
    person_free_at,
    zone_of,
)

SP = "America/Sao_Paulo"
WEEKDAYS = Window("08:00", "20:00", frozenset(range(5)))
ALWAYS = Window("00:00", "24:00", frozenset(range(7)), skip_holidays=False)
MOMENTS = st.integers(0, 2 * 365 * 24 * 60).map(lambda n: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=n))


def never(_: date) -> bool:
    return False


def at(text: str, zone: str = SP) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone))


@given(MOMENTS, st.sampled_from([SP, "America/Manaus", "America/Rio_Branco", "America/Noronha"]))
def test_the_next_opening_is_inside_the_window_and_not_before(moment, zone):
    opening = next_opening(moment, WEEKDAYS, zone, holidays_of("SP"))
    assert opening is not None
    assert opening >= moment
    local = opening.astimezone(ZoneInfo(zone))
    assert local.weekday() < 5
    assert 8 * 60 <= local.hour * 60 + local.minute < 20 * 60
    assert not holidays_of("SP")(local.date())


@given(MOMENTS)
def test_an_open_window_opens_now(moment):
    assert next_opening(moment, ALWAYS, SP, never) == moment


@given(MOMENTS)
def test_an_opening_is_its_own_next_opening(moment):
    opening = next_opening(moment, WEEKDAYS, SP, never)
    assert next_opening(opening, WEEKDAYS, SP, never) == opening


@pytest.mark.parametrize(
    ("moment", "opening"),
    [
        ("2026-11-20T10:00", "2026-11-23T08:00"),  # Black Awareness Day, a Friday: next is Monday
        ("2026-11-19T20:00", "2026-11-23T08:00"),  # at closing time it is closed
        ("2026-11-19T19:59", "2026-11-19T19:59"),
        ("2026-11-21T12:00", "2026-11-23T08:00"),  # Saturday
        ("2026-02-16T12:00", "2026-02-19T08:00"),  # Carnival, Monday to Ash Wednesday
        ("2026-12-25T12:00", "2026-12-28T08:00"),
        ("2026-07-09T12:00", "2026-07-10T08:00"),  # São Paulo's own holiday
    ],
)
def test_weekends_and_brazilian_holidays_are_closed(moment, opening):
    assert next_opening(at(moment), WEEKDAYS, SP, holidays_of("SP")) == at(opening)


def test_a_state_holiday_is_a_working_day_elsewhere():
    moment = at("2026-07-09T12:00")
    assert next_opening(moment, WEEKDAYS, SP, holidays_of("RJ")) == moment


def test_holidays_can_be_switched_off():
    window = Window("08:00", "20:00", frozenset(range(7)), skip_holidays=False)
    moment = at("2026-12-25T12:00")
    assert next_opening(moment, window, SP, holidays_of("SP")) == moment


def test_the_window_follows_the_receivers_clock():
    eight_in_sao_paulo = at("2026-11-19T08:00")
    opening = next_opening(eight_in_sao_paulo, WEEKDAYS, zone_of("AC"), never)
    assert opening == at("2026-11-19T08:00", "America/Rio_Branco")
    assert opening - eight_in_sao_paulo == timedelta(hours=2)


def test_a_state_that_is_not_known_uses_the_senders_clock():
    assert zone_of(None, "America/Manaus") == "America/Manaus"
    assert zone_of("sp") == SP


@pytest.mark.parametrize(
    "window",
    [Window("08:00", "20:00", frozenset()), Window("20:00", "08:00", frozenset(range(7)))],
)
def test_a_window_that_never_opens_says_so(window):
    assert next_opening(at("2026-11-19T12:00"), window, SP, never) is None


@pytest.mark.parametrize("hour", ["24:01", "25:00", "8h", "", "10:75", "-1:00"])
def test_what_is_not_an_hour_is_refused(hour):
    with pytest.raises(ValueError, match=r"invalid literal|^[-0-9:]+$"):
        minute_of(hour)


@given(MOMENTS)
def test_a_local_day_holds_its_moment(moment):
    start, end = day_bounds(moment, SP)
    assert start <= moment < end
    assert timedelta(hours=23) <= end - start <= timedelta(hours=25)


def test_a_new_sender_warms_up_to_its_cap():
    ramp = Ramp(cap=40, start=10, step=5, since=date(2026, 11, 1))
    assert [cap_on(date(2026, 11, 1) + timedelta(days=n), ramp) for n in (0, 1, 5, 6, 30)] == [10, 15, 35, 40, 40]
    assert cap_on(date(2026, 11, 1), Ramp(40, 10, 5, None)) == 40


@given(st.lists(st.timedeltas(timedelta(0), timedelta(days=30)), max_size=8))
def test_a_person_never_gets_more_than_the_cap_in_the_period(ages):
    now = at("2026-11-19T12:00")
    left = [now - age for age in ages]
    free = person_free_at(now, left)
    within = [moment for moment in left if moment > free - PERSON_CAP_PERIOD]
    assert len(within) < PERSON_CAP
    assert free >= now


def test_the_third_message_waits_for_the_first_to_be_a_week_old():
    now = at("2026-11-19T12:00")
    left = [now - timedelta(days=6), now - timedelta(days=1)]
    assert person_free_at(now, left) == now + timedelta(days=1)
    assert person_free_at(now, left[1:]) == now
