"""The weighted forecast: integers only, one rounding, and any grouping adds up."""

from datetime import date
from decimal import ROUND_HALF_EVEN, Decimal

from hypothesis import given
from hypothesis import strategies as st

from somos.modules.crm.rules import forecast

cents = st.integers(0, 10**13)
chances = st.integers(0, 100)
some_deals = st.lists(
    st.tuples(st.none() | st.dates(date(2025, 1, 1), date(2027, 12, 31)), cents, chances), max_size=40
)


@given(cents, chances)
def test_a_deal_is_weighted_half_to_even(value, probability):
    exact = (Decimal(value) * probability / 100).quantize(Decimal(1), ROUND_HALF_EVEN)
    assert forecast.weighted_cents(value, probability) == int(exact)


@given(some_deals)
def test_months_add_up_to_the_whole(deals):
    months = forecast.by_month(deals)
    assert sum(month.count for month in months) == len(deals)
    assert sum(month.total_cents for month in months) == sum(value for _, value, _ in deals)
    assert sum(m.weighted_cents for m in months) == sum(forecast.weighted_cents(v, p) for _, v, p in deals)


@given(some_deals)
def test_months_come_in_order_and_the_undated_last(deals):
    months = [month.month for month in forecast.by_month(deals)]
    dated = [month for month in months if month is not None]
    assert dated == sorted(set(dated))
    assert None not in months[:-1]


def test_certain_and_impossible_deals_are_exact():
    assert forecast.weighted_cents(12_345, 100) == 12_345
    assert forecast.weighted_cents(12_345, 0) == 0
    assert (forecast.weighted_cents(50, 1), forecast.weighted_cents(150, 1)) == (0, 2)
