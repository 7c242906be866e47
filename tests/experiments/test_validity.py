"""Checks of a test: quiet where all is well, loud where it is not, silent where nobody knows."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pandas as pd
import pytest

from retention_lab.checks import BadData, BadParameter
from retention_lab.experiments.plan import Plan
from retention_lab.experiments.validity import checks, verdict
from retention_lab.experiments.validity_aa import accepted
from retention_lab.experiments.validity_tables import Collapsed

MONDAY = pd.Timestamp("2026-01-05")
PLAN = {
    "name": "check_in",
    "title": "Check-in",
    "owner": "Customer Success",
    "hypothesis": "A check-in keeps more.",
    "milestone": "onboarded",
    "channel": "email",
    "arms": [
        {"name": "control", "share": 0.4},
        {"name": "hello", "share": 0.3, "message": "hello_v1"},
        {"name": "gift", "share": 0.3, "message": "gift_v1"},
    ],
    "starts": "2026-01-05",
    "ends": "2026-03-15",
    "endpoint": {"kind": "retained", "day": 60},
    "primary": {"smallest_effect": 0.03},
    "assumptions": {"entry_per_day": 30, "contact_rate": 0.8},
}
BY_LUCK = {
    "sizes of the arms",
    "sizes by day of enrolment",
    "sizes by stratum",
    "customers left out",
    "time followed",
    "outcome before the milestone",
    "effect by week of enrolment",
    "effect over time",
}
BY_SHARE = {
    "customers of the shop",
    "arms of the plan",
    "one arm for each customer",
    "one assignment for each customer",
    "time zero is the milestone",
    "assignment after the milestone",
    "assignment before the outcome",
    "messages of another arm",
    "messages reach their arm",
}


@cache
def plan_of():
    return Plan.model_validate(PLAN)


def people(rng, n=3_000, hazard=0.02, ratio=0.7):
    """A test without a fault: one row per customer, with an effect that is the same for all."""
    arm = rng.choice(["control", "hello", "gift"], n, p=[0.4, 0.3, 0.3])
    entry = np.sort(rng.integers(0, 70, n))
    leaves = np.ceil(rng.exponential(1 / (hazard * np.where(arm == "control", 1, ratio))))
    followed = 90 - entry
    event = leaves <= followed
    return pd.DataFrame(
        {
            "arm": arm,
            "enrolled_on": MONDAY + pd.to_timedelta(entry, unit="D"),
            "stratum": rng.choice(["DE", "FR", "UK"], n, p=[0.6, 0.3, 0.1]),
            "day": np.where(event, leaves, followed).astype("int64"),
            "event": event,
            "left_out": rng.random(n) < 0.1,
            "earlier": rng.random(n) < 0.3,
            "sent": (rng.random(n) < 0.85) & (arm != "control"),
        }
    )


MARKS = ["stranger", "repeated", "crossed", "off", "early", "outcome_first", "left_out"]
MARKS += ["reaching", "earlier"]


def tables(rows, *, missing=(), **marks):
    """Collapse made-up customers as the engine would; marks are columns to be put in."""
    rows = rows.assign(**{name: False for name in [*MARKS, "wrong"] if name not in rows}, **marks)
    rows["due"], rows["delivered"] = True, rows["sent"]
    told = [*MARKS, "due", "sent", "delivered", "wrong"]
    arms = rows.groupby("arm")[told].sum().astype("int64")
    arms.insert(0, "customers", rows.groupby("arm").size())
    size = rows.groupby(["enrolled_on", "stratum", "arm"]).size().rename("customers")
    kept = rows[~rows["left_out"]].assign(
        week=lambda all_: all_["enrolled_on"].dt.to_period("W").dt.start_time,
        events=lambda all_: all_["event"].astype(int),
        censored=lambda all_: 1 - all_["event"],
    )
    grid = kept.groupby(["week", "arm", "day"], as_index=False)[["events", "censored"]].sum()
    return Collapsed(
        sizes=size.reset_index(),
        arms=arms.reset_index(),
        grid=grid.iloc[:0] if "outcome" in missing else grid,
        missing=dict.fromkeys(missing, BadData("The shop has none of it; map it.")),
    )


def told(found, plan=None):
    return {one.name: one for one in checks(found, plan=plan or plan_of())}


@cache
def sound():
    return people(np.random.default_rng(20261122))


# All is well


def test_a_sound_test_passes_every_check_with_its_number():
    found = told(tables(sound()))
    assert found.keys() == BY_LUCK | BY_SHARE
    for one in found.values():
        assert (one.status, one.remedy) == ("pass", "")
        assert 0 <= one.value <= 1
        assert one.why.endswith(".")
        assert one.threshold


def test_the_order_of_rows_and_the_names_of_the_arms_do_not_matter():
    rng, found = np.random.default_rng(3), tables(sound())
    mixed = Collapsed(
        **{
            name: getattr(found, name).sample(frac=1, random_state=rng, ignore_index=True)
            for name in ("sizes", "arms", "grid")
        },
        missing={},
    )
    values = {name: one.value for name, one in told(found).items()}
    assert values == pytest.approx({name: one.value for name, one in told(mixed).items()})


@pytest.mark.slow
def test_a_sound_test_warns_and_fails_as_rarely_as_it_says():
    rng, times = np.random.default_rng(20261122), 1_000
    counts = {name: np.zeros(2) for name in BY_LUCK}
    for _ in range(times):
        found = told(tables(people(rng, n=1_000, hazard=0.015)))
        for name in BY_LUCK:
            counts[name] += (found[name].value < 0.01, found[name].value < 0.001)
        assert {found[name].status for name in BY_SHARE} == {"pass"}
    for name, (warned, failed) in counts.items():
        assert warned / times <= accepted(0.01, repetitions=times)[1], name
        assert failed / times <= accepted(0.001, repetitions=times)[1], name
    # These two are tests of one day, so that they are to err as often as they say, too.
    for name in ("time followed", "effect by week of enrolment", "effect over time"):
        assert counts[name][0] / times >= accepted(0.01, repetitions=times)[0], name


@pytest.mark.slow
def test_looking_every_week_warns_of_sizes_as_rarely_as_it_says():
    rng, times, warned = np.random.default_rng(7), 200, dict.fromkeys(BY_LUCK, 0)
    names = ["sizes of the arms", "sizes by day of enrolment"]
    names += ["sizes by stratum", "outcome before the milestone"]
    for _ in range(times):
        rows = people(rng, n=700)
        looks = [rows[rows["enrolled_on"] < MONDAY + pd.Timedelta(weeks=k)] for k in range(1, 11)]
        seen = [told(tables(look, missing=["outcome"])) for look in looks]
        for name in names:
            warned[name] += any(name in one and one[name].status != "pass" for one in seen)
    for name in names:
        assert warned[name] / times <= accepted(0.01, repetitions=times)[1], name


# Faults


def lost(rows):
    """Customers of one arm are lost on the way: one in five."""
    gone = (rows["arm"] == "gift") & (np.arange(len(rows)) % 5 == 0)
    return rows[~gone]


def one_day(rows):
    """On one day everybody gets into the first arm."""
    day = rows["enrolled_on"] == MONDAY + pd.Timedelta(days=30)
    return rows.assign(arm=rows["arm"].mask(day, "control"))


def one_stratum(rows):
    stratum = (rows["stratum"] == "UK") & (np.arange(len(rows)) % 3 > 0)
    return rows.assign(arm=rows["arm"].mask(stratum, "hello"))


def shorter(rows):
    """Of one arm nothing is known of the last two weeks."""
    cut = (rows["arm"] == "hello") & (rows["day"] > 20)
    late = rows.assign(day=rows["day"].mask(cut, rows["day"] - 14))
    return late.assign(event=rows["event"] & ~cut)


def of_arm(name, arm, share):
    """Mark so large a share of an arm, and nobody else."""

    def marked(rows):
        some = (rows["arm"] == arm) & (np.arange(len(rows)) % 100 < 100 * share)
        return rows.assign(**{name: some})

    return marked


def chosen(name):
    """Customers are assigned by what is known of them."""

    def drawn(rows):
        known = rows[name] & (np.arange(len(rows)) % 2 == 0)
        return rows.assign(arm=rows["arm"].mask(known, "hello"))

    return drawn


def wearing_off(rows):
    """In the second half of enrolment the messages do harm."""
    rng = np.random.default_rng(11)
    late = rows["enrolled_on"] >= MONDAY + pd.Timedelta(days=35)
    hit = late & (rows["arm"] != "control") & (rng.random(len(rows)) < 0.5)
    return rows.assign(
        day=rows["day"].mask(hit, np.minimum(rows["day"], 5)), event=rows["event"] | hit
    )


FAULTS = [
    ("arms of the plan", lambda rows: rows.replace({"arm": {"gift": "gifts"}})),
    ("sizes of the arms", lost),
    ("sizes by day of enrolment", one_day),
    ("sizes by stratum", one_stratum),
    ("one arm for each customer", of_arm("crossed", "hello", 0.05)),
    ("customers of the shop", of_arm("stranger", "hello", 0.05)),
    ("one assignment for each customer", of_arm("repeated", "hello", 0.05)),
    ("time zero is the milestone", of_arm("off", "hello", 0.05)),
    ("assignment after the milestone", of_arm("early", "hello", 0.05)),
    ("assignment before the outcome", of_arm("outcome_first", "hello", 0.3)),
    ("customers left out", chosen("left_out")),
    ("time followed", shorter),
    ("outcome before the milestone", chosen("earlier")),
    ("messages of another arm", of_arm("wrong", "control", 0.3)),
    ("messages reach their arm", of_arm("sent", "hello", 0.2)),
    ("effect by week of enrolment", wearing_off),
]


@pytest.mark.parametrize(("name", "fault"), FAULTS, ids=[name for name, _ in FAULTS])
def test_a_fault_fails_and_says_what_to_do(name, fault):
    one = told(tables(fault(sound())))[name]
    assert one.status == "fail"
    assert one.remedy.endswith(".")
    assert one.why != told(tables(sound()))[name].why


def test_an_effect_that_wears_off_after_days_only_warns():
    rows = sound()
    # After a message who would have left within two weeks leaves six weeks later.
    early = (rows["arm"] != "control") & (rows["day"] <= 14) & rows["event"]
    worn = rows.assign(day=rows["day"].mask(early, rows["day"] + 42))
    one = told(tables(worn))["effect over time"]
    assert one.value < 0.001
    assert one.status == "warn"
    assert "never fails" in one.threshold


def test_the_days_and_strata_that_are_off_are_named():
    found = told(tables(one_day(sound())))["sizes by day of enrolment"]
    assert "2026-02-04" in found.why
    assert "UK" in told(tables(one_stratum(sound())))["sizes by stratum"].why


def test_a_few_doubles_warn():
    one = told(tables(of_arm("crossed", "hello", 0.01)(sound())))["one arm for each customer"]
    assert one.status == "warn"
    assert 0 < one.value < 0.01


def test_reach_is_judged_by_what_the_plan_expects_and_by_the_arm_that_is_reached_least():
    rows = sound()
    low = rows.assign(sent=of_arm("sent", "hello", 0.65)(rows)["sent"] | (rows["arm"] == "gift"))
    one = told(tables(low))["messages reach their arm"]
    assert one.status == "warn"
    assert one.value == pytest.approx(0.65, abs=0.03)
    # The plan expects 80 in 100.
    assert one.threshold == "warn below 72 in 100 customers, fail below 40"


def test_arms_that_the_plan_does_not_know_are_named_unless_hardly_anybody_is_in_them():
    rows = sound()
    many, few = rows.index % 4 == 0, rows.index == 1
    arm = rows["arm"].mask(many, "Hello").mask(few, "tpyo")
    one = told(tables(rows.assign(arm=arm)))["arms of the plan"]
    assert one.status == "fail"
    assert one.why.endswith("count in none: 'Hello'.")


def test_that_an_arm_has_nobody_is_told_by_its_size_alone():
    rows = sound()
    found = told(tables(rows[rows["arm"] != "gift"].assign(earlier=True, reaching=True)))
    assert found["sizes of the arms"].status == "fail"
    assert "outcome before the milestone" not in found


def test_a_test_of_one_day_is_looked_at_once():
    # Cookie Cats, by hand: 44,700 and 45,489 players warn at once, and would not at any look.
    sizes = pd.DataFrame({"enrolled_on": MONDAY, "stratum": "", "arm": ["a", "b"]})
    arms = [{"name": "a", "share": 0.5}, {"name": "b", "share": 0.5, "message": "b"}]
    plan = Plan.model_validate({**PLAN, "arms": arms})
    counts = pd.DataFrame({"arm": ["a", "b"], "customers": [44_700, 45_489], "repeated": 0})
    found = Collapsed(
        sizes=sizes.assign(customers=counts["customers"]),
        arms=counts.assign(crossed=0, stranger=0),
        grid=pd.DataFrame(),
        missing=dict.fromkeys(
            ("milestone", "outcome", "before", "messages"), BadData("No such table.")
        ),
    )
    one = told(found, plan)["sizes of the arms"]
    assert (one.status, round(one.value, 4)) == ("warn", 0.0086)


# What cannot be told


def test_what_a_shop_lacks_warns_without_a_number():
    parts = {
        "milestone": {"time zero is the milestone", "assignment after the milestone"},
        "outcome": {"assignment before the outcome", "customers left out", "time followed"}
        | {"effect by week of enrolment", "effect over time"},
        "before": {"outcome before the milestone"},
        "messages": {"messages of another arm", "messages reach their arm"},
    }
    for part, names in parts.items():
        found = told(tables(sound(), missing=[part]))
        untold = {name: one for name, one in found.items() if one.value is None}
        assert untold.keys() == names
        for one in untold.values():
            assert one.status == "warn"
            assert "The shop has none of it" in one.why


def test_a_check_is_left_out_while_there_is_nothing_to_look_at():
    few = sound().head(9).assign(stratum="", enrolled_on=MONDAY, sent=False, left_out=False)
    assert told(tables(few)).keys() & BY_LUCK <= {"time followed"}
    alone = sound().assign(stratum="", left_out=False, earlier=False)
    assert BY_LUCK - told(tables(alone)).keys() == {
        "sizes by stratum",
        "customers left out",
        "outcome before the milestone",
    }


def test_all_events_on_one_day_tell_no_drift_over_time():
    rows = sound().assign(day=1, event=True)
    found = told(tables(rows))
    assert "effect over time" not in found
    assert "time followed" not in found


def test_customers_of_one_arm_only_fail_by_their_sizes():
    found = told(tables(sound()[sound()["arm"] == "hello"]))
    assert found["sizes of the arms"].status == "fail"
    assert "effect over time" not in found


def test_customers_of_no_arm_of_the_plan_fail_by_their_arms_alone():
    found = told(tables(sound().assign(arm="else")))
    assert {name for name, one in found.items() if one.status == "fail"} == {"arms of the plan"}


def test_nobody_assigned_is_refused():
    with pytest.raises(BadData, match="check_in has assigned nobody yet"):
        checks(tables(sound().iloc[:0]), plan=plan_of())


# Together


def test_a_failure_that_the_plan_accepts_does_not_hide_the_effect_and_is_told():
    rows = of_arm("crossed", "hello", 0.05)(lost(sound()))
    found = checks(tables(rows), plan=plan_of())
    strict = verdict(found, plan_of())
    assert not strict.holds
    assert {"sizes of the arms", "one arm for each customer"} <= {*strict.failed}
    lenient = verdict(found, Plan.model_validate({**PLAN, "accepted_checks": [*strict.failed]}))
    assert lenient.holds
    assert (lenient.failed, lenient.accepted) == ((), strict.failed)
    assert lenient.checks == found


def test_a_test_that_only_warns_holds():
    found = verdict(checks(tables(sound(), missing=["messages"]), plan=plan_of()), plan_of())
    assert found.holds
    assert found.warned == ("messages of another arm", "messages reach their arm")


def test_checks_fail_where_the_plan_names_a_milestone_that_the_shop_does_not_know():
    table = replace(tables(sound()), missing={"milestone": BadParameter("No such event.")})
    found = verdict(checks(table, plan=plan_of()), plan_of())
    assert found.failed == ("time zero is the milestone", "assignment after the milestone")
