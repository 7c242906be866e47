"""Errors of a test, and contrasts that are nearly normal."""

from __future__ import annotations

import pytest
from statsmodels.stats.power import TTestIndPower, normal_power_het

from retention_lab.checks import BadParameter
from retention_lab.experiments.design.normal import Contrast, Errors, StudentContrast

CONTRAST = Contrast(effect=0.1, null_sd=1.2, sd=0.9)


@pytest.mark.parametrize(
    ("errors", "sentence"),
    [
        ({"alpha": 5}, "alpha must be a share .* If you meant 5 %, pass 0.05"),
        ({"power": 80}, "power must be a share .* If you meant 80 %, pass 0.8"),
        ({"power": 0.05}, "power must be above alpha, got power 0.05 and alpha 0.05"),
        ({"power": 0.04}, "power must be above alpha"),
        ({"sided": 3}, "sided must be 1 or 2, got 3"),
    ],
)
def test_errors_that_make_no_test_are_refused(errors, sentence):
    with pytest.raises(BadParameter, match=sentence):
        Errors(**errors)


@pytest.mark.parametrize("sided", [1, 2])
@pytest.mark.parametrize("contrast", [CONTRAST, StudentContrast(effect=-0.4, null_sd=1, sd=1)])
def test_size_is_the_inverse_of_power(contrast, sided):
    errors = Errors(alpha=0.02, power=0.9, sided=sided)
    assert contrast.power(contrast.customers(errors), errors) == pytest.approx(0.9, abs=1e-9)


def test_power_agrees_with_statsmodels_but_for_the_wrong_side():
    oracle = normal_power_het(
        0.1, 700, 0.025, std_null=1.2, std_alternative=0.9, alternative="larger"
    )
    assert CONTRAST.power(700, Errors()) == pytest.approx(oracle, rel=1e-12)


@pytest.mark.parametrize(("sided", "alternative"), [(2, "two-sided"), (1, "larger")])
@pytest.mark.parametrize("n", [3, 40])
def test_students_power_agrees_with_statsmodels(n, sided, alternative):
    # n in one arm, 2 n in the other: sd of the difference times the root of all 3 n.
    sd = (3 + 3 / 2) ** 0.5
    found = StudentContrast(effect=0.6, null_sd=sd, sd=sd).power(3 * n, Errors(sided=sided))
    oracle = TTestIndPower().power(0.6, n, 0.05, ratio=2, alternative=alternative)
    assert found == pytest.approx(oracle, rel=1e-9)


def test_an_effect_of_nothing_is_refused():
    with pytest.raises(BadParameter, match="No number of customers shows an effect of nothing"):
        Contrast(effect=1e-17, null_sd=1, sd=1).customers(Errors())


def test_a_power_that_needs_nobody_is_refused():
    with pytest.raises(BadParameter, match=r"A power of 0.06 needs nobody: ask for more, as 0.8"):
        Contrast(effect=0.1, null_sd=1, sd=2).customers(Errors(power=0.06))


def test_several_comparisons_share_alpha():
    assert Errors().critical(3) == Errors(alpha=0.05 / 3).critical()
    assert Contrast(effect=0.1, null_sd=1, sd=1, comparisons=3).customers(Errors()) > Contrast(
        effect=0.1, null_sd=1, sd=1
    ).customers(Errors())
