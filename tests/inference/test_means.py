"""Estimates of an arm, and the difference of two."""

from __future__ import annotations

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm, ttest_ind

from retention_lab.checks import BadData
from retention_lab.inference.means import around, difference, mean, share
from retention_lab.inference.moments import RatioMoments
from retention_lab.inference.proportions import proportion


def moments(y, x=None):
    """Sums of whole numbers, as the engine gives them."""
    y = np.asarray(y, dtype="int64")
    x = np.ones_like(y) if x is None else np.asarray(x, dtype="int64")
    sums = {"y": y, "x": x, "yy": y * y, "xy": x * y, "xx": x * x}
    return RatioMoments(n=len(y), **{name: int(each.sum()) for name, each in sums.items()})


arms = st.lists(st.integers(-(10**6), 10**6), min_size=2, max_size=30, unique=True)


@settings(max_examples=25)
@given(one=arms, other=arms, alpha=st.sampled_from([0.01, 0.05, 0.2]))
def test_difference_of_means_is_welchs_in_scipy(one, other, alpha):
    got = difference(mean(moments(one)), mean(moments(other)), alpha=alpha)
    expected = ttest_ind(one, other, equal_var=False)
    interval = expected.confidence_interval(1 - alpha)
    assert (got.low, got.high) == pytest.approx((interval.low, interval.high), rel=1e-6, abs=1e-3)
    assert got.p_value == pytest.approx(expected.pvalue, rel=1e-6, abs=1e-12)


@settings(max_examples=25)
@given(one=arms, other=arms)
def test_difference_turns_its_sign_with_the_arms_and_scales_with_the_currency(one, other):
    got = difference(mean(moments(one)), mean(moments(other)))
    turned = difference(mean(moments(other)), mean(moments(one)))
    assert (turned.value, turned.low, turned.high) == (-got.value, -got.high, -got.low)
    pence = difference(*(mean(moments([100 * value for value in arm])) for arm in (one, other)))
    assert (pence.low, pence.high) == pytest.approx((100 * got.low, 100 * got.high), rel=1e-9)
    assert pence.p_value == pytest.approx(got.p_value, rel=1e-9)


def test_sums_by_household_make_the_mean_robust_to_households():
    # statsmodels: a regression on a constant with errors clustered by household; the factor of
    # small samples that it adds is taken off, and ours of n / (n - 1) put in.
    rng = np.random.default_rng(3)
    household = rng.integers(0, 80, 400)
    values = rng.integers(0, 50, 400) + 40 * rng.integers(0, 2, 80)[household]
    fit = sm.OLS(values, np.ones(400)).fit(
        cov_type="cluster", cov_kwds={"groups": household, "use_correction": False}
    )
    sizes, totals = (np.bincount(household, weights) for weights in (None, values))
    held = sizes > 0
    got = mean(moments(totals[held], sizes[held]))
    assert got.value == pytest.approx(fit.params[0])
    n = held.sum()
    assert got.std_error == pytest.approx(fit.bse[0] * np.sqrt(n / (n - 1)), rel=1e-9)


def test_a_share_has_wilsons_interval_and_the_plain_standard_error():
    got, wilson = share(18, 500), proportion(18, 500)
    assert (got.value, got.low, got.high) == (wilson.value, wilson.low, wilson.high)
    assert got.std_error == pytest.approx(np.sqrt(0.036 * 0.964 / 500))


def test_two_shares_are_compared_by_the_normal_distribution():
    got = difference(share(60, 200), share(90, 200))
    spread = np.sqrt(0.3 * 0.7 / 200 + 0.45 * 0.55 / 200)
    assert got.high == pytest.approx(-0.15 + norm.isf(0.025) * spread)
    assert got.p_value == pytest.approx(2 * norm.sf(0.15 / spread))


def test_arms_of_equal_customers_have_no_difference_to_tell():
    with pytest.raises(BadData, match="all customers are alike"):
        difference(mean(moments([5, 5])), mean(moments([7, 7, 7])))
    with pytest.raises(BadData, match="all customers are alike"):
        difference(share(0, 10), share(12, 12))


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_what_is_no_number_has_no_interval(value):
    with pytest.raises(BadData, match="No range can be told"):
        around(value, std_error=1.0)
    with pytest.raises(BadData, match="No range can be told"):
        around(1.0, std_error=value)


@pytest.mark.slow
@pytest.mark.parametrize("sizes", [(200, 200), (60, 600)])
@pytest.mark.parametrize("lift", [1.0, 1.3])
def test_difference_covers_the_truth_as_often_as_it_says(sizes, lift):
    rng = np.random.default_rng(20261122)
    covered = 0
    for _ in range(4000):
        one = rng.poisson(4 * lift, sizes[0]) * rng.integers(1, 4, sizes[0])
        other = rng.poisson(4, sizes[1]) * rng.integers(1, 4, sizes[1])
        got = difference(mean(moments(one)), mean(moments(other)))
        covered += got.low <= 8 * (lift - 1) <= got.high
    assert covered / 4000 == pytest.approx(0.95, abs=4 * np.sqrt(0.95 * 0.05 / 4000))
