"""What is recorded of beliefs: in numbers of which people have a picture."""

from __future__ import annotations

import pytest

from retention_lab.inference.interval import Interval
from retention_lab.record import Ledger
from retention_lab.record.believed import record, told, weakest

from ..experiments.proposals import believed, plan, wrong  # noqa: TID252  one maker

SEEN = {"entry_per_day": (51.2, 46.0, 57.3)}


def recorded(frame=None, simulated=None):
    ledger = Ledger()
    record(ledger, believed(plan(), SEEN), wrong() if frame is None else frame, simulated)
    return ledger


def test_each_belief_is_recorded_with_its_range_and_whose_word_it_is():
    ledger = recorded()
    pace, contact = ledger["believed_entry_per_day"], ledger["believed_contact_rate"]
    assert pace.full == "51.20 (46.00 to 57.30)"
    assert pace.definition.startswith("What history tells, ")
    assert (contact.unit, contact.value, contact.low) == ("share", 0.8, 0.6)
    assert contact.definition.startswith("What the plan says, ")
    assert ledger["believed_baseline"].label == "Retained by day 90 as things are"


def test_a_rate_of_loss_is_told_as_the_share_lost_in_30_days():
    assert told("dropout_per_day", 0.01) == pytest.approx(1 - 0.99**30, abs=0.002)
    assert told("onset_days", 14) == 14
    assert recorded()["believed_dropout_per_day"].high == pytest.approx(0.018, abs=0.001)


def test_the_weakest_assumption_is_the_one_that_costs_most_days_of_enrolment():
    found = weakest(wrong())
    assert (found.name, found.at, found.times) == ("contact_rate", 0.6, 15_300 / 8_500)
    assert recorded()["believed_weakest"].value == found.times
    pace = weakest(wrong(contact=8_600.0))  # the pace may be 74 or 55.5
    assert (pace.name, pace.at, pace.times) == ("entry_per_day", 55.5, pytest.approx(4 / 3))


def test_an_assumption_that_cannot_be_wrong_costs_nothing():
    same = wrong().assign(low=[74.0, 0.8], high=[74.0, 0.8], customers_low=8_500.0)
    same = same.assign(customers_high=8_500.0)
    assert weakest(same) is None
    assert "believed_weakest" not in recorded(same)
    missing = wrong().assign(customers_low=float("nan"), customers_high=float("nan"))
    assert weakest(missing) is None


def test_the_end_of_a_pace_at_which_nobody_comes_is_no_number():
    never = wrong().assign(low=[0.0, 0.6])
    never.loc[0, "customers_low"] = float("nan")
    assert weakest(never).name == "contact_rate"


def test_simulated_power_is_recorded_where_there_is_any():
    assert "believed_power" not in recorded()
    ledger = recorded(simulated=Interval(value=0.801, low=0.783, high=0.818))
    assert ledger["believed_power"].ranged == "80.1\N{NO-BREAK SPACE}%, 78.3 to 81.8"
