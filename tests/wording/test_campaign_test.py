"""What is recorded, said and drawn of a campaign test, word for word; nothing of a few."""

from __future__ import annotations

from types import SimpleNamespace

import pandas as pd
import pytest
import vl_convert

from retention_lab.charts.campaign_test import lifts
from retention_lab.charts.frame import listed
from retention_lab.experiments.campaign import Best
from retention_lab.experiments.outcomes import KNOWN
from retention_lab.record import Ledger
from retention_lab.record import campaign_test as recorded
from retention_lab.wording import Instead
from retention_lab.wording.campaign_test import (
    FLATTERED,
    TOO_FEW,
    campaign_best,
    campaign_steps,
    campaign_table,
)
from retention_lab.wording.campaigns import CAUTION

CONTROL, MEN, WOMEN = "no-email", "men", "women"
BASE = {
    "customers": 21_307,
    "customers_control": 21_306,
    "left_out": 0,
    "cleaned": False,
    "why": "",
}
VISIT = BASE | {
    "metric": "visit",
    "label": "Visited",
    "unit": "share",
    "arm": MEN,
    "value": 0.1828,
    "value_low": 0.1776,
    "value_high": 0.1880,
    "control": 0.1062,
    "control_low": 0.1021,
    "control_high": 0.1104,
    "difference": 0.0766,
    "low": 0.07,
    "high": 0.0832,
    "lift": 0.7214,
    "lift_low": 0.6404,
    "lift_high": 0.8064,
    "p_value": 1e-9,
    "p_adjusted": 6e-9,
    "did": 3_894,
    "did_control": 2_262,
}
ORDERS = VISIT | {
    "metric": "orders",
    "label": "Orders per customer",
    "unit": "per_customer",
    "value": 0.0125,
    "value_low": 0.0110,
    "value_high": 0.0140,
    "control": 0.0118,
    "control_low": 0.0104,
    "control_high": 0.0132,
    "difference": 0.0007,
    "low": -0.0013,
    "high": 0.0027,
    "lift": 0.059,
    "lift_low": -0.1,
    "lift_high": 0.24,
    "p_value": 0.5,
    "p_adjusted": 0.5,
    "did": 267,
    "did_control": 250,
}
NOT_COMPARED = dict.fromkeys(
    ("difference", "low", "high", "lift", "lift_low", "lift_high", "p_value", "p_adjusted"), pd.NA
)
CLICK = VISIT | NOT_COMPARED | {"metric": "click", "label": "Clicked a message"}
CLICK |= {"control": 0.0, "control_low": 0.0, "control_high": 0.0002, "did_control": 0, "did": 900}
CLICK |= {"value": 0.0422, "value_low": 0.0396, "value_high": 0.045}


def seen_of(*, shows=True, why=None, sends=False):
    arms = [
        SimpleNamespace(name=name, message=None if name == CONTROL and not sends else name)
        for name in (CONTROL, MEN, WOMEN)
    ]
    plan = SimpleNamespace(arms=arms, endpoint=SimpleNamespace(day=14))
    return SimpleNamespace(plan=plan, shows=shows, why=why or {}, currency="USD")


def frame_of(*rows):
    return pd.DataFrame([*rows]).convert_dtypes()


def said(*rows, **words):
    frame, seen, ledger = frame_of(*rows), seen_of(**words), Ledger()
    recorded.record(ledger, seen, frame)
    steps = campaign_steps(ledger, seen, frame).replace("\N{NO-BREAK SPACE}", " ")
    return steps, campaign_table(ledger, seen, frame), lifts(seen, frame), ledger


def best_of(*rows, pairs, leader, metric="visit"):
    return Best(
        outcome=KNOWN[metric],
        days=14,
        arms=pd.DataFrame(rows, columns=["arm", "customers", "did", "value", "low", "high"]),
        pairs=pd.DataFrame(
            pairs, columns=["arm", "other", "difference", "low", "high", "p_adjusted"]
        ),
        leader=leader,
    )


def told_best(best, **words):
    ledger, seen = Ledger(), seen_of(**words)
    recorded.record(ledger, seen, None, best)
    return campaign_best(ledger, seen, best).replace("\N{NO-BREAK SPACE}", " ")


VISITS = [
    (MEN, 21_307, 3_894, 0.1828, 0.1776, 0.188),
    (WOMEN, 21_387, 3_238, 0.1514, 0.1467, 0.1563),
    (CONTROL, 21_306, 2_262, 0.1062, 0.1021, 0.1104),
]
PAIRS = [
    (MEN, WOMEN, 0.0314, 0.0243, 0.0384, 1e-9),
    (MEN, CONTROL, 0.0766, 0.07, 0.0832, 1e-9),
    (WOMEN, CONTROL, 0.0452, 0.0389, 0.0516, 1e-9),
]


def test_steps_are_said_in_their_order_with_what_may_be_chance():
    words, table, _, _ = said(VISIT, ORDERS)
    assert words == (
        "- **Visited:** men about 18 in 100, no-email about 11 in 100. Against no-email: men "
        "+7.7 points (+7.0 to +8.3).\n"
        "- **Orders per 100 customers:** men 1.25, no-email 1.18. Against no-email: men +0.07 "
        "(-0.13 to +0.27), which may be chance.\n"
        "\n"
        "Everybody assigned counts, whether or not a message arrived. What may be chance is told "
        "allowing for all two comparisons."
    )
    assert table.loc["Visited", MEN] == "18.3\N{NO-BREAK SPACE}% (17.8 to 18.8)"
    assert table.loc["Visited", WOMEN] == "not shown"
    assert [*table.columns] == [CONTROL, MEN, WOMEN]


