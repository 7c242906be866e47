"""The daily run of a test: who is enrolled and who is not, once each, whatever happens between."""

from __future__ import annotations

import csv
import datetime as dt
import subprocess
import sys
from functools import cache
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from retention_lab import state as states
from retention_lab.checks import BadData, BadParameter
from retention_lab.experiments import assignments, enrolling, freezing
from retention_lab.experiments.assigning import assigned, places
from retention_lab.experiments.balance import balance, refuse_unbalanced
from retention_lab.experiments.plan import Plan
from retention_lab.tables import clocks, engine

DAY = dt.date(2026, 3, 2)
END = dt.datetime(2026, 3, 3)  # noqa: DTZ001  naive UTC, which London is in March
HOURS = dt.timedelta(hours=1)
LONG_AGO = dt.datetime(2020, 1, 1)  # noqa: DTZ001
PLAN = {
    "name": "check_in",
    "title": "Check-in",
    "owner": "Customer Success",
    "hypothesis": "A check-in keeps more.",
    "milestone": "onboarded",
    "channel": "email",
    "arms": [
        {"name": "control", "share": 0.5},
        {"name": "hello", "share": 0.5, "message": "hello_v1"},
    ],
    "starts": "2026-03-01",
    "ends": "2026-03-31",
    "endpoint": {"kind": "retained", "day": 30},
    "primary": {"smallest_effect": 0.03},
    "assumptions": {"entry_per_day": 30},
}
IDS = [f"c{number:03d}" for number in range(60)]


def plan_of(**said):
    return Plan.model_validate({**PLAN, **said})


@cache
def duckdb():
    return engine.connect()


def in_time(ids):
    return tuple((who, END - HOURS) for who in ids)


