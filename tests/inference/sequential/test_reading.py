"""What is said at a look and after a stop: against a published example, and what must hold."""

from __future__ import annotations

from math import sqrt

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm

from retention_lab.checks import BadParameter
from retention_lab.inference.sequential.bounds import Rule, bounds
from retention_lab.inference.sequential.planning import design, stops
from retention_lab.inference.sequential.reading import (
    conditional_power,
    of_events,
    repeated,
    stopped,
)

TWO = Rule()
LOOKS = design([0.2, 0.5, 0.7, 1], rule=TWO).looks


# Wassmer & Brannath (2016), Group Sequential and Confirmatory Adaptive Designs in Clinical Trials,
# s. 4.1: four stages of 22, stopped after the second with z = 3; p values there are one-sided.
@pytest.mark.parametrize(
    ("upper", "p_value", "effect"),
    [
        ([4.049, 4.049 / sqrt(2)], 0.0014, (0.452, 0.157, 0.748)),
        ([2.361, 2.361], 0.0098, (0.419, 0.074, 0.729)),
    ],
)
def test_a_stopped_test_is_read_as_published(upper, p_value, effect):
    looks = pd.DataFrame({"information": [0.25, 0.5], "lower": np.negative(upper), "upper": upper})
    error = 1 / sqrt(44)
    found = stopped(looks, rule=TWO, estimate=3 * error, std_error=error)
    assert found.p_value / 2 == pytest.approx(p_value, abs=5e-5)
    assert (found.effect.value, found.effect.low, found.effect.high) == pytest.approx(
        effect, abs=6e-4
    )


def test_a_test_of_one_look_is_read_as_ever():
    found = stopped(LOOKS.head(1), rule=TWO, estimate=-0.3, std_error=0.1)
    assert found.p_value == pytest.approx(2 * norm.sf(3))
    far = norm.isf(0.025) * 0.1
    assert found.effect.value == pytest.approx(-0.3)
    assert (found.effect.low, found.effect.high) == pytest.approx((-0.3 - far, -0.3 + far))


@pytest.mark.parametrize("k", [1, 2, 3, 4])
@pytest.mark.parametrize("apart", [-1e-6, 1e-6])
def test_the_p_value_and_the_interval_agree_with_the_bound(k, apart):
    looks = LOOKS.head(k)
    z = looks["upper"].iloc[-1] + apart
    found = stopped(looks, rule=TWO, estimate=z, std_error=1.0)
    spent = looks["alpha_spent"].iloc[-1]
    assert found.p_value == pytest.approx(spent, rel=1e-4)
    if k == 4:
        assert (found.p_value < 0.05) == (found.effect.low > 0) == (apart > 0)


def test_turning_the_arms_round_turns_the_reading_round():
    up, down = (stopped(LOOKS, rule=TWO, estimate=e, std_error=0.1) for e in (0.21, -0.21))
    assert up.p_value == pytest.approx(down.p_value)
    assert up.effect.value == pytest.approx(-down.effect.value)
    assert up.effect.low == pytest.approx(-down.effect.high)


def test_one_side_heeds_no_futility_in_its_p_value():
    rule = Rule(alpha=0.025, sides=1)
    looks = bounds([0.5, 1], rule=rule, drift=0)
    same, tight = (looks.assign(lower=lower) for lower in (-np.inf, 1.0))
    first, second = (stopped(l_, rule=rule, estimate=2.1, std_error=1) for l_ in (same, tight))
    assert first.p_value == pytest.approx(second.p_value)
    assert first.p_value < 0.025
    # Some who gave up at the first look would have come as far: it takes a larger effect.
    assert second.effect.value > first.effect.value


def read(k, z):
    """Effects and their bounds of tests that stopped at look `k`, between some that are read."""
    t, some = LOOKS["information"][k], np.linspace(z.min(), z.max(), 13)
    effects = [
        stopped(LOOKS.head(k + 1), rule=TWO, estimate=one / sqrt(t), std_error=t**-0.5).effect
        for one in some
    ]
    return [
        np.interp(z, some, [getattr(each, name) for each in effects])
        for name in ("value", "low", "high")
    ]


@pytest.mark.slow
def test_the_estimate_is_too_high_as_often_as_too_low_and_the_interval_holds():
    drift, trials = 2.5, 4_000
    rng = np.random.default_rng(20261122)
    t = LOOKS["information"].to_numpy()
    steps = np.diff(t, prepend=0.0)
    scores = (drift * steps + rng.normal(size=(trials, 4)) * np.sqrt(steps)).cumsum(axis=1)
    z = scores / np.sqrt(t)
    crossed = np.abs(z) > LOOKS["upper"].to_numpy()
    at = np.where(crossed.any(axis=1), crossed.argmax(axis=1), 3)
    value, low, high = np.concatenate([read(k, z[at == k, k]) for k in np.unique(at)], axis=1)
    off = 3 * np.sqrt(0.25 / trials)
    assert (value > drift).mean() == pytest.approx(0.5, abs=off)
    within = (low <= drift) & (drift <= high)
    assert within.mean() == pytest.approx(0.95, abs=3 * sqrt(0.95 * 0.05 / trials))
    # What the reading is for: tests stop on luck, so that the plain estimate is too high.
    assert np.mean([z[i, k] / sqrt(t[k]) > drift for i, k in enumerate(at)]) > 0.5 + off


def test_repeated_intervals_hold_at_all_looks_together():
    # They miss 0 at some look as often as a bound is crossed without effect.
    exits = stops(LOOKS, drift=0)[["below", "above"]].sum().sum()
    found = repeated(0.3, std_error=0.1, bound=LOOKS["upper"][1])
    assert found.high - found.low == pytest.approx(2 * 0.1 * LOOKS["upper"][1])
    assert exits == pytest.approx(0.05)


def test_conditional_power_is_that_of_many_ends():
    rng = np.random.default_rng(3)
    end = 1.1 * sqrt(0.6) + 2.8 * 0.4 + rng.normal(size=400_000) * sqrt(0.4)
    found = conditional_power(information=0.6, z=1.1, bound=2.0, drift=2.8)
    assert found == pytest.approx((end >= 2.0).mean(), abs=0.003)


def test_events_are_worth_most_when_the_arms_are_equal():
    assert of_events(400) == 100
    assert of_events(400, treated_share=0.2) == pytest.approx(64)


@pytest.mark.parametrize(
    ("act", "sentence"),
    [
        (lambda: repeated(0.1, std_error=0, bound=2), "standard error above 0, got 0.1 and 0"),
        (
            lambda: stopped(LOOKS, rule=TWO, estimate=float("nan"), std_error=1),
            "needs an estimate and a standard error above 0, got nan",
        ),
        (
            lambda: conditional_power(information=1, z=1, bound=2, drift=0),
            "information must lie between 0 and 1, got 1: before the first look",
        ),
        (lambda: of_events(0), "events must be above 0, got 0: there is no information yet"),
        (lambda: of_events(10, treated_share=1), "treated_share must be a share"),
    ],
)
def test_what_cannot_be_read_is_refused(act, sentence):
    with pytest.raises(BadParameter, match=sentence):
        act()
