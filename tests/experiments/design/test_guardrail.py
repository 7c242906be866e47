"""Guardrails against harm."""

from __future__ import annotations

import pytest

from retention_lab.checks import BadParameter
from retention_lab.experiments.design.guardrail import ONE_SIDED, Guardrail, smallest_margin
from retention_lab.experiments.design.means import Means
from retention_lab.experiments.design.proportions import Proportions, UnpooledProportions
from retention_lab.experiments.design.sizing import sample_size

LESS = Guardrail(design=Proportions(control=0.6), margin=-0.03)
MORE = Guardrail(design=Proportions(control=0.4), margin=0.03)


def customers(guardrail, effect=0.0):
    return sample_size(guardrail, effect, errors=ONE_SIDED).customers


def test_losing_and_having_too_many_who_leave_are_mirror_images():
    assert customers(LESS) == pytest.approx(customers(MORE))


def test_a_little_harm_needs_more_customers_and_a_little_good_fewer():
    assert customers(LESS, 0.01) < customers(LESS) < customers(LESS, -0.01)
    assert customers(MORE, -0.01) < customers(MORE) < customers(MORE, 0.01)


@pytest.mark.parametrize("guardrail", [LESS, MORE])
@pytest.mark.parametrize("harm", [1, 1.5])
def test_harm_beyond_the_margin_is_refused(guardrail, harm):
    with pytest.raises(BadParameter, match=r"(more harm than the margin|effect of nothing)"):
        customers(guardrail, harm * guardrail.margin)


@pytest.mark.parametrize("effect", [0.0, -0.005, 0.005])
@pytest.mark.parametrize(
    "guardrail",
    [
        LESS,
        MORE,
        Guardrail(design=UnpooledProportions(control=0.3, contact_rate=0.6), margin=0.02),
        Guardrail(design=Means(sd_control=1, sd_treated=1.3), margin=-0.1),
    ],
)
def test_the_smallest_margin_is_the_one_that_the_size_was_for(guardrail, effect):
    n = customers(guardrail, effect)
    found = smallest_margin(guardrail, effect=effect, customers=n)
    assert found == pytest.approx(guardrail.margin, rel=1e-6)


def test_a_margin_belongs_to_everybody_as_assigned():
    half = Guardrail(design=Proportions(control=0.6, contact_rate=0.5), margin=-0.03)
    assert customers(half) == customers(LESS)
    assert customers(half, 0.02) == customers(LESS, 0.01)


def test_too_few_for_any_margin_are_refused():
    few = Guardrail(design=Proportions(control=0.02), margin=-0.01)
    with pytest.raises(BadParameter, match="20 customers cannot show any margin with a power of"):
        smallest_margin(few, customers=20)


def test_a_treatment_so_good_that_no_margin_is_needed_is_refused():
    with pytest.raises(BadParameter, match="show that there is no harm at all"):
        smallest_margin(LESS, effect=0.2, customers=10_000)


@pytest.mark.parametrize("margin", [0, float("nan")])
def test_no_margin_is_refused(margin):
    with pytest.raises(BadParameter, match="margin must say how much harm would be borne"):
        Guardrail(design=Proportions(control=0.6), margin=margin)
