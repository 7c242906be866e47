"""The sentences of beliefs, word for word."""

from __future__ import annotations

import dataclasses

import pytest

from retention_lab.record import Ledger
from retention_lab.record.believed import record
from retention_lab.wording.believed import (
    believed_differs,
    believed_table,
    believed_weakest,
    ranged,
    written,
)

from ..experiments.proposals import believed, plan, wrong  # noqa: TID252  one maker

SEEN = {"entry_per_day": (51.2, 46.0, 57.3), "baseline": (0.113, 0.1, 0.13)}


def weakest(frame, **fields):
    ledger = Ledger()
    record(ledger, believed(plan(**fields), {}), frame, None)
    return believed_weakest(ledger, frame).replace("\N{NO-BREAK SPACE}", " ")


def only(name, low, value, high, needed):
    """One assumption, and customers needed at its lower end; 1,000 else."""
    frame = wrong().iloc[:1].assign(assumption=name, low=low, value=value, high=high)
    return frame.assign(customers_low=needed, customers=1_000.0, customers_high=1_000.0)


@pytest.mark.parametrize(
    ("frame", "said"),
    [
        (wrong(), "80 % receive the message: at 60 % we need 1.8 times as many."),
        (
            wrong(contact=8_600.0),
            "74 customers enter a day: at 55.5 enrolment takes 1.3 times as long.",
        ),
        (
            only("baseline", 0.5, 0.6, 0.7, 1_100.0),
            "60 % are retained by day 90 as things are: at 50 % we need 1.1 times as many.",
        ),
        (
            only("dropout_per_day", 0.01, 0.001, 0.02, 1_500.0),
            "2.96 % are lost from view in 30 days: at 25.9 % we need 1.5 times as many.",
        ),
        (
            only("onset_days", 30.0, 14.0, 40.0, 1_200.0),
            "it takes 14 days to have any effect: at 30 we need 1.2 times as many.",
        ),
    ],
)
def test_the_weakest_assumption_is_named_with_what_it_costs(frame, said):
    assert weakest(frame) == f"The weakest assumption is that {said}"


def test_where_nothing_costs_much_none_is_called_weak():
    said = weakest(only("baseline", 0.5, 0.6, 0.7, 1_049.0))
    assert said.startswith("Whichever assumption is wrong, within its range")
    assert "no more than 5 in 100 larger" in said


def test_the_table_says_whose_word_each_is():
    table = believed_table(believed(plan(), SEEN))
    pace = table.loc["Customers who enter a day"]
    assert pace.tolist()[:4] == ["51.2", "46 to 57.3", "History", "74"]
    contact = table.loc["Reached by the message"].str.replace("\N{NO-BREAK SPACE}", " ")
    assert contact.tolist()[:4] == ["80 %", "60 to 100 %", "The plan", "80 %"]
    assert table["Why"].tolist() == ["As it was."] * 5


def test_what_nobody_said_is_nobodys_word():
    held = believed(plan(), {})
    silent = dataclasses.replace(held.beliefs[3], source="default", planned=None)
    row = believed_table(dataclasses.replace(held, beliefs=(silent,))).iloc[0]
    assert (row["Whose word"], row["The plan says"]) == ("Nobody", "nothing")


def test_a_plan_outside_the_range_of_history_is_told_and_one_inside_is_not():
    said = believed_differs(believed(plan(), SEEN))
    assert [each.replace("\N{NO-BREAK SPACE}", " ") for each in said] == [
        "Customers who enter a day: the plan says 74, history says 51.2 (46 to 57.3); that is used "
        "here.",
        "Retained by day 90 as things are: the plan says 60 %, history says 11.3 % (10 to 13 %); "
        "that is used here.",
    ]
    assert believed_differs(believed(plan(), {"entry_per_day": (73.0, 70.0, 76.0)})) == []
    assert believed_differs(believed(plan(), {})) == []


def test_more_reached_than_delivered_is_told_as_that():
    (said,) = believed_differs(believed(plan(), {"contact_rate": (0.7, 0.5, 0.72)}))
    assert said.replace("\N{NO-BREAK SPACE}", " ") == (
        "Reached by the message: the plan says 80 %, but only 70 % of the messages were delivered; "
        "that is used here."
    )


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("entry_per_day", 1_234.6, "1,235"),
        ("entry_per_day", 0.0456, "0.0456"),
        ("entry_per_day", 100.0, "100"),
        ("onset_days", 0.0, "0"),
        ("baseline", 0.60, "60\N{NO-BREAK SPACE}%"),
        ("baseline", 0.99987, "100\N{NO-BREAK SPACE}%"),
    ],
)
def test_numbers_have_three_digits_and_no_idle_zeros(name, value, text):
    assert written(name, value) == text


def test_a_range_has_one_unit():
    assert ranged("contact_rate", 0.6, 1.0) == "60 to 100\N{NO-BREAK SPACE}%"
    assert ranged("onset_days", 0.0, 7.0) == "0 to 7"
