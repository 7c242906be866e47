"""Differences of two estimates from their intervals."""

from __future__ import annotations

from math import sqrt

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm
from statsmodels.stats.proportion import confint_proportions_2indep

from retention_lab.inference.interval import Interval, minus
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
