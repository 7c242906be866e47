"""A whole test, read from the tables of a small shop on one day after the other."""

from __future__ import annotations

import datetime as dt
from functools import cache

import numpy as np
import pandas as pd
import pytest

from retention_lab import state as states
from retention_lab.experiments import looks
from retention_lab.experiments.plan import Plan
from retention_lab.experiments.readout import readout
from retention_lab.record import Ledger, looking, verdict
from retention_lab.state import backup, restore
from retention_lab.tables import engine
from retention_lab.tables.frames import source_of
from retention_lab.tables.snapshot import take
from retention_lab.wording.verdict import readout_body, readout_headline

from . import piped

LAST = dt.date(2026, 6, 30)
FIRST, SECOND, LATER = dt.date(2026, 4, 20), dt.date(2026, 5, 20), dt.date(2026, 6, 1)
FIELDS = piped.FIELDS | {
    "ends": "2026-05-10",
    "primary": {"alpha": 0.025, "sides": 1, "smallest_effect": 0.1},
    "looks": {"days": [50, 80, 84]},
    "guardrails": [{"metric": "visit", "margin": 0.03, "better": "lower"}],
    "minimum_days": 14,
    "cost_per_message": 0.1,
    "worth": 20,
    "assumptions": {"entry_per_day": 20, "baseline": 0.3},
}


def plan_of(*messages, **more):
    arms = [{"name": name, "message": name} for name in messages]
    even = 1 / (1 + len(arms))
    arms = [each | {"share": even} for each in [{"name": "control"}, *arms]]
    return Plan.model_validate(FIELDS | {"arms": arms} | more)


@cache
def source(returning=(0.3, 0.6), customers=1_000, visiting=0.3):
    """Customers of arms of whom so many return within 14 days, and as many of each arm visit."""
    rng = np.random.default_rng(20261123)
    names = np.array(["control", "call", "mail"])
    arm = rng.integers(0, len(returning), customers)
    days = np.sort(rng.integers(0, 70, customers))
    zero = pd.Timestamp(piped.FROM) + pd.to_timedelta(days * 24 + 9, unit="h")
    ids = [f"c{number}" for number in range(customers)]
    rows = pd.DataFrame({"customer_id": ids, "arm": names[arm], "time_zero": zero})
    delay = pd.to_timedelta(rng.integers(1, 14 * 24, customers), unit="h")
    gone = rng.random(customers) < np.array(returning)[arm]
    orders = pd.DataFrame({"customer_id": ids, "ordered_at": zero + delay, "amount": 30.0})[gone]
    joined = rows.rename(columns={"time_zero": "occurred_at"})[["customer_id", "occurred_at"]]
    visits = joined.assign(occurred_at=joined["occurred_at"] + delay, event="visit")
    visits = visits[rng.random(customers) < visiting]
    frames = {
        "customers": pd.DataFrame({"customer_id": ids, "signed_up_at": zero}),
        "orders": orders.assign(order_id=[f"o{number}" for number in range(len(orders))]),
        "events": pd.concat([joined.assign(event="joined"), visits], ignore_index=True),
        "assignments": rows.assign(assigned_at=zero, experiment="hello"),
    }
    about = {"time_zone": "UTC", "currency": "GBP", "settings": {"complete_to": LAST}}
    return source_of(frames, name="Shop", **about)


def read(day, plan, state, **shop):
    made = source(**shop)
    return readout(
        take(made, as_of=day), plan, state=state, at=lambda *, as_of: take(made, as_of=as_of)
    )


@pytest.fixture
def state(tmp_path):
    return states.opened(tmp_path / "state")


def test_guardrails_are_read_once_more_when_a_test_is_over_and_its_effect_is_not(state):
    plan = plan_of("call")
    early = read(FIRST, plan, state)
    assert early.looked[0].stopped == "gain"
    assert early.measured_on == FIRST
    followed = FIRST + dt.timedelta(days=14)
    for day in (FIRST, followed - dt.timedelta(days=1)):
        waiting = read(day, plan, state)
        assert (waiting.measured_on, waiting.rails_on) == (FIRST, followed)
        told = waiting.decision
        assert (told.verdict, told.because) == ("continue", "guardrails to come")
    late = read(LATER, plan, state)
    assert (late.read_on, late.measured_on) == (FIRST, followed)
    assert (late.looked[0].state, late.rails_on) == ("over", None)
    assert late.effects[0].difference == early.effects[0].difference
    assert late.money == early.money
    assert late.measured["customers"].iloc[0] >= early.effects[0].customers
    assert late.decision.verdict == "ship"


def test_metrics_are_those_of_the_last_look_while_the_test_runs(state):
    plan = plan_of("call")
    shop = {"returning": (0.3, 0.36)}
    assert read(FIRST, plan, state, **shop).looked[0].stopped == ""
    between = read(SECOND - dt.timedelta(days=7), plan, state, **shop)
    assert between.looked[0].state == "between"
    assert between.read_on == between.measured_on == FIRST


