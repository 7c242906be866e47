"""Triangles, their means, and who returned in time."""

from __future__ import annotations

import datetime as dt

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retention_lab.checks import BadData, BadParameter
from retention_lab.customers.cohorts import (
    calendar_triangle,
    own_clock_triangle,
    returned,
    revenue_triangle,
    weighted_mean,
)
from retention_lab.customers.repurchase import first_repeat_grid
from retention_lab.inference.proportions import proportion
from retention_lab.survival.daygrid import kaplan_meier, survival_at

from .orders import oracle_days, order_table, random_rows

AS_OF = dt.date(2023, 12, 10)


def calendar_index(day, period):
    """Number the month or the Monday-based week that a day is in."""
    if period == "month":
        return day.dt.year * 12 + day.dt.month
    return (day - pd.Timestamp("2000-01-03")).dt.days // 7


def brute_force(days, cohort, period):
    """Count every cell of the triangle customer by customer."""
    days = days.assign(cohort=cohort, period=period)
    size = days.groupby("cohort")["customer_id"].nunique()
    last = days.groupby(["cohort", "customer_id"])["period"].max()
    cells = {}
    for (first, number), part in days.groupby(["cohort", "period"]):
        later = int((last[first] >= number).sum())
        active, revenue = part["customer_id"].nunique(), int(part["revenue"].sum())
        cells[first, number] = [int(size[first]), active, later, revenue]
    return cells


def assert_cells(triangle, cells):
    """Compare the cells with a visit, and require a zero in every other."""
    counts = ["size", "active", "active_later", "revenue"]
    got = triangle.set_index(["cohort", "period"])[counts]
    assert got.index.is_unique
    for key, expected in cells.items():
        assert got.loc[key].tolist() == expected
    silent = got.loc[~got.index.isin(list(cells))]
    assert (silent[["active", "revenue"]] == 0).all().all()
    assert len(got) == len(cells) + len(silent)


@pytest.mark.parametrize("period", ["month", "week"])
@pytest.mark.parametrize("seed", range(2))
def test_calendar_triangle_agrees_with_counting_customers(seed, period):
    rows = random_rows(seed)
    days = oracle_days(rows, AS_OF)
    since = calendar_index(days["day"], period) - calendar_index(days["first"], period)
    cohort = days["first"].dt.to_period(period[0].upper()).dt.start_time
    triangle = calendar_triangle(order_table(rows), as_of=AS_OF, period=period)
    assert_cells(triangle, brute_force(days, cohort, since))


@pytest.mark.parametrize("window_days", [1, 7, 30])
def test_own_clock_triangle_agrees_with_counting_customers(window_days):
    rows = random_rows(4)
    days = oracle_days(rows, AS_OF)
    window = (days["day"] - days["first"]).dt.days // window_days
    cohort = days["first"].dt.to_period("M").dt.start_time
    triangle = own_clock_triangle(order_table(rows), as_of=AS_OF, window_days=window_days)
    assert_cells(triangle, brute_force(days, cohort, window))


def triangles(rows, as_of=AS_OF):
    orders = order_table(rows)
    return [
        calendar_triangle(orders, as_of=as_of),
        calendar_triangle(orders, as_of=as_of, period="week"),
        own_clock_triangle(orders, as_of=as_of, window_days=14),
    ]


def test_triangles_keep_their_promises():
    for triangle in triangles(random_rows(7)):
        first = triangle[triangle["period"] == 0]
        assert (first["active"] == first["size"]).all()
        assert (triangle["active"] <= triangle["active_later"]).all()
        later = triangle.groupby("cohort")["active_later"]
        assert later.apply(lambda counts: counts.is_monotonic_decreasing).all()
        periods = triangle.groupby("cohort")["period"]
        assert periods.apply(lambda numbers: numbers.tolist() == list(range(len(numbers)))).all()
        row = triangle.iloc[1]
        wilson = proportion(int(row["active"]), int(row["size"]))
        assert (row["share"], row["low"], row["high"]) == (wilson.value, wilson.low, wilson.high)


def test_triangles_sum_to_all_customers_and_all_revenue():
    rows = random_rows(8)
    days = oracle_days(rows, AS_OF)
    for triangle in triangles(rows):
        assert triangle.groupby("cohort")["size"].first().sum() == days["customer_id"].nunique()
        assert triangle["revenue"].sum() == days["revenue"].sum()


def test_triangles_mind_neither_the_order_of_rows_nor_rows_after_as_of():
    rows = random_rows(9)
    later = pd.DataFrame([("c1", "2023-12-11", 5), ("new", "2024-02-01", 7)], columns=rows.columns)
    changed = pd.concat([rows, later]).sample(frac=1, random_state=2)
    for one, other in zip(triangles(rows), triangles(changed), strict=True):
        pd.testing.assert_frame_equal(one, other)


