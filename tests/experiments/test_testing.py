"""The plan's own test: its effects, what it knows by a day, and what its looks cost."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from retention_lab.checks import BadParameter
from retention_lab.experiments import testing
from retention_lab.experiments.design.curve import from_days
from retention_lab.experiments.plan import Plan
from retention_lab.experiments.sizing import assumptions

FIELDS = {
    "name": "check_in",
    "title": "Check-in",
    "owner": "Lifecycle Marketing",
    "hypothesis": "A check-in keeps more customers.",
    "milestone": "onboarding_completed",
    "channel": "email",
    "arms": [{"name": "control", "share": 0.5}, {"name": "check-in", "share": 0.5, "message": "m"}],
    "starts": "2026-12-01",
    "ends": "2027-03-30",  # 120 days
    "endpoint": {"kind": "retained", "day": 90},
    "primary": {"smallest_effect": 0.03},
    "assumptions": {"entry_per_day": 100, "baseline": 0.6},
}


def plan(**changed: object) -> Plan:
    return Plan.model_validate({**FIELDS, **changed})


def read(found: Plan, day: float):
    return testing.kernel(found, assumptions(found), day=day)


def test_no_test_is_shorter_than_the_minimum_of_its_plan():
    short, long = plan(minimum_days=14), plan(minimum_days=190)
    assert testing.weeks(short, assumptions(short), customers=1_000) == 100 / 7
    assert testing.weeks(long, assumptions(long), customers=1_000) == 190 / 7


@pytest.mark.parametrize("kind", ["retained", "returned"])
@pytest.mark.parametrize("gain", [-0.1, 0.03, 0.2])
def test_an_effect_and_its_ratio_of_rates_lead_to_each_other(kind, gain):
    found = plan(endpoint={"kind": kind, "day": 90})
    assumed = assumptions(found)
    ratio = testing.hazard_ratio(found, assumed, effect=gain)
    assert testing.baseline(found, assumed) == pytest.approx(0.6)
    assert testing.effect(found, assumed, hazard_ratio=ratio) == pytest.approx(gain)
    assert (ratio < 1) == ((gain > 0) == (kind == "retained"))


def test_a_difference_of_shares_knows_one_over_its_variance():
    found = plan()
    ratio = testing.hazard_ratio(found, assumptions(found))
    # Everybody followed to the end: two shares of 6,000 customers each.
    variance = (0.6 * 0.4 + 0.63 * 0.37) / 6_000
    assert testing.known(read(found, 210), ratio) == pytest.approx(1 / variance)
    # On day 150 half of them have been followed for 90 days, and the others help.
    assert 0.5 < testing.known(read(found, 150), ratio) * variance < 0.9
    with pytest.raises(BadParameter, match="nobody has been followed for 90 days yet"):
        testing.known(read(found, 90), ratio)


def test_a_log_rank_test_knows_as_much_as_it_has_seen_events():
    found = plan(primary={"test": "log-rank", "smallest_effect": 0.03})
    ratio, rate = testing.hazard_ratio(found, assumptions(found)), -np.log(0.615) / 90
    by_60 = 100 * (60 - (1 - np.exp(-60 * rate)) / rate)  # 100 a day, each seen since then
    share = testing.known(read(found, 60), ratio) / testing.known(read(found, 210), ratio)
    assert share == pytest.approx(by_60 / (12_000 * 0.385), rel=0.001)


def test_looks_by_information_fall_on_the_first_day_that_knows_so_much():
    found = plan(looks={"information": [0.25, 0.5, 1]})
    ratio = testing.hazard_ratio(found, assumptions(found))
    days = testing.look_days(found, assumptions(found), ratio)
    whole = testing.known(read(found, 210), ratio)
    for day, share in zip(days, (0.25, 0.5, 1), strict=True):
        assert testing.known(read(found, day), ratio) >= share * whole * (1 - 1e-6)
        assert testing.known(read(found, day - 1), ratio) < share * whole
    assert days[-1] == 210
    assert testing.date_of(found, 120) == dt.date(2027, 3, 30)  # the last day of enrolment


def test_looks_on_days_know_what_they_know_and_the_last_is_all():
    found = plan(looks={"days": [130, 200]})
    ratio = testing.hazard_ratio(found, assumptions(found))
    first, last = testing.fractions(found, assumptions(found), ratio)
    assert last == 1
    known = [testing.known(read(found, day), ratio) for day in (130, 200)]
    assert first == known[0] / known[1]
    assert testing.look_days(found, assumptions(found), ratio) == (130, 200)


def test_a_plan_without_looks_has_one_at_its_end_that_costs_nothing():
    found, events = plan(), plan(primary={"test": "log-rank", "smallest_effect": 0.03})
    assumed = assumptions(found)
    ratio = testing.hazard_ratio(found, assumed)
    assert testing.fractions(found, assumed, ratio) == (1.0,)
    # Nobody leaves in the last weeks, so that all is known before the end: it is the end still.
    days = pd.DataFrame({"day": [0, 60, 90], "survival": [1, 0.6, 0.6]})
    for curve in (assumed.baseline, from_days(days)):
        late = replace(assumed, baseline=curve)
        assert testing.look_days(events, late, ratio) == (210,)
    assert testing.inflation(found, assumed, ratio) == 1


def test_several_arms_share_what_looks_may_spend():
    thirds = [
        {"name": name, "share": share}
        for name, share in zip("abc", (0.34, 0.33, 0.33), strict=True)
    ]
    assert testing.rule(plan()).alpha == 0.05
    assert testing.rule(plan(arms=thirds)).alpha == 0.025
