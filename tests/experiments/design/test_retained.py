"""Designs for retention at a day, and mean days until then."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from retention_lab.checks import BadParameter
from retention_lab.experiments.design.proportions import UnpooledProportions
from retention_lab.experiments.design.retained import MeanDays, Retention
from retention_lab.experiments.design.sizing import sample_size

from .plans import DISTURBED, HAZARD_RATIO, PLAIN


def test_when_all_are_followed_retention_is_a_share():
    for name in ("plain", "contact", "curve", "three arms"):
        assumptions = DISTURBED[name]
        design = Retention(assumptions=assumptions, day=150, at=90)
        remaining = assumptions.baseline.survival(90)
        share = UnpooledProportions(
            control=remaining,
            contact_rate=assumptions.contact_rate,
            allocation=assumptions.allocation,
        )
        effect = assumptions.treated(HAZARD_RATIO).survival(90) - remaining
        expected = sample_size(share, effect).customers
        assert sample_size(design, HAZARD_RATIO).customers == pytest.approx(expected, rel=1e-9)


def test_when_all_are_followed_mean_days_scatter_as_days_cut_at_the_end_do():
    # Of min(T, 90) with T exponential: mean (1 - S) / rate, mean square 2 (1 - S (1 + 90 rate))
    # / rate^2, by parts.
    rate = PLAIN.baseline.rates[0] * np.array([1, HAZARD_RATIO])
    left = np.exp(-rate * 90)
    mean = (1 - left) / rate
    variance = 2 * (1 - left * (1 + 90 * rate)) / rate**2 - mean**2
    found = MeanDays(assumptions=PLAIN, day=150, at=90).contrast(HAZARD_RATIO)
    assert found.effect == pytest.approx(mean[1] - mean[0], rel=1e-9)
    assert found.sd == pytest.approx((2 * variance.sum()) ** 0.5, rel=1e-4)


@pytest.mark.parametrize("kind", [Retention, MeanDays])
def test_everybody_counts_before_all_are_followed(kind):
    early, late = (kind(assumptions=PLAIN, day=day, at=60) for day in (100, 150))
    few, many = (sample_size(each, HAZARD_RATIO).customers for each in (late, early))
    assert few < many < 1.2 * few


@pytest.mark.parametrize("kind", [Retention, MeanDays])
@pytest.mark.parametrize("day", [40, 70])
def test_a_day_on_which_nobody_was_followed_for_so_long_is_refused(kind, day):
    design = kind(assumptions=DISTURBED["steps"], day=day, at=60)
    with pytest.raises(
        BadParameter, match=rf"On calendar day {day} nobody has been .* after day 70"
    ):
        sample_size(design, HAZARD_RATIO)


@pytest.mark.parametrize("at", [0, 7.5, 91, float("nan")])
def test_a_day_that_no_effect_reaches_is_refused(at):
    with pytest.raises(BadParameter, match=r"at must be a day after 7.5, when the effect sets in"):
        Retention(assumptions=DISTURBED["late onset"], day=120, at=at)


def test_a_larger_share_lost_from_view_needs_more_customers():
    sizes = [
        sample_size(
            Retention(assumptions=replace(PLAIN, dropout_per_day=rate), day=150, at=90),
            HAZARD_RATIO,
        ).customers
        for rate in (0, 0.002, 0.01)
    ]
    assert sizes == sorted(sizes)
