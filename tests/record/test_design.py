"""What is recorded of a test before it begins: sizes, costs, and what it rests on."""

from __future__ import annotations

import pandas as pd
import pytest

from retention_lab.experiments.design.sizing import Size
from retention_lab.inference.interval import Interval
from retention_lab.record import Ledger
from retention_lab.record.design import record

from ..experiments.proposals import AS_OF, LOOKS, THREE, history, proposed  # noqa: TID252  one maker of proposals


def recorded(seen):
    ledger = Ledger()
    record(ledger, seen)
    return ledger


def test_sizes_are_whole_customers_and_weeks():
    ledger = recorded(proposed())
    assert (ledger["design_needed"].value, ledger["design_needed"].key) == (8_500, True)
    assert ledger["design_weeks"].value == 29
    assert ledger["design_planned"].value == 15_540
    assert ledger["design_detectable"].text == "2.2"
    assert ledger["design_double_weeks"].value == 17
    assert "3 points with a power of 0.8" in ledger["design_needed"].definition


@pytest.mark.parametrize(
    ("arms", "sizes", "cost"),
    [
        (None, (0.5, 0.5), "£1,488"),  # 4,250 of 0.35
        (THREE, (0.4, 0.3, 0.3), "£1,785"),  # twice 2,550 of 0.35
    ],
)
def test_messages_cost_what_arms_that_send_need(arms, sizes, cost):
    size = {"needed": Size(customers=8_500, allocation=sizes)}
    arms = {} if arms is None else {"arms": arms}
    ledger = recorded(proposed(size=size, cost_per_message=0.35, **arms))
    assert ledger["design_cost"].text == cost


def test_messages_that_cost_nothing_are_no_claim():
    assert "design_cost" not in recorded(proposed())


def test_the_claim_of_the_trade_is_relative_to_the_share_as_things_are():
    ledger = recorded(proposed(seen={"baseline": (0.8, 0.78, 0.82)}))
    # 5 and 15 in 100 of 80 in 100.
    assert ledger["design_trade"].between == "4.0 to 12.0"
    assert "design_trade" not in recorded(proposed(endpoint={"kind": "returned", "day": 90}))


def test_an_early_stop_is_that_of_the_look_before_the_last():
    ledger = recorded(proposed(parts={"looks": LOOKS}))
    assert (ledger["design_early"].value, ledger["design_early"].about) == (0.62, "week 26")
    assert "design_early" not in recorded(proposed(parts={"looks": LOOKS.iloc[1:]}))


def test_what_a_test_takes_for_granted_is_recorded_with_it():
    simulated = Interval(value=0.79, low=0.77, high=0.81)
    ledger = recorded(proposed(parts={"simulated": simulated}))
    assert ledger["believed_baseline"].value == 0.6
    assert ledger["believed_weakest"].value == pytest.approx(1.8)
    assert ledger["believed_power"].value == 0.79
    assert "believed_weakest" not in recorded(proposed(parts={"wrong": None}))


def test_nothing_is_recorded_of_a_plan_without_a_size():
    assert recorded(proposed(parts={"sized": None})).claims() == []
    assert recorded(proposed(parts={"believed": None})).claims() == []


def test_what_history_tells_is_recorded_whether_or_not_there_is_a_size():
    weeks = pd.DataFrame({"week": AS_OF, "reached": 70, "eligible": [60] * 12})
    pace = Interval(value=60 / 7, low=8.0, high=9.0)
    told = {"history": history(weeks=weeks, entry=pace)}
    for parts in (told, {**told, "sized": None}):
        assert recorded(proposed(parts=parts))["history_entry"].value == 60
