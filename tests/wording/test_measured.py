"""What is recorded, said and drawn of guardrails and secondary metrics; nothing of a few."""

from __future__ import annotations

import datetime as dt
from types import SimpleNamespace

import pandas as pd
import pytest
import vl_convert

from retention_lab.charts import measured as charts
from retention_lab.charts.frame import listed
from retention_lab.record import Ledger
from retention_lab.record import measured as recorded
from retention_lab.wording import Instead
from retention_lab.wording import measured as words

UNSUBSCRIBED = {
    "metric": "unsubscribe",
    "label": "Unsubscribed",
    "unit": "share",
    "better": "lower",
    "role": "guardrail",
    "arm": "hello",
    "customers": 2_000,
    "customers_control": 1_900,
    "left_out": 120,
    "value": 0.021,
    "value_low": 0.016,
    "value_high": 0.028,
    "control": 0.018,
    "control_low": 0.013,
    "control_high": 0.025,
    "difference": 0.003,
    "low": -0.006,
    "high": 0.012,
    "std_error": 0.0045,
    "lift": 0.17,
    "lift_low": -0.25,
    "lift_high": 0.8,
    "p_value": 0.3,
    "p_adjusted": None,
    "cleaned": False,
    "kept": 1.0,
    "margin": 0.005,
    "no_worse": False,
    "harmed": False,
    "why": "",
    "counted": 2_000,
    "counted_control": 1_900,
    "did": 42,
    "did_control": 34,
}
REVENUE = UNSUBSCRIBED | {
    "metric": "revenue_per_customer",
    "label": "Revenue per customer",
    "unit": "money",
    "better": "higher",
    "role": "secondary",
    "value": 21.4,
    "value_low": 20.1,
    "value_high": 22.7,
    "control": 19.6,
    "control_low": 18.4,
    "control_high": 20.8,
    "difference": 1.8,
    "low": 0.4,
    "high": 3.2,
    "lift": 0.092,
    "lift_low": 0.02,
    "lift_high": 0.17,
    "p_adjusted": 0.03,
    "cleaned": True,
    "kept": 0.64,
    "margin": None,
    "no_worse": None,
    "did": 700,
    "did_control": 640,
}
ORDERS = REVENUE | {
    "metric": "orders",
    "label": "Orders per customer",
    "unit": "per_customer",
    "value": 0.52,
    "value_low": 0.49,
    "value_high": 0.55,
    "control": 0.5,
    "control_low": 0.47,
    "control_high": 0.53,
    "difference": 0.02,
    "low": -0.02,
    "high": 0.06,
    "p_adjusted": 0.4,
    "cleaned": False,
}
BLANK = dict.fromkeys(
    ["value", "control", "difference", "low", "high", "lift", "p_value", "p_adjusted", "no_worse"]
)
UNTOLD = UNSUBSCRIBED | BLANK | {"metric": "csat", "label": "Satisfied", "why": "No tickets."}


READ_ON = dt.date(2026, 6, 10)


def seen(*rows, shows=True, why=None, arms=("control", "hello"), measured_on=READ_ON):
    return SimpleNamespace(
        measured=pd.DataFrame([*rows], columns=[*UNSUBSCRIBED]).convert_dtypes() if rows else None,
        plan=SimpleNamespace(
            arms=[SimpleNamespace(name=arm, message=None) for arm in arms],
            endpoint=SimpleNamespace(day=90),
        ),
        shows=shows,
        why=why or {},
        currency="GBP",
        read_on=READ_ON,
        measured_on=measured_on,
    )


def said(*rows, **more):
    """Guardrails, secondaries and the basis, and the table and the ledger."""
    one, ledger = seen(*rows, **more), Ledger()
    recorded.record(ledger, one)
    found = [words.measured_guardrails(ledger, one), words.measured_secondaries(ledger, one)]
    found = [each.replace("\N{NO-BREAK SPACE}", " ") for each in found]
    return *found, words.measured_table(ledger, one), ledger


