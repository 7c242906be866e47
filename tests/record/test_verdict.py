"""What is claimed of a test that is read: with its range and its unit, and of no few."""

from __future__ import annotations

from dataclasses import replace

import pytest

from retention_lab.inference.interval import Interval
from retention_lab.record import Ledger
from retention_lab.record.verdict import assigned, record

from ..experiments.readouts import (  # noqa: TID252  one maker of read-outs
    COSTS,
    GUARDED,
    effect_of,
    guarded,
    looked_of,
    plan_of,
    read,
)

ENDED = {"stopped": "gain", "final": True, "look": 4, "bound": 2.0}


def recorded(seen):
    ledger = Ledger()
    record(ledger, seen)
    return ledger


def test_the_effect_is_the_key_claim_with_its_range_and_how_many_stand_behind_it():
    ledger = recorded(read(effect_of(), **ENDED))
    found = ledger["verdict_effect"]
    assert (found.key, found.unit, found.n, found.about) == (True, "points", 2_806, "check-in")
    assert (found.value, found.low) == pytest.approx((0.051, 0.051 - 2 * 0.0189))
    assert "verdict_raw" not in ledger
    assert ledger["verdict_customers"].value == 2_806


def test_money_is_claimed_in_the_currency_of_the_shop():
    ledger = recorded(read(effect_of(), **ENDED))
    assert ledger["verdict_per_customer"].full == "£1.23 (£0.06 to £2.40)"
    assert ledger["verdict_break_even"].full == "£1.58 (£0.41 to £2.75)"
    assert ledger["verdict_chance_of_loss"].unit == "share"
    assert "verdict_waiting" not in ledger  # nothing is to come


def test_worth_that_the_shop_told_has_its_range():
    seen = read(effect_of(), **ENDED)
    range_of = replace(seen.decision.money, worth_range=Interval(value=31.0, low=25.0, high=37.0))
    found = replace(seen, decision=replace(seen.decision, money=range_of))
    assert recorded(found)["verdict_worth"].full == "£31.00 (£25.00 to £37.00)"


def test_harm_is_claimed_by_metric_and_arm_unless_few_were_harmed():
    plan, harm = plan_of(**COSTS, **GUARDED), {"harmed": True, "no_worse": False}
    ledger = recorded(read(effect_of(), plan=plan, measured=guarded(**harm)))
    assert ledger["verdict_harm_check-in_unsubscribe"].full == "+2.1 (+1.1 to +3.1)"
    few = recorded(read(effect_of(), plan=plan, measured=guarded(**harm, did=4)))
    assert "verdict_harm_check-in_unsubscribe" not in few


def test_what_the_next_looks_ask_is_claimed_in_points_whatever_the_test_counts():
    ledger = recorded(read(effect_of()))
    assert ledger["verdict_next"].value == pytest.approx(2.2 * 0.015)
    # Of a log-rank test the plan's smallest effect, 2.4 points of all, is 0.12 on its own scale.
    ratio = {"unit": "log hazard", "smallest": 0.12}
    assert recorded(read(effect_of(), **ratio))["verdict_finish"].value == pytest.approx(
        0.024 / 0.12 * 2.0 * 0.0133
    )
    coming = looked_of(effect_of()).coming.assign(std_error=0.6)  # asks for more than can be
    assert "verdict_next" not in recorded(read(effect_of(), coming=coming))


def test_a_test_that_few_have_entered_is_not_counted():
    seen = read(effect_of(), **ENDED)
    seen.collapsed.arms["customers"] = [4, 3]
    assert assigned(seen) == 7
    assert "verdict_customers" not in recorded(seen)
