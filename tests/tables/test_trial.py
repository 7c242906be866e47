"""The check-in test of the simulated shop: who enters, who changes, and what was planted."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import statsmodels.api as sm

from retention_lab.experiments import plan as plans
from retention_lab.experiments import sizing, testing
from retention_lab.tables import membership, simulator
from retention_lab.tables import trial as trials
from retention_lab.tables.people import draw_people
from retention_lab.tables.trial import Trial
from retention_lab.tables.truth import Truth

from .test_simulator import within

TEST = Trial()
PLAN = plans.load("experiments/demo_check_in/plan.yml")
LAST = (date(2026, 11, 29) - date(1970, 1, 1)).days
DAY = pd.Timedelta(days=1)
NAMES = ("subscriptions", "tickets", "messages", "assignments", "consents", "events")
GAIN = 0.058  # planted: 0.9 reached of 6.4 points kept, from 400,000 customers with and without it


def read(folder):
    return SimpleNamespace(**{name: pd.read_parquet(folder / f"{name}.parquet") for name in NAMES})


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    return read(simulator.simulate(tmp_path_factory.mktemp("demo") / "shop"))


@pytest.fixture(scope="module")
def bare(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bare") / "shop"
    return read(simulator.simulate(folder, truth=Truth(check_in=None)))


@pytest.fixture(scope="module")
def letters(demo):
    return demo.messages[demo.messages["campaign"] == TEST.name].set_index("customer_id")


@pytest.fixture(scope="module")
def people(demo, letters):
    """The assigned, with their subscription and when the check-in reached them."""
    rows = demo.assignments.merge(demo.subscriptions, on="customer_id", validate="1:1")
    return rows.merge(letters[["sent_at", "delivered_at"]], "left", "customer_id")


def drawn(seed, *, customers=20_000, end=LAST, ratio=TEST.hazard_ratio, entry=None):
    """Run the test in a shop of which only what it needs is drawn; returns it with and without."""
    begin, last = entry or (TEST.begin, TEST.end)
    test = replace(TEST, hazard_ratio=ratio, begin=begin, end=last)
    truth = Truth(check_in=test)
    rng, again = (np.random.default_rng([seed, part]) for part in (0, 1))
    known = draw_people(rng, truth, calendar=np.arange(end - 728, end + 1), n=customers)
    ids = pa.array([f"C{n}" for n in range(customers)])
    shop = {
        "customers": simulator._customers(rng, truth, known, ids=ids),
        "events": simulator._events(rng, truth, known, ids=ids),
    }
    state = again.bit_generator.state
    without = membership.tables(again, truth, known, ids=ids)
    ran = trials.run(np.random.default_rng([seed, 2]), test, shop | without, end=known.end)
    again.bit_generator.state = state
    eased = membership.tables(again, truth, replace(known, eased=ran.eased), ids=ids)
    at = pd.Series(pd.to_datetime(ran.eased, unit="s"), [f"C{n}" for n in range(customers)])
    rows = ran.assignments.to_pandas().assign(eased_at=lambda each: each["customer_id"].map(at))
    return [
        rows.merge(one["subscriptions"].to_pandas(), on="customer_id") for one in (eased, without)
    ]


def contrast(rows):
    """Difference of shares kept for 90 days, and its standard error."""
    kept = ~((rows["cancelled_at"] - rows["time_zero"]) / DAY < PLAN.endpoint.day)
    told = kept.groupby(rows["arm"]).agg(["mean", "size"])
    share, n = told["mean"], told["size"]
    gain = share["check-in"] - share["control"]
    return gain, np.sqrt((share * (1 - share) / n).sum())


@pytest.fixture(scope="module")
def crowd():
    """More who enter, over more days, with the effect."""
    return drawn(1, customers=60_000, entry=(date(2025, 3, 1), date(2026, 11, 1)))[0]


# Who enters, and what is sent to whom


def test_entrants_are_members_who_consent_at_the_milestone_and_at_the_assignment(people, demo):
    assert people["customer_id"].is_unique
    reached = demo.events[demo.events["event"] == TEST.milestone].set_index("customer_id")
    assert (people["customer_id"].map(reached["occurred_at"]) == people["time_zero"]).all()
    assert (people["started_at"] <= people["time_zero"]).all()
    assert not (people["cancelled_at"] < people["assigned_at"]).any()
    email = demo.consents[demo.consents["channel"] == "email"]
    said = people[["customer_id", "assigned_at"]].merge(email, on="customer_id")
    last = said[said["valid_from"] <= said["assigned_at"]].groupby("customer_id").last()
    assert last["granted"].all()
    assert len(last) == len(people)
    waited = (people["assigned_at"] - people["time_zero"]) / pd.Timedelta(hours=1)
    assert waited.between(0, PLAN.window_hours).all()
    days = people["assigned_at"].dt.date
    assert days.min() == TEST.begin
    assert days.max() == TEST.end
    assert (people["time_zero"].dt.date >= TEST.begin).all()


def test_everybody_who_could_enter_does(people, demo):
    reached = demo.events[demo.events["event"] == TEST.milestone]
    days = reached["occurred_at"].dt.date
    rest = reached[(days > TEST.begin) & (days < TEST.end)]
    rest = rest[~rest["customer_id"].isin(people["customer_id"])].merge(demo.subscriptions)
    email = demo.consents[demo.consents["channel"] == "email"]
    granted = email.groupby("customer_id")["granted"].agg(["all", "any"])
    sure = rest["customer_id"].map(granted["all"])  # never withdrawn
    free = (rest["started_at"] <= rest["occurred_at"]) & ~(
        rest["cancelled_at"] < rest["occurred_at"] + DAY
    )
    assert not (sure & free).any()


def test_arms_are_tossed_and_country_is_the_stratum(people):
    share = (people["arm"] == "check-in").mean()
    assert share == pytest.approx(TEST.treated, abs=within(TEST.treated, len(people)))
    assert set(people["arm"]) == set(trials.ARMS)
    assert people["stratum"].nunique() == 5


def test_only_the_treated_are_sent_the_check_in_on_the_day_after_the_assignment(people, letters):
    sent = people["sent_at"].notna()
    assert not sent[people["arm"] == "control"].any()
    assert sent[people["arm"] == "check-in"].mean() > 0.99
    assert sent.sum() == len(letters)
    wait = (people["sent_at"] - people["assigned_at"])[sent]
    assert (wait == pd.Timedelta(hours=13)).all()
    assert not (people["cancelled_at"] <= people["sent_at"]).any()
    assert set(letters["stage"]) == {trials.STAGE}
    assert (letters["cost"] == TEST.cost).all()


def test_nobody_is_sent_the_check_in_who_left_since_the_assignment(crowd):
    soon = crowd["cancelled_at"] < crowd["assigned_at"] + pd.Timedelta(hours=13)
    assert soon.sum() > 5
    assert (crowd["eased_at"][soon] == pd.Timestamp("2026-11-30")).all()


def test_planted_rates_of_the_messages_come_back(letters):
    n = len(letters)
    reached = letters["delivered_at"].notna()
    assert reached.mean() == pytest.approx(TEST.contact_rate, abs=within(TEST.contact_rate, n))
    got = letters[reached]
    for time, share in (("clicked_at", TEST.click), ("converted_at", TEST.conversion)):
        assert got[time].notna().mean() == pytest.approx(share, abs=within(share, len(got)))
    fast = got["opened_at"] - got["delivered_at"] < pd.Timedelta("60s")
    opened = got[~fast]["opened_at"].notna()
    assert opened.mean() == pytest.approx(TEST.open, abs=within(TEST.open, len(opened)))


# Who changes


def test_nobody_changes_but_those_whom_the_check_in_reaches_and_they_only_stay_longer(
    people, demo, bare
):
    both = demo.subscriptions.merge(bare.subscriptions, on=["customer_id", "started_at", "plan"])
    assert len(both) == len(demo.subscriptions) == len(bare.subscriptions)
    far = pd.Timestamp("2100-01-01")
    with_it, without = (both[f"cancelled_at_{side}"].fillna(far) for side in "xy")
    moved = both[with_it != without]
    assert len(moved) > 50
    assert (with_it >= without).all()
    reached = people.dropna(subset="delivered_at")
    assert moved["customer_id"].isin(reached["customer_id"]).all()
    assert set(moved["cancel_reason_y"]) == {"voluntary"}
    since = reached.set_index("customer_id")["time_zero"] + pd.Timedelta(days=TEST.onset_days)
    assert (without[moved.index] >= moved["customer_id"].map(since)).all()


def test_tickets_of_who_stays_longer_are_added_and_none_moves(people, demo, bare):
    both = demo.tickets.merge(bare.tickets, "outer", indicator=True)
    assert set(both["_merge"]) == {"both", "left_only"}
    more = both[both["_merge"] == "left_only"]["customer_id"]
    assert more.isin(people.dropna(subset="delivered_at")["customer_id"]).all()


def test_the_newsletter_is_what_it_is_without_the_test(demo, bare):
    other = demo.messages[demo.messages["campaign"] != TEST.name]
    pd.testing.assert_frame_equal(other, bare.messages)


def test_a_ratio_of_one_changes_nothing():
    with_it, without = drawn(3, customers=3_000, ratio=1.0)
    pd.testing.assert_frame_equal(with_it, without)


def test_a_shop_without_the_milestone_has_nobody_in_the_test(tmp_path):
    stones = Truth().milestones[1:]
    shop = read(
        simulator.simulate(tmp_path / "shop", truth=Truth(milestones=stones), customers=300)
    )
    assert shop.assignments.empty


# What was planted


def test_planted_hazard_ratio_comes_back_from_the_onset_on(crowd):
    rows = crowd
    end = pd.Timestamp("2026-11-30")
    onset = rows["time_zero"] + pd.Timedelta(days=TEST.onset_days)
    rows = rows[~(rows["cancelled_at"] < onset) & (onset < end)]
    helped = (rows["eased_at"] < end).astype(float)
    told = rows[(rows["arm"] == "control") | (helped == 1)]
    days = (told["cancelled_at"].fillna(end) - onset[told.index]) / DAY
    left = (told["cancel_reason"] == "voluntary").astype(int)
    fitted = sm.PHReg(days, helped[told.index].to_frame(), status=left).fit()
    low, high = np.exp(fitted.conf_int()[0])
    assert low < TEST.hazard_ratio < high
    assert high / low < 1.35


def test_the_demo_shows_what_is_planted(people):
    gain, error = contrast(people)
    assert gain / error > 2.1
    assert abs(gain - GAIN) < 1.96 * error


def test_the_plan_of_the_demo_is_that_of_its_assignments(people):
    assert set(people["plan_digest"]) == {plans.digest(PLAN)}
    assert set(people["experiment"]) == {PLAN.name}
    assert [arm.name for arm in PLAN.arms] == list(trials.ARMS)
    assert [arm.message for arm in PLAN.arms] == [None, trials.STAGE]
    assert PLAN.milestone == TEST.milestone
    assert (PLAN.starts, PLAN.ends) == (TEST.begin, TEST.end)
    assert PLAN.channel == TEST.channel
    assert PLAN.cost_per_message == TEST.cost / 100
    assert PLAN.assumptions.contact_rate == TEST.contact_rate
    assert PLAN.assumptions.onset_days == TEST.onset_days


def test_the_plan_of_the_demo_has_the_power_it_says():
    sized = sizing.sized(PLAN)
    assert sized.power == pytest.approx(0.80, abs=0.01)
    assert (sized.needed.total, sized.planned) == (1_534, 1_554)


def found(rows, looks):
    """Tell whether the test claims a gain at one of its looks, stopping as the plan says.

    A look has the customers who entered first, followed to the end: what it knows grows with them.
    """
    rows = rows.sort_values("time_zero", ignore_index=True)
    for look in looks.itertuples():
        gain, error = contrast(rows[: round(look.information * len(rows))])
        if not look.lower < gain / error < look.upper:
            return gain / error >= look.upper
    return False


@pytest.mark.slow
def test_the_planted_effect_is_found_with_the_planned_power_and_without_it_seldom():
    looks = testing.designed(PLAN.looks.information, testing.rule(PLAN)).looks
    both = [[found(rows, looks) for rows in drawn(seed)] for seed in range(100, 300)]
    power, error = np.mean(both, axis=0)
    assert power == pytest.approx(sizing.sized(PLAN).power, abs=within(0.8, len(both)))
    assert error <= 0.025 + within(0.025, len(both))


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"begin": date(2026, 7, 1)}, "cannot end on 2026-06-28 and begin on 2026-07-01"),
        ({"treated": 1.0}, r"check_in\.treated must be a share strictly between 0 and 1"),
        ({"hazard_ratio": 0.0}, r"check_in\.hazard_ratio must be at least 1e-06, got 0"),
        ({"onset_days": 1.0}, r"check_in\.onset_days must be at least 2, got 1"),
        ({"click": 0.5}, "must open no less than they click"),
    ],
)
def test_an_impossible_test_is_refused(wrong, words):
    with pytest.raises(ValueError, match=words):
        Trial(**wrong)
