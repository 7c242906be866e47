"""Designs: against published ones, and the error and the power that they promise."""

from __future__ import annotations

import numpy as np
import pytest

from retention_lab.checks import BadParameter
from retention_lab.inference.sequential.bounds import Rule
from retention_lab.inference.sequential.planning import (
    design,
    expected,
    needed_drift,
    stops,
    wang_tsiatis,
)
from retention_lab.inference.sequential.spending import Spending

THIRDS = [1 / 3, 2 / 3, 1]


@pytest.fixture(scope="module")
def futile():
    """The default design of R gsDesign: three looks, one side, futility that does not bind."""
    early, late = (Spending(family="Hwang-Shih-DeCani", parameter=g) for g in (-4, -2))
    rule = Rule(alpha=0.025, sides=1, power=0.9, spending=early, futility=late)
    return design(THIRDS, rule=rule)


def test_futility_is_that_of_gsdesign(futile):
    # gsDesign() as printed in the documentation of the R package gsDesign.
    assert futile.looks["lower"].round(2).tolist() == [-0.24, 0.94, 2.00]
    assert futile.looks["upper"].round(2).tolist() == [3.01, 2.55, 2.00]
    assert futile.looks["alpha_spent"].diff().round(4).tolist()[1:] == [0.0049, 0.0188]
    assert futile.looks["beta_spent"].round(4).tolist() == [0.0148, 0.0437, 0.1]
    assert futile.inflation == pytest.approx(1.070, abs=5e-4)


def test_chances_and_expected_information_are_those_of_gsdesign(futile):
    # The same print: chances of the upper bound under the drift, and E{N} without and with it.
    assert stops(futile.looks, drift=futile.drift)["above"].round(4).tolist() == [
        0.1412,
        0.4403,
        0.3185,
    ]
    size = futile.inflation * futile.looks["information"]
    for drift, mean in [(0.0, 0.6249), (futile.drift, 0.7913)]:
        assert expected(futile.looks, drift=drift, of=size) == pytest.approx(mean, abs=5e-5)


def test_alpha_holds_though_nobody_heeds_futility(futile):
    heedless = futile.looks.assign(lower=-np.inf)
    assert stops(heedless, drift=0)["above"].sum() == pytest.approx(0.025, abs=1e-9)
    assert stops(futile.looks, drift=0)["above"].sum() < 0.0245


@pytest.mark.parametrize("family", ["O'Brien-Fleming", "Pocock"])
@pytest.mark.parametrize("sides", [1, 2])
def test_a_design_errs_and_finds_as_often_as_it_says(family, sides):
    rule = Rule(alpha=0.05, sides=sides, power=0.85, spending=Spending(family=family))
    found = design([0.2, 0.5, 0.9, 1], rule=rule)
    exits = stops(found.looks, drift=0)[["below", "above"]].sum()
    assert exits.sum() == pytest.approx(0.05, abs=1e-9)
    assert (exits["below"] == pytest.approx(exits["above"])) == (sides == 2)
    assert stops(found.looks, drift=found.drift)["above"].sum() == pytest.approx(0.85, abs=1e-9)


def test_one_look_is_a_test_without_looks():
    found = design([1.0], rule=Rule())
    assert found.looks["upper"].item() == pytest.approx(1.959963985)
    assert found.inflation == pytest.approx(1)


def test_a_test_that_may_stop_early_is_expected_to(futile):
    days = [30, 60, 90]
    stop = expected(futile.looks, drift=futile.drift, of=days)
    leaves = stops(futile.looks, drift=futile.drift)[["below", "above"]].sum(axis=1)
    assert stop == pytest.approx(leaves @ days)
    assert 30 < stop < 90


def test_two_sided_shapes_share_alpha_between_the_sides():
    one, two = (wang_tsiatis(THIRDS, alpha=a, sides=s, delta=0) for a, s in [(0.025, 1), (0.05, 2)])
    assert two["upper"].to_numpy() == pytest.approx(one["upper"].to_numpy(), abs=1e-4)
    assert (two["lower"] == -two["upper"]).all()
    assert (one["lower"] == -np.inf).all()


@pytest.mark.parametrize(
    ("act", "sentence"),
    [
        (lambda: design([0.5, 0.9], rule=Rule()), "must end at 1, all that is planned, got 0.9"),
        (lambda: Rule(power=0.04), "power must be above alpha \\(0.05\\), got 0.04"),
        (lambda: Rule(alpha=5), "If you meant 5 %, pass 0.05"),
        (lambda: Rule(sides=3), "sides must be 1 or 2, got 3"),
        (lambda: Rule(futility=Spending()), "take one side at half of alpha \\(0.025\\)"),
        (
            lambda: needed_drift(wang_tsiatis([1], alpha=0.05, sides=1, delta=0), power=0.05),
            "above what luck alone gives, got 0.05",
        ),
        (
            lambda: expected(design([0.5, 1], rule=Rule()).looks, drift=0, of=[30]),
            "one value for each of 2 looks, got 1",
        ),
    ],
)
def test_what_cannot_be_planned_is_refused(act, sentence):
    with pytest.raises(BadParameter, match=sentence):
        act()
