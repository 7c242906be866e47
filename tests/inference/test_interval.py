"""Differences of two estimates from their intervals."""

from __future__ import annotations

from math import sqrt

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm
from statsmodels.stats.proportion import confint_proportions_2indep

from retention_lab.inference.interval import Interval, lift, minus
from retention_lab.inference.proportions import proportion

counts = st.integers(1, 5000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


@given(now=counts, before=counts, alpha=st.sampled_from([0.01, 0.05, 0.2]))
def test_minus_of_wilson_intervals_is_newcombes_in_statsmodels(now, before, alpha):
    got = minus(proportion(*now, alpha=alpha), proportion(*before, alpha=alpha))
    low, high = confint_proportions_2indep(
        *now, *before, method="newcomb", compare="diff", alpha=alpha
    )
    assert (got.low, got.high) == pytest.approx((low, high), abs=1e-9)
    assert got.value == now[0] / now[1] - before[0] / before[1]


def test_minus_meets_newcombe_table_ii():
    # Newcombe (1998), Table II, method 10: 56/70 - 48/80 has the interval 0.0524 to 0.3339.
    got = minus(proportion(56, 70), proportion(48, 80))
    assert (got.value, got.low, got.high) == pytest.approx((0.2, 0.0524, 0.3339), abs=5e-5)


def test_minus_of_symmetric_intervals_adds_their_variances():
    # Two normal means with standard errors 3 and 4: the difference has standard error 5.
    z = norm.isf(0.025)
    now, before = (
        Interval(value=value, low=value - z * error, high=value + z * error)
        for value, error in ((10, 3), (7, 4))
    )
    got = minus(now, before)
    margin = z * sqrt(3**2 + 4**2)
    assert (got.value, got.low, got.high) == pytest.approx((3, 3 - margin, 3 + margin))


def test_minus_takes_each_bound_from_the_side_that_makes_it_extreme():
    # Worked by hand: 10 - hypot(3, 4) = 5 below, 10 + hypot(12, 5) = 23 above.
    now = Interval(value=30, low=27, high=42)
    before = Interval(value=20, low=15, high=24)
    assert minus(now, before) == Interval(value=10, low=5, high=23)
    assert minus(before, now) == Interval(value=-10, low=-23, high=-5)


means = st.tuples(st.floats(1, 50), st.floats(0, 0.9), st.floats(0, 3)).map(
    lambda t: Interval(value=t[0], low=t[0] * (1 - t[1]), high=t[0] * (1 + t[2]))
)
correlations = st.floats(-0.99, 0.99)


@given(now=means, before=means, correlation=correlations)
def test_minus_is_narrower_the_more_two_estimates_go_together(now, before, correlation):
    alone, together = minus(now, before), minus(now, before, correlation=correlation)
    if correlation > 0:
        assert alone.low - 1e-9 <= together.low <= together.value <= together.high
        assert together.high <= alone.high + 1e-9
    else:
        assert together.low <= alone.low + 1e-9
        assert together.high >= alone.high - 1e-9


def test_minus_of_paired_means_is_the_mean_of_the_differences():
    # Standard errors 3 and 4 with correlation 0.5: 9 + 16 - 2 * 0.5 * 12 = 13 is the variance.
    now, before = Interval(value=10, low=7, high=13), Interval(value=7, low=3, high=11)
    got = minus(now, before, correlation=0.5)
    assert (got.low, got.high) == pytest.approx((3 - sqrt(13), 3 + sqrt(13)))


@given(now=means, before=means, correlation=correlations)
def test_lift_ends_where_the_difference_to_that_multiple_does(now, before, correlation):
    found = lift(now, before, correlation=correlation)
    assert found is not None
    assert found.low <= found.value + 1e-12
    assert found.value <= found.high + 1e-12

    def difference(times):
        scaled = Interval(
            value=times * before.value, low=times * before.low, high=times * before.high
        )
        return minus(now, scaled, correlation=correlation)

    size = now.value + before.value * (1 + abs(found.high))
    assert difference(1 + found.low).low == pytest.approx(0, abs=1e-6 * size)
    assert difference(1 + found.high).high == pytest.approx(0, abs=1e-6 * size)


def test_lift_of_normal_means_is_fiellers_interval():
    # Fieller (1954): m^2 (7^2 - 2^2) - 2 m (10 * 7) + (10^2 - 3^2) has the roots 0.925 and 2.186.
    now, before = Interval(value=10, low=7, high=13), Interval(value=7, low=5, high=9)
    root = sqrt(70**2 - 45 * 91)
    found = lift(now, before)
    assert (1 + found.low, 1 + found.high) == pytest.approx(((70 - root) / 45, (70 + root) / 45))
    assert 1 + found.value == pytest.approx(10 / 7)


def test_lift_is_not_invented_where_the_base_may_be_nothing():
    some, none = proportion(5, 40), proportion(0, 40)
    assert lift(some, none) is None
    assert lift(Interval(value=1, low=-1, high=3), some) is None
    fell = lift(none, some)
    assert (fell.value, fell.low) == (-1, -1)
    assert -1 < fell.high < 0