def test_an_arm_that_an_earlier_look_stopped_keeps_the_numbers_of_that_look(state):
    plan = plan_of("call", "mail")
    shop = {"returning": (0.3, 0.65, 0.33), "customers": 1_800}
    first = read(FIRST, plan, state, **shop)
    assert [each.stopped for each in first.looked] == ["gain", ""]
    later = read(SECOND, plan, state, **shop)
    assert [each.on for each in later.looked] == [FIRST, SECOND]
    assert later.read_on == later.measured_on == SECOND
    assert later.effects[0].difference == first.effects[0].difference
    assert later.effects[1].customers > first.effects[1].customers
    for effect, looked in zip(later.effects, later.looked, strict=True):
        assert effect.reading.estimate == pytest.approx(looked.estimate, abs=1e-12)
        assert looked.moved == pytest.approx(0, abs=1e-12)


END = piped.ENTRY + piped.DAY


def at_its_end(state, people, **more):
    """Read a small test on its day of the first look and on its last day."""
    con, tables = engine.connect(), piped.frames(people)
    days = (piped.ENTRY, END)
    return [piped.read(tables, piped.plan_of(**more), day, state=state, con=con) for day in days]


def never(people, *arms):
    """The same customers, of whom those of some arms never come back in time."""
    late = people["delay"].mask(people["arm"].isin(arms), pd.Timedelta(days=99))
    return people.assign(delay=late)


@pytest.fixture(scope="module")
def people():
    return piped.drawn(np.random.default_rng(5), customers=120)


def test_a_test_without_any_event_ends_with_a_sentence_and_no_number(state, people):
    early, late = at_its_end(state, never(people, "control", "mail"))
    assert (early.decision.verdict, early.decision.because) == ("continue", "early")
    assert early.looked[0].why.startswith("Nobody of mail or control has come back yet")
    assert (late.decision.verdict, late.decision.because) == ("inconclusive", "unclear")
    assert readout_headline(Ledger(), late) == (
        "We cannot tell: there is no effect that could be read."
    )
    assert "so there is nothing to compare" in readout_body(Ledger(), late)
    assert looks.taken(state, source="Shop", experiment="hello").empty


def test_an_arm_without_an_event_is_read_all_the_same(state, people):
    _, late = at_its_end(state, never(people, "mail"))
    (looked,) = late.looked
    assert (looked.stopped, late.decision.because) == ("loss", "loss")
    assert looked.interval.low < late.effects[0].difference.value < looked.interval.high


def test_a_look_at_fewer_than_ten_is_not_taken_and_nothing_is_spent(state, people):
    few = people.groupby("arm").head(9)
    early, late = at_its_end(state, few)
    assert early.looked[0].state == "before"
    assert looks.taken(state, source="Shop", experiment="hello").empty
    assert (late.shows, late.decision.because) == (False, "unclear")
    assert late.looked[0].why.startswith("Fewer than 10 customers of mail and of control")


def finite(told):
    """All numbers of a frame that are not missing."""
    return np.isfinite(told.select_dtypes("Float64").to_numpy("float64", na_value=0)).all()


def test_looks_stand_when_data_come_late_and_the_state_is_brought_back(state, tmp_path):
    rng, con = np.random.default_rng(8), engine.connect()
    people = piped.drawn(rng, customers=400)
    tier = np.where(rng.random(400) < 0.3, "a", "b")
    tier[:3] = "rare"
    plan = piped.plan_of(
        covariates=["tier"],
        secondaries=["average_order_value", "revenue_per_customer"],
        cost_per_message=0.1,
    )
    some = people["delay"].mask(people.index % 7 == 0, pd.Timedelta(days=99))
    first, second = plan.looks.days
    tables = piped.frames(people.assign(delay=some), tier=tier)
    early = piped.read(tables, plan, first, state=state, con=con)
    (at,) = early.looked
    assert (at.look, at.moved) == (1, 0)
    assert at.estimate == early.effects[0].adjusted.value != early.effects[0].difference.value
    # All orders are of the same amount: there is a sentence, and no number that is none.
    assert finite(early.measured)
    assert early.measured["why"].str.contains("all customers are alike").any()
    assert "spent the same within 14 days" in early.why["money:mail"]
    restore(backup(state, tmp_path / "backup.tar.gz"), tmp_path / "again")
    again = states.opened(tmp_path / "again")
    later = piped.frames(people, tier=tier)
    unknown = later["orders"].index % 2 == 0
    later["orders"] = later["orders"].assign(amount=np.where(unknown, np.nan, 30.0))
    between, last = (
        piped.read(later, plan, day, state=again, con=con) for day in (first + 3, second)
    )
    (then,) = between.looked
    assert (then.state, then.on) == ("between", at.on)
    assert then.moved == between.effects[0].reading.estimate - at.estimate != 0
    for number in ("estimate", "std_error", "planned", "upper"):
        assert getattr(then, number) == getattr(at, number)
    ledger = Ledger()
    looking.record(ledger, between)
    verdict.record(ledger, between)
    assert "Data that came in since would move the effect" in readout_body(ledger, between)
    assert last.looked[0].raw["estimate"].iloc[0] == at.estimate
    assert last.looked[0].information > at.information
    assert finite(last.measured)
