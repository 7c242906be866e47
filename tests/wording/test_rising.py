"""The sentences of rising interest, word for word."""

from __future__ import annotations

import pytest

from retention_lab.record import Ledger
from retention_lab.record.rising import record
from retention_lab.wording.rising import caution, rising_alerts

from ..customers.buyers import rising_of  # noqa: TID252  one maker of risers

CAUTION = (
    'Of every 100 alerts about 10 are noise by design; "rising" says nothing about what a message '
    "would add."
)


def said(**words):
    ledger, found = Ledger(), rising_of(**words)
    record(ledger, found)
    return rising_alerts(ledger, found).translate({0x201C: '"', 0x201D: '"', 0xA0: " "})


def test_alerts_are_told_with_how_many_were_judged_and_with_the_caution():
    assert said(customers=[900, 80, 20], alerts=[0, 0, 12], by_chance=[920, 70, 10]) == (
        "12 of the 1,000 customers who can be judged bought on clearly more of the last 30 days "
        "than their own history lets expect. Nobody is taken to have stopped for good, so alerts "
        "are rather too few than too many. About 8 in 100 of them were expected to buy at all in "
        "these days, and about 10 in 100 (8.3 to 12.0) did. Who first bought within the last 60 "
        f"days cannot be judged yet. {CAUTION}"
    )


def test_a_busy_season_is_said_to_raise_no_alert():
    told = said(customers=[900, 80, 20], alerts=[0, 0, 12], season=1.54)
    assert (
        "All together bought 1.5 times as often as expected, so everybody is allowed as much: a "
        "busy season alone raises no alert. About"
    ) in told


def test_without_an_alert_chance_is_named_and_nothing_is_cautioned():
    told = said(customers=[900, 80, 20], alerts=[0, 0, 0])
    assert told.startswith(
        "None of the 1,000 customers who can be judged bought on clearly more of the last 30 days "
        "than their own history lets expect. Whoever bought more may have done so by chance. "
    )
    assert "noise" not in told


@pytest.mark.parametrize(
    ("customers", "alerts", "begins"),
    [
        ([900, 80, 20], [0, 0, 3], "Fewer than 10 of the 1,000 customers who can be judged bought"),
        ([0, 30, 20], [0, 25, 20], "All but fewer than 10 of the 50 customers"),
        ([4, 3, 2], [0, 0, 1], "No alerts of rising interest: fewer than 10 customers can be"),
    ],
)
def test_a_few_are_not_counted(customers, alerts, begins):
    assert said(customers=customers, alerts=alerts).startswith(begins)


def test_why_nobody_is_judged_is_said():
    told = said(customers=[0, 0, 0], alerts=[0, 0, 0], why="Nobody had bought 60 days ago.")
    assert told == "No alerts of rising interest: nobody had bought 60 days ago."


def test_the_caution_names_the_share_that_was_chosen():
    assert caution(0.05).startswith("Of every 100 alerts about 5 are noise by design; ")
