"""Designs for means and ratios."""

from __future__ import annotations

import numpy as np
import pytest

from retention_lab.checks import BadParameter
from retention_lab.experiments.design.means import Means, StudentMeans, ratio_sd
from retention_lab.experiments.design.normal import Errors
from retention_lab.experiments.design.sizing import power, sample_size
from retention_lab.inference.moments import RatioMoments


def moments(y, x):
    return RatioMoments(
        n=len(y), y=int(y.sum()), x=int(x.sum()), yy=int(y @ y), xy=int(x @ y), xx=int(x @ x)
    )


def test_students_test_needs_a_little_more_than_the_normal_one():
    normal, student = (kind(sd_control=1, sd_treated=1) for kind in (Means, StudentMeans))
    few, many = (sample_size(student, effect).customers for effect in (1, 0.02))
    assert few == pytest.approx(sample_size(normal, 1).customers + 2, abs=0.2)
    assert many == pytest.approx(sample_size(normal, 0.02).customers, rel=1e-4)


def test_a_huge_effect_needs_hardly_anybody():
    student = StudentMeans(sd_control=1, sd_treated=1)
    assert sample_size(student, 1e4, errors=Errors(power=0.99)).customers == 4  # two an arm
    assert power(student, 1e4, customers=400) == 1


def test_units_change_no_size():
    pence = Means(sd_control=1000, sd_treated=1400, null=-50)
    pounds = Means(sd_control=10, sd_treated=14, null=-0.5)
    assert sample_size(pence, 100).customers == pytest.approx(sample_size(pounds, 1).customers)


def test_a_ratio_of_ones_scatters_as_its_values_do():
    rng = np.random.default_rng(3)
    y = rng.poisson(3, 500)
    assert ratio_sd(moments(y, np.ones(500, int))) == pytest.approx(y.std(ddof=1), rel=1e-9)


def test_a_ratio_scatters_as_it_does_from_sample_to_sample():
    rng = np.random.default_rng(4)
    x = rng.poisson(5, (2000, 400)) + 1
    y = rng.binomial(x, 0.3)
    seen = (y.sum(axis=1) / x.sum(axis=1)).std() * 400**0.5
    # 2,000 samples tell a standard deviation to about 1 / sqrt(4000), 1.6 %.
    assert ratio_sd(moments(y.ravel(), x.ravel())) == pytest.approx(seen, rel=0.05)


@pytest.mark.parametrize("sd", [0, -1, float("nan"), float("inf")])
def test_a_spread_that_is_none_is_refused(sd):
    with pytest.raises(BadParameter, match="sd_treated must be a number above 0"):
        Means(sd_control=1, sd_treated=sd)


def test_an_effect_or_a_null_that_is_no_number_is_refused():
    with pytest.raises(BadParameter, match="An effect must be a number, got nan"):
        sample_size(Means(sd_control=1, sd_treated=1), float("nan"))
    with pytest.raises(BadParameter, match="null must be a number, got inf"):
        Means(sd_control=1, sd_treated=1, null=float("inf"))


def test_students_test_refuses_two_spreads_and_three_arms():
    with pytest.raises(BadParameter, match="Student's test has one spread, got 1 and 2"):
        StudentMeans(sd_control=1, sd_treated=2)
    with pytest.raises(BadParameter, match="compares two arms: use Means for several"):
        StudentMeans(sd_control=1, sd_treated=1, allocation=(0.4, 0.3, 0.3))
