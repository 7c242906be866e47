"""Measures as ratios per customer: their values are those of the figures that reports print."""

from __future__ import annotations

import datetime as dt
from types import SimpleNamespace

import pytest

from retention_lab.checks import BadData, BadParameter
from retention_lab.customers.cohorts import returned
from retention_lab.customers.kpis import period_kpis
from retention_lab.customers.measures import Measure, estimate, measure
from retention_lab.tables import engine
from retention_lab.tables.period import Period

from .orders import order_table, random_rows

AS_OF = dt.date(2024, 1, 31)
SUMMER = Period(first=dt.date(2023, 5, 1), last=dt.date(2023, 8, 31))
BUYERS = ("average_order_value", "purchase_frequency", "buyers_again", "revenue_per_customer")


def shop_of(rows, *, as_of=AS_OF, minor_per_unit=100):
    return SimpleNamespace(orders=order_table(rows), as_of=as_of, minor_per_unit=minor_per_unit)


def rows_of(shop, name, period=SUMMER):
    frame = engine.collect(measure(name).rows(shop, period)).set_index("customer_id")
    return {str(who): (int(row.y), int(row.x)) for who, row in frame.iterrows()}


@pytest.mark.parametrize("seed", range(3))
def test_figures_of_buyers_are_those_of_the_dashboard(seed):
    rows = random_rows(seed, customers=200)
    kpis = period_kpis(order_table(rows), start=SUMMER.first, end=SUMMER.last)
    found = {name: estimate(shop_of(rows), measure(name), period=SUMMER) for name in BUYERS}
    assert {each.customers for each in found.values()} == {kpis.customers}
    for bound in ("value", "low", "high"):
        value = getattr(found["average_order_value"].value, bound)
        assert value == pytest.approx(getattr(kpis.average_order_value, bound) / 100)
    assert found["purchase_frequency"].value == kpis.purchase_frequency
    assert found["buyers_again"].value == kpis.repeat_share
    revenue = kpis.revenue / kpis.customers / 100
    assert found["revenue_per_customer"].value.value == pytest.approx(revenue)


@pytest.mark.parametrize("days", [30, 90])
def test_returned_is_that_of_the_cohorts(days):
    rows = random_rows(1, customers=300)
    cohorts = returned(order_table(rows), as_of=AS_OF, days=days).set_index("cohort")
    june = Period(first=dt.date(2023, 6, 1), last=dt.date(2023, 6, 30))
    found = estimate(shop_of(rows), measure(f"returned_{days}"), period=june)
    row = cohorts.loc["2023-06-01"]
    assert found.customers == row["customers"]
    assert (found.value.value, found.value.low) == (row["share"], row["low"])
    assert found.value.high == row["high"]


def test_who_returned_meets_five_customers_worked_by_hand():
    rows = [
        *(("edge", day, 1) for day in ("2023-08-31", "2023-09-30")),  # 30 days after
        *(("late", day, 1) for day in ("2023-05-01", "2023-06-01")),  # 31 days after
        *(("same day", "2023-05-02", 1) for _ in range(2)),
        *(("before", day, 1) for day in ("2023-04-30", "2023-05-01")),  # not new in the period
        ("once", "2023-06-01", 1),
    ]
    found = rows_of(shop_of(rows), "returned_30")
    assert found == {"edge": (1, 1), "late": (0, 1), "same day": (0, 1), "once": (0, 1)}


def test_money_is_in_whole_units_of_the_currency():
    rows = random_rows(1, customers=100)
    pounds = estimate(shop_of(rows), measure("average_order_value"), period=SUMMER).value
    yen = shop_of(rows, minor_per_unit=1)
    for_yen = estimate(yen, measure("average_order_value"), period=SUMMER).value
    assert for_yen.high == pytest.approx(100 * pounds.high)


def test_a_figure_is_refused_until_the_day_on_which_it_is_complete():
    rows = random_rows(1, customers=100)
    first_day = SUMMER.last + dt.timedelta(days=90)
    early = shop_of(rows, as_of=first_day - dt.timedelta(days=1))
    with pytest.raises(BadData, match=f"complete on {first_day}"):
        estimate(early, measure("returned_90"), period=SUMMER)
    assert estimate(shop_of(rows, as_of=first_day), measure("returned_90"), period=SUMMER)


@pytest.mark.parametrize("name", ["returned_90", "average_order_value"])
def test_a_period_without_customers_is_refused(name):
    with pytest.raises(BadData, match="Nobody stands behind"):
        estimate(shop_of([("a", "2022-01-01", 1)]), measure(name), period=SUMMER)


@pytest.mark.parametrize("name", ["returned_", "returned_0", "return_90", "average_order_valu"])
def test_an_unknown_measure_is_refused_with_those_there_are(name):
    with pytest.raises(BadParameter, match=r"There is no measure .* returned_<days>.*buyers_again"):
        measure(name)


def test_a_misspelt_measure_is_named_rightly():
    with pytest.raises(BadParameter, match="Did you mean 'purchase_frequency'"):
        measure("purchase_frequncy")


def test_every_builtin_measure_describes_itself():
    for name in ("returned_90", *BUYERS):
        made = measure(name)
        assert isinstance(made, Measure)
        assert made.name == name
        assert made.label
        assert made.definition.endswith(".")
