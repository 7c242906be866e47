"""Tests that are read, by hand: for what is decided, recorded and said of them."""

from __future__ import annotations

import dataclasses
import datetime as dt
from math import inf
from types import SimpleNamespace

import pandas as pd

from retention_lab.experiments import decision as kernel
from retention_lab.experiments import stakes, verdicts
from retention_lab.experiments.effects import Effect, Reading
from retention_lab.experiments.plan import Plan, digest
from retention_lab.experiments.readout import Readout
from retention_lab.experiments.sequential import Looked
from retention_lab.experiments.stakes import Money
from retention_lab.experiments.validity import verdict
from retention_lab.experiments.validity_words import DAYS, REACH, SIZES
from retention_lab.inference.interval import Interval
from retention_lab.inference.means import around
from retention_lab.inference.sequential.reading import Stopped

from .proposals import FIELDS, THREE

AS_OF = dt.date(2027, 3, 8)
LAST = dt.date(2027, 11, 6)  # everybody has been followed
BOUND = 2.36  # of a look at half of the information, one side of 2.5 %
PASSED = [SIZES.by_luck(0.4), DAYS.by_luck(0.2)]
WARNED = [REACH.judged("warn", value=0.6, threshold="warn below 72")]
FAILED = [SIZES.by_luck(1e-9)]
GUARDED = {"guardrails": [{"metric": "unsubscribe", "margin": 0.005, "better": "lower"}]}
COSTS = {"cost_per_message": 0.35, "worth": 31.0}


def plan_of(**fields):
    """A plan of two looks by information, or another."""
    looks = {"looks": {"information": [0.25, 0.5, 0.75, 1]}}
    return Plan.model_validate(FIELDS | looks | fields)


def effect_of(value=0.051, std_error=0.0189, *, arm="check-in", base=0.61, n=1_403, **fields):
    """An effect of a share on a base share."""
    share = {"share": near(base + value), "share_control": near(base)}
    gone = {"events": round(n * (1 - base - value)), "events_control": round(n * (1 - base))}
    found = around(value, std_error=std_error)
    reading = Reading(estimate=value, std_error=std_error, information=std_error**-2, unit="points")
    nothing = ("adjusted", "lift", "days", "hazard_ratio", "proportional", "logrank")
    named = dict.fromkeys((*nothing, "reached", "reached_interval"))
    named |= {"arm": arm, "control": "control", "customers": n, "customers_control": n}
    named |= {"difference": found, "reading": reading, "why": {}}
    return Effect(**{**named, **gone, **share, **fields})


def near(value, *, by=0.02):
    return Interval(value=value, low=value - by, high=value + by)


def looked_of(  # noqa: PLR0913  what a look is, it has
    effect, *, look=2, of=4, state="look", stopped="", on=AS_OF, bound=BOUND, final=False, **fields
):
    """The looks at an arm: so many of so many, with the effect's numbers at the last."""
    past = bool(look)
    value, spread = effect.difference.value, effect.difference.std_error
    known, planned = spread**-2, spread**-2 * 2
    raw = {"look": range(1, look + 1), "on": [on] * look, "fraction": [0.5] * look}
    coming = {
        "look": range(look + 1, of + 1),
        "on": [AS_OF, AS_OF, dt.date(2027, 6, 7), LAST][4 - of + look :],
        "upper": [4.3, 2.9, 2.2, 2.0][4 - of + look :],
        "std_error": [0.027, 0.019, 0.015, 0.0133][4 - of + look :],
    }
    ended = bool(stopped) or final
    around_it = Interval(value=value, low=value - bound * spread, high=value + bound * spread)
    corrected = Interval(value=0.9 * value, low=0.2 * value, high=1.5 * value)
    named = dict.fromkeys(("conditional_power", "trend_power", "moved"))
    named |= {"arm": effect.arm, "look": look, "of": of, "on": on if past else None}
    named |= {"next_on": None if ended else dt.date(2027, 6, 7), "upper": bound, "lower": -inf}
    named |= {"information": known, "planned": planned, "fraction": 0.5, "unit": "points"}
    named |= {"next_fraction": None if ended else 0.75, "interval": around_it if past else None}
    named |= {"estimate": value if past else None, "std_error": spread if past else None}
    named |= {"state": state, "stopped": stopped, "smallest": 0.024, "rule_words": "", "why": ""}
    named |= {
        "unbiased": Stopped(p_value=0.01, effect=corrected) if stopped else None,
        "raw": pd.DataFrame({**raw, "final": [False] * max(0, look - 1) + [final] * past}),
        "coming": pd.DataFrame(coming if not ended else {name: [] for name in coming}),
    }
    return Looked(**{**named, **fields})