def test_a_guardrail_is_said_with_both_averages_its_range_and_what_would_be_borne():
    guardrails, _, table, _ = said(UNSUBSCRIBED)
    assert guardrails == (
        "Not shown harmless yet:\n\n"
        "- Unsubscribed: 2.1 against 1.8 in 100, +0.3 points (-0.6 to +1.2); 0.5 points more would "
        f"be borne.\n\n{words.CAUTION}"
    )
    assert table.loc["Unsubscribed", "What it says"] == "Not shown harmless yet"
    assert table.loc["Unsubscribed", "Harm borne"] == "0.5 points more"


def test_guardrails_that_are_harmed_come_first_and_those_that_hold_last():
    harmed = UNSUBSCRIBED | {"harmed": True, "metric": "a", "label": "First", "did": 80}
    holds = UNSUBSCRIBED | {"no_worse": True, "metric": "b", "label": "Second", "did": 142}
    guardrails, *_ = said(holds, harmed | {"did_control": 160}, UNTOLD)
    parts = guardrails.split("\n\n")
    assert parts[0] == "**More harm than the plan would bear is shown:**"
    assert parts[1].startswith("- First")
    assert parts[2:4] == ["More harm than would be borne is ruled out:", parts[3]]
    assert parts[3].startswith("- Second")
    assert parts[-1] == "- Satisfied: No tickets\\."
    assert words.CAUTION not in guardrails


def test_secondaries_that_differ_are_said_of_how_many_were_examined():
    _, secondaries, table, ledger = said(REVENUE, ORDERS)
    assert secondaries == (
        "1 of 2 comparisons differs, allowing for all of them:\n\n"
        "- Revenue per customer: £21.40 against £19.60, +£1.80 (+£0.40 to +£3.20). Differs, for "
        "the better.\n\n"
        "What may be chance:\n\n"
        "- Orders per 100 customers: 52.00 against 50.00, +2.00 (-2.00 to +6.00)."
    )
    assert table.loc["Revenue per customer", "Relative"].replace("\N{NO-BREAK SPACE}", " ") == (
        "+9.2 % (+2.0 to +17.0)"
    )
    assert "Harm borne" not in table
    assert ledger["measured_examined"].value == 2
    assert ledger["secondary_difference:orders:hello"].value == 2.0


@pytest.mark.parametrize(
    ("better", "difference", "read"),
    [("lower", -1, "better"), ("lower", 1, "worse"), ("higher", -1, "worse")],
)
def test_a_difference_is_for_the_better_by_what_is_better_of_the_metric(better, difference, read):
    assert words.reading(REVENUE | {"better": better, "difference": difference}) == read
    assert words.reading(REVENUE | {"better": "neither"}) == "differs"


def test_nothing_that_differs_is_said_to_be_of_all_that_were_examined():
    _, secondaries, *_ = said(ORDERS, REVENUE | {"p_adjusted": 0.06})
    assert secondaries.startswith(
        "No secondary metric differs by more than chance explains, of 2 comparisons made."
    )


def test_clicks_of_those_who_are_sent_a_message_are_no_gain_by_themselves():
    clicked = UNSUBSCRIBED | {"role": "secondary", "metric": "click", "label": "Clicked"}
    rows = (REVENUE, clicked | {"p_adjusted": 0.001})
    _, secondaries, *_ = said(*rows)
    assert words.OF_DESIGN in secondaries
    assert listed(charts.secondaries(seen(*rows)))["name"].tolist() == ["Revenue"]
    assert words.OF_DESIGN not in said(REVENUE)[1]


def test_what_the_past_explains_and_who_is_left_out_are_said():
    basis = words.measured_basis(seen(UNSUBSCRIBED, REVENUE))
    assert "over the 90 days from time zero" in basis
    assert "So 120 customers who came later are left out." in basis
    assert basis.endswith("less of a range's width: Revenue per customer 80 %.")
    few = words.measured_basis(seen(UNSUBSCRIBED | {"left_out": 4}))
    assert "So fewer than 10 customers who" in few


@pytest.mark.parametrize(
    "hidden",
    [
        UNSUBSCRIBED | {"did": 7},
        UNSUBSCRIBED | {"did_control": 1_893},
        UNSUBSCRIBED | {"customers_control": 9},
        REVENUE | {"did_control": 4},
        REVENUE | {"counted": 9},
    ],
)
def test_what_would_tell_of_a_few_is_neither_recorded_nor_said_nor_drawn(hidden):
    guardrails, secondaries, table, ledger = said(hidden)
    assert [claim.name for claim in ledger.claims() if ":" in claim.name] == []
    assert "would tell of fewer than 10 customers" in guardrails + secondaries
    assert table["Difference"].tolist() == ["not shown"]
    assert not listed(charts.guardrails(seen(hidden))).size
    assert not listed(charts.secondaries(seen(hidden))).size


