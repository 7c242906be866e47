"""What is recorded, said and drawn of an effect: in words people know, and of no few customers."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
import vl_convert

from retention_lab.charts import effects as charts
from retention_lab.charts.frame import listed
from retention_lab.experiments.effects import curves, effects
from retention_lab.inference.interval import Interval
from retention_lab.inference.means import around
from retention_lab.record import Ledger
from retention_lab.record import effects as recorded
from retention_lab.record import looking as looks
from retention_lab.record.small import HIDDEN
from retention_lab.wording import Instead
from retention_lab.wording.effects import NOT_YET, effects_sentences, effects_table

from ..experiments import readouts  # noqa: TID252  one maker of read-outs
from ..experiments.armed import Rows, customers, plan  # noqa: TID252

FULL = {
    "lift": Interval(value=0.084, low=0.022, high=0.149),
    "days": around(1.9, std_error=0.561),
    "hazard_ratio": Interval(value=0.81, low=0.71, high=0.91),
    "proportional": 0.3,
}


def effect(**fields):
    return readouts.effect_of(**{**FULL, **fields})


def said(*found, **read):
    seen = readouts.read(*found, **read)
    ledger = Ledger()
    recorded.record(ledger, seen)
    return told(ledger, seen), ledger, seen


def told(ledger, seen):
    """The sentences, a number and its sign apart by a plain space."""
    return effects_sentences(ledger, seen).replace("\N{NO-BREAK SPACE}", " ")


def test_a_gain_is_told_in_shares_days_and_relative_to_control():
    text, ledger, seen = said(effect())
    assert text == (
        "Of 100 customers in “check-in” 66.1 were still with us after 90 days (64.1 to 68.1), "
        "of 100 in “control” 61.0 (59.0 to 63.0). The difference is +5.1 points (+0.6 to +9.6). "
        "Over the first 90 days it comes to +1.9 retained days per customer (+0.8 to +3.0). "
        "Relative to control, 8.4 % more customers stayed (2.2 to 14.9 % more). On any one of "
        "these days the pace of leaving is 19.0 % lower (9.0 to 29.0 % lower); early and late do "
        "not differ by more than luck explains.\n\n"
        "Nothing is known of what comes after day 90. Only the range of the difference allows "
        "for all four looks; the others are of this look alone."
    )
    table = effects_table(ledger, seen)
    assert table.index.tolist()[:3] == [
        "Retained by day 90",
        "Retained by day 90",
        "Retained by day 90, against control",
    ]
    assert table.iloc[2][["Found", "Range"]].tolist() == ["+5.1 points", "+0.6 to +9.6"]


def test_the_difference_has_the_range_of_all_looks():
    _, ledger, seen = said(effect())
    found = ledger[recorded.named("difference", "check-in")]
    alone = seen.effects[0].difference
    assert found.high - found.low == pytest.approx(
        readouts.BOUND / 1.959964 * (alone.high - alone.low)
    )


def test_an_effect_that_changes_over_time_has_no_one_pace():
    text, *_ = said(effect(proportional=0.001))
    assert "not the same early and late" in text
    assert "On any one of" not in text


def test_what_returns_is_told_as_days_earlier_or_later():
    coming = readouts.plan_of(**readouts.COSTS, endpoint={"kind": "returned", "day": 90})
    text, *_ = said(effect(), plan=coming)
    assert "next purchase came 1.9 days earlier on average (0.8 to 3.0 days earlier)" in text
    text, *_ = said(effect(days=around(-0.4, std_error=0.6)), plan=coming)
    assert "came 0.4 days later on average (1.6 days later to 0.8 days earlier)" in text
    assert "the pace of coming back is 19.0 % lower" in text


def test_a_plan_calls_its_endpoint_by_words_of_its_own():
    own = {"who": "men", "did": "were not arrested within 90 days", "events": "arrests"}
    plan = readouts.plan_of(endpoint={"kind": "retained", "day": 90, "words": own})
    text, ledger, seen = said(effect(), plan=plan)
    assert "Of 100 men in “check-in” 66.1 were not arrested within 90 days (64.1 to 68.1)" in text
    assert "+1.9 days without arrests on average (+0.8 to +3.0)" in text
    assert "8.4 % more men were not arrested within 90 days (2.2 to 14.9 % more)" in text
    assert "the pace of arrests is 19.0 % lower" in text
    assert "Were not arrested within 90 days" in effects_table(ledger, seen).index
    for usual in ("customer", "retained", "Retained", "leaving", "with us"):
        assert usual not in f"{text} {effects_table(ledger, seen).to_string()}"


def test_an_early_stop_is_said_to_flatter():
    text, *_ = said(effect(), stopped="gain")
    assert "corrected for the early stop" in text
    assert "The test stopped early, so all but the difference are flattering." in text


def test_what_cannot_be_told_is_its_sentence():
    none = dict.fromkeys(("share", "difference", "reading", *FULL))
    why = dict.fromkeys(none, "Nobody of check-in has come back yet: wait.")
    seen = readouts.read(effect())
    seen = replace(seen, effects=(replace(seen.effects[0], why=why, **none),))
    ledger = Ledger()
    recorded.record(ledger, seen)
    text = told(ledger, seen)
    assert text.replace("\\", "").startswith(why["share"])
    assert charts.against(seen).why == why["share"]
    assert [claim.about for claim in ledger.claims()] == ["control"]
    assert isinstance(charts.curves(seen), Instead)


def test_why_nothing_is_told_of_those_reached_is_said_once_for_all_arms():
    why = {"reached": "The shop has no messages; map them."}
    found = (effect(why=why), effect(arm="call", why=why))
    text, *_ = said(*found, plan=readouts.three(**readouts.COSTS))
    assert text.count("those whom it reached cannot be told. The shop has no messages") == 1


def test_a_test_by_all_days_says_that_it_does_not_decide_by_the_last():
    seen = readouts.read(effect(), unit="log hazard")
    ledger = Ledger()
    looks.record(ledger, seen)
    recorded.record(ledger, seen)
    text = told(ledger, seen)
    assert "the test decides by all days together, and there the pace of leaving is 5.0 %" in text


def test_before_a_look_nothing_is_said_or_drawn():
    text, ledger, seen = said(effect(), look=0, state="before")
    assert text == NOT_YET
    assert not ledger.claims()
    assert charts.curves(seen).why == NOT_YET
    for beside in (effects_table(ledger, seen), charts.against(seen)):
        assert beside == Instead("")
    recorded.record(ledger, replace(readouts.read(effect()), shows=False))  # a check failed
    assert not ledger.claims()


def test_a_few_customers_are_neither_recorded_nor_drawn():
    text, ledger, seen = said(effect(customers=9))
    assert "fewer than 10 customers" in text
    assert not ledger.claims()
    assert charts.against(seen) == Instead("")
    _, ledger, _ = said(effect(events=3))
    assert [claim.name for claim in ledger.claims()] == [
        recorded.named(part, "check-in") for part in ("difference", "days")
    ]


@pytest.fixture(scope="module")
def seen():
    rows = customers(np.random.default_rng(1), 3_000, ratio=0.6)
    asked = plan(**readouts.COSTS)
    (found,) = effects(Rows(rows), asked)
    return replace(readouts.read(found, plan=asked), curves=curves(Rows(rows), asked))


def test_those_reached_are_told_apart_from_all(seen):
    ledger = Ledger()
    recorded.record(ledger, seen)
    text = told(ledger, seen)
    assert "The message was delivered to about 67 in 100. If it does nothing to the others" in text
    assert "from the random assignment" in text
    one = ledger[recorded.named("reached", "check-in")]
    assert one.value > ledger[recorded.named("difference", "check-in")].value


def test_curves_say_how_many_were_followed_and_end_a_little_after_the_day(seen):
    chart = charts.curves(seen)
    data = listed(chart)
    assert data["day"].max() <= 1.2 * 13
    assert data["arm"].unique().tolist() == ["control", "check-in"]
    axis = json.dumps(chart.to_dict())
    assert r"\"0\", \"1,471\", \"1,529\"" in axis
    assert chart.description.startswith("Still with us, by days and by arm: control")
    assert vl_convert.vegalite_to_svg(chart.to_dict())


def test_no_step_between_the_followed_is_of_a_few(seen):
    few = seen.curves.copy()
    few.loc[(few["arm"] == "control") & few["day"].between(1, 9), "at_risk"] = 1_468
    chart = charts.curves(replace(seen, curves=few))
    labels = chart.to_dict()["layer"][1]["encoding"]["x"]["axis"]["labelExpr"]
    days = json.loads(labels.removesuffix("[datum.value]"))
    assert [days[day][1] for day in ("0", "4", "9", "13")] == ["1,471", HIDDEN, HIDDEN, "725"]


def test_the_effect_stands_beside_what_would_matter(seen):
    chart = charts.against(seen)
    (row,) = listed(chart).to_dict("records")
    assert row["value"] == pytest.approx(100 * seen.effects[0].difference.value, abs=1e-3)
    # The plan's 3 points are of those reached; 0.35 a message over 31 a customer.
    assert row["smallest"] == pytest.approx(3 * seen.effects[0].reached.reached.value, abs=1e-3)
    assert row["pays"] == pytest.approx(100 * 0.35 / 31, abs=1e-3)
    assert "from which the messages pay" in chart.usermeta["caption"]
    poor = charts.against(replace(seen, money={}))
    assert "from which the messages pay" not in poor.usermeta["caption"]
    assert vl_convert.vegalite_to_svg(chart.to_dict())
