"""Whole read-outs, from tables to the verdict, of tests drawn customer by customer.

Few can be made, so each is also set beside what rows and pencil say of its draws: error, power and
intervals of many thousands are measured by arrays in `test_sequential_simulated`.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from lifelines.statistics import logrank_test

from retention_lab import state as states
from retention_lab.experiments import sizing
from retention_lab.experiments.verdicts import Because
from retention_lab.tables import engine

from .piped import BASELINE, DAY, FIELDS, day_of, drawn, frames, plan_of, read

TIMES, FEWER = 150, 60  # each takes some 2 s
SIDE, POWER = 0.1, 0.8  # alpha of one side: rare errors would need more tests
TESTS = ("retention", "log-rank")


def planned(test):
    """A plan, and as many customers as it needs."""
    plan = plan_of(primary=FIELDS["primary"] | {"test": test})
    return plan, round(sizing.sized(plan).needed.total)


def by_rows(people, *, day, test):
    """z of the plan's test from rows alone: a curve of each arm, or lifelines' log-rank test."""
    left = pd.Timestamp(day_of(day)) + pd.Timedelta(days=1) - people["zero"]
    seen, left = people[left > pd.Timedelta(0)], left[left > pd.Timedelta(0)]
    days = pd.Timedelta(days=1)
    event = (seen["delay"] < left) & (seen["delay"] < DAY * days)
    last = np.minimum(np.where(event, seen["delay"] // days + 1, left // days), DAY)
    mail = (seen["arm"] == "mail").to_numpy()
    if test == "log-rank":
        found = logrank_test(last[mail], last[~mail], event[mail], event[~mail])
        return np.sqrt(found.test_statistic)
    curves = [_curve(last[who], event.to_numpy()[who]) for who in (mail, ~mail)]
    return (curves[1][0] - curves[0][0]) / np.sqrt(curves[0][1] + curves[1][1])


def _curve(last, event):
    """Kaplan-Meier's share at the day, and Greenwood's variance."""
    stay, terms = 1.0, 0.0
    for day in range(1, DAY + 1):
        n, d = (last >= day).sum(), (event & (last == day)).sum()
        stay, terms = stay * (1 - d / n), terms + d / (n * (n - d))
    return stay, stay**2 * terms


def run(seed, test, folder, *, con, shares=(BASELINE, BASELINE)):
    """Read one test at its looks until it stops, and check each look by its rows."""
    plan, customers = planned(test)
    rng = np.random.default_rng([seed, TESTS.index(test)])
    people = drawn(rng, customers=customers, shares=shares)
    tables, state = frames(people), states.opened(folder)
    for day in plan.looks.days:
        (looked,) = (seen := read(tables, plan, day, state=state, con=con)).looked
        z, expected = looked.estimate / looked.std_error, by_rows(people, day=day, test=test)
        assert (abs(z) if test == "log-rank" else z) == pytest.approx(expected, abs=1e-6)
        last = looked.raw.iloc[-1]
        crossed = "gain" if z >= last["upper"] else "loss" if z <= last["lower"] else ""
        assert looked.stopped == (crossed or ("end" if day == plan.looks.days[-1] else ""))
        if looked.stopped:
            break
    return seen


@pytest.mark.parametrize("test", TESTS)
def test_a_whole_read_out_says_at_each_look_what_the_rows_say(test, tmp_path):
    seen = run(7, test, tmp_path / "state", con=engine.connect())
    assert seen.decision.arm == "mail"


@pytest.mark.slow
@pytest.mark.parametrize("test", TESTS)
def test_whole_read_outs_claim_gains_and_losses_as_often_as_alpha_says(test, tmp_path):
    con = engine.connect()
    ends = [run(n, test, tmp_path / str(n), con=con).looked[0].stopped for n in range(TIMES)]
    spread = 4 * (SIDE * (1 - SIDE) / TIMES) ** 0.5
    for side in ("gain", "loss"):
        assert ends.count(side) / TIMES == pytest.approx(SIDE, abs=spread)


@pytest.mark.slow
@pytest.mark.parametrize("test", TESTS)
def test_whole_read_outs_ship_the_planned_effect_as_often_as_planned(test, tmp_path):
    con, shares = engine.connect(), (BASELINE, BASELINE + FIELDS["primary"]["smallest_effect"])
    told: list[Because] = [
        run(n, test, tmp_path / str(n), con=con, shares=shares).decision.because
        for n in range(FEWER)
    ]
    spread = 4 * (POWER * (1 - POWER) / FEWER) ** 0.5
    assert told.count("gain") / FEWER == pytest.approx(POWER, abs=spread)
