"""What is recorded, said and drawn of guardrails, word for word; nothing of a few customers."""

from __future__ import annotations

import pandas as pd
import pytest
import vl_convert

from retention_lab.charts.frame import listed
from retention_lab.charts.guarding import margins
from retention_lab.record import Ledger
from retention_lab.record import guarding as recorded
from retention_lab.wording import Instead
from retention_lab.wording.guarding import CAUTION, NONE, guarding_sentence, guarding_table

UNSUBSCRIBED = {
    "metric": "unsubscribe",
    "label": "Unsubscribed",
    "unit": "share",
    "better": "lower",
    "value": 0.02,
    "low": 0.015,
    "high": 0.026,
    "margin": 0.005,
    "needed": 24_621,
    "smallest": 0.0085341,
    "power": 0.372,
    "why": "",
    "safe": False,
    "planned": 8_500,
    "followed": 2_000,
    "counted": 2_000,
    "did": 40,
    "currency": "",
}
REVENUE = UNSUBSCRIBED | {
    "metric": "revenue_per_customer",
    "label": "Revenue per customer",
    "unit": "money",
    "better": "higher",
    "value": 18.0,
    "low": 16.5,
    "high": 19.5,
    "margin": 3.0,
    "needed": 7_400,
    "smallest": 2.7914,
    "power": 0.85,
    "did": 700,
    "currency": "GBP",
}


def frame_of(*rows):
    return pd.DataFrame([*rows]).convert_dtypes()


def said(*rows):
    frame, ledger = frame_of(*rows), Ledger()
    recorded.record(ledger, frame)
    table = guarding_table(ledger, frame)
    return guarding_sentence(ledger, frame).replace("\N{NO-BREAK SPACE}", " "), table, ledger


def test_guardrails_are_said_those_that_hold_first_with_what_the_others_take():
    words, table, _ = said(UNSUBSCRIBED, REVENUE)
    assert words == (
        "The 8,500 customers can rule out more harm than would be borne, as surely as the plan "
        "asks, for: Revenue per customer (£3.00 less).\n"
        "\n"
        "- Unsubscribed (0.5 points more): if there is no harm, about 37 in 100 tests of 8,500 "
        "customers show that. It takes 24,621 customers, or a margin of 0.86 points.\n"
        "\n"
        f"{CAUTION}"
    )
    assert table.loc["Unsubscribed"].tolist() == [
        "2.0\N{NO-BREAK SPACE}% (1.5 to 2.6)",
        "0.5 points more",
        "24,621",
        "0.86 points more",
    ]


def test_a_share_of_a_few_is_said_to_be_of_a_few():
    rare = UNSUBSCRIBED | {"value": 0.0035, "did": 7, "safe": True, "needed": 7_300}
    words, table, ledger = said(rare)
    assert "Unsubscribed: fewer than 10 of the 2,000 customers followed, so it is" in words
    assert table["As things are"].tolist() == ["fewer than 10 of 2,000"]
    assert "guardrail:unsubscribe" not in ledger
    assert "guardrail_needed:unsubscribe" in ledger
    assert "0.35" not in words + table.to_string()


@pytest.mark.parametrize(
    "hidden",
    [
        REVENUE | {"did": 7},
        REVENUE | {"counted": 9},
        REVENUE | {"followed": 9},
        REVENUE | {"followed": 2_004},  # with the other: four who came before the records
        UNSUBSCRIBED | {"metric": "click", "label": "Clicked", "did": 44},  # four who did one only
        UNSUBSCRIBED | {"metric": "csat", "label": "Satisfied", "did": 395, "counted": 400},
    ],
)
def test_what_would_tell_of_a_few_is_neither_recorded_nor_said_nor_drawn(hidden):
    words, table, ledger = said(UNSUBSCRIBED, hidden)
    assert not [claim for claim in ledger.claims() if claim.name.endswith(hidden["metric"])]
    assert f"{hidden['label']}: nothing is said of it. It would tell of fewer than 10" in words
    assert table.loc[hidden["label"], "Customers needed"] == "not shown"
    assert listed(margins(frame_of(UNSUBSCRIBED, hidden)))["label"].tolist() == ["Unsubscribed"]


def test_a_refusal_becomes_a_sentence():
    blank = dict.fromkeys(("value", "low", "high", "needed", "smallest", "power", "did"), None)
    words, _, _ = said(REVENUE, UNSUBSCRIBED | blank | {"why": "Shop has no messages."})
    assert r"- Unsubscribed: nothing is said of it. Shop has no messages" in words


def test_a_plan_without_guardrails_is_told_which_is_usual():
    empty = frame_of(UNSUBSCRIBED).iloc[:0]
    assert guarding_sentence(Ledger(), empty) == NONE
    assert guarding_table(Ledger(), empty).why == NONE
    assert margins(empty).why == NONE


def test_picture_shows_the_least_harm_in_margins_of_the_plan():
    chart = margins(frame_of(UNSUBSCRIBED, REVENUE))
    table = listed(chart)
    assert table["times"].tolist() == [1.707, 0.93]
    assert table["least"].tolist() == ["0.86 points more", "£2.80 less"]
    assert "Unsubscribed 0.86 points more, 0.5 points more borne" in chart.description
    assert "Revenue per customer" in vl_convert.vegalite_to_svg(chart.to_dict())


def test_without_anything_to_show_there_is_a_sentence():
    assert isinstance(margins(frame_of(UNSUBSCRIBED | {"followed": 9})), Instead)