@settings(deadline=None, max_examples=15)
@given(seed=st.integers(0, 10_000), copies=st.integers(2, 4))
def test_twice_the_customers_are_twice_the_counts_and_the_same_shares(seed, copies):
    rows = random_rows(seed, customers=15)
    clones = [rows.assign(customer_id=rows["customer_id"] + f"-{n}") for n in range(copies)]
    once = calendar_triangle(order_table(rows), as_of=AS_OF)
    many = calendar_triangle(order_table(pd.concat(clones)), as_of=AS_OF)
    counts = ["size", "active", "active_later", "revenue"]
    pd.testing.assert_frame_equal(once[counts] * copies, many[counts])
    pd.testing.assert_series_equal(once["share"], many["share"])


def complete_periods(triangle, cohort):
    cells = triangle[triangle["cohort"] == cohort]
    return cells.loc[cells["complete"], "period"].tolist(), cells["period"].tolist()


@pytest.mark.parametrize(
    ("as_of", "complete", "shown"),
    [
        (dt.date(2023, 3, 30), [0, 1], [0, 1, 2]),  # March lacks its last day
        (dt.date(2023, 3, 31), [0, 1, 2], [0, 1, 2]),
        (dt.date(2023, 4, 1), [0, 1, 2], [0, 1, 2, 3]),
    ],
)
def test_a_calendar_month_is_complete_on_its_last_day(as_of, complete, shown):
    triangle = calendar_triangle(order_table([("a", "2023-01-10", 1)]), as_of=as_of)
    assert complete_periods(triangle, "2023-01-01") == (complete, shown)


def test_a_calendar_week_runs_from_monday_to_sunday():
    orders = order_table([("a", "2023-01-08", 1), ("b", "2023-01-09", 1)])  # Sunday, Monday
    triangle = calendar_triangle(orders, as_of=dt.date(2023, 1, 15), period="week")
    assert triangle["cohort"].dt.strftime("%m-%d").tolist() == ["01-02", "01-02", "01-09"]
    assert triangle["complete"].all()
    earlier = calendar_triangle(orders, as_of=dt.date(2023, 1, 14), period="week")
    assert earlier["complete"].tolist() == [True, False, False]


@pytest.mark.parametrize(
    ("as_of", "complete", "shown"),
    [
        # Who joins on 31 January ends window 0 on 1 March and window 1 on 31 March.
        (dt.date(2023, 2, 28), [], [0, 1]),
        (dt.date(2023, 3, 1), [0], [0, 1]),
        (dt.date(2023, 3, 31), [0, 1], [0, 1, 2]),
    ],
)
def test_an_own_window_is_complete_when_the_last_possible_member_has_lived_it(
    as_of, complete, shown
):
    triangle = own_clock_triangle(order_table([("a", "2023-01-10", 1)]), as_of=as_of)
    assert complete_periods(triangle, "2023-01-01") == (complete, shown)


def test_a_window_of_thirty_days_begins_on_day_30():
    visits = [("a", "2023-01-01", 1), ("a", "2023-01-30", 1), ("b", "2023-01-01", 1)]
    orders = order_table([*visits, ("b", "2023-01-31", 1)])
    triangle = own_clock_triangle(orders, as_of=dt.date(2023, 2, 10))
    assert triangle["active"].tolist() == [2, 1]


def test_weighted_mean_leaves_out_incomplete_cells_and_weights_by_size():
    triangle = pd.DataFrame(
        {
            "period": [1, 1, 1, 2],
            "size": [10, 90, 500, 10],
            "active": [5, 9, 500, 1],
            "active_later": [6, 9, 500, 1],
            "complete": [True, True, False, False],
        }
    )
    mean = weighted_mean(triangle)
    # (5 + 9) / 100, (6 + 9) / 100, (0.5 + 0.1) / 2; nothing is complete in period 2.
    assert mean.to_numpy().tolist() == [[1, 2, 100, 0.14, 0.15, pytest.approx(0.3)]]


def test_weighted_mean_is_the_share_of_all_complete_customers():
    for triangle in triangles(random_rows(10)):
        mean = weighted_mean(triangle).set_index("period")
        one = triangle[(triangle["period"] == 1) & triangle["complete"]]
        assert mean.loc[1, "share"] == one["active"].sum() / one["size"].sum()
        assert mean.loc[1, "cohorts"] == len(one)
        assert mean.loc[0, "share"] == mean.loc[0, "simple_share"] == 1


RETURNS = {
    # Of January's four: two in time, one a day too late, one never. Censoring needs no look.
    "a": ["2023-01-01", "2023-01-31"],
    "b": ["2023-01-05", "2023-01-06"],
    "c": ["2023-01-05", "2023-02-05"],
    "d": ["2023-01-31"],
    # February's three on 20 March: one back after 10 days, two waiting for 40 and 20 days.
    "e": ["2023-02-01", "2023-02-11"],
    "f": ["2023-02-08"],
    "g": ["2023-02-28"],
    # March's one has had 10 days, whether or not it came back.
    "h": ["2023-03-10", "2023-03-12"],
}


def returns(as_of=dt.date(2023, 3, 20), days=30):
    rows = [(customer, day, 1) for customer, visits in RETURNS.items() for day in visits]
    return returned(order_table(rows), as_of=as_of, days=days)


