"""One verdict with one reason, by rules in order: each rule, and which of two goes first."""

from __future__ import annotations

import itertools
from typing import get_args

import pandas as pd
import pytest

from retention_lab.experiments.verdicts import Because, Verdict, matters, waits
from retention_lab.inference.interval import Interval

from .readouts import (
    COSTS,
    FAILED,
    GUARDED,
    LAST,
    PASSED,
    decided,
    effect_of,
    guarded,
    looked_of,
    money_of,
    plan_of,
    three,
)

DEAR = {"cost_per_message": 0.5, "worth": 31.0}  # pays from 1.6 points on
FINAL = {"stopped": "end", "look": 4, "final": True, "on": LAST}
SMALL, CLEAR, WIDE = effect_of(0.002, 0.003), effect_of(0.051, 0.0189), effect_of(0.012, 0.0168)


def one(effect, *, plan=None, priced=True, measured=None, checks=PASSED, **look):
    """Verdict and reason of a test of one arm."""
    plan = plan or plan_of(**COSTS)
    looked = looked_of(effect, **look)
    told = priced and plan.worth and look.get("look", 2)
    money = {effect.arm: money_of(plan, effect, looked)} if told else {}
    found = decided(plan, [effect], [looked], checks=checks, measured=measured, money=money)
    return found.verdict, found.because


CASES = {
    "a check failed": ({"effect": CLEAR, "stopped": "gain", "checks": FAILED}, "inconclusive"),
    "before": ({"effect": CLEAR, "look": 0, "state": "before"}, "continue"),
    "between": ({"effect": WIDE, "state": "between"}, "continue"),
    "no bound": ({"effect": WIDE}, "continue"),
    "gain": ({"effect": CLEAR, "stopped": "gain"}, "ship"),
    "gain, no money": ({"effect": CLEAR, "stopped": "gain", "plan": plan_of()}, "ship"),
    "small gain": (
        {"effect": effect_of(0.01, 0.003), "stopped": "gain", "plan": plan_of()},
        "stop",
    ),
    "dear gain": (
        {"effect": effect_of(0.01, 0.003), "stopped": "gain", "plan": plan_of(**DEAR)},
        "stop",
    ),
    "loss": ({"effect": effect_of(-0.05), "stopped": "loss"}, "stop"),
    "futility": ({"effect": effect_of(-0.01), "stopped": "futility"}, "stop"),
    "small": ({"effect": SMALL, "plan": plan_of(**DEAR), **FINAL}, "stop"),
    "small, no money": ({"effect": SMALL, "plan": plan_of(), **FINAL}, "stop"),
    "unclear": ({"effect": WIDE, **FINAL}, "inconclusive"),
    "unclear, no money": ({"effect": WIDE, "plan": plan_of(), **FINAL}, "inconclusive"),
    "unread": ({"effect": CLEAR, "look": 0, "state": "over", "next_on": None}, "inconclusive"),
}
REASONS = {
    "a check failed": "invalid",
    "before": "early",
    "no bound": "between",
    "gain, no money": "gain",
    "small gain": "gain too small",
    "dear gain": "does not pay",
    "small": "too small to matter",
    "small, no money": "too small to matter",
    "unclear, no money": "unclear",
    "unread": "unclear",
}


@pytest.mark.parametrize("name", CASES)
def test_each_rule_has_its_verdict_and_its_reason(name):
    asked, verdict = CASES[name]
    effect = asked["effect"]
    rest = {key: value for key, value in asked.items() if key != "effect"}
    assert one(effect, **rest) == (verdict, REASONS.get(name, name))


@pytest.mark.parametrize(
    ("rail", "look", "expected"),
    [
        ({}, {"stopped": "gain"}, ("ship", "gain")),
        ({"no_worse": False}, {"stopped": "gain"}, ("inconclusive", "not shown harmless")),
        ({"no_worse": None}, {"stopped": "gain"}, ("inconclusive", "not shown harmless")),
        ({"no_worse": False, "harmed": True}, {"stopped": "gain"}, ("stop", "harm")),
        ({"no_worse": False, "harmed": True}, {}, ("stop", "harm")),
        ({"no_worse": False}, {}, ("continue", "between")),
    ],
)
def test_guardrails_hold_back_a_gain_and_harm_stops_at_once(rail, look, expected):
    plan = plan_of(**COSTS, **GUARDED)
    assert one(CLEAR, plan=plan, measured=guarded(**rail), **look) == expected


@pytest.mark.parametrize(
    ("left_out", "because"), [(12, "guardrails to come"), (0, "not shown harmless")]
)
def test_a_guardrail_waits_only_for_customers_who_are_still_followed(left_out, because):
    plan, rails = plan_of(**COSTS, **GUARDED), guarded(no_worse=False).assign(left_out=left_out)
    found = decided(plan, [CLEAR], [looked_of(CLEAR, stopped="gain")], measured=rails)
    told = waits(found, rails)
    assert (told.because, told.why) == (because, ("Unsubscribed",))
    assert waits(found, None) is waits(found, rails.assign(arm="another")) is found


def test_a_guardrail_that_nothing_is_known_of_is_not_shown_to_hold():
    plan, looked = plan_of(**GUARDED), looked_of(CLEAR, stopped="gain")
    for measured, names in ((None, "unsubscribe"), (guarded().iloc[:0], "unsubscribe")):
        found = decided(plan, [CLEAR], [looked], measured=measured)
        assert (found.because, found.why) == ("not shown harmless", (names,))