def test_a_share_a_few_customers_from_another_of_its_arm_is_hidden():
    near = UNSUBSCRIBED | {"metric": "click", "label": "Clicked", "did": 45, "did_control": 90}
    *_, ledger = said(UNSUBSCRIBED, near)
    assert "guardrail_difference:unsubscribe:hello" in ledger
    assert "guardrail_difference:click:hello" not in ledger
    again = UNSUBSCRIBED | {"role": "secondary", "p_adjusted": 0.5}
    *_, ledger = said(UNSUBSCRIBED, again)
    assert "secondary_difference:unsubscribe:hello" in ledger


def test_a_few_who_were_not_followed_cannot_be_worked_out():
    *_, ledger = said(UNSUBSCRIBED | {"left_out": 3})
    assert {claim.n for claim in ledger.claims()} == {None}
    *_, ledger = said(UNSUBSCRIBED)
    assert ledger["guardrail_difference:unsubscribe:hello"].n == 3_900


def test_once_a_test_is_over_the_day_of_its_metrics_is_said_to_be_a_later_one():
    basis = words.measured_basis(seen(UNSUBSCRIBED))
    assert "followed for so long by 10 June 2026." in basis
    assert "later than the effect" not in basis
    basis = words.measured_basis(seen(UNSUBSCRIBED, measured_on=dt.date(2026, 9, 1)))
    assert "followed for so long by 1 September 2026. That is later than the effect" in basis


def test_several_arms_are_told_apart_by_name():
    guardrails, *_ = said(UNSUBSCRIBED, arms=("control", "hello", "call"))
    assert "- Unsubscribed, hello: 2.1 against" in guardrails


@pytest.mark.parametrize(
    ("one", "why"),
    [
        (seen(UNSUBSCRIBED, shows=False), words.NOT_YET),
        (seen(why={"measured": "Nobody."}), "Nobody."),
    ],
)
def test_before_it_may_be_read_no_number_is_said_or_drawn(one, why):
    ledger = Ledger()
    recorded.record(ledger, one)
    assert ledger.claims() == []
    assert words.measured_guardrails(ledger, one) == why
    assert words.measured_secondaries(ledger, one) == why
    assert words.measured_table(ledger, one) == Instead("")
    assert words.measured_basis(one) == ""
    assert isinstance(charts.guardrails(one), Instead)
    assert isinstance(charts.secondaries(one), Instead)


def test_a_plan_without_either_says_so():
    one = seen(UNSUBSCRIBED)
    one.measured = one.measured.iloc[:0]
    recorded.record(Ledger(), one)
    assert words.measured_guardrails(Ledger(), one) == words.NO_GUARDRAILS
    assert words.measured_secondaries(Ledger(), one) == words.NO_SECONDARIES
    assert words.measured_table(Ledger(), one) == Instead("")


def test_the_picture_of_guardrails_is_in_margins_with_harm_to_the_left():
    rail = REVENUE | {"role": "guardrail", "margin": 2.0, "no_worse": True}
    chart = charts.guardrails(seen(UNSUBSCRIBED, rail))
    table = listed(chart)
    assert table[["value", "low", "high"]].to_numpy().tolist() == [
        [-0.6, -2.4, 1.2],
        [0.9, 0.2, 1.6],
    ]
    assert "Unsubscribed: Not shown harmless yet; Revenue: Holds" in chart.description
    assert "Unsubscribed" in vl_convert.vegalite_to_svg(chart.to_dict())


def test_the_picture_of_secondaries_is_relative_and_leaves_out_what_has_no_bounds():
    chart = charts.secondaries(seen(REVENUE, ORDERS | {"lift": None}))
    assert listed(chart)["value"].tolist() == [0.092]
    assert "Revenue +9.2%" in chart.description
    assert "cut" not in chart.usermeta["caption"]
    wide = charts.secondaries(seen(REVENUE | {"lift_high": 7.0}))
    assert "are cut" in wide.usermeta["caption"]