def test_returned_says_how_each_cohort_is_known():
    table = returns()
    assert table["method"].tolist() == ["observed", "estimated", "too early"]
    assert table["complete"].tolist() == [True, False, False]
    assert table["customers"].tolist() == [4, 3, 1]
    assert table["returned"].tolist() == [2, 1, 1]
    # 2 of 4; then 1 of the 3 at risk on day 10 and none of those still there on day 30.
    assert table["share"].tolist()[:2] == [pytest.approx(1 / 2), pytest.approx(1 / 3)]
    wilson = proportion(2, 4)
    assert table.loc[0, ["low", "high"]].tolist() == [wilson.low, wilson.high]


def test_returned_is_missing_only_where_it_is_too_early():
    table = returns()
    missing = table[["share", "low", "high"]].isna()
    assert missing.all(axis=1).tolist() == missing.any(axis=1).tolist() == [False, False, True]
    assert table["share"].iloc[2] is pd.NA


def test_returned_is_complete_when_the_last_day_of_the_month_is_old_enough():
    # 31 January + 30 days is 2 March.
    assert not returns(as_of=dt.date(2023, 3, 1))["complete"].iloc[0]
    assert returns(as_of=dt.date(2023, 3, 2))["complete"].iloc[0]


def test_returned_is_estimated_from_the_day_on_which_somebody_has_waited_long_enough():
    # f has waited since 8 February: 29 days on 9 March, 30 on 10 March.
    assert returns(as_of=dt.date(2023, 3, 9))["method"].iloc[1] == "too early"
    assert returns(as_of=dt.date(2023, 3, 10))["method"].iloc[1] == "estimated"


def test_returned_by_kaplan_meier_is_the_simple_share_once_nobody_is_censored():
    rows = random_rows(12, customers=300)
    table = returned(order_table(rows), as_of=AS_OF, days=60)
    grid = first_repeat_grid(order_table(rows), as_of=AS_OF)
    observed = table[table["method"] == "observed"]
    assert len(observed) > 5
    for row in observed.itertuples():
        curve = kaplan_meier(grid[grid["cohort"] == row.cohort])
        estimate = 1 - survival_at(curve, [60])["survival"].item()
        assert row.share == pytest.approx(estimate, rel=1e-9)
        assert row.share == row.returned / row.customers


def test_returned_shares_lie_within_their_intervals():
    table = returned(order_table(random_rows(13)), as_of=AS_OF, days=45)
    known = table[table["method"] != "too early"]
    assert {"observed", "estimated"} == set(known["method"])
    assert ((known["low"] <= known["share"]) & (known["share"] <= known["high"])).all()
    assert known["low"].ge(0).all()
    assert known["high"].le(1).all()


def test_nobody_is_refused_in_words():
    nobody = order_table([("a", "2024-01-01", 1)])
    for function in (calendar_triangle, own_clock_triangle):
        with pytest.raises(BadData, match="Nobody has bought by 2023-12-10"):
            function(nobody, as_of=AS_OF)
    with pytest.raises(BadData, match="Nobody has bought by 2023-12-10"):
        returned(nobody, as_of=AS_OF, days=30)


def test_parameters_out_of_range_are_refused():
    orders = order_table([("a", "2023-01-01", 1)])
    with pytest.raises(BadParameter, match="quarter"):
        calendar_triangle(orders, as_of=AS_OF, period="quarter")
    with pytest.raises(BadParameter, match="window_days"):
        own_clock_triangle(orders, as_of=AS_OF, window_days=0)
    with pytest.raises(BadParameter, match="days"):
        returned(orders, as_of=AS_OF, days=0)


def test_revenue_so_far_and_its_squares_are_those_of_each_customer_added_up():
    rows = random_rows(11)
    triangle = revenue_triangle(order_table(rows), as_of=AS_OF)
    days = oracle_days(rows, AS_OF)
    months = {name: calendar_index(days[name], "month") for name in ("day", "first")}
    days = days.assign(since=months["day"] - months["first"], number=months["first"])
    for cell in triangle.to_dict("records"):
        number = calendar_index(pd.Series([cell["cohort"]]), "month").iloc[0]
        upto = days[(days["number"] == number) & (days["since"] <= cell["period"])]
        spent = upto.groupby("customer_id")["revenue"].sum()
        assert cell["spent"] == spent.sum()
        assert cell["squares"] == sum(int(each) ** 2 for each in spent)
    plain = calendar_triangle(order_table(rows), as_of=AS_OF)
    pd.testing.assert_frame_equal(triangle[plain.columns], plain)


def test_squares_beyond_64_bits_are_exact():
    vast = 4_000_000_000_000_001
    rows = [("a", "2023-01-05", vast), ("b", "2023-01-06", 0), ("a", "2023-04-05", 3)]
    triangle = revenue_triangle(order_table(rows), as_of=dt.date(2023, 5, 1))
    assert triangle["squares"].tolist() == [vast**2] * 3 + [(vast + 3) ** 2] * 2
