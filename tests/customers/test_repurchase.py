"""Times between purchases."""

from __future__ import annotations

import datetime as dt

import pandas as pd
import pytest
from lifelines import KaplanMeierFitter

from retention_lab.checks import BadData
from retention_lab.customers.repurchase import completed_median, first_repeat_grid, gap_grid
from retention_lab.survival.daygrid import kaplan_meier

from .orders import oracle_days, order_table, random_rows

AS_OF = dt.date(2023, 10, 15)


def oracle_gaps(rows, as_of):
    """One row per purchase: cohort, days waited, whether a next one came."""
    days = oracle_days(rows, as_of).sort_values(["customer_id", "day"])
    following = days.groupby("customer_id")["day"].shift(-1)
    waited = (following.fillna(pd.Timestamp(as_of)) - days["day"]).dt.days
    return days.assign(waited=waited, closed=following.notna())


def counted(gaps, by):
    grid = gaps.groupby([*by, "waited"])["closed"].agg(
        events="sum", censored=lambda closed: (~closed).sum()
    )
    return grid.rename_axis([*by, "day"]).reset_index()


@pytest.mark.parametrize("seed", range(3))
def test_first_repeat_agrees_with_pandas(seed):
    rows = random_rows(seed)
    gaps = oracle_gaps(rows, AS_OF)
    first = gaps[gaps["day"] == gaps["first"]]
    first = first.assign(cohort=first["first"].dt.to_period("M").dt.start_time)
    got = first_repeat_grid(order_table(rows), as_of=AS_OF)
    pd.testing.assert_frame_equal(got, counted(first, ["cohort"]), check_dtype=False)
    assert got[["events", "censored"]].to_numpy().sum() == gaps["customer_id"].nunique()


@pytest.mark.parametrize("seed", range(3))
def test_gaps_agree_with_pandas_and_their_curve_with_lifelines(seed):
    rows = random_rows(seed)
    gaps = oracle_gaps(rows, AS_OF).query("waited > 0")
    grid = gap_grid(order_table(rows), as_of=AS_OF)
    pd.testing.assert_frame_equal(grid, counted(gaps, []), check_dtype=False)
    curve = kaplan_meier(grid)
    oracle = KaplanMeierFitter().fit(gaps["waited"], gaps["closed"])
    expected = oracle.predict(curve["day"]).to_numpy()
    assert curve["survival"].to_numpy() == pytest.approx(expected, rel=1e-9)


def test_a_customer_who_first_bought_on_as_of_is_counted_and_waits_no_day():
    orders = order_table([("a", "2023-10-15", 1), ("b", "2023-10-10", 1)])
    grid = first_repeat_grid(orders, as_of=AS_OF)
    assert grid[["day", "events", "censored"]].to_numpy().tolist() == [[0, 0, 1], [5, 0, 1]]


def test_an_open_gap_of_no_length_is_dropped():
    orders = order_table([("a", "2023-10-01", 1), ("a", "2023-10-15", 1)])
    grid = gap_grid(orders, as_of=AS_OF)
    assert grid.to_numpy().tolist() == [[14, 1, 0]]


def test_same_day_orders_make_no_gap():
    orders = order_table([("a", "2023-10-01", 1), ("a", "2023-10-01", 1)])
    assert gap_grid(orders, as_of=AS_OF).to_numpy().tolist() == [[14, 0, 1]]


@pytest.mark.parametrize(("closed", "median"), [([3, 5, 9], 5), ([3, 5, 9, 30], 7), ([4], 4)])
def test_completed_median_is_the_middle_of_the_closed_gaps(closed, median):
    grid = pd.DataFrame({"day": [*closed, 90], "events": [*[1] * len(closed), 0], "censored": 1})
    assert completed_median(grid) == median


def test_a_median_of_no_closed_gap_is_refused():
    with pytest.raises(BadData, match="second time"):
        completed_median(pd.DataFrame({"day": [3], "events": [0], "censored": [2]}))


def test_nobody_makes_an_empty_grid():
    assert gap_grid(order_table([]), as_of=AS_OF).empty
    assert first_repeat_grid(order_table([]), as_of=AS_OF).empty
