"""Tests that are run every week until they stop, simulated customer by customer.

Customers enter over the weeks, so most of what a look knows is of people who are still followed.
Every week each test is asked whether today is a look, as the weekly report asks; the looks are the
plan's, by information, and the planned information may be wrong. Stops are not heeded while a test
is simulated, so that each says what would have happened either way.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from functools import cache

import numpy as np
import pandas as pd
import pytest

from retention_lab.experiments import looks, simulate, sizing, testing
from retention_lab.experiments.basis import Basis, basis
from retention_lab.experiments.effects import Reading
from retention_lab.experiments.plan import Plan
from retention_lab.experiments.standing import Standing
from retention_lab.inference.sequential.bounds import Rule, bounds
from retention_lab.inference.sequential.planning import stops
from retention_lab.inference.sequential.reading import stopped

TIMES, BLOCK = 4_000, 250
FEWER = 1_500  # trials of which the estimate is corrected: 30 ms each
DAY, ENTRY, BASELINE = 60, 120, 0.6
WEEKS = range(7, ENTRY + DAY + 7, 7)
LOOKS = (0.25, 0.5, 0.75, 1)
ONE = {"sides": 1, "alpha": 0.025}
SPREAD = {share: 4 * (share * (1 - share) / TIMES) ** 0.5 for share in (0.025, 0.05, 0.5)}
WRONG = (0.7, 1.0, 1.4)  # customers who come, over those who were planned
TESTS = ("retention", "log-rank")

pytestmark = pytest.mark.slow


def planned(test: str, *, sides: int) -> Plan:
    """A plan that has its power if as many come as it says."""
    fields = {
        "name": "check_in",
        "title": "Check-in",
        "owner": "Lifecycle Marketing",
        "hypothesis": "A check-in keeps more customers.",
        "milestone": "onboarding_completed",
        "channel": "email",
        "arms": [{"name": "control", "share": 0.5}, {"name": "sent", "share": 0.5, "message": "m"}],
        "starts": "2026-01-01",
        "ends": str(dt.date(2026, 1, 1) + dt.timedelta(days=ENTRY - 1)),
        "endpoint": {"kind": "retained", "day": DAY},
        "primary": {"test": test, "smallest_effect": 0.1, **(ONE if sides == 1 else {})},
        "looks": {"information": LOOKS, **({"futility": {}} if sides == 1 else {})},
        "assumptions": {"entry_per_day": 6, "baseline": BASELINE},
    }
    found = Plan.model_validate(fields)
    pace = sizing.sized(found).needed.total / ENTRY
    fields["assumptions"] = {"entry_per_day": pace, "baseline": BASELINE}
    return Plan.model_validate(fields)


def drawn(rng, *, customers: int, ratio: float):
    """Moment of entry and days until the event: trials x arms x customers."""
    shape = BLOCK, 2, customers // 2
    rate = -np.log(BASELINE) / DAY * np.array([1.0, ratio])[:, None]
    return rng.random(shape) * ENTRY, rng.standard_exponential(shape) / rate


def seen(entry, time, day: int) -> simulate.Trials:
    """The same customers as they are seen on a calendar day."""
    in_test = entry < day
    followed = np.minimum(day - entry, DAY)
    happened = in_test & (time < followed)
    left = np.where(happened, time + 1, followed).astype("int64")
    place = np.arange(2 * BLOCK).reshape(BLOCK, 2, 1) * (DAY + 1) + left
    counts = [
        np.bincount(place[which], minlength=2 * BLOCK * (DAY + 1)).reshape(BLOCK, 2, DAY + 1)
        for which in (happened, in_test)
    ]
    at_risk = counts[1][..., ::-1].cumsum(axis=-1)[..., ::-1]
    return simulate.Trials(events=counts[0], at_risk=at_risk)


def read(test: str, trials: simulate.Trials):
    """Estimate and standard error of each trial; missing where there is nothing to read."""
    events, at_risk = trials.events[..., 1:], trials.at_risk[..., 1:]
    if test == "retention":
        stay = np.prod(1 - events / np.maximum(at_risk, 1), axis=-1)
        terms = (events / np.maximum(at_risk * (at_risk - events), 1)).sum(axis=-1)
        estimate, variance = stay[:, 1] - stay[:, 0], (stay**2 * terms).sum(axis=1)
        few = (at_risk[..., -1] < 2).any(axis=1)
        return np.where(few, np.nan, [estimate, np.sqrt(np.maximum(variance, 1e-12))])
    d, n = events.sum(axis=1), at_risk.sum(axis=1)
    share = at_risk[:, 1] / np.maximum(n, 1)
    v = (d * share * (1 - share) * (n - d) / np.maximum(n - 1, 1)).sum(axis=1)
    score = (d * share - events[:, 1]).sum(axis=1)
    v = np.where(v > 0, v, np.nan)
    return score / v, 1 / np.sqrt(v)


@dataclass(frozen=True)
class Run:
    """All looks of all trials, trials x looks, missing where a trial has fewer; and its basis."""

    plan: Plan
    basis: Basis
    fraction: np.ndarray
    estimate: np.ndarray
    std_error: np.ndarray
    lower: np.ndarray
    upper: np.ndarray

    @property
    def gain(self):
        """Look that a trial would stop at for a gain; 99 if at none."""
        return first(self.estimate / self.std_error >= self.upper)

    @property
    def loss(self):
        """Look that it would stop at for the lower bound."""
        return first(self.estimate / self.std_error <= self.lower)


def first(crossed):
    """The first look of each trial at which something is so; 99 where it never is."""
    return np.where(crossed.any(axis=1), crossed.argmax(axis=1), 99)


@cache
def weeks(test: str, *, sides: int, wrong: float, effect: bool):
    """What each trial reads in each week: two arrays, trials x weeks."""
    plan = planned(test, sides=sides)
    ratio = testing.hazard_ratio(plan, sizing.assumptions(plan)) if effect else 1.0
    customers = round(plan.assumptions.entry_per_day * ENTRY * wrong)
    rng = np.random.default_rng([TESTS.index(test), sides, int(10 * wrong), effect])
    blocks = []
    for _ in range(TIMES // BLOCK):
        entry, time = drawn(rng, customers=customers, ratio=ratio)
        blocks.append([read(test, seen(entry, time, day)) for day in WEEKS])
    return np.concatenate(blocks, axis=-1).transpose(1, 2, 0)


def run(test: str, *, sides: int, wrong: float, effect: bool) -> Run:
    """Look at each trial as its plan says, to the end, whatever bounds it crosses."""
    plan = planned(test, sides=sides)
    expects, rule = basis(plan, "sent", None), testing.rule(plan)
    estimate, error = weeks(test, sides=sides, wrong=wrong, effect=effect)
    known = error**-2 / expects.planned
    at = look_weeks(np.nan_to_num(known))
    trial = np.arange(TIMES)[:, None]
    taken = at < 99
    week = np.where(taken, at, 0)
    parts = {
        name: np.where(taken, each[trial, week], np.nan)
        for name, each in (("fraction", known), ("estimate", estimate), ("std_error", error))
    }
    drawn_at = np.full((2, *at.shape), np.nan)
    for place, row in enumerate(parts["fraction"]):
        count = np.isfinite(row).sum()
        drawn_at[:, place, :count] = bounds_at(tuple(row[:count].round(2)), rule, expects.drift)
    return Run(plan=plan, basis=expects, **parts, lower=drawn_at[0], upper=drawn_at[1])


def look_weeks(known) -> np.ndarray:
    """Say in which weeks the looks of a plan by information fall, 99 where there is none."""
    at = np.full((len(known), len(LOOKS)), 99)
    for place, row in enumerate(known):
        last, done = 0.0, 0
        for week, share in enumerate(row):
            ends = WEEKS[week] >= ENTRY + DAY
            due = share >= min(each for each in (*LOOKS, 9) if each > last)
            if ends or due:
                at[place, done], last, done = week, share, done + 1
            if share >= 1 or ends:
                break
    return at


@cache
def bounds_at(shares: tuple[float, ...], rule: Rule, drift: float) -> np.ndarray:
    """Lower and upper bounds of looks, the last of which is the last of all."""
    apart = [shares[0]]
    for share in shares[1:]:  # as the last look of the report, which may know less than before
        apart.append(max(share, apart[-1] + 0.001))
    found = bounds(apart, rule=rule, drift=drift, final=True)
    return found[["lower", "upper"]].to_numpy().T


@pytest.mark.parametrize("wrong", WRONG)
def test_looks_are_those_that_the_weekly_report_takes(wrong):
    found = run("retention", sides=1, wrong=wrong, effect=False)
    estimate, error = weeks("retention", sides=1, wrong=wrong, effect=False)
    for trial in range(8):
        rows = reported(found.plan, found.basis, estimate[trial], error[trial])
        for name in ("fraction", "estimate", "lower", "upper"):
            expected = [row[name] for row in rows]
            simulated = getattr(found, name)[trial]
            within = 0.05 if name in ("lower", "upper") else 1e-12  # of fractions rounded to 0.01
            assert simulated[: len(rows)] == pytest.approx(expected, abs=within)
            assert np.isnan(simulated[len(rows) :]).all()


def reported(plan: Plan, expects: Basis, estimates, errors):
    """Run one test every week, by the code that the report runs, and go on whatever it says."""
    rows: list[dict[str, object]] = []
    for day, estimate, error in zip(WEEKS, estimates, errors, strict=True):
        at = Standing(
            plan=plan,
            arm="sent",
            past=pd.DataFrame(rows, columns=[*looks.COLUMNS]).astype(looks.COLUMNS),
            reading=Reading(
                estimate=estimate, std_error=error, information=error**-2, unit="points"
            )
            if np.isfinite(estimate)
            else None,
            as_of=testing.date_of(plan, day),
            basis=expects,
            keeps=True,
        )
        if at.ready:
            rows.append({**at.look(at.reading), "stopped": ""})
            if rows[-1]["final"]:
                break
    return rows


@pytest.mark.parametrize("test", TESTS)
def test_two_sides_err_as_often_as_alpha_says(test):
    found = run(test, sides=2, wrong=1.0, effect=False)
    ends = [np.minimum(found.gain, found.loss) < 99, found.gain < found.loss]
    assert ends[0].mean() == pytest.approx(0.05, abs=SPREAD[0.05])
    assert ends[1].mean() == pytest.approx(0.025, abs=SPREAD[0.025])


@pytest.mark.parametrize("wrong", WRONG)
@pytest.mark.parametrize("test", TESTS)
def test_a_gain_is_claimed_no_more_often_than_alpha_says_whether_or_not_futility_is_heeded(
    test, wrong
):
    found = run(test, sides=1, wrong=wrong, effect=False)
    unheeded, heeded = (found.gain < 99).mean(), (found.gain < found.loss).mean()
    assert unheeded == pytest.approx(0.025, abs=SPREAD[0.025])
    assert heeded <= unheeded


@pytest.mark.parametrize("wrong", WRONG)
@pytest.mark.parametrize("test", TESTS)
def test_the_power_is_about_that_of_the_looks_that_there_are(test, wrong):
    found = run(test, sides=1, wrong=wrong, effect=True)
    shares = [*(share for share in LOOKS if share < wrong), wrong] if wrong < 1 else LOOKS
    rule, drift = testing.rule(found.plan), found.basis.drift
    at = bounds(shares, rule=rule, drift=drift, final=True)
    expected = stops(at, drift=drift)["above"].sum()
    power = (found.gain < found.loss).mean()
    assert power == pytest.approx(expected, abs=0.03)


@pytest.mark.parametrize("effect", [False, True])
@pytest.mark.parametrize("test", TESTS)
def test_the_repeated_interval_covers_at_all_looks_together(test, effect):
    found = run(test, sides=1 + (not effect), wrong=1.0, effect=effect)
    truth = found.basis.smallest if effect else 0.0
    off = (np.abs(found.estimate - truth) / found.std_error > found.upper).any(axis=1)
    assert np.mean(off) <= 0.05 + SPREAD[0.05]


@pytest.mark.parametrize("test", TESTS)
def test_the_estimate_after_a_stop_is_median_unbiased_and_its_interval_covers(test):
    # Not allowing for the futility that is heeded, it would hold the truth in 93 to 94 of 100.
    found = run(test, sides=1, wrong=1.0, effect=True)
    rule, truth = testing.rule(found.plan), found.basis.smallest
    ends = np.minimum(
        np.minimum(found.gain, found.loss), np.isfinite(found.estimate).sum(axis=1) - 1
    )
    told, raw = [], []
    for trial, end in enumerate(ends[:FEWER]):
        at = {name: getattr(found, name)[trial, : end + 1] for name in ("lower", "upper")}
        known = pd.DataFrame({"information": found.fraction[trial, : end + 1], **at})
        raw.append(float(found.estimate[trial, end]))
        error = float(found.std_error[trial, end])
        told.append(stopped(known, rule=rule, estimate=raw[-1], std_error=error).effect)
    above = np.mean([each.value > truth for each in told])
    assert above == pytest.approx(0.5, abs=4 * (0.25 / FEWER) ** 0.5)
    holds = np.mean([each.low <= truth <= each.high for each in told])
    assert holds == pytest.approx(0.95, abs=4 * (0.95 * 0.05 / FEWER) ** 0.5)