@cache  # most tests have the same
def shop_of(reached, *, as_of=DAY, consents=None, messages=None, orders=(), event="onboarded"):
    """A shop as far as a run looks at it; `reached` are pairs of a customer and a moment."""
    end = clocks.end_of_day(as_of, "Europe/London")
    reached = [(who, at) for who, at in reached if at < end]
    orders = [(who, at) for who, at in orders if at < end]
    ids = sorted({who for who, _ in (*reached, *orders)} | {"somebody"})
    consents = [(who, LONG_AGO, True) for who in ids] if consents is None else consents
    consents = [(*row, "email") if len(row) == 3 else row for row in consents]
    tables = {
        "customers": {
            "customer_id": ids,
            "country": ["DE", "UK"] * (len(ids) // 2) + ["UK"] * (len(ids) % 2),
        },
        "events": {
            "customer_id": [who for who, _ in reached] + ["somebody"],
            "event": [event] * len(reached) + ["onboarded"],
            "occurred_at": [at for _, at in reached] + [LONG_AGO],
            "occurred_on": [at.date() for _, at in reached] + [LONG_AGO.date()],
        },
        "consents": {
            "customer_id": [who for who, *_ in consents] + ["somebody"],
            "channel": [channel for *_, channel in consents] + ["email"],
            "valid_from": [at for _, at, *_ in consents] + [LONG_AGO],
            "granted": [granted for _, _, granted, _ in consents] + [True],
        },
        "orders": {
            "customer_id": pa.array([who for who, _ in orders], pa.string()),
            "ordered_at": pa.array([at for _, at in orders], pa.timestamp("us")),
            "ordered_on": pa.array([at.date() for _, at in orders], pa.date32()),
        },
    }
    if messages is not None:
        tables["messages"] = {
            "customer_id": pa.array([who for who, _ in messages], pa.string()),
            "sent_at": pa.array([at for _, at in messages], pa.timestamp("us")),
        }
    made = {name: engine.put(pa.table(rows), con=duckdb()) for name, rows in tables.items()}
    about = {"name": "Shop", "zone": "Europe/London", "as_of": as_of, "records_from": LONG_AGO}
    content = f"{as_of} {len(reached)} {len(orders)}"
    return SimpleNamespace(**about, content_hash=content, tables=made, **made)


@pytest.fixture
def state(tmp_path):
    return states.opened(tmp_path / "state")


@pytest.fixture
def enrol(state, tmp_path):
    """Freeze a plan, unless it is, and run it on a shop."""

    def run(reached=None, *, plan=None, holdout_share=None, **shop):
        plan = plan_of() if plan is None else plan
        if freezing.frozen(state, plan.name) is None:
            freezing.freeze(plan, state=state, as_of=dt.date(2026, 2, 1))
        given = {name: value if name == "as_of" else tuple(value) for name, value in shop.items()}
        made = shop_of(in_time(IDS) if reached is None else tuple(reached), **given)
        words = {"state": state, "as_of": made.as_of, "out": tmp_path / "lists"}
        return enrolling.enrol(made, plan, holdout_share=holdout_share, **words)

    return run


def rows_of(file):
    with file.open(encoding="utf-8", newline="") as opened:
        return list(csv.DictReader(opened))


def logged(state, experiment="check_in"):
    rows = assignments.ledger(state).rows()
    return {row["customer_id"]: row for row in rows if row["experiment"] == experiment}


def left_out(found):
    return {reason: n for reason, n in found.left_out.items() if n}


# Who is enrolled


def test_enrolled_are_those_who_first_reached_the_milestone_within_the_window(enrol, state):
    end = dt.datetime(2026, 6, 30, 23)  # noqa: DTZ001  midnight in London, in summer
    hours = {"late": 49, "edge": 48, "new": 1, "again": 2, "last": 1 / 60}
    found = enrol(
        [("again", LONG_AGO), *((who, end - ago * HOURS) for who, ago in hours.items())],
        plan=plan_of(starts="2026-06-01", ends="2026-07-01"),
        as_of=dt.date(2026, 6, 30),
    )
    assert set(logged(state)) == {"edge", "new", "last"}
    assert (found.reached, found.new, sum(found.arms.values())) == (3, 3, 3)


def test_arm_is_that_of_the_salted_hash_and_none_beyond_the_coverage(enrol, state):
    found = enrol(plan=plan_of(salt="other", coverage=0.6))
    arms = assigned(
        pa.array(IDS), salt="other", weights={"control": 0.5, "hello": 0.5}, coverage=0.6
    )
    drawn = {who: arm for who, arm in zip(IDS, arms.to_pylist(), strict=True) if arm}
    assert {who: row["arm"] for who, row in logged(state).items()} == drawn
    assert left_out(found) == {"beyond the share that the plan covers": 60 - len(drawn)}


def test_each_reason_leaves_out_those_of_whom_it_holds(enrol, state):
    at = END - HOURS
    granted = ("fine", "withdrew", "written", "conflict", "rests", "held", "listed")
    said = [(who, LONG_AGO, True) for who in granted]
    said += [("withdrew", END - 2 * HOURS, False), ("refused", LONG_AGO, False)]
    of_other = {"source": "Shop", "arm": "control", "stratum": "", "arrival": 0}
    assignments.ledger(state).append(
        [
            # Long ago, but that test still counts what they do; and recently, in a test beside.
            {"experiment": "other", "as_of": "2026-02-10", "until": "2026-03-02", **of_other}
            | {"customer_id": "conflict"},
            {"experiment": "third", "as_of": "2026-02-27", "until": "2026-02-28", **of_other}
            | {"customer_id": "rests"},
            {"experiment": "other", "as_of": "2026-02-10", "until": "2026-03-01", **of_other}
            | {"customer_id": "fine"},
        ]
    )
    row = {"source": "Shop", "as_of": "2026-02-24", "channel": "email", "horizon": 30}
    ledger = state.ledger("lists-rising", key=("source", "as_of", "channel", "customer_id"))
    ledger.append(
        [
            {**row, "customer_id": "held", "group": "held back"},
            {**row, "customer_id": "listed", "group": "contacted", "as_of": "2026-02-28"},
            {**row, "customer_id": "fine", "group": "contacted", "as_of": "2026-02-23"},
        ]
    )
    found = enrol(
        [(who, at) for who in (*granted, "refused", "silent")],
        plan=plan_of(exclusive_with=["other"], rest_days=7),
        consents=said,
        messages=[("written", END - 6 * 24 * HOURS), ("fine", END - 8 * 24 * HOURS)],
    )
    assert set(logged(state)) == {"fine"}
    assert left_out(found) == {
        "no consent to the channel": 3,
        "in another test, or held back by a list": 2,
        "contacted, or assigned elsewhere, too recently": 3,
    }
    assert found.reached == 9


def test_condition_of_the_plan_chooses_whom_it_is_about(enrol, state):
    found = enrol(plan=plan_of(where="country = 'UK'"))
    assert 20 < len(logged(state)) < 40
    assert found.left_out["not of the plan's population"] == 60 - len(logged(state))


def test_who_has_nothing_to_retain_is_not_enrolled_in_a_test_of_who_is_retained(state, tmp_path):
    shop = shop_of(in_time(IDS))
    spans = {
        "customer_id": IDS[:40],
        "started_at": [LONG_AGO] * 40,
        "cancelled_at": pa.array([LONG_AGO + HOURS] * 10 + [None] * 30, pa.timestamp("us")),
    }
    sold = engine.put(pa.table(spans), con=duckdb())
    tables = {**shop.tables, "subscriptions": sold}
    members = SimpleNamespace(**{**vars(shop), "tables": tables, "subscriptions": sold})
    again = plan_of(name="again", endpoint={"kind": "returned", "day": 30})
    words = {"state": state, "as_of": DAY, "out": tmp_path / "lists"}
    for plan, without in ((plan_of(), 30), (again, 0)):
        freezing.freeze(plan, state=state, as_of=dt.date(2026, 2, 1))
        found = enrolling.enrol(members, plan, **words)
        assert found.left_out["no subscription that could be retained"] == without
        assert sum(found.arms.values()) == len(IDS) - without


def test_global_holdout_is_the_same_in_every_test_and_stays_as_it_was_said(enrol, state):
    first = enrol(holdout_share=0.3)
    second = enrol(plan=plan_of(name="second"))
    out = set(np.array(IDS)[places(pa.array(IDS), salt="global holdout") < 0.3])
    assert 5 < len(out) < 30
    assert {*IDS} - set(logged(state)) == {*IDS} - set(logged(state, "second")) == out
    assert first.left_out["in the global holdout"] == second.left_out["in the global holdout"]
    enrol(plan=plan_of(name="third", holdout=False))
    assert set(logged(state, "third")) == {*IDS}


def test_coverage_leaves_customers_out_of_blocks_too(enrol, state):
    found = enrol(plan=plan_of(coverage=0.5, blocks=2))
    assert 15 < len(logged(state)) < 45
    assert left_out(found) == {"beyond the share that the plan covers": 60 - found.new}


def test_blocks_balance_each_stratum_from_day_to_day(enrol, state):
    plan = plan_of(strata=["country"], blocks=2)
    half = [(who, END - 30 * HOURS) for who in IDS[:23]]
    enrol(half, plan=plan, as_of=DAY - dt.timedelta(days=1))
    state.forget(IDS[3], source="Shop")
    enrol([*half, *((who, END - HOURS) for who in IDS[23:])], plan=plan)
    rows = pd.DataFrame(logged(state).values())
    assert {*rows["stratum"]} == {"DE", "UK"}
    sizes = pd.crosstab(rows["stratum"], rows["arm"])
    assert (sizes["control"] - sizes["hello"]).abs().max() <= 2  # one forgotten, one block open
    assert rows.groupby("stratum")["arrival"].nunique().sum() == len(rows)


# Once each


def test_same_day_again_adds_nothing_and_writes_the_same_list(enrol, state):
    plan = plan_of(rest_days=7)
    found = enrol(plan=plan, messages=())
    [file] = found.files
    before = file.read_bytes()
    again = enrol(plan=plan, messages=[(who, END - HOURS) for who in IDS])  # sent meanwhile
    assert (found.new, again.new) == (60, 0)
    assert (again.arms, again.sizes, again.left_out) == (found.arms, found.sizes, found.left_out)
    assert (file.read_bytes(), len(logged(state))) == (before, 60)
    assert len(assignments.past_runs(state, shop_of(()))) == 1


def test_next_day_adds_those_who_are_new_and_lists_nobody_twice(enrol):
    both = [(who, END - HOURS) for who in IDS[:30]] + [(who, END + HOURS) for who in IDS[30:]]
    first, second = (enrol(both, as_of=DAY + dt.timedelta(days=n)) for n in (0, 1))
    assert (first.new, second.new) == (30, 30)
    assert left_out(second) == {"enrolled on an earlier day": 30}
    listed = [{row["customer_id"] for row in rows_of(one.files[0])} for one in (first, second)]
    assert not listed[0] & listed[1]
    assert sum(second.sizes.values()) == 60


def test_list_holds_the_arm_and_what_to_send_and_control_has_none(enrol, state):
    [file] = enrol().files
    assert file.name == "check_in-2026-03-02-hello.csv"
    rows = rows_of(file)
    arms = {who: row["arm"] for who, row in logged(state).items()}
    assert {row["customer_id"] for row in rows} == {who for who in arms if arms[who] == "hello"}
    assert rows[0] | {"customer_id": ""} == {
        "customer_id": "",
        "experiment": "check_in",
        "arm": "hello",
        "message": "hello_v1",
        "channel": "email",
    }
    assert file.stat().st_mode & 0o777 == 0o600


def test_list_cut_off_after_the_log_is_written_by_the_next_run(enrol, state, monkeypatch):
    def fails(*_, **__):
        raise BadParameter("The disk is full.")

    with monkeypatch.context() as patched:
        patched.setattr(enrolling.sending, "write", fails)
        with pytest.raises(BadParameter, match="full"):
            enrol()
    assert len(logged(state)) == 60
    found = enrol()
    assert (found.new, len(rows_of(found.files[0]))) == (0, found.arms["hello"])


ENROL = """
import runpy, sys
from pathlib import Path
made = runpy.run_path(sys.argv[1])
print("ready", flush=True)
sys.stdin.readline()
made["enrolled"](made["IDS"][20:], Path(sys.argv[2]))
"""


def enrolled(ids, folder):
    """Enrol on a day of which one run has data that the other has not."""
    shop, state = shop_of(in_time(ids)), states.opened(folder / "state")
    enrolling.enrol(shop, plan_of(), state=state, as_of=shop.as_of, out=folder / "lists")


def test_two_runs_at_once_lose_nobody_and_assign_nobody_twice(state, tmp_path):
    freezing.freeze(plan_of(), state=state, as_of=dt.date(2026, 2, 1))
    other = subprocess.Popen(
        [sys.executable, "-c", ENROL, __file__, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    with other:
        assert other.stdout.readline() == b"ready\n"
        other.stdin.write(b"go\n")
        other.stdin.flush()
        enrolled(IDS[:40], tmp_path)
    assert other.returncode == 0
    assert sorted(row["customer_id"] for row in assignments.ledger(state).rows()) == IDS


def test_a_forgotten_customer_leaves_the_log_and_is_no_loss(enrol, state):
    enrol()
    assert state.forget(IDS[0], source="Shop") == {"assignments": 1}
    state.ledger("erasures", key=("source", "at")).append(
        [{"source": "Shop", "at": "now", "ledgers": {"assignments": 1}}]
    )
    found = enrol([(who, END - HOURS) for who in IDS[1:]])
    assert (found.new, IDS[0] in logged(state)) == (0, False)


# Milestones that orders tell


def of_orders(customers):
    """Orders of customers that the days of a test tell; everybody bought once, long ago."""
    return [(who, at) for who, ats in customers.items() for at in ats]


def test_days_of_silence_are_a_milestone_with_the_same_window_and_reached_once(enrol, state):
    plan = plan_of(milestone={"silent_days": 10}, rest_days=7)
    before = END - 10 * 24 * HOURS
    orders = of_orders(
        {
            "quiet": [before - HOURS],
            "edge": [before - 48 * HOURS],
            "long quiet": [before - 49 * HOURS],
            "back": [before - HOURS, END - 2 * HOURS],
            "quiet again": [LONG_AGO, before - HOURS],
            "came back too late": [before - 30 * HOURS, END - HOURS],
            "waits": [before + HOURS],
            "next day": [before + HOURS],
        }
    )
    shop = {"orders": orders, "messages": ()}
    found = enrol((), plan=plan, **shop)
    assert {*logged(state)} == {"quiet", "edge", "came back too late"}
    # Nobody looked on the first day of enrolment, within 48 hours of the long quiet one.
    assert (found.reached, found.new, found.in_time, found.missed) == (3, 3, 3, 1)
    again = enrol((), plan=plan, orders=orders, messages=[("quiet", END - HOURS)])
    assert (again.new, again.arms, again.files) == (0, found.arms, found.files)
    on = enrol((), plan=plan, as_of=DAY + dt.timedelta(days=1), **shop)
    assert {*logged(state)} >= {"waits", "next day"}
    assert (on.new, on.in_time, on.missed) == (2, 5, 1)


def test_silence_that_no_run_saw_in_time_is_counted_and_stays_out(enrol, state):
    plan = plan_of(milestone={"silent_days": 10})
    orders = [(f"d{day}", END + (24 * (day - 10) - 1) * HOURS) for day in range(-1, 7)]
    enrol((), plan=plan, orders=orders)
    found = enrol((), plan=plan, orders=orders, as_of=DAY + dt.timedelta(days=6))
    assert set(logged(state)) == {"d-1", "d0", "d5", "d6"}
    assert (found.in_time, found.missed) == (4, 4)


def test_second_purchase_is_the_second_day_with_one(enrol, state):
    hour = END - HOURS
    orders = of_orders(
        {
            "second": [LONG_AGO, hour],
            "same day": [hour - HOURS, hour],
            "third": [LONG_AGO, LONG_AGO + 48 * HOURS, hour],
            "first": [hour],
        }
    )
    found = enrol((), plan=plan_of(milestone={"purchase": 2}), orders=orders)
    assert (set(logged(state)), found.reached) == ({"second"}, 1)
    first = plan_of(name="first", milestone={"purchase": 1})
    enrol((), plan=first, orders=orders)
    rows = logged(state, "first")
    assert set(rows) == {"same day", "first"}
    assert rows["same day"]["reached_at"] == (hour - HOURS).isoformat()


# A channel for each arm

BOTH = [
    {"name": "letter", "share": 0.5, "message": "hello_v1"},
    {"name": "text", "share": 0.5, "message": "hello_v1", "channel": "sms"},
]


def test_each_arm_goes_to_its_channel_and_all_consent_to_both(enrol, state):
    by_mail = [(who, LONG_AGO, True, "email") for who in IDS[:40]]
    by_text = [(who, LONG_AGO, who != IDS[30], "sms") for who in IDS[20:]]
    found = enrol(plan=plan_of(arms=BOTH), consents=by_mail + by_text)
    assert set(logged(state)) == {*IDS[20:40]} - {IDS[30]}
    assert left_out(found) == {"no consent to the channel": 41}
    assert found.channels == ("email", "sms")
    channels = [{row["channel"] for row in rows_of(file)} for file in found.files]
    assert channels == [{"email"}, {"sms"}]


def test_shop_that_does_not_know_a_channel_of_an_arm_enrols_nobody(enrol, state):
    with pytest.raises(BadParameter, match="no channel 'sms'"):
        enrol(plan=plan_of(arms=BOTH))
    assert not logged(state)


# What was missed


def test_milestones_of_days_without_a_run_and_late_events_are_counted_and_stay_out(enrol, state):
    one_a_day = [(f"d{day}", END + (24 * day - 1) * HOURS) for day in range(-1, 7)]
    enrol(one_a_day)
    late = ("late", END - HOURS)
    found = enrol([*one_a_day, late], as_of=DAY + dt.timedelta(days=6))
    assert set(logged(state)) == {"d-1", "d0", "d5", "d6"}
    assert (found.in_time, found.missed) == (4, 5)


# Refusals


def test_plan_that_is_not_frozen_enrols_nobody(state, tmp_path):
    shop = shop_of(())
    with pytest.raises(BadParameter, match="check_in is not frozen"):
        enrolling.enrol(shop, plan_of(), state=state, as_of=DAY, out=tmp_path)


def test_customers_of_a_test_of_whole_groups_are_not_drawn_one_by_one(enrol):
    with pytest.raises(BadParameter, match="so a group would be torn apart"):
        enrol(plan=plan_of(cluster="household"))


def test_plan_that_was_changed_names_its_fields(enrol, state):
    freezing.freeze(plan_of(), state=state, as_of=dt.date(2026, 2, 1))
    with pytest.raises(BadParameter, match=r"changed since it was frozen: channel, rest_days\."):
        enrol(plan=plan_of(channel="sms", rest_days=3))


def test_amended_plan_goes_on_and_only_later_changes_are_named(enrol, state):
    freezing.freeze(plan_of(), state=state, as_of=dt.date(2026, 2, 1))
    amended = plan_of(rest_days=3)
    freezing.freeze(amended, state=state, as_of=DAY, amend="Too many letters.")
    assert enrol(plan=amended, messages=()).new == 60
    with pytest.raises(BadParameter, match=r"frozen: owner\."):
        enrol(plan=plan_of(rest_days=3, owner="Marketing"))


def test_log_that_is_empty_although_runs_assigned_customers_is_refused(enrol, state):
    enrol()
    assignments.ledger(state).without(lambda _: True)
    with pytest.raises(BadData, match="has none of them") as refusal:
        enrol()
    assert "restore" in str(refusal.value)


def test_log_that_is_missing_is_refused(enrol, state):
    row = {"source": "Shop", "experiment": "check_in", "customer_id": "c000"}
    assignments.ledger(state).append([row])
    (state.folder / "ledgers/assignments.jsonl").unlink()
    with pytest.raises(BadData, match="assignments"):
        enrol()


@pytest.mark.parametrize("day", ["2026-02-28", "2026-04-01"])
def test_days_outside_of_enrolment_are_refused(enrol, day):
    with pytest.raises(BadParameter, match="enrols from 2026-03-01 to 2026-03-31"):
        enrol(as_of=dt.date.fromisoformat(day))


def test_day_before_the_last_run_is_no_way_to_catch_up(enrol, state):
    row = {"source": "Shop", "experiment": "check_in", "as_of": "2026-03-02", "snapshot": ""}
    assignments.runs(state).append([row])
    with pytest.raises(BadParameter, match="has been run as of 2026-03-02"):
        enrol(as_of=DAY - dt.timedelta(days=1))


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"milestone": "onborded"}, "no event 'onborded'. Did you mean 'onboarded'"),
        ({"channel": "pigeon"}, "no channel 'pigeon'"),
        ({"strata": ["county"]}, "no attribute 'county'. Did you mean 'country'"),
    ],
)
def test_what_the_shop_does_not_know_is_refused_by_name(enrol, state, said, words):
    with pytest.raises(BadParameter, match=words):
        enrol(plan=plan_of(**said))
    assert not logged(state)