def money_of(plan, effect, looked, *, customers=27_000.0):
    """Money as `stakes.money` gives it, where the shop need not be asked."""
    found = stakes.in_points(plan, effect, looked)
    worth, cost = plan.worth, plan.cost_per_message
    at = kernel.stake(found, worth=worth, cost=cost, customers=customers)
    each = Interval(value=at.gain, low=found.low * worth - cost, high=found.high * worth - cost)
    return Money(
        arm=effect.arm,
        effect=found,
        worth=worth,
        worth_range=None,
        worth_why="The plan says what one more customer is worth.",
        messages=1.0,
        cost=cost,
        per_customer=each,
        per_year=Interval(**{k: customers * v for k, v in dataclasses.asdict(each).items()}),
        customers_per_year=customers,
        enrol_days=57,
        chance_of_loss=at.chance_of_loss,
        regret=at.regret,
        waiting=None if looked.stopped else 1_250.0,
        pays_from=cost / worth,
        break_even=kernel.break_even(found, worth=worth, messages=1.0),
    )


def guarded(*, harmed=False, no_worse=True, arm="check-in", did=20):
    """A guardrail as `measured.measured` gives it."""
    row = {"metric": "unsubscribe", "label": "Unsubscribed", "unit": "share", "better": "lower"}
    row |= {"role": "guardrail", "arm": arm, "customers": 1_403, "customers_control": 1_403}
    row |= {"difference": 0.021, "low": 0.011, "high": 0.031, "margin": 0.005}
    row |= {"no_worse": no_worse, "harmed": harmed, "did": did + 29, "did_control": did, "why": ""}
    frame = pd.DataFrame([row])
    return frame.astype({"no_worse": "boolean", "did": "Int64", "did_control": "Int64"})


def decided(plan, effects, looked, *, checks=PASSED, measured=None, money=None):
    """The decision about arms."""
    return verdicts.decide(
        plan=plan,
        validity=verdict(checks, plan),
        looked=looked,
        effects=effects,
        measured=measured,
        money=money or {},
    )


def read(*effects, plan=None, checks=PASSED, measured=None, priced=True, as_of=AS_OF, **look):
    """A test that is read, with one effect for each arm; by default with money."""
    plan, rails_on = plan or plan_of(**COSTS), look.pop("rails_on", None)
    looked = tuple(looked_of(each, **look) for each in effects)
    checked = verdict(checks, plan) if effects else None
    shows = bool(looked) and looked[0].look > 0 and checked.holds
    priced = priced and shows and plan.worth is not None
    pairs = zip(effects, looked, strict=True) if priced else ()
    money = {one.arm: money_of(plan, one, seen) for one, seen in pairs}
    names = [*plan.weights]
    arms = pd.DataFrame({"arm": names, "customers": [1_403] * len(names)})
    decision = decided(plan, effects, looked, checks=checks, measured=measured, money=money)
    decision = decision if rails_on is None else verdicts.waits(decision, measured)
    return Readout(
        as_of=as_of,
        read_on=as_of,
        measured_on=as_of,
        name="Demo",
        currency="GBP",
        simulated=False,
        plan=plan,
        why={},
        frozen=None,
        deviations=None,
        decision=decision,
        rails_on=rails_on,
        shows=shows,
        digests={digest(plan): 2_806},
        validity=checked,
        collapsed=SimpleNamespace(arms=arms) if effects else None,
        looked=looked,
        effects=effects if shows else (),
        measured=measured,
        money=money,
    )


def three(**fields):
    """A plan of two arms and control."""
    return plan_of(arms=THREE, **fields)
