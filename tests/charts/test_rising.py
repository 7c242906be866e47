"""The picture of rising interest: it compiles, carries its words and hides the few."""

from __future__ import annotations

import pytest

from retention_lab.charts.frame import as_mime, listed
from retention_lab.charts.rising import observed_expected
from retention_lab.record.small import HIDDEN
from retention_lab.reports import figures
from retention_lab.wording import Instead

from ..customers.buyers import rising_of  # noqa: TID252  one maker of risers


def test_customers_are_drawn_by_days_beside_what_chance_gives():
    chart = observed_expected(rising_of(customers=[900, 70, 30], alerts=[0, 0, 12]))
    spec = next(iter(as_mime(chart.to_dict())[0].values()))
    assert "<svg" in figures.figure(spec, number=1, where="here")
    assert "2 or more: 30, by chance 30.0." in spec["description"]
    assert spec["usermeta"]["caption"].endswith(".")
    assert listed(chart).to_numpy().tolist() == [
        ["0", 900, 900.0, "0"],
        ["1", 70, 70.0, "0"],
        ["2 or more", 30, 30.0, "12"],
    ]


@pytest.mark.parametrize(
    ("customers", "alerts", "drawn"),
    [
        # Four days were bought on by three customers: they are drawn with those of three days.
        ([800, 150, 30, 12, 3], [0] * 5, {"0": "0", "1": "0", "2": "0", "3 or more": "0"}),
        (
            [800, 150, 30, 12],
            [0, 0, 3, 4],
            {"0": HIDDEN, "1": HIDDEN, "2": "<10", "3 or more": "<10"},
        ),
        # Twelve alerts of fifteen leave three who are none.
        ([800, 150, 15], [0, 20, 12], {"0": "0", "1": HIDDEN, "2 or more": HIDDEN}),
        # Few in the middle, too: with them goes another, or the rest would tell.
        ([800, 4, 150, 40], [0] * 4, {"0": "0", "2": "0"}),
    ],
)
def test_what_would_tell_of_a_few_is_not_drawn(customers, alerts, drawn):
    table = listed(observed_expected(rising_of(customers=customers, alerts=alerts)))
    assert dict(zip(table["days"], table["alerts"], strict=True)) == drawn


@pytest.mark.parametrize(
    ("customers", "words", "said"),
    [
        ([5, 3], {}, "fewer than 10 customers can be judged"),
        ([500, 3], {}, "fewer than 10 customers bought, or did not buy"),
        ([0, 0], {"why": "Nobody had bought 60 days ago."}, "Nobody had bought 60 days ago."),
    ],
)
def test_without_enough_a_sentence_stands_in_its_place(customers, words, said):
    found = observed_expected(rising_of(customers=customers, alerts=[0, 0], **words))
    assert isinstance(found, Instead)
    assert said in found.why
