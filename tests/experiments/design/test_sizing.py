"""Sample size, power and smallest detectable effect from each other, for every design."""

from __future__ import annotations

import pytest

from retention_lab.checks import BadParameter
from retention_lab.experiments.design.guardrail import ONE_SIDED, Guardrail
from retention_lab.experiments.design.means import Means, StudentMeans
from retention_lab.experiments.design.normal import Errors
from retention_lab.experiments.design.proportions import (
    ArcsineProportions,
    OddsRatio,
    Proportions,
    UnpooledProportions,
)
from retention_lab.experiments.design.retained import MeanDays, Retention
from retention_lab.experiments.design.sizing import Size, power, sample_size, smallest_effect
from retention_lab.experiments.design.timed import (
    Freedman,
    LachinFoulkes,
    LogRankTest,
    RateDifference,
    Schoenfeld,
)

from .plans import DISTURBED, HAZARD_RATIO, PLAIN

SHARES = {
    kind.__name__: kind(control=0.3, contact_rate=0.8, allocation=(0.5, 0.3, 0.2))
    for kind in (Proportions, UnpooledProportions, ArcsineProportions, OddsRatio)
}
TIMED = {
    kind.__name__: kind(assumptions=DISTURBED["all"], day=120)
    for kind in (Schoenfeld, Freedman, LachinFoulkes, LogRankTest)
}
EFFECTS = {
    **{name: (design, (0.05, -0.05)) for name, design in SHARES.items()},
    **{name: (design, (0.8, 1.3)) for name, design in TIMED.items()},
    "another null": (Proportions(control=0.3, null=0.02), (0.06, -0.02)),
    "means": (Means(sd_control=10, sd_treated=14, allocation=(0.2, 0.8)), (1.5, -2)),
    "t": (StudentMeans(sd_control=10, sd_treated=10), (8, -3)),
    "rates": (RateDifference(assumptions=PLAIN, day=90), (0.8, 1.2)),
    "retention": (Retention(assumptions=DISTURBED["all"], day=120, at=60), (0.8, 1.3)),
    "days": (MeanDays(assumptions=DISTURBED["all"], day=120, at=60), (0.8, 1.3)),
}


@pytest.mark.parametrize("sided", [1, 2])
@pytest.mark.parametrize("name", EFFECTS)
def test_each_of_the_three_follows_from_the_other_two(name, sided):
    design, effects = EFFECTS[name]
    errors = Errors(alpha=0.04, power=0.85, sided=sided)
    for effect in effects:
        size = sample_size(design, effect, errors=errors).customers
        direction = "higher" if effect > design.limits[1] else "lower"
        found = smallest_effect(design, customers=size, direction=direction, errors=errors)
        assert power(design, effect, customers=size, errors=errors) == pytest.approx(0.85)
        assert found == pytest.approx(effect, rel=1e-6)


@pytest.mark.parametrize("name", EFFECTS)
def test_a_larger_effect_needs_fewer_customers_and_more_of_them_find_it_more_often(name):
    design, effects = EFFECTS[name]
    for effect in effects:
        larger = effect + 0.3 * (effect - design.limits[1])
        size = sample_size(design, effect).customers
        assert sample_size(design, larger).customers < size
        assert power(design, effect, customers=1.5 * size) > 0.9


def test_three_arms_of_holm_are_as_two_at_half_of_alpha_and_the_rest_beside_them():
    three = Proportions(control=0.3, allocation=(0.5, 0.25, 0.25))
    two = Proportions(control=0.3, allocation=(2 / 3, 1 / 3))
    half = sample_size(two, 0.05, errors=Errors(alpha=0.025)).customers
    assert sample_size(three, 0.05).customers == pytest.approx(half / 0.75)


def test_arms_are_rounded_up_and_whole_ones_are_left():
    assert Size(customers=300, allocation=(1 / 3, 2 / 3)).arms == (100, 200)
    assert Size(customers=300.1, allocation=(1 / 3, 2 / 3)).arms == (101, 201)
    assert Size(customers=300.1, allocation=(1 / 3, 2 / 3)).total == 302


def test_a_guardrail_answers_all_three_too():
    design = Guardrail(design=Proportions(control=0.6), margin=-0.03)
    size = sample_size(design, 0.01, errors=ONE_SIDED).customers
    assert smallest_effect(design, customers=size, errors=ONE_SIDED) == pytest.approx(0.01)
    assert power(design, 0.01, customers=size, errors=ONE_SIDED) == pytest.approx(0.8)


@pytest.mark.parametrize("customers", [3, 0, -5, float("nan"), float("inf")])
def test_customers_that_fill_no_arms_are_refused(customers):
    design = Proportions(control=0.3)
    with pytest.raises(BadParameter, match=r"customers \(two for each arm\) must be at least 4"):
        power(design, 0.05, customers=customers)
    with pytest.raises(BadParameter, match=r"customers \(two for each arm\) must be at least 4"):
        smallest_effect(design, customers=customers)


def test_an_effect_too_large_for_a_share_is_refused_by_what_would_be_needed():
    sentence = (
        "With 20 customers no effect is found with a power of more than 0.10, and 0.8 is asked "
        "for: more customers are needed"
    )
    with pytest.raises(BadParameter, match=sentence):
        smallest_effect(Proportions(control=0.95), customers=20)


def test_a_higher_effect_on_a_rate_of_events_is_a_hazard_ratio_above_one():
    design = Schoenfeld(assumptions=PLAIN, day=90)
    low = smallest_effect(design, customers=2806, direction="lower")
    assert low == pytest.approx(HAZARD_RATIO, abs=1e-4)
    assert smallest_effect(design, customers=2806) == pytest.approx(1 / low, rel=0.03)
