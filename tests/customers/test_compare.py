"""Comparisons: the difference knows which customers stand on both sides."""

from __future__ import annotations

import datetime as dt
from types import SimpleNamespace

import ibis
import numpy as np
import pandas as pd
import pytest

from retention_lab.checks import BadData, BadParameter
from retention_lab.customers.compare import Side, compare
from retention_lab.customers.measures import estimate, measure
from retention_lab.inference.interval import minus
from retention_lab.inference.proportions import difference
from retention_lab.tables import engine
from retention_lab.tables.period import parse

from .orders import order_table, random_rows

AS_OF = dt.date(2024, 1, 31)
SPRING, SUMMER = parse("2023-04/2023-06"), parse("2023-07/2023-09")


def shop_of(rows, *, orders=None, where="", name="Shop", as_of=AS_OF):
    return SimpleNamespace(
        name=name,
        currency="GBP",
        minor_per_unit=100,
        as_of=as_of,
        where=where,
        content_hash="one",
        orders=order_table(rows) if orders is None else orders,
    )


def loyal_rows(seed, *, customers=700):
    """Draw buyers who differ in how often they buy and how much they spend, and stay so."""
    rng = np.random.default_rng(seed)
    rows = []
    for customer, (rate, size) in enumerate(
        zip(rng.gamma(2, 0.5, customers), rng.lognormal(3.5, 0.6, customers), strict=True)
    ):
        for first in (SPRING.first, SUMMER.first):
            for day in rng.integers(0, 90, rng.poisson(rate)):
                spent = int(100 * size * rng.lognormal(0, 0.3))
                rows.append((f"c{customer}", f"{first + dt.timedelta(days=int(day))}", spent))
    return pd.DataFrame(rows, columns=["customer_id", "ordered_on", "amount"])


def bootstrapped(name, now, before, *, seed=1, times=8000):
    """Standard error of the difference when customers, with all that they did, are drawn again."""
    frames = [
        engine.collect(measure(name).rows(side.shop, side.period)).set_index("customer_id")
        for side in (now, before)
    ]
    both = frames[0].join(frames[1], how="outer", rsuffix="0").fillna(0).to_numpy(dtype="float64")
    rng = np.random.default_rng(seed)
    drawn = rng.multinomial(len(both), np.full(len(both), 1 / len(both)), size=times) @ both
    y, x, y0, x0 = drawn.T
    minor = 100 if measure(name).unit == "money" else 1
    return np.std(y / x - y0 / x0) / minor


@pytest.mark.parametrize(
    "name", ["average_order_value", "purchase_frequency", "buyers_again", "revenue_per_customer"]
)
def test_width_of_two_periods_of_the_same_buyers_is_that_of_a_bootstrap(name):
    shop = shop_of(loyal_rows(4))
    now, before = Side(shop=shop, period=SUMMER), Side(shop=shop, period=SPRING)
    found = compare(measure(name), now, before)
    width = found.difference.high - found.difference.low
    wanted = 2 * 1.96 * bootstrapped(name, now, before)
    # A bootstrap of 8,000 draws has itself an error of 0.8 %, and the formulas are large-sample.
    assert width == pytest.approx(wanted, rel=0.04)
    independent = minus(found.now.value, found.before.value)
    if name != "buyers_again":  # that one hardly goes together with itself
        assert independent.high - independent.low > 1.08 * wanted
    assert found.overlap == len(
        set(engine.collect(measure(name).rows(shop, SUMMER))["customer_id"])
        & set(engine.collect(measure(name).rows(shop, SPRING))["customer_id"])
    )


