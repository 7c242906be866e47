"""Retention, restricted means and their contrasts on day grids."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from lifelines import KaplanMeierFitter
from lifelines.utils import restricted_mean_survival_time

from retention_lab.checks import BadData, BadParameter
from retention_lab.survival.contrasts import difference, fixed_day_test, ratio
from retention_lab.survival.daygrid import kaplan_meier
from retention_lab.survival.retention import restricted_loss, restricted_mean, retained
from retention_lab.survival.tally import from_rows

from .units import random_units

GRID = from_rows(random_units())
LATE = from_rows(random_units(late=True))


def frame(rows):
    return pd.DataFrame(rows, columns=["day", "events", "censored"])


def ends(estimate):
    return [estimate.value, estimate.low, estimate.high]


def test_restricted_mean_agrees_with_the_area_by_lifelines():
    rows = random_units()
    fitted = KaplanMeierFitter().fit(
        rows["durations"], rows["event_observed"], weights=rows["weights"]
    )
    for day in (2, 9.5, 20):
        expected = restricted_mean_survival_time(fitted, t=day)
        assert restricted_mean(GRID, day=day).value == pytest.approx(expected, rel=1e-9)


def test_restricted_mean_without_censoring_is_a_mean_of_capped_days_with_its_standard_error():
    days = np.random.default_rng(3).geometric(0.1, 200)
    grid = from_rows(pd.DataFrame({"durations": days, "event_observed": True}))
    capped = np.minimum(days, 12)
    got = restricted_mean(grid, day=12)
    assert got.value == pytest.approx(capped.mean())
    assert got.std_error == pytest.approx(capped.std() / np.sqrt(200))
    # symmetric, 1.959964 standard errors either way
    assert got.high - got.low == pytest.approx(2 * 1.959964 * got.std_error)


def test_days_kept_and_days_lost_sum_to_the_days_there_are():
    kept, lost = restricted_mean(GRID, day=15), restricted_loss(GRID, day=15)
    assert kept.value + lost.value == pytest.approx(15)
    assert [kept.low + lost.high, kept.high + lost.low] == pytest.approx([15, 15])
    assert kept.std_error == lost.std_error


@pytest.mark.parametrize("grid", [GRID, LATE])
def test_retained_is_the_product_of_the_way_there_and_from_there(grid):
    whole, first = retained(grid, day=20), retained(grid, day=8)
    rest = retained(grid, day=20, since=8)
    assert first.value * rest.value == pytest.approx(whole.value, rel=1e-12)
    # The two stretches are uncorrelated, so the variances of their logs add up.
    logs = [(each.std_error / each.value) ** 2 for each in (first, rest, whole)]
    assert logs[0] + logs[1] == pytest.approx(logs[2], rel=1e-9)


def test_retained_since_a_day_is_that_of_those_who_were_there_after_it():
    rows = random_units()
    later = rows[rows["durations"] > 8].assign(durations=lambda kept: kept["durations"] - 8)
    expected = retained(from_rows(later), day=12)
    assert ends(retained(GRID, day=20, since=8)) == pytest.approx(ends(expected), rel=1e-12)


def test_late_comers_change_nothing_when_all_came_at_the_start():
    rows = random_units()
    grid = from_rows(rows.assign(entry=0))
    assert ends(restricted_mean(grid, day=20)) == ends(restricted_mean(GRID, day=20))


def test_a_unit_of_time_scales_the_mean_and_leaves_the_shares():
    weeks = GRID.assign(day=GRID["day"] / 7)
    assert [7 * end for end in ends(restricted_mean(weeks, day=2))] == pytest.approx(
        ends(restricted_mean(GRID, day=14))
    )
    assert ends(retained(weeks, day=2)) == pytest.approx(ends(retained(GRID, day=14)))


def test_difference_and_ratio_turn_around():
    one, other = restricted_mean(GRID, day=20), restricted_mean(GRID[GRID["day"] % 2 > 0], day=20)
    apart, back = difference(one, other), difference(other, one)
    assert ends(apart) == pytest.approx([-back.value, -back.high, -back.low])
    times, over = ratio(one, other), ratio(other, one)
    assert ends(times) == pytest.approx([1 / over.value, 1 / over.high, 1 / over.low])
    assert apart.p_value == pytest.approx(back.p_value)
    assert times.p_value == pytest.approx(over.p_value)


def test_an_interval_touches_no_effect_where_its_p_value_is_alpha():
    one, other = restricted_mean(GRID, day=20), restricted_mean(GRID[GRID["day"] % 2 > 0], day=20)
    p_value = difference(one, other).p_value
    touching = difference(one, other, alpha=p_value)
    assert min(abs(touching.low), abs(touching.high)) == pytest.approx(0, abs=1e-9)
    p_value = ratio(one, other).p_value
    touching = ratio(one, other, alpha=p_value)
    assert min(abs(touching.low - 1), abs(touching.high - 1)) == pytest.approx(0, abs=1e-9)


def test_difference_of_uncensored_shares_is_that_of_two_binomials():
    one, other = frame([(5, 30, 70)]), frame([(5, 45, 55)])
    got = difference(retained(one, day=5), retained(other, day=5))
    assert got.value == pytest.approx(0.15)
    assert got.std_error == pytest.approx(np.sqrt(0.7 * 0.3 / 100 + 0.55 * 0.45 / 100))


def test_fixed_day_test_is_that_of_the_log_log_standard_errors_on_a_day_of_events():
    curves = [kaplan_meier(frame([(3, 20, 0), (5, 10, 70)])), kaplan_meier(frame([(5, 45, 55)]))]
    # By hand: 100 units, none censored, so log(-log S) has variance (1 - S) / (100 S log(S)^2).
    variances = [0.3 / 70 / np.log(0.7) ** 2, 0.45 / 55 / np.log(0.55) ** 2]
    apart = np.log(-np.log(0.7)) - np.log(-np.log(0.55))
    got = fixed_day_test(*curves, day=5)
    assert got.statistic == pytest.approx(apart**2 / sum(variances))


def test_a_horizon_beyond_follow_up_is_refused_unless_nobody_is_left():
    open_end, closed = frame([(4, 5, 0), (9, 1, 3)]), frame([(4, 5, 1), (9, 3, 0)])
    for kernel in (retained, restricted_mean):
        with pytest.raises(BadData, match=r"Day 10 lies outside the 9 days .* from 0 to 9"):
            kernel(open_end, day=10)
        assert kernel(closed, day=10).value == pytest.approx(kernel(closed, day=9).value)
    with pytest.raises(BadData, match="Day 30 lies outside"):
        retained(open_end, day=30, since=5)
    assert retained(closed, day=12).high < 1


def test_what_has_no_spread_is_refused():
    nobody, some = frame([(9, 0, 12)]), frame([(4, 5, 0), (9, 1, 3)])
    with pytest.raises(BadData, match=r"Nobody had the event before day 9.*later day"):
        restricted_mean(nobody, day=9)
    with pytest.raises(BadData, match="estimate of 1 has no standard error"):
        difference(retained(some, day=5), retained(nobody, day=5))
    with pytest.raises(BadData, match="estimate of 1 has no standard error"):
        fixed_day_test(kaplan_meier(some), kaplan_meier(nobody), day=5)


def test_days_out_of_order_are_refused():
    with pytest.raises(BadParameter, match="since must lie from 0 to before day 8, got 9"):
        retained(GRID, day=8, since=9)
    with pytest.raises(BadParameter, match="day must be after time zero"):
        restricted_mean(GRID, day=0)


@pytest.mark.slow
def test_the_interval_of_a_restricted_mean_difference_covers_as_often_as_it_says():
    rng, n, covered = np.random.default_rng(8), 150, []
    steps = np.arange(20)
    truth = (0.95**steps).sum() - (0.92**steps).sum()
    for _ in range(4_000):
        means = []
        for share in (0.05, 0.08):
            left, seen = rng.geometric(share, n), rng.integers(10, 60, n)
            day, event = np.minimum(left, seen), left <= seen
            counts = {
                "day": np.arange(60),
                "events": np.bincount(day[event], minlength=60),
                "censored": np.bincount(day[~event], minlength=60),
            }
            means.append(restricted_mean(pd.DataFrame(counts), day=20))
        apart = difference(*means)
        covered.append(apart.low <= truth <= apart.high)
    # three binomial standard errors, and 0.5 points for the normal approximation at n = 150
    assert np.mean(covered) == pytest.approx(0.95, abs=0.005 + 3 * np.sqrt(0.95 * 0.05 / 4_000))
