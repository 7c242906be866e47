"""Relative changes."""

from __future__ import annotations

from math import log

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm
from scipy.stats import t as student
from statsmodels.stats.proportion import confint_proportions_2indep

from retention_lab.checks import BadData
from retention_lab.inference.lift import fieller, log_ratio
from retention_lab.inference.means import around, difference, mean, share
from retention_lab.inference.moments import RatioMoments

some = st.integers(50, 5000).flatmap(lambda n: st.tuples(st.integers(1, n - 1), st.just(n)))
normal = st.tuples(st.floats(1, 100), st.floats(0.01, 0.3)).map(
    lambda t: around(t[0], std_error=t[0] * t[1])
)


@settings(max_examples=25)
@given(one=some, other=some, alpha=st.sampled_from([0.01, 0.05, 0.2]))
def test_log_ratio_of_shares_is_that_of_statsmodels(one, other, alpha):
    got = log_ratio(share(*one), share(*other), alpha=alpha)
    low, high = confint_proportions_2indep(*one, *other, method="log", compare="ratio", alpha=alpha)
    assert (got.low + 1, got.high + 1) == pytest.approx((low, high), rel=1e-9)


@settings(max_examples=25)
@given(one=normal, other=normal)
def test_log_ratio_is_turned_over_with_the_arms_and_does_not_know_the_currency(one, other):
    got, turned = log_ratio(one, other), log_ratio(other, one)
    assert 1 + turned.low == pytest.approx(1 / (1 + got.high))
    pence = [around(100 * each.value, std_error=100 * each.std_error) for each in (one, other)]
    assert log_ratio(*pence).high == pytest.approx(got.high)


@settings(max_examples=25)
@given(one=normal, other=normal)
def test_fieller_ends_where_one_just_differs_from_a_multiple_of_the_other(one, other):
    got = fieller(one, other)
    for lift in (got.low, got.high):
        apart = one.value - (1 + lift) * other.value
        spread = np.hypot(one.std_error, (1 + lift) * other.std_error)
        assert abs(apart) / spread == pytest.approx(norm.isf(0.025), rel=1e-6)


@settings(max_examples=25)
@given(one=normal, other=normal)
def test_fieller_leaves_out_no_change_when_the_difference_does(one, other):
    apart, got = difference(one, other), fieller(one, other)
    if min(abs(apart.low), abs(apart.high)) > 1e-6:  # farther from 0 than rounding
        assert (got.low > 0, got.high < 0) == (apart.low > 0, apart.high < 0)


@pytest.mark.parametrize(("one", "other"), [((0, 50), (5, 50)), ((5, 50), (0, 50))])
def test_nobody_in_an_arm_leaves_no_relative_change(one, other):
    with pytest.raises(BadData, match="two values above 0"):
        log_ratio(share(*one), share(*other))


def test_a_share_of_everybody_leaves_no_relative_change():
    with pytest.raises(BadData, match="No range can be told"):
        log_ratio(share(50, 50), share(40, 50))


def test_a_base_that_may_be_nothing_leaves_the_change_without_bounds():
    with pytest.raises(BadData, match=r"no bounds: 1 may be as low as -0\.959964"):
        fieller(around(3.0, std_error=1.0), around(1.0, std_error=1.0))


@pytest.mark.slow
@pytest.mark.parametrize("method", [log_ratio, fieller])
def test_lift_of_spend_covers_the_truth_as_often_as_it_says(method):
    rng = np.random.default_rng(20261122)
    covered = 0
    for _ in range(4000):
        arms = []
        for n, buying in ((900, 0.24), (300, 0.2)):
            spend = (rng.random(n) < buying) * rng.integers(1000, 3000, n)
            y, yy = int(spend.sum()), int((spend**2).sum())
            arms.append(mean(RatioMoments(n=n, y=y, x=n, yy=yy, xy=y, xx=n)))
        got = method(*arms)
        covered += got.low <= 0.2 <= got.high
    assert covered / 4000 == pytest.approx(0.95, abs=4 * np.sqrt(0.95 * 0.05 / 4000))


def test_log_ratio_of_means_has_welchs_degrees_of_freedom_on_the_log_scale():
    # Relative errors of 0.1 and 0.2, with 9 degrees of freedom each.
    freedom = 0.05**2 / (0.1**4 / 9 + 0.2**4 / 9)
    got = log_ratio(around(20, std_error=2, freedom=9), around(10, std_error=2, freedom=9))
    assert log((1 + got.high) / 2) == pytest.approx(student.isf(0.025, freedom) * np.sqrt(0.05))
