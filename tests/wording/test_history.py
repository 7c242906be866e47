"""History before a test: what is recorded, said and drawn of it, and what of a few is not."""

from __future__ import annotations

import dataclasses
import datetime as dt

import pandas as pd
import pytest

from retention_lab.charts import history as charts
from retention_lab.charts.frame import listed
from retention_lab.experiments.history import History
from retention_lab.experiments.terms import Endpoint
from retention_lab.inference.interval import Interval
from retention_lab.record import Ledger
from retention_lab.record.history import record
from retention_lab.survival.daygrid import kaplan_meier
from retention_lab.wording import Instead
from retention_lab.wording.history import history_arrivals, history_baseline, history_delivered

MONDAYS = pd.date_range("2026-08-03", periods=16, freq="7D")
CURVE = kaplan_meier(
    pd.DataFrame({"day": [*range(10, 101, 10), 120], "events": [40] * 10 + [0], "censored": 0})
    .assign(censored=[0] * 10 + [1_600])
)  # fmt: skip
PAST = History(
    as_of=dt.date(2026, 11, 22),
    channel="email",
    milestone="onboarded",
    endpoint=Endpoint(kind="retained", day=90),
    coverage=1.0,
    weeks=pd.DataFrame({"week": MONDAYS, "reached": 100, "eligible": 50}),
    why={},
    entry=Interval(value=50 / 7, low=47 / 7, high=53 / 7),
    curve=CURVE,
    customers=2_000,
    followed=1_600,
    left_out=300,
    baseline=Interval(value=0.82, low=0.8, high=0.84),
    delivered=Interval(value=0.95, low=0.94, high=0.96),
    written_to=1_000,
)


def changed(**change):
    return dataclasses.replace(PAST, **change)


def weeks_of(eligible, reached=100):
    return pd.DataFrame({"week": MONDAYS, "reached": reached, "eligible": eligible})


def recorded(past):
    ledger = Ledger()
    record(ledger, past)
    return ledger


def said(past):
    ledger = recorded(past)
    parts = (history_arrivals, history_baseline, history_delivered)
    return tuple(part(ledger, past) for part in parts)


def test_what_history_tells_stands_beside_what_it_does_not():
    assert said(PAST) == (
        "In the last 12 whole weeks, about 50 customers a week (47 to 53) reached “onboarded” and "
        "could have been enrolled: the plan is for them, they had a subscription, and today they "
        "consent to email. In all, 1,200 reached “onboarded” in the last 12 whole weeks. Other "
        "tests, a holdout and days of rest are not taken off. The range is that of the pace: "
        "single weeks scatter more, and no season is in it.",
        "Of the 2,000 customers who reached “onboarded” in the last 365 days with a subscription, "
        "about 82 in 100 (80.0 to 84.0) still had it 90 days later. Those who came too late for "
        "that count for as long as they were followed. Left out are 300 who had no subscription "
        "at that moment, as the test can tell nothing of them.",
        "Of the messages by email in the last 365 days, to 1,000 customers, about 95 in 100 (94.0 "
        "to 96.0) were delivered. Delivered is not read.",
    )


def test_few_weeks_a_share_covered_and_a_plan_that_looks_ahead_are_said():
    past = changed(
        weeks=PAST.weeks.tail(5),
        coverage=0.5,
        looks_ahead=True,
        endpoint=Endpoint(kind="returned", day=200),
    )
    arrivals, baseline, _ = said(past)
    assert (
        "about 50 customers a week (47 to 53) would have been enrolled, the 50.0 % that the plan "
        "covers of those who reached “onboarded” and could have been enrolled: the plan is for"
    ) in arrivals.replace("\N{NO-BREAK SPACE}", " ")
    assert "Only these 5 weeks are known." in arrivals
    assert "which nobody knew when they came: the pace may be off." in arrivals
    assert "in the last 400 days, about 82 in 100 (80.0 to 84.0) had bought again" in baseline
    assert "so this is of everybody at the milestone." in baseline


def test_what_is_not_told_has_its_reason():
    bare = changed(entry=None, baseline=None, curve=None, delivered=None, left_out=0)
    why = {"entry": "No consents.", "baseline": "Too few.", "delivered": "No messages."}
    past = dataclasses.replace(bare, why=why, weeks=weeks_of(pd.array([pd.NA] * 16, dtype="Int64")))
    assert said(past) == (
        "The pace of entry is not told by history. No consents. In all, 1,200 reached “onboarded” "
        "in the last 12 whole weeks.",
        "How many stay within 90 days is not told by history. Too few.",
        "What share of the messages arrives is not told by history. No messages.",
    )
    assert charts.baseline(past) == Instead("Too few.")
    assert listed(charts.arrivals(past))["customers"].tolist() == [100] * 16


@pytest.mark.parametrize(
    ("change", "hidden"),
    [
        ({"weeks": weeks_of([0] * 15 + [9])}, {"history_entry", "history_reached"}),
        ({"weeks": weeks_of(50, reached=[50] * 15 + [55])}, {"history_reached"}),
        ({"left_out": 9}, {"history_left_out"}),
        ({"followed": 9}, {"history_baseline"}),
        ({"customers": 365}, {"history_baseline"}),  # of whom 5 stayed
        ({"written_to": 100}, {"history_delivered"}),  # 5 were not delivered
    ],
)
def test_what_tells_of_a_few_is_not_recorded(change, hidden):
    every = {claim.name for claim in recorded(PAST).claims()}
    assert every - {claim.name for claim in recorded(changed(**change)).claims()} == hidden


def test_weeks_of_a_few_are_not_drawn_nor_can_be_told_from_the_mean():
    eligible = [50] * 16
    eligible[1] = eligible[8] = 3  # one of them among the twelve whose sum is known
    eligible[12] = 20  # the smallest of the others: it is hidden, too
    drawn = listed(charts.arrivals(changed(weeks=weeks_of(eligible))))
    assert drawn["customers"].tolist() == [50] * 13
    hidden = {MONDAYS[place].strftime("%Y-%m-%d") for place in (1, 8, 12)}
    assert not hidden & set(drawn["begins"])
    none = charts.arrivals(changed(weeks=weeks_of(3)))
    assert none == Instead("No picture: there is no whole week with 10 customers or more.")


def test_the_curve_is_drawn_a_little_beyond_the_day_as_far_as_many_are_followed():
    for kind, last in (("retained", 0.8), ("returned", 0.2)):
        chart = charts.baseline(changed(endpoint=Endpoint(kind=kind, day=90)))
        table = listed(chart)
        assert table["day"].max() == 100  # not 120, which is more than a fifth beyond
        assert table["share"].iloc[-1] == pytest.approx(last)
        assert (table["low"] <= table["share"]).all()
        assert (table["share"] <= table["high"]).all()
    few = kaplan_meier(pd.DataFrame({"day": [5, 90], "events": [1, 0], "censored": [0, 20]}))
    assert isinstance(charts.baseline(changed(curve=few, customers=21)), Instead)
