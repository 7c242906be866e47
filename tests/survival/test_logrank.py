"""Log-rank tests on day grids."""

from __future__ import annotations

import pandas as pd
import pytest
import surpyval
from statsmodels.duration.survfunc import survdiff

from retention_lab.checks import BadData, BadParameter
from retention_lab.survival.logrank import logrank
from retention_lab.survival.tally import from_rows

from .units import random_units, repeated

POWERS = [(0, 0), (1, 0), (0, 1), (0.5, 0.5), (3, 2)]


def grid_of(rows):
    return from_rows(rows.drop(columns="cause"), by=["group", "stratum"])


def frame(rows):
    return pd.DataFrame(rows, columns=["group", "stratum", "day", "events", "censored"])


@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize("stratum", [None, "stratum"])
@pytest.mark.parametrize(("rho", "gamma"), POWERS)
def test_three_groups_agree_with_surpyval(rho, gamma, stratum, late):
    rows = random_units(late=late)
    oracle = surpyval.logrank(
        rows["durations"],
        rows["group"],
        c=1 - rows["event_observed"],
        n=rows["weights"],
        weighting="fleming-harrington",
        rho=rho,
        gamma=gamma,
        strata=rows[stratum] if stratum else None,
        tl=rows["entry"] if late else None,
    )
    got = logrank(grid_of(rows), stratum=stratum, rho=rho, gamma=gamma)
    assert got.statistic == pytest.approx(oracle.statistic, rel=1e-9)
    assert got.p_value == pytest.approx(oracle.p_value, rel=1e-8)
    assert got.degrees_of_freedom == oracle.dof == 2


def test_three_groups_within_strata_agree_with_statsmodels():
    rows = repeated(random_units())
    statistic, p_value = survdiff(
        rows["durations"], rows["event_observed"], rows["group"], strata=rows["stratum"]
    )
    got = logrank(grid_of(rows), stratum="stratum")
    assert (got.statistic, got.p_value) == pytest.approx((statistic, p_value), rel=1e-9)


def test_two_groups_meet_five_units_worked_by_hand():
    # Day 1: 1 of 5 leaves, 3/5 of it expected in a, variance 6/25. Day 2: 1 of 4 leaves, 2/4 of
    # it expected in a, variance 1/4. Day 3: 1 of 3 leaves, 2/3 of it expected, variance 2/9.
    grid = frame(
        [
            ("a", "x", 1, 1, 0),
            ("a", "x", 3, 0, 2),
            ("b", "x", 2, 1, 0),
            ("b", "x", 3, 1, 0),
        ]
    )
    got = logrank(grid)
    expected = 3 / 5 + 2 / 4 + 2 / 3
    assert got.groups["expected"].tolist() == pytest.approx([expected, 3 - expected])
    assert got.groups["observed"].tolist() == [1, 2]
    assert got.groups["n"].tolist() == [3, 2]
    assert got.statistic == pytest.approx((1 - expected) ** 2 / (6 / 25 + 1 / 4 + 2 / 9))


@pytest.mark.parametrize(("order", "scale"), [("bca", 7), ("cba", 0.1), ("acb", 1)])
def test_neither_names_nor_units_of_time_nor_the_order_of_rows_matter(order, scale):
    grid = grid_of(random_units(n=150))
    other = grid.assign(
        group=grid["group"].map(dict(zip("abc", order, strict=True))), day=grid["day"] * scale
    ).sample(frac=1, random_state=1)
    one, two = logrank(grid, stratum="stratum", rho=1), logrank(other, stratum="stratum", rho=1)
    assert two.statistic == pytest.approx(one.statistic, rel=1e-9)


def test_one_stratum_is_as_none_and_two_equal_ones_count_twice():
    grid = grid_of(random_units()).assign(stratum="x")
    twice = pd.concat([grid, grid.assign(stratum="y")])
    one = logrank(grid, stratum="stratum").statistic
    assert one == pytest.approx(logrank(grid).statistic, rel=1e-12)
    assert logrank(twice, stratum="stratum").statistic == pytest.approx(2 * one, rel=1e-12)


def test_a_stratum_without_events_and_a_group_without_units_change_nothing():
    grid = grid_of(random_units())
    more = frame([("a", "z", 9, 0, 4), ("b", "z", 9, 0, 4), ("d", "x", 5, 0, 0)])
    got = logrank(pd.concat([grid, more]).astype({"group": "category"}), stratum="stratum")
    assert got.statistic == pytest.approx(logrank(grid, stratum="stratum").statistic, rel=1e-12)
    assert got.degrees_of_freedom == 2


def test_observed_and_expected_have_one_sum():
    groups = logrank(grid_of(random_units()), rho=0.5, gamma=1).groups
    assert groups["observed"].sum() == pytest.approx(groups["expected"].sum(), rel=1e-12)


def test_one_group_alone_is_refused_by_name():
    grid = grid_of(random_units())
    with pytest.raises(BadData, match="column group holds only 'b', and a comparison needs two"):
        logrank(grid[grid["group"] == "b"])


def test_all_censored_is_refused():
    grid = frame([("a", "x", 3, 0, 5), ("b", "x", 4, 0, 5)])
    with pytest.raises(BadData, match="No group has had an event"):
        logrank(grid)


def test_groups_that_never_met_are_refused_by_name():
    early, late = ("a", "x", 2, 0, 9), ("b", "x", 5, 3, 2)
    with pytest.raises(BadData, match=r"groups of group .* a, b had nobody at risk together"):
        logrank(frame([early, late]))
    rest = [("b", "x", 5, 3, 2), ("c", "x", 6, 1, 3), ("a", "x", 2, 0, 9)]
    with pytest.raises(BadData, match="compared: a had nobody"):
        logrank(frame(rest))


def test_groups_of_strata_that_do_not_overlap_are_refused():
    pairs = [("a", "x"), ("b", "x"), ("c", "y"), ("d", "y")]
    grid = frame([(*pair, day, 1, 1) for pair in pairs for day in (1, 2, 3)])
    with pytest.raises(BadData, match="put groups or strata together"):
        logrank(grid, stratum="stratum")


def test_missing_groups_and_negative_powers_are_refused():
    grid = grid_of(random_units())
    with pytest.raises(BadData, match="column group lacks values"):
        logrank(grid.assign(group=grid["group"].where(grid["group"] != "c")))
    with pytest.raises(BadData, match="plan"):
        logrank(grid, by="plan")
    with pytest.raises(BadParameter, match="gamma must be at least 0"):
        logrank(grid, gamma=-1)
