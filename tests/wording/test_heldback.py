from __future__ import annotations

import pandas as pd
import pytest

from retention_lab.wording.heldback import contact_helped

LIST = {
    "channel": "email",
    "endpoint": "cancelled",
    "horizon": 90,
    "lists": 1,
    "first": pd.Timestamp("2026-08-30"),
    "last": pd.Timestamp("2026-08-30"),
    "contacted": 1775,
    "held_back": 225,
    "share_contacted": 0.774,
    "share_held_back": 0.796,
    "difference": -0.022,
    "low": -0.073,
    "high": 0.04,
}


def test_both_groups_and_the_difference_are_told_with_its_range():
    assert contact_helped(pd.DataFrame([LIST])) == [
        "1 list of 30 August 2026 for email: within 90 days 77.4 in 100 of 1,775 contacted "
        "customers stayed, and 79.6 in 100 of 225 held back: 2.2 points fewer (7.3 points fewer "
        "to 4.0 points more). Whether contact helped cannot be told yet."
    ]


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [(0.01, 0.2, "Contact helped."), (-0.2, -0.01, "Contact did harm.")],
)
def test_only_a_range_that_leaves_out_nothing_earns_a_plain_word(low, high, verdict):
    [said] = contact_helped(pd.DataFrame([LIST | {"low": low, "high": high}]))
    assert said.endswith(verdict)


def test_returns_and_several_lists_are_worded_so():
    row = LIST | {"endpoint": "returned", "lists": 2, "last": pd.Timestamp("2026-09-06")}
    [said] = contact_helped(pd.DataFrame([row]))
    assert said.startswith("2 lists of 30 August 2026 to 6 September 2026 for email")
    assert "bought again" in said


def test_nothing_is_said_of_no_lists():
    assert contact_helped(pd.DataFrame(columns=list(LIST))) == []