def test_a_failed_check_goes_before_harm_and_an_accepted_one_hides_nothing():
    harm = guarded(harmed=True, no_worse=False)
    plan = plan_of(**COSTS, **GUARDED)
    assert one(CLEAR, plan=plan, measured=harm, checks=FAILED) == ("inconclusive", "invalid")
    accepting = plan_of(**COSTS, accepted_checks=[FAILED[0].name])
    assert one(CLEAR, plan=accepting, checks=FAILED, stopped="gain") == ("ship", "gain")


def test_a_decision_names_what_failed_or_is_harmed():
    found = decided(plan_of(), [CLEAR], [looked_of(CLEAR)], checks=FAILED)
    assert found.why == ("sizes of the arms",)
    harm = guarded(harmed=True, no_worse=False)
    found = decided(plan_of(**GUARDED), [CLEAR], [looked_of(CLEAR)], measured=harm)
    assert (found.arm, found.why) == ("check-in", ("Unsubscribed",))


@pytest.mark.parametrize(("high", "because"), [(0.9, "too small to matter"), (1.1, "unclear")])
def test_a_test_of_all_days_is_judged_in_its_own_unit_not_in_points(high, because):
    # The plan's least effect is 0.2 in the unit of the test; in points the effect is far below it.
    held = Interval(value=0.0, low=-0.1, high=0.2 * high)
    look = {"unit": "log hazard", "smallest": 0.2, "interval": held, "estimate": 0.05}
    assert one(SMALL, plan=plan_of(), **FINAL, **look)[1] == because


def arms(one, other, *, plan=None, measured=None, priced=True, **looks):
    """The decision about two arms, small and large; looks by arm."""
    plan = plan or three(**COSTS)
    effects = [effect_of(one, 0.01, arm="small"), effect_of(other, 0.01, arm="large")]
    looked = [looked_of(each, **looks.get(each.arm, {})) for each in effects]
    pairs = zip(effects, looked, strict=True) if priced else ()
    money = {each.arm: money_of(plan, each, seen) for each, seen in pairs}
    return decided(plan, effects, looked, measured=measured, money=money)


GAIN = {"stopped": "gain"}


@pytest.mark.parametrize("priced", [True, False])
@pytest.mark.parametrize(("small", "large", "arm"), [(0.05, 0.04, "small"), (0.04, 0.05, "large")])
def test_of_two_arms_with_a_gain_the_better_one_is_shipped(small, large, arm, priced):
    found = arms(small, large, priced=priced, small=GAIN, large=GAIN)
    assert (found.verdict, found.arm) == ("ship", arm)
    assert (found.money is not None) == priced


def test_an_arm_with_a_gain_is_shipped_though_a_better_one_still_runs():
    found = arms(0.04, 0.05, small=GAIN)
    assert (found.verdict, found.arm) == ("ship", "small")


def test_a_gain_that_does_not_pay_waits_for_the_arm_that_still_runs():
    found = arms(0.001, 0.01, small=GAIN)
    assert (found.verdict, found.because) == ("continue", "between")
    found = arms(0.001, -0.01, small=GAIN, large={"stopped": "futility"})
    assert (found.verdict, found.because, found.arm) == ("stop", "does not pay", "small")


def test_a_harmed_arm_is_out_and_the_other_one_is_read():
    rails = [guarded(arm="small"), guarded(arm="large", harmed=True, no_worse=False)]
    found = arms(0.04, 0.05, plan=three(**COSTS, **GUARDED), measured=pd.concat(rails), large=GAIN)
    assert (found.verdict, found.arm) == ("continue", "small")
    found = arms(
        0.04,
        0.05,
        plan=three(**COSTS, **GUARDED),
        measured=pd.concat(rails),
        small=GAIN,
        large=GAIN,
    )
    assert (found.verdict, found.arm) == ("ship", "small")


def test_an_unclear_arm_is_told_before_one_that_is_stopped():
    found = arms(0.012, -0.02, small=FINAL, large={"stopped": "futility"})
    assert (found.verdict, found.arm) == ("inconclusive", "small")


def test_nobody_assigned_is_early():
    assert decided(plan_of(), [], []).because == "early"


def test_every_combination_has_one_verdict_of_the_closed_set():
    reasons, plan = set(), plan_of(**COSTS, **GUARDED)
    states = [("before", 0), ("between", 2), ("look", 2), ("over", 4)]
    stops = ["", "gain", "loss", "futility", "end"]
    rails = [{}, {"no_worse": None}, {"no_worse": False, "harmed": True}]
    for (state, look), stopped, rail in itertools.product(states, stops, rails):
        how = {"state": state, "look": look, "stopped": stopped if look else ""}
        how |= {"measured": guarded(**rail), "final": look == 4}
        verdict, because = one(CLEAR, plan=plan, **how)
        assert verdict in get_args(Verdict)
        reasons.add(because)
    assert reasons < {*get_args(Because)}


def test_what_matters_is_what_pays_else_the_smallest_effect_of_those_reached():
    plan = plan_of(**COSTS)
    money = money_of(plan, CLEAR, looked_of(CLEAR))
    assert matters(plan, CLEAR, money) == pytest.approx(0.35 / 31)
    assert matters(plan, CLEAR, None) == pytest.approx(0.03 * 0.8)  # the plan reaches 8 in 10
