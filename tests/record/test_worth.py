"""What is recorded of worth, and what would tell of a few and is not."""

from __future__ import annotations

import dataclasses

import pandas as pd
import pytest

from retention_lab.customers.contracts import Contracts
from retention_lab.inference.interval import Interval
from retention_lab.record import SMALL, Ledger
from retention_lab.record.worth import everybody, followed, record

from ..customers.worths import TRACKING, TRIAL, WORTH, cohorts  # noqa: TID252  one maker of worths


def recorded(worth):
    ledger = Ledger()
    record(ledger, worth)
    return ledger


def changed(**change):
    return dataclasses.replace(WORTH, **change)


def test_money_is_recorded_in_whole_units_with_its_range():
    ledger = recorded(WORTH)
    total = ledger["worth_total"]
    assert (total.text, total.between, total.n) == ("£6,000", "£5,000 to £7,200", 1_000)
    assert "discounted by 10 % a year" in total.definition
    top = ledger["worth_top"]
    assert (top.about, top.value, top.n) == ("high-value repeat", 0.5, 100)
    assert ledger["worth_observed_2"].full == "£50.00 (£45.00 to £55.00)"
    assert ledger["worth_came"].value == 1_250
    assert ledger["worth_factor"].value == 2.5


def test_with_a_margin_it_is_not_called_revenue():
    assert "revenue" in recorded(WORTH)["worth_total"].label
    assert "margin (40 % of revenue)" in recorded(changed(margin=0.4))["worth_total"].label


def test_a_cohort_of_a_few_is_nowhere_and_cannot_be_worked_out():
    few = changed(by=cohorts((800, 195, 5)), observed=cohorts((800, 195, 5)))
    ledger = recorded(few)
    assert "worth_total" in ledger
    # The smallest of the others goes with it, or the total would tell.
    names = {claim.about for claim in ledger.claims() if claim.name.startswith("worth_observed")}
    assert names == {"one-time"}
    assert ledger["worth_top"].about == "one-time"


@pytest.mark.parametrize("sizes", [(5,), (4, 3), (5, 4, 0)])
def test_a_few_in_all_have_no_value(sizes):
    small = changed(by=cohorts(sizes), observed=cohorts(sizes))
    assert not [
        claim
        for claim in recorded(small).claims()
        if claim.name.startswith(("worth_t", "worth_o")) and "tracked" not in claim.name
    ]


def test_who_is_in_no_model_is_counted_with_the_others():
    fewer = WORTH.by.assign(customers=WORTH.by["customers"] - 3)
    assert everybody(changed(by=fewer))["customers"].tolist() == [800, 100, 100]
    assert recorded(changed(by=fewer))["worth_total"].n == 1_000


@pytest.mark.parametrize(
    ("trial", "missing"),
    [
        ({"returned": Interval(value=0.005, low=0.001, high=0.02)}, "worth_returned"),
        ({"once": SMALL - 1}, "worth_returned"),
        ({"returned": None}, "worth_returned"),
        ({"nothing": 0.999}, "worth_nothing"),
        ({"tracking": None}, "worth_tracked"),
        ({"tracking": dataclasses.replace(TRACKING, customers=SMALL - 1)}, "worth_tracked"),
        ({"tracking": dataclasses.replace(TRACKING, actual=SMALL - 1)}, "worth_came"),
        ({"factor": 0.0}, "worth_factor"),
    ],
)
def test_what_would_tell_of_a_few_is_not_recorded(trial, missing):
    assert missing in recorded(WORTH)
    assert missing not in recorded(changed(trial=dataclasses.replace(TRIAL, **trial)))


def test_nothing_is_recorded_of_what_is_not_known():
    ledger = recorded(changed(trial=None, by=None, total=None, why="Too little is known."))
    assert {claim.name for claim in ledger.claims()} == {f"worth_observed_{n}" for n in (1, 2, 3)}


def test_periods_of_a_few_subscriptions_are_left_out():
    frame = pd.DataFrame({"period": [1, 2, 3, 4], "at_risk": [400, 396, 300, 9], "seen": True})
    told = followed(Contracts(subscriptions=500, frame=frame))
    assert told["period"].tolist() == [1, 3]
    assert followed(Contracts(subscriptions=0, frame=None)).empty
