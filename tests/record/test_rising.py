"""What is recorded of rising interest, and what is not, because it would tell of a few."""

from __future__ import annotations

import pytest

from retention_lab.record import Ledger
from retention_lab.record.rising import record

from ..customers.buyers import rising_of  # noqa: TID252  one maker of risers


def recorded(**words):
    ledger = Ledger()
    record(ledger, rising_of(**words))
    return {claim.name: claim for claim in ledger.claims()}


def test_the_judged_the_buyers_and_the_alerts_are_recorded():
    found = recorded(customers=[900, 80, 20], alerts=[0, 0, 12], by_chance=[920, 70, 10])
    assert [(name, claim.text, claim.n) for name, claim in found.items()] == [
        ("rising_tested", "1,000", 1000),
        ("rising_bought", "10.0\N{NO-BREAK SPACE}%", 1000),
        ("rising_by_chance", "8.0\N{NO-BREAK SPACE}%", 1000),
        ("rising_alerts", "12", 1000),
    ]
    assert found["rising_bought"].between == "8.3 to 12.0"  # Wilson, 100 of 1,000
    assert "at most 10 in 100 of them by chance" in found["rising_alerts"].definition


@pytest.mark.parametrize(
    ("customers", "alerts", "names"),
    [
        ([900, 80, 20], [0, 0, 3], ["rising_tested", "rising_bought", "rising_by_chance"]),
        ([900, 80, 20], [0, 0, 0], 4),
        ([995, 5, 0], [0, 0, 0], ["rising_tested", "rising_alerts"]),
        ([5, 900, 20], [0, 0, 12], ["rising_tested", "rising_alerts"]),
        ([4, 3, 2], [0, 0, 0], []),
        ([0, 0, 0], [0, 0, 0], []),
    ],
)
def test_what_would_tell_of_a_few_is_not_recorded(customers, alerts, names):
    found = [*recorded(customers=customers, alerts=alerts)]
    assert len(found) == names if isinstance(names, int) else found == names
