"""Effects that are not there are seldom found, and intervals hold the truth, in 4,000 tests each.

The tolerance is four standard errors of a share of 4,000.
"""

from __future__ import annotations

import numpy as np
import pytest

from retention_lab.experiments.effects import effects

from . import many
from .armed import Rows, plan

pytestmark = pytest.mark.slow

TIMES = 4_000
LEVEL = pytest.approx(0.05, abs=4 * np.sqrt(0.05 * 0.95 / TIMES))
ENDS = ("low", "high")
SIZES = [(300, 0.5), (300, 0.2), (3_000, 0.5), (3_000, 0.2)]


@pytest.mark.parametrize(("n", "share"), SIZES)
def test_the_arrays_of_trials_are_what_effects_finds(n, share):
    counts = many.drawn(np.random.default_rng(3), times=3, n=n, share=share, ratio=0.6)
    asked = plan(covariates=["tier"], strata=["tier"])
    for place in range(3):
        (found,) = effects(many.trial(counts[place]), asked)
        one = counts[[place]]
        for part in ("difference", "adjusted", "days"):
            got, same = getattr(found, part), getattr(many, part)(one)
            assert (got.value, got.std_error) == pytest.approx((same.value[0], same.std_error[0]))
        same = many.logrank(one)
        assert found.logrank == pytest.approx(
            2 * many.student.sf(abs(same.value[0] / same.std_error[0]), np.inf)
        )
        ratio = many.hazard_ratio(one)
        bounds = np.exp(ratio.value[0] + np.array([-1, 1]) * 1.959964 * ratio.std_error[0])
        assert (found.hazard_ratio.low, found.hazard_ratio.high) == pytest.approx(bounds, rel=1e-5)
        refuted = [
            *(many.reached(one, effect=getattr(found.reached_interval, end)) for end in ENDS),
            *(many.lift(one, getattr(found.lift, end)) for end in ENDS),
        ]
        for bound in refuted:  # just so
            assert abs(bound.value[0]) == pytest.approx(1.959964 * bound.std_error[0], rel=1e-4)


@pytest.mark.parametrize(("n", "share"), SIZES)
def test_no_effect_is_found_as_seldom_as_the_level_says(n, share):
    counts = many.drawn(np.random.default_rng(20261122), times=TIMES, n=n, share=share)
    assert {
        "difference": many.difference(counts).miss(),
        "adjusted": many.adjusted(counts).miss(),
        "days": many.days(counts).miss(),
        "hazard ratio": many.hazard_ratio(counts).miss(),
        "log-rank": many.logrank(counts).miss(),
        "reached": many.reached(counts, effect=0).miss(),
    } == dict.fromkeys(
        ["difference", "adjusted", "days", "hazard ratio", "log-rank", "reached"], LEVEL
    )


@pytest.mark.parametrize(("n", "share"), SIZES)
def test_intervals_hold_an_effect_as_often_as_they_say(n, share):
    rng = np.random.default_rng(20261122)
    counts = many.drawn(rng, times=TIMES, n=n, share=share, ratio=0.6)
    gained = many.staying(0.6) - many.staying()  # of those reached, by day
    truth, lasting = 0.7 * gained[-1], 0.7 * gained[:-1].sum()
    all_reached = many.drawn(rng, times=TIMES, n=n, share=share, ratio=0.6, reach=1.0)
    assert {
        "difference": many.difference(counts).miss(truth),
        "adjusted": many.adjusted(counts).miss(truth),
        "lift": many.lift(counts, truth / many.staying()[-1]).miss(),
        "days": many.days(counts).miss(lasting),
        "reached": many.reached(counts, effect=gained[-1]).miss(),
        "hazard ratio": many.hazard_ratio(all_reached).miss(np.log(0.6)),
    } == dict.fromkeys(["difference", "adjusted", "lift", "days", "reached", "hazard ratio"], LEVEL)


@pytest.mark.parametrize("share", [0.5, 0.2])
@pytest.mark.parametrize("ratio", [1.0, 0.6])
def test_households_are_allowed_for_where_taking_customers_for_draws_is_wrong(share, ratio):
    rng = np.random.default_rng(20261122)
    rows = (many.households(rng, n=600, share=share, ratio=ratio) for _ in range(TIMES))
    value, std_error, freedom, plain = np.array([many.by_household(each) for each in rows]).T
    truth = (many.staying(ratio) - many.staying())[-1]
    assert many.Estimates(value, std_error, freedom).miss(truth) == LEVEL
    assert many.Estimates(value, plain).miss(truth) > 0.07


def test_households_by_arrays_are_what_effects_finds():
    rows = many.households(np.random.default_rng(3), n=600, share=0.5, ratio=0.6)
    told = rows.assign(
        arm=np.take(many.ARMS, rows["arm"]),
        household=rows["home"].astype(str),
        customer_id=rows.index.astype(str),
        event_observed=rows["missed"] == 0,
        known=True,
    )
    (found,) = effects(Rows(told), plan(cluster="household"))
    value, std_error, freedom, _ = many.by_household(rows)
    assert (found.difference.value, found.difference.std_error) == pytest.approx(
        (value, std_error), abs=1e-6
    )
    assert found.difference.freedom == pytest.approx(freedom, rel=1e-4)
