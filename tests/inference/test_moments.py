"""Means and ratios from sums."""

from __future__ import annotations

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given
from hypothesis import strategies as st

from retention_lab.checks import BadData
from retention_lab.inference.moments import RatioMoments, mean, ratio


def moments(y, x):
    y, x = [int(value) for value in y], [int(value) for value in x]
    pairs = list(zip(y, x, strict=True))
    return RatioMoments(
        n=len(y),
        y=sum(y),
        x=sum(x),
        yy=sum(a * a for a in y),
        xy=sum(a * b for a, b in pairs),
        xx=sum(b * b for b in x),
    )


def test_mean_agrees_with_statsmodels():
    rng = np.random.default_rng(7)
    values = rng.integers(0, 100_000, 400)
    got = mean(n=400, total=int(values.sum()), squares=int((values**2).sum()))
    low, high = sm.stats.DescrStatsW(values).tconfint_mean()
    assert (got.value, got.low, got.high) == pytest.approx((values.mean(), low, high), rel=1e-12)


def test_ratio_agrees_with_a_clustered_regression():
    # Regressing y on x through the origin with weights 1/x gives sum(y)/sum(x); its robust
    # variance, clustered by customer, is the linearised one.
    rng = np.random.default_rng(11)
    x = rng.integers(1, 9, 300)
    y = x * rng.integers(500, 9000, 300)
    fit = sm.WLS(y, x, weights=1 / x).fit(cov_type="HC0")
    got = ratio(moments(y, x))
    assert got.value == pytest.approx(fit.params[0])
    margin = (got.high - got.low) / 2
    t_quantile = 1.967930  # Student's t, 0.975, 299 degrees of freedom
    assert margin == pytest.approx(t_quantile * fit.bse[0] * np.sqrt(300 / 299), rel=1e-6)


@given(st.lists(st.tuples(st.integers(0, 10**9), st.integers(1, 50)), min_size=2, max_size=40))
def test_ratio_does_not_mind_the_order_and_scales_with_the_currency(pairs):
    y, x = zip(*pairs, strict=True)
    got, turned = ratio(moments(y, x)), ratio(moments(y[::-1], x[::-1]))
    assert got == turned
    larger = ratio(moments([100 * value for value in y], x))
    expected = (100 * got.value, 100 * got.low, 100 * got.high)
    assert (larger.value, larger.low, larger.high) == pytest.approx(expected, rel=1e-9, abs=1e-6)


def test_ratio_stays_exact_where_floats_would_cancel():
    # Two customers with one order each of 10^15 and 10^15 + 2 pence: standard error of the mean 1.
    got = mean(n=2, total=2 * 10**15 + 2, squares=10**30 + (10**15 + 2) ** 2)
    t_quantile = 12.7062047362  # Student's t, 0.975, 1 degree of freedom
    assert got.high - got.value == pytest.approx(t_quantile, abs=0.2)  # value itself has ulp 0.125


def test_ratio_covers_the_truth_as_often_as_it_says():
    rng = np.random.default_rng(20250201)
    covered = 0
    for _ in range(400):
        x = rng.integers(1, 6, 200)
        y = x * 1000 + rng.integers(-500, 501, 200)
        got = ratio(moments(y, x))
        covered += got.low <= 1000 <= got.high
    assert covered / 400 == pytest.approx(0.95, abs=4 * np.sqrt(0.95 * 0.05 / 400))


def test_one_customer_has_no_interval():
    with pytest.raises(BadData, match="at least two customers"):
        mean(n=1, total=5, squares=25)


def test_a_ratio_to_nothing_is_refused():
    with pytest.raises(BadData, match="positive denominator"):
        ratio(moments([1, 2], [0, 0]))