def test_width_of_a_segment_against_everybody_is_that_of_a_bootstrap():
    rows = loyal_rows(5)
    some = rows[rows["customer_id"].str[-1].isin(list("012345"))]
    now = Side(shop=shop_of(some, where="segment"), period=SUMMER)
    before = Side(shop=shop_of(rows), period=SUMMER)
    found = compare(measure("average_order_value"), now, before)
    wanted = 2 * 1.96 * bootstrapped("average_order_value", now, before)
    assert found.difference.high - found.difference.low == pytest.approx(wanted, rel=0.04)
    assert found.overlap == found.now.customers < found.before.customers
    assert (found.where_now, found.where_before) == ("segment", "")


def test_different_customers_are_compared_as_newcombe_does():
    shop = shop_of(random_rows(7, customers=400))
    sides = [Side(shop=shop, period=parse(month)) for month in ("2023-06", "2023-05")]
    found = compare(measure("returned_30"), *sides)
    counts = []
    for each in (found.now, found.before):
        counts += [round(each.value.value * each.customers), each.customers]
    wanted = difference(*counts)
    assert found.overlap == 0
    bounds = found.difference.value, found.difference.low, found.difference.high
    assert bounds == pytest.approx((wanted.value, wanted.low, wanted.high))
    assert found.now.value == estimate(shop, measure("returned_30"), period=sides[0].period).value
    assert found.lift.value == pytest.approx(found.now.value.value / found.before.value.value - 1)
    assert (found.lift.low > 0) == (found.difference.low > 0)


def test_sides_that_were_opened_apart_are_compared_all_the_same():
    rows = loyal_rows(6, customers=150)
    together = shop_of(rows)
    con = ibis.duckdb.connect()
    apart = shop_of(rows, orders=con.create_table("orders", order_table(rows).to_pyarrow()))
    now = Side(shop=together, period=SUMMER)
    found, wanted = (
        compare(measure("revenue_per_customer"), now, Side(shop=shop, period=SPRING))
        for shop in (apart, together)
    )
    assert found == wanted
    assert found.overlap > 20


def test_relative_difference_is_left_out_where_the_base_may_be_nothing():
    days = pd.date_range("2023-07-01", periods=30).strftime("%Y-%m-%d")
    new = [(f"a{i}", day, 100) for i, day in enumerate(days)]
    old = [(f"b{i}", "2023-04-01", 100) for i in range(30)]
    again = [(f"a{i}", "2023-08-20", 100) for i in range(10)]
    shop = shop_of(pd.DataFrame(new + old + again, columns=["customer_id", "ordered_on", "amount"]))
    sides = [Side(shop=shop, period=period) for period in (SUMMER, SPRING)]
    found = compare(measure("returned_90"), *sides)
    assert found.before.value.value == 0
    assert found.difference.low > 0
    assert found.lift is None


def test_same_week_last_year_is_compared_by_its_dates():
    shop = shop_of(random_rows(8, customers=500, span_days=390))
    week = parse("2024-W02")
    found = compare(
        measure("revenue_per_customer"),
        Side(shop=shop, period=week),
        Side(shop=shop, period=week.year_before),
    )
    assert found.before.period == parse("2023-01-09/2023-01-15")


def test_sides_that_are_the_same_or_of_different_shops_are_refused():
    rows = random_rows(1)
    now = Side(shop=shop_of(rows), period=SUMMER)
    with pytest.raises(BadParameter, match=r"Both sides are 1 July|third quarter of 2023 of the s"):
        compare(measure("purchase_frequency"), now, Side(shop=shop_of(rows), period=SUMMER))
    other = Side(shop=shop_of(rows, name="Other"), period=SPRING)
    with pytest.raises(BadParameter, match=r"one shop and currency, got Shop \(GBP\) and Other"):
        compare(measure("purchase_frequency"), now, other)


def test_period_that_is_not_complete_is_refused():
    shop = shop_of(random_rows(1), as_of=dt.date(2023, 10, 15))
    sides = Side(shop=shop, period=SUMMER), Side(shop=shop, period=SPRING)
    with pytest.raises(BadData, match="is complete on 2023-12-29"):
        compare(measure("returned_90"), *sides)