def test_condition_that_fits_nobody_is_refused_and_nobody_with_consent_is_told(enrol, state):
    with pytest.raises(BadData, match=r"No customer of Shop fits .*country has 'UK'"):
        enrol(plan=plan_of(where="country = 'Uk'"))
    found = enrol(plan=plan_of(name="other"), consents=())
    assert left_out(found) == {"no consent to the channel": 60}
    assert not logged(state, "other")


def test_holdout_that_is_no_share_is_refused(enrol):
    with pytest.raises(BadParameter, match="holdout_share"):
        enrol(holdout_share=1.5)


def test_nobody_at_the_milestone_is_no_fault(enrol):
    found = enrol([("old", LONG_AGO)])
    assert (found.reached, found.new, found.in_time, found.missed) == (0, 0, 0, 0)
    assert rows_of(found.files[0]) == []


def test_shop_without_messages_says_who_is_not_known_to_be_contacted(enrol):
    assert "no table of messages" in enrol(plan=plan_of(rest_days=7)).sentences[0]


def test_arms_that_are_not_as_large_as_planned_stop_the_run(enrol, state, tmp_path):
    everybody = [f"x{number}" for number in range(400)]
    arms = assigned(pa.array(everybody), salt="check_in", weights={"control": 0.5, "hello": 0.5})
    one_arm = [who for who, arm in zip(everybody, arms.to_pylist(), strict=True) if arm == "hello"]
    with pytest.raises(BadData, match="further from the plan than luck"):
        enrol([(who, END - HOURS) for who in one_arm])
    assert not logged(state)
    assert not (tmp_path / "lists").exists()


def test_a_stratum_out_of_balance_is_found_though_all_together_are_not():
    sizes = {
        ("d", "DE", "a"): 120,
        ("d", "DE", "b"): 20,
        ("d", "UK", "a"): 20,
        ("d", "UK", "b"): 120,
    }
    found = balance(sizes, {"a": 0.5, "b": 0.5})
    assert found["stratum"].tolist() == ["", "DE", "UK"]
    assert found["a"].tolist() == [140, 120, 20]
    assert found["p_value"][0] == 1.0
    with pytest.raises(BadData, match=r"\(the stratum 'DE', the stratum 'UK'\)"):
        refuse_unbalanced(found, experiment="check_in")
