"""Own metrics as `customers.metrics` computes them, against pandas and numpy.

Here and not beside its module, since only this folder can borrow the shop of another one.
"""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from retention_lab.checks import BadData, BadParameter
from retention_lab.customers import metrics
from retention_lab.tables.period import Period

from ..tables import drawn  # noqa: TID252  not installed
from ..tables.drawn import LAST, metric  # noqa: TID252

REFUNDS = metric("sum(returns.amount) / sum(orders.amount)")
BASKET = metric("sum(orders.amount) / count(orders.order_id)", unit="money")
BEFORE = LAST.before


@pytest.fixture(scope="module")
def tables():
    return drawn.frames()


@pytest.fixture(scope="module")
def shop(tables):
    return drawn.shop(tables)


def by_customer(rows, day, period):
    inside = rows[(rows[day] >= period.first) & (rows[day] <= period.last)]
    return inside.groupby("customer_id")["amount"]


def refunds(tables, period):
    """Refunds and sales of each customer who had either."""
    y = by_customer(tables["returns"], "returned_on", period).sum()
    x = by_customer(tables["orders"], "ordered_on", period).sum()
    return pd.DataFrame({"y": y, "x": x}).fillna(0)


def influence(sides):
    """What each customer does to the ratio, by the delta method."""
    total = sides["x"].sum()
    return (sides["y"] - sides["y"].sum() / total * sides["x"]) / total


def test_a_ratio_has_the_interval_of_the_delta_method_by_customer(shop, tables):
    sides = refunds(tables, LAST)
    n, ratio = len(sides), sides["y"].sum() / sides["x"].sum()
    spread = np.sqrt(n / (n - 1) * (influence(sides) ** 2).sum())
    margin = stats.t.ppf(0.975, n - 1) * spread
    found = metrics.figure(shop, REFUNDS, period=LAST)
    assert found.customers == n
    assert found.point == found.value.value == pytest.approx(ratio)
    assert found.value.low == pytest.approx(ratio - margin)
    assert found.value.high == pytest.approx(ratio + margin)


def test_a_change_allows_for_customers_of_both_periods(shop, tables):
    sides = [refunds(tables, period) for period in (LAST, BEFORE)]
    ratios = [each["y"].sum() / each["x"].sum() for each in sides]
    apart = influence(sides[0]).sub(influence(sides[1]), fill_value=0)
    now, before = (metrics.figure(shop, REFUNDS, period=each) for each in (LAST, BEFORE))
    found = metrics.change(shop, now, before)
    assert found.value == pytest.approx(ratios[0] - ratios[1])
    half = 1.99 * np.sqrt((apart**2).sum())  # t of some 79 degrees of freedom
    assert (found.high - found.low) / 2 == pytest.approx(half, rel=0.02)


def test_money_is_in_whole_units(shop, tables):
    rows = by_customer(tables["orders"], "ordered_on", LAST)
    pounds = rows.sum().sum() / rows.size().sum() / 100
    assert metrics.figure(shop, BASKET, period=LAST).point == pytest.approx(pounds)
    yen = drawn.shop(tables, currency="JPY")
    assert metrics.figure(yen, BASKET, period=LAST).point == pytest.approx(100 * pounds)
    sides = [metrics.figure(each, BASKET, period=LAST) for each in (shop, yen)]
    older = [metrics.figure(each, BASKET, period=BEFORE) for each in (shop, yen)]
    moved = [metrics.change(shop, *pair).value for pair in zip(sides, older, strict=True)]
    assert moved[0] == pytest.approx(sides[0].point - older[0].point)


def test_a_total_is_a_number_without_an_interval(shop, tables):
    refunded = metric("sum(returns.amount)", unit="money")
    now, before = (metrics.figure(shop, refunded, period=each) for each in (LAST, BEFORE))
    pence = [by_customer(tables["returns"], "returned_on", each).sum() for each in (LAST, BEFORE)]
    assert (now.value, now.customers) == (pence[0].sum() / 100, len(pence[0]))
    assert metrics.change(shop, now, before) == pytest.approx(now.value - before.value)


def test_what_nobody_can_have_less_than_none_of_has_no_negative_bound(shop):
    rare = "count(*) filter (where orders.order_id = 'o390') / count(orders.order_id)"
    found = metrics.figure(shop, metric(rare), period=LAST).value
    assert found.low == 0 < found.value < found.high
    net = "sum(0 - returns.amount) / sum(orders.amount)"
    assert metrics.figure(shop, metric(net), period=LAST).value.low < 0


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        (
            "sum(orders.amount) / count(*) filter (where orders.coupon = 'NONE')",
            r"nothing to divide by \(COUNT\(\*\) FILTER\(WHERE orders.coupon = 'NONE'\) is 0 from "
            r"2025-04-01 to 2025-06-29\)",
        ),
        ("sum(orders.amount) / sum(0 - orders.amount)", r"nothing to divide by \(SUM.* is -\d+ "),
        ("count(*) filter (where orders.coupon = 'NONE') / count(orders.order_id)", "to count"),
    ],
)
def test_nothing_to_divide_by_or_to_count_is_no_figure(shop, sql, said):
    unit = "money" if "sum(orders.amount) / count" in sql else "share"
    with pytest.raises(BadData, match=said):
        metrics.figure(shop, metric(sql, unit=unit), period=LAST)


def test_a_missing_table_or_time_is_no_figure(tables):
    few = drawn.shop({name: tables[name] for name in ("customers", "orders")})
    with pytest.raises(BadData, match=r"Shop has no returns\."):
        metrics.figure(few, REFUNDS, period=LAST)
    early = Period(first=drawn.FROM - dt.timedelta(days=1), last=drawn.AS_OF)
    with pytest.raises(BadData, match="from 2024-12-31 on, and they begin on 2025-01-01"):
        metrics.figure(few, BASKET, period=early)


def test_an_expression_that_fails_is_the_fault_of_the_file(shop):
    broken = metric("sum(orders.amount / orders.discount) / sum(orders.amount)")
    with pytest.raises(BadParameter, match="divides by zero in some row"):
        metrics.figure(shop, broken, period=LAST)