def test_clicks_come_with_their_caution_and_no_comparison_with_a_silent_control():
    words, *_ = said(VISIT, CLICK)
    assert r"**Clicked a message:** men about 4 in 100.\n" in words.replace("\n", r"\n")
    assert "was sent no message of this test, so what only a message brings is not" in words
    assert CAUTION in words
    assert CAUTION not in said(VISIT)[0]
    assert "was sent no message" not in said(VISIT, CLICK, sends=True)[0]


def test_numbers_are_shown_when_the_test_may_be_read_and_not_before():
    words, table, chart, ledger = said(VISIT, shows=False)
    assert words.startswith("What each arm did is shown when the test may be read")
    assert isinstance(table, Instead)
    assert isinstance(chart, Instead)
    assert not ledger.claims()
    assert told_best(best_of(*VISITS, pairs=PAIRS, leader=MEN), shows=False) == words


def test_a_funnel_that_cannot_be_told_is_its_reason():
    seen = seen_of(why={"funnel": "The shop has no messages."})
    assert campaign_steps(Ledger(), seen, None) == r"The shop has no messages\."
    assert isinstance(lifts(seen, None), Instead)


def test_steps_of_a_few_customers_are_left_out_and_said_to_be():
    few = CLICK | {"did": 7}
    words, table, chart, ledger = said(VISIT, few)
    assert "Clicked" not in words
    assert "Steps that would tell of fewer than 10 customers are left out." in words
    assert [*table.index] == ["Visited"]
    assert not any("click" in claim.name for claim in ledger.claims())
    only, table, chart, _ = said(few)
    assert only.replace("\\", "") == TOO_FEW
    assert isinstance(table, Instead)
    assert isinstance(chart, Instead)
    assert "Orders" not in said(VISIT, ORDERS | {"did_control": 9})[0]


def test_of_two_shares_a_few_customers_apart_the_less_sure_one_goes():
    near = CLICK | {"did": VISIT["did"] - 5}
    words, *_ = said(VISIT, near)
    assert "Clicked" in words
    assert "Visited" not in words
    assert "Visited" in said(VISIT, CLICK | {"did": VISIT["did"] - 50})[0]


def test_a_step_that_cannot_be_told_is_said_to_be():
    lacking = VISIT | NOT_COMPARED | {"value": pd.NA, "why": "Nobody has visited yet."}
    assert r"- Visited\: Nobody has visited yet\." in said(ORDERS, lacking)[0]


def test_the_best_arm_is_named_with_all_others_beside_it():
    assert told_best(best_of(*VISITS, pairs=PAIRS, leader=MEN)) == (
        "Men is the best by \N{LEFT DOUBLE QUOTATION MARK}Visited\N{RIGHT DOUBLE QUOTATION MARK}, "
        "allowing for all three comparisons: 18.3 % (17.8 to 18.8); +3.1 points (+2.4 to +3.8) "
        "against women; +7.7 points (+7.0 to +8.3) against no-email. "
        f"{FLATTERED}"
    )


def test_no_arm_is_called_the_best_that_may_be_so_by_chance():
    pairs = [(MEN, WOMEN, 0.0314, -0.001, 0.0638, 0.06), *PAIRS[1:]]
    words = told_best(best_of(*VISITS, pairs=pairs, leader=None))
    assert words.startswith("No arm is shown to be the best by")
    assert "+3.1 points (-0.1 to +6.4) against women, which may be chance" in words
    assert FLATTERED not in words


def test_the_best_of_a_few_customers_is_not_said():
    small = [(MEN, 21_307, 5, 0.0002, 0.0001, 0.0005), *VISITS[1:]]
    words = told_best(best_of(*small, pairs=PAIRS, leader=None))
    assert words == "Which arm is the best would tell of fewer than 10 customers."
    words = told_best(
        best_of(*VISITS, pairs=[(*pair[:2], *4 * [float("nan")]) for pair in PAIRS], leader=None)
    )
    assert words == "No arm is shown to be the best by “Visited”: it is 18.3 % in all of them."
    seen = seen_of(why={"best": "No orders are known."})
    assert campaign_best(Ledger(), seen, None) == r"No orders are known\."


def test_the_best_arm_may_stand_beside_the_steps_in_one_ledger():
    ledger, seen, frame = Ledger(), seen_of(), frame_of(VISIT)
    recorded.record(ledger, seen, frame, best_of(*VISITS, pairs=PAIRS, leader=MEN))
    assert f"campaign_apart:visit:{MEN}:{WOMEN}" in ledger
    assert ledger[f"campaign:visit:{CONTROL}"].n == 21_306


def test_the_picture_has_a_row_for_each_step_and_arm_that_is_compared():
    chart = said(VISIT, ORDERS, CLICK)[2]
    data = listed(chart)
    assert data["name"].tolist() == ["Visits, men", "Orders, men"]
    assert data["clear"].tolist() == ["yes", "no"]
    assert data["lift"].tolist() == pytest.approx([0.7214, 0.059])
    vl_convert.vegalite_to_png(chart.properties(width=340).to_dict())
    assert isinstance(said(CLICK)[2], Instead)
