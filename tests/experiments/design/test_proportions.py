"""Designs for shares."""

from __future__ import annotations

import numpy as np
import pytest
from statsmodels.stats.proportion import power_proportions_2indep

from retention_lab.checks import BadParameter
from retention_lab.experiments.design.allocation import to_one
from retention_lab.experiments.design.proportions import (
    ArcsineProportions,
    OddsRatio,
    Proportions,
    UnpooledProportions,
)
from retention_lab.experiments.design.sizing import power, sample_size


@pytest.mark.parametrize("ratio", [1, 0.25, 4])
@pytest.mark.parametrize(("control", "effect"), [(0.6, 0.06), (0.02, 0.01), (0.9, -0.04)])
def test_power_of_the_pooled_test_agrees_with_statsmodels(control, effect, ratio):
    # There the second group is control, and `ratio` is its size by that of the first.
    oracle = power_proportions_2indep(effect, control, 500, ratio=ratio).power
    design = Proportions(control=control, allocation=to_one(1 / ratio))
    found = power(design, effect, customers=500 * (1 + ratio))
    assert found == pytest.approx(oracle, abs=2e-3 if oracle < 0.3 else 1e-4)


@pytest.mark.parametrize("null", [-0.25, -0.03, 1e-7, 0.002, 0.15])
def test_the_variance_under_a_null_is_that_of_the_most_likely_shares(null):
    control, treated, shares = 0.28, 0.33, (0.3, 0.7)
    low = np.linspace(max(0, -null), min(1, 1 - null), 500_001)[1:-1]
    likelihood = sum(
        share * (seen * np.log(p) + (1 - seen) * np.log(1 - p))
        for share, seen, p in zip(shares, (control, treated), (low, low + null), strict=True)
    )
    best = low[likelihood.argmax()]
    variance = best * (1 - best) / 0.3 + (best + null) * (1 - best - null) / 0.7
    design = Proportions(control=control, null=null, allocation=shares)
    assert design.contrast(treated - control).null_sd ** 2 == pytest.approx(variance, rel=1e-5)


def test_a_null_near_zero_is_as_one_of_zero():
    zero, near = (Proportions(control=0.3, null=null) for null in (0.0, 1e-9))
    assert near.contrast(0.05).null_sd == pytest.approx(zero.contrast(0.05).null_sd, rel=1e-7)


@pytest.mark.parametrize("kind", [Proportions, UnpooledProportions, ArcsineProportions, OddsRatio])
def test_reaching_half_is_as_half_of_the_effect(kind):
    half, all_reached = kind(control=0.4, contact_rate=0.5), kind(control=0.4)
    assert half.contrast(0.1) == all_reached.contrast(0.05)


@pytest.mark.parametrize("kind", [Proportions, UnpooledProportions, ArcsineProportions, OddsRatio])
def test_doing_it_and_not_doing_it_are_mirror_images(kind):
    done, left = kind(control=0.2, allocation=(0.3, 0.7)), kind(control=0.8, allocation=(0.3, 0.7))
    assert sample_size(done, 0.05).customers == pytest.approx(sample_size(left, -0.05).customers)


@pytest.mark.parametrize(
    ("inputs", "sentence"),
    [
        ({"control": 60}, "control must be a share .* If you meant 60 %"),
        ({"control": 0}, "control must be a share"),
        ({"control": 0.5, "contact_rate": 0}, "contact_rate must be a share above 0"),
        ({"control": 0.5, "contact_rate": 1.2}, "contact_rate must be a share above 0"),
        ({"control": 0.5, "null": 2}, "null must be a difference of shares, got 2"),
        ({"control": 0.5, "allocation": (0.5, 0.6)}, "must add up to 1"),
    ],
)
def test_assumptions_that_cannot_be_are_refused(inputs, sentence):
    with pytest.raises(BadParameter, match=sentence):
        Proportions(**inputs)


@pytest.mark.parametrize("effect", [0.4, -0.6, 6, float("nan")])
def test_an_effect_that_leaves_no_share_is_refused(effect):
    with pytest.raises(BadParameter, match=r"shares lie between 0 and 1. Effects are differences"):
        sample_size(Proportions(control=0.6), effect)


@pytest.mark.parametrize("kind", [ArcsineProportions, OddsRatio])
def test_scales_without_a_place_for_another_null_refuse_it(kind):
    with pytest.raises(BadParameter, match=r"has a null of 0 only, got 0.1: use Proportions"):
        sample_size(kind(control=0.3, null=0.1), 0.2)
