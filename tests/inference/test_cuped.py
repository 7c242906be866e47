"""Means and ratios adjusted for what was measured before the test."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import ttest_ind

from retention_lab.checks import BadData
from retention_lab.inference.cuped import Arm, adjusted
from retention_lab.inference.means import difference, mean
from retention_lab.inference.moments import RatioMoments
from retention_lab.inference.pairs import CrossMoments


def ratio_moments(y, x):
    sums = {"y": y, "x": x, "yy": y * y, "xy": x * y, "xx": x * x}
    return RatioMoments(n=len(y), **{name: int(each.sum()) for name, each in sums.items()})


def arm(y, before, x=None, x_before=None):
    x, x_before = (np.ones_like(y) if each is None else each for each in (x, x_before))
    products = {"yy": y * before, "yx": y * x_before, "xy": x * before, "xx": x * x_before}
    return Arm(
        now=ratio_moments(y, x),
        before=ratio_moments(before, x_before),
        both=CrossMoments(n=len(y), **{name: int(each.sum()) for name, each in products.items()}),
    )


def customers(rng, n, lift=0):
    before = rng.poisson(40, n)
    return before + rng.poisson(20, n) + rng.binomial(lift, 0.5, n), before


@pytest.fixture
def arms():
    rng = np.random.default_rng(5)
    return customers(rng, 90, lift=4), customers(rng, 300)


def test_adjusted_means_are_compared_as_the_adjusted_values_of_customers(arms):
    y, before = (np.concatenate(each) for each in zip(*arms, strict=True))
    slope = np.cov(y, before)[0, 1] / before.var(ddof=1)
    values = [y - slope * before for y, before in arms]
    expected = ttest_ind(*values, equal_var=False)
    got = difference(*adjusted([arm(*each) for each in arms]))
    assert got.value == pytest.approx(values[0].mean() - values[1].mean())
    assert got.p_value == pytest.approx(expected.pvalue, rel=1e-9)


def test_adjustment_narrows_the_interval_by_what_the_past_explains(arms):
    raw = difference(*(mean(arm(*each).now) for each in arms))
    got = difference(*adjusted([arm(*each) for each in arms]))
    assert got.std_error < 0.75 * raw.std_error


def test_adjustment_does_not_mind_the_order_of_arms_nor_units_of_the_covariate(arms):
    one, other = adjusted([arm(*each) for each in arms])
    turned = adjusted([arm(*each) for each in arms[::-1]])
    assert turned[::-1] == pytest.approx([one, other])
    moved = adjusted([arm(y, 100 * before + 7) for y, before in arms])
    assert moved[0].value == pytest.approx(one.value)
    assert moved[0].std_error == pytest.approx(one.std_error)


def test_a_covariate_that_is_the_same_for_all_changes_nothing(arms):
    got = adjusted([arm(y, np.full_like(y, 3)) for y, _ in arms])
    assert got[0].low == pytest.approx(mean(arm(*arms[0]).now).low)


def test_a_ratio_is_adjusted_by_the_linearised_values_of_customers():
    rng = np.random.default_rng(8)
    parts = []
    for n in (150, 80):
        weeks, weeks_before = rng.integers(1, 9, n), rng.integers(1, 9, n)
        taste = rng.gamma(2, 1, n)
        parts.append(
            (rng.poisson(taste * weeks), rng.poisson(taste * weeks_before), weeks, weeks_before)
        )
    one, other = adjusted([arm(*each) for each in parts])
    y, before, x, x_before = (np.concatenate(each) for each in zip(*parts, strict=True))
    now, usual = (
        (y - y.sum() / x.sum() * x) / x.mean(),
        (before - before.sum() / x_before.sum() * x_before),
    )
    slope = np.cov(now, usual / x_before.mean())[0, 1] / (usual / x_before.mean()).var(ddof=1)
    y, before, x, x_before = parts[0]
    ratio, earlier = y.sum() / x.sum(), before.sum() / x_before.sum()
    values = (y - ratio * x) / x.mean() - slope * (before - earlier * x_before) / x_before.mean()
    assert one.std_error == pytest.approx(values.std(ddof=1) / np.sqrt(len(y)))
    everybody = sum(part[1].sum() for part in parts) / sum(part[3].sum() for part in parts)
    assert one.value == pytest.approx(ratio - slope * (earlier - everybody))
    assert other.freedom == 79


def test_an_arm_that_its_past_explains_wholly_has_no_spread_left():
    before = np.arange(10)
    with pytest.raises(BadData, match="No range can be told"):
        adjusted([arm(2 * before, before), arm(2 * before[::-1], before[::-1])])


@pytest.mark.slow
@pytest.mark.parametrize(("sizes", "lift"), [((150, 150), 0), ((60, 240), 4)])
def test_adjusted_difference_covers_the_truth_as_often_as_it_says(sizes, lift):
    rng = np.random.default_rng(20261122)
    covered = 0
    for _ in range(4000):
        parts = [customers(rng, sizes[0], lift=lift), customers(rng, sizes[1])]
        got = difference(*adjusted([arm(*each) for each in parts]))
        covered += got.low <= lift / 2 <= got.high
    assert covered / 4000 == pytest.approx(0.95, abs=4 * np.sqrt(0.95 * 0.05 / 4000))
