"""Figures of a period, retention rate, repeat purchase rate."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from retention_lab.checks import BadData, BadParameter
from retention_lab.customers.kpis import period_kpis, repeat_purchase_rate, retention_rate
from retention_lab.inference.proportions import proportion

from .orders import oracle_days, order_table, random_rows

START, END = dt.date(2023, 5, 1), dt.date(2023, 8, 31)


@pytest.mark.parametrize("seed", range(3))
def test_period_kpis_agree_with_pandas(seed):
    rows = random_rows(seed, customers=200)
    days = oracle_days(rows, END)
    inside = days[days["day"] >= pd.Timestamp(START)]
    got = period_kpis(order_table(rows), start=START, end=END)
    assert got.revenue == inside["revenue"].sum()
    assert got.orders == len(inside)
    assert got.orders + got.same_day_orders == inside["orders"].sum()
    assert got.customers == inside["customer_id"].nunique()
    purchases = days[days["customer_id"].isin(inside["customer_id"])].groupby("customer_id").size()
    assert got.repeat_customers == (purchases > 1).sum()
    assert got.average_order_value.value == pytest.approx(inside["revenue"].mean())
    assert got.purchase_frequency.value == pytest.approx(len(inside) / got.customers)
    assert got.repeat_share == proportion(got.repeat_customers, got.customers)


def test_average_order_value_is_less_sure_when_customers_differ_more_than_orders():
    # 20 customers with 5 orders each, all of one customer's orders alike: 20 pieces of evidence.
    rows = [
        (f"c{customer}", f"2023-06-{day:02}", 1000 * customer)
        for customer in range(20)
        for day in range(1, 6)
    ]
    got = period_kpis(order_table(rows), start=START, end=END).average_order_value
    means = 1000 * np.arange(20)
    t_quantile = 2.093024  # Student's t, 0.975, 19 degrees of freedom
    assert got.value == pytest.approx(means.mean())
    margin = t_quantile * means.std(ddof=1) / np.sqrt(20)
    assert got.high - got.value == pytest.approx(margin, rel=1e-6)


def test_period_kpis_hold_amounts_whose_squares_pass_64_bits():
    huge = 10**15
    orders = order_table([("a", "2023-06-01", huge), ("b", "2023-06-01", huge + 2)])
    got = period_kpis(orders, start=START, end=END)
    assert got.revenue == 2 * huge + 2
    assert got.average_order_value.high > got.average_order_value.value


def test_a_customer_of_long_ago_counts_as_repeat_customer_of_the_period():
    orders = order_table([("a", "2022-01-01", 1), ("a", "2023-06-01", 1), ("b", "2023-06-01", 1)])
    got = period_kpis(orders, start=START, end=END)
    assert (got.customers, got.orders, got.repeat_customers) == (2, 2, 1)


def test_both_ends_of_the_period_are_inside():
    days = [START - dt.timedelta(1), START, END, END + dt.timedelta(1)]
    orders = order_table([(f"c{n}", day, 10**n) for n, day in enumerate(days)])
    assert period_kpis(orders, start=START, end=END).revenue == 110


@pytest.mark.parametrize("buyers", [0, 1])
def test_a_period_with_fewer_than_two_customers_is_refused(buyers):
    orders = order_table([("a", "2023-06-01", 1)][:buyers])
    with pytest.raises(BadData, match=f"{buyers} customer"):
        period_kpis(orders, start=START, end=END)


def test_a_period_that_ends_before_it_starts_is_refused():
    with pytest.raises(BadParameter, match="end must not lie before start"):
        period_kpis(order_table([]), start=END, end=START)


def test_retention_rate_meets_five_customers_worked_by_hand():
    # Thirty days to 30 June; the start is 31 May. kept: a. lost: b. new: c. reactivated: d.
    # e was last seen before either stretch.
    rows = [
        ("a", "2023-05-31", 1),
        ("a", "2023-06-01", 1),
        ("b", "2023-05-02", 1),
        ("c", "2023-06-30", 1),
        ("d", "2023-05-01", 1),
        ("d", "2023-06-15", 1),
        ("e", "2023-04-01", 1),
    ]
    got = retention_rate(order_table(rows), end=dt.date(2023, 6, 30), days=30)
    assert got.start == dt.date(2023, 5, 31)
    assert (got.active_at_start, got.active_at_end) == (2, 3)
    assert (got.new, got.kept, got.lost, got.reactivated) == (1, 1, 1, 1)
    assert got.kept_share == proportion(1, 2)
    assert got.rate.value == (3 - 1) / 2
    # Marks (y, x) of a to e: (1, 1) (0, 1) (0, 0) (1, 0) (0, 0); the ratio is 1, so y - x is
    # 0, -1, 0, 1, 0, its squares sum to 2, and the variance is 5 / 4 * 2 / 2**2.
    margin = 2.776445 * np.sqrt(5 / 4 * 2 / 4)  # Student's t, 0.975, 4 degrees of freedom
    assert got.rate.high == pytest.approx(1 + margin)
    assert got.rate.low == 0  # the interval would reach below, and a rate cannot


def test_retention_rate_passes_one_when_many_are_reactivated():
    rows = [("a", "2023-05-20", 1), ("a", "2023-06-20", 1)]
    rows += [(f"c{n}", day, 1) for n in range(3) for day in ("2023-01-01", "2023-06-20")]
    got = retention_rate(order_table(rows), end=dt.date(2023, 6, 30), days=30)
    assert got.rate.value == 4
    assert got.rate.high > 4
    assert got.kept_share.value == 1


@pytest.mark.parametrize("kept", [0, 20])
def test_retention_rate_without_reactivated_customers_is_a_share_with_its_interval(kept):
    rows = [(f"c{n}", "2023-05-20", 1) for n in range(20)]
    rows += [(f"c{n}", "2023-06-20", 1) for n in range(kept)] + [("new", "2023-06-20", 1)]
    got = retention_rate(order_table(rows), end=dt.date(2023, 6, 30), days=30)
    assert got.rate == got.kept_share == proportion(kept, 20)
    assert got.rate.low < got.rate.high


def test_retention_rate_has_the_interval_of_a_bootstrap_over_customers():
    rows, days = random_rows(3, customers=600), 60
    got = retention_rate(order_table(rows), end=END, days=days)
    start = pd.Timestamp(END) - pd.Timedelta(days=days)
    visits = oracle_days(rows, END).assign(late=lambda t: t["day"] > start)
    earlier = visits["day"].between(start - pd.Timedelta(days=days - 1), start)
    marks = visits.assign(at_start=earlier, old=visits["first"] <= start)
    marks = marks.groupby("customer_id")[["late", "at_start", "old"]].max().astype("int64")
    y, x = (marks["late"] * marks["old"]).to_numpy(), marks["at_start"].to_numpy()
    draws = np.random.default_rng(20231101).integers(0, len(x), (4_000, len(x)))
    ratios = y[draws].sum(axis=1) / x[draws].sum(axis=1)
    assert got.reactivated > 0
    assert got.rate.value == pytest.approx(y.sum() / x.sum())
    # The bootstrap's own noise is about one part in ninety; the rest is the ratio's skew.
    half_width = (got.rate.high - got.rate.low) / 2
    assert half_width == pytest.approx(1.96 * ratios.std(), rel=0.05)


@pytest.mark.parametrize("seed", range(3))
def test_retention_rate_agrees_with_sets_of_customers(seed):
    rows, days = random_rows(seed), 60
    visits = oracle_days(rows, END)
    start = pd.Timestamp(END) - pd.Timedelta(days=days)
    before = visits["day"].between(start - pd.Timedelta(days=days - 1), start)
    at_start = set(visits.loc[before, "customer_id"])
    at_end = set(visits.loc[visits["day"] > start, "customer_id"])
    new = set(visits.loc[visits["first"] > start, "customer_id"])
    got = retention_rate(order_table(rows), end=END, days=days)
    assert (got.active_at_start, got.active_at_end) == (len(at_start), len(at_end))
    assert (got.new, got.kept) == (len(new), len(at_start & at_end))
    assert got.lost == len(at_start - at_end)
    assert got.reactivated == len(at_end - at_start - new)


def test_a_rate_of_nobody_active_is_refused():
    with pytest.raises(BadData, match="Nobody bought in the 30 days up to 2023-08-01"):
        retention_rate(order_table([("a", "2023-08-20", 1)]), end=END, days=30)
    with pytest.raises(BadData, match="Nobody bought"):
        retention_rate(order_table([]), end=END, days=30)


def test_repeat_purchase_rate_counts_days_not_orders():
    rows = [("a", "2023-06-01", 1), ("a", "2023-06-01", 1), ("b", "2023-06-01", 1)]
    got = repeat_purchase_rate(order_table([*rows, ("b", "2023-06-02", 1)]), as_of=END)
    assert (got.customers, got.repeat_customers) == (2, 1)
    assert got.share == proportion(1, 2)


def test_figures_do_not_change_with_rows_after_the_last_day():
    rows = random_rows(5)
    early = rows[rows["ordered_on"] <= END.isoformat()]
    assert len(early) < len(rows)
    for function, dates in (
        (period_kpis, {"start": START, "end": END}),
        (retention_rate, {"end": END, "days": 60}),
        (repeat_purchase_rate, {"as_of": END}),
    ):
        assert function(order_table(rows), **dates) == function(order_table(early), **dates)


def test_a_repeat_purchase_rate_of_nobody_is_refused():
    with pytest.raises(BadData, match="Nobody has bought by 2023-08-31"):
        repeat_purchase_rate(order_table([]), as_of=END)
