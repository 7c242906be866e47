"""The sentences of the churn page, word for word, and the words that they do without."""

from __future__ import annotations

import datetime as dt
import re
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from retention_lab.churn.endpoints import Endpoint
from retention_lab.churn.evidence import Missing
from retention_lab.record import Ledger, churn
from retention_lab.survival.logrank import LogRank
from retention_lab.tables.playbook import Attribute, Milestone, Support
from retention_lab.wording import Instead
from retention_lab.wording import churn as said

from ..churn.outlooks import AS_OF, WHY, backtest, between, forecast, outlook  # noqa: TID252  one maker of outlooks

NOTHING = Missing(why="Nothing is known.")
ABOVE = re.compile(r"significant|\bp\b|hazard|driver|landmark|\bevent\b", re.IGNORECASE)


def read(text):
    """Give a sentence plain spaces and apostrophes."""
    return text.translate({0xA0: " ", 0x2019: "'", 0x201C: '"', 0x201D: '"'})


def ledger_of(seen):
    ledger = Ledger()
    churn.outlook(ledger, seen)
    return ledger


def shares(ledger, **values):
    for name, value in values.items():
        about = "the last 90 days" if name == "churn_involuntary" else "Onboarding"
        interval = between(value, 0.02)
        ledger.record(name, interval, unit="share", n=500, about=about, definition="")
    return ledger


def first_screen(seen, ledger=None, *, consents=True):
    ledger = ledger or ledger_of(seen)
    ledger.headline = said.churn_headline(ledger, seen)
    body = said.churn_body(ledger, seen, day=7)
    action = said.churn_action(ledger, seen, owner="Billing", as_of=AS_OF, consents=consents)
    parts = [read(part) for part in (ledger.headline, body, action)]
    for part in parts:
        assert not ABOVE.search(part)
        assert "  " not in part
        assert re.findall(r"\b(?:nan|None of the last 1|None,|NaT)\b", part) == []
    return parts


def test_headline_of_a_contract_counts_today_s_subscribers_with_range_and_day():
    headline, body, action = first_screen(outlook(ahead=forecast(), tested=backtest()))
    assert headline == (
        "We expect to lose about 200 of today's 1,000 subscribers by 27 February 2027 (180 to 220)."
    )
    assert body == (
        "On 31 August 2026 the same model would have said 200 (180 to 220); 204 left. All of the "
        "last 4 such forecasts held. The 100 most likely to leave (10 %) carry 15 % of the "
        "expected loss."
    )
    assert action == (
        "**Do** (Billing, by 6 December 2026): contact those on the list that `retention-lab "
        "score` writes; a few of them, chosen at random, are left alone, so that the next one "
        "tells whether contact helped. **Do not** count whoever is contacted and stays as saved."
    )


def test_first_screen_without_a_contract_is_about_buying_again():
    seen = outlook("returned", ahead=forecast("returned", expected=800), tested=backtest())
    headline, body, action = first_screen(seen)
    assert headline == (
        "We expect about 800 of our 1,000 customers to buy again by 27 February 2027 (780 to 820)."
    )
    assert "; 204 bought again. " in body
    assert "The 100 most likely to buy again (10 %) are 11 % of those who are expected to." in body
    assert "buys again as won back" in action


@pytest.mark.parametrize(
    ("came", "words"),
    [
        ((204,), "That forecast held; there is no earlier one."),
        ((304,), "That forecast did not hold; there is no earlier one."),
        ((204, 205), "All of the last 2 such forecasts held."),
        ((204, 305), "1 of the last 2 such forecasts held."),
        ((304, 305), "None of the last 2 such forecasts held."),
        ((204, 304, 305, 205), "2 of the last 4 such forecasts held. Its ranges are too narrow"),
    ],
)
def test_body_says_how_earlier_forecasts_fared(came, words):
    _, body, _ = first_screen(outlook(ahead=forecast(), tested=backtest(came=came)))
    assert words in body
    assert ("too narrow" in body) == ("too narrow" in words)


def test_body_of_an_untested_forecast_says_so_and_who_is_not_in_it():
    headline, body, _ = first_screen(outlook(ahead=forecast(checked=False), not_told=628))
    assert "about 200 of 1,000 of today's subscribers by" in headline
    assert body.startswith(
        "628 other subscribers have been here too long for a forecast. This forecast is unchecked: "
        "no earlier one can be compared with what came."
    )
    _, body, _ = first_screen(outlook(ahead=forecast(checked=False), not_told=3))
    assert body.startswith("Fewer than 10 other subscribers")
    _, body, _ = first_screen(outlook(ahead=forecast(checked=False)))
    assert body.startswith("This forecast is unchecked")


def test_body_hides_what_came_where_it_would_tell_of_a_few():
    _, body, _ = first_screen(outlook(ahead=forecast(), tested=backtest(came=(200, 4))))
    assert body.startswith("What came of the last forecast would tell of fewer than 10 customers.")


@pytest.mark.parametrize("kind", ["cancelled", "returned"])
def test_nothing_is_promised_where_there_is_no_forecast(kind):
    headline, body, action = first_screen(outlook(kind))
    what = {"cancelled": "leave", "returned": "buy again"}[kind]
    assert headline == f"How many customers will {what} cannot be said yet."
    assert body == WHY
    assert action == "**Do:** nothing yet."


def test_a_forecast_of_a_few_is_not_said():
    headline, body, action = first_screen(outlook(ahead=forecast(expected=4), tested=backtest()))
    assert headline.endswith("cannot be said yet.")
    assert body == "It would tell of fewer than 10 customers."
    assert action == "**Do:** nothing yet."


def test_without_consents_nobody_is_to_be_contacted():
    seen = outlook(ahead=forecast(), tested=backtest())
    assert first_screen(seen, consents=False)[2] == (
        "**Do** (Billing, by 6 December 2026): have the consents of customers mapped, so that a "
        "list of whom to contact can be made. **Do not** contact anybody without one."
    )


def test_chances_no_better_than_the_average_rank_nobody():
    seen = outlook(ahead=forecast(), tested=backtest(brier=0.16, null=0.16))
    _, body, action = first_screen(seen)
    assert "most likely" not in body
    assert "make no list by them" in said.churn_list(ledger_of(seen), seen)
    assert "**Do not** contact anybody by their chances" in action
    assert "`retention-lab score`" not in action
    assert "so do not rank customers by them." in said.churn_calibration(ledger_of(seen), seen)


def test_milestones_and_failed_payments_are_in_a_hundred_with_their_range():
    seen = outlook(ahead=forecast(), tested=backtest())
    found = {"milestone_reached": 0.22, "milestone_not": 0.31, "churn_involuntary": 0.18}
    _, body, _ = first_screen(seen, shares(ledger_of(seen), **found))
    assert (
        'Of those who reached "Onboarding" by day 7, about 22 in 100 (20.0 to 24.0) left in the 90 '
        "days after; of the others about 31 in 100 (29.0 to 33.0). This is a comparison, not "
        "proof: only a randomized test can tell." in body
    )
    assert (
        "Of the cancellations of the last 90 days, about 18 in 100 (16.0 to 20.0) were not asked "
        "for, such as failed payments: these need Billing, not messages." in body
    )


def test_every_number_of_the_first_screen_was_recorded():
    seen = outlook(ahead=forecast(), tested=backtest())
    found = {"milestone_reached": 0.22, "milestone_not": 0.31, "churn_involuntary": 0.18}
    ledger = shares(ledger_of(seen), **found)
    headline, body, _ = first_screen(seen, ledger)
    known = {"2026", "2027", "31", "27", "10", "100", "90", "7"}
    for claim in ledger.claims():
        ends = [claim.value, claim.low, claim.high]
        known |= {claim.written(each).split("\xa0")[0] for each in ends if each is not None}
        known |= {f"{100 * claim.value:.0f}", f"{claim.n:,}"}
    assert set(re.findall(r"\d[\d,.]*\d|\d", f"{headline} {body}")) <= known


@pytest.mark.parametrize(
    ("p_value", "words"),
    [
        (0.0001, "differ by more than chance gives (log-rank test, p < 0.001)."),
        (0.125, "differ by no more than chance may give (log-rank test, p = 0.125)."),
    ],
)
def test_curves_differ_only_where_a_test_says_so(p_value, words):
    found = LogRank(statistic=1.0, degrees_of_freedom=1, p_value=p_value, groups=pd.DataFrame())
    assert words in said.churn_curves(Endpoint(kind="cancelled"), found)


def test_curves_say_since_when_days_are_counted():
    for kind, words in (("cancelled", "subscription began"), ("returned", "first purchase")):
        text = said.churn_curves(Endpoint(kind=kind), NOTHING)
        assert words in text
        assert "chance" not in text


def associations(*factors, changing=(), unwished=False):
    """Associations as far as their sentences look at them."""
    levels = {one.name: (("no",), ("yes",)) for one in factors}
    names = [f"{one.name}: yes" for one in factors]
    summary = pd.DataFrame({"name": names, "hazard_ratio": 0.5, "low": 0.4, "high": 0.6})
    tests = pd.DataFrame(
        {
            "label": [one.label for one in factors],
            "state": "yes",
            "statistic": 12.345,
            "p_value": [0.0001 if one.label in changing else 0.4 for one in factors],
            "changes": [one.label in changing for one in factors],
        }
    )
    return SimpleNamespace(
        factors=factors,
        levels=levels,
        fit=SimpleNamespace(summary=lambda **_: summary.assign(p_value=0.01)),
        counts=pd.DataFrame({"name": names, "customers": 50, "events": 20}),
        proportional=tests,
        unwished=unwished,
        changing=list(changing),
    )


ONBOARDING = Milestone(name="onboarding", label="Onboarding", event="done")
TICKET = Support(name="support", label="Latest ticket")
PLAN = Attribute(name="plan", label="Plan", column="plan")


def test_ratios_carry_the_cautions_that_belong_to_them():
    text = read(said.churn_ratios(associations(ONBOARDING, TICKET, unwished=True)))
    assert 'Held against: "no" of Onboarding and Latest ticket.' in text
    assert said.MILESTONE in text
    assert said.SUPPORT in text
    assert "Cancellations that nobody asked for, such as failed payments, are set apart." in text
    assert "at all times" not in text


def test_ratios_of_attributes_are_no_proof_either():
    text = said.churn_ratios(associations(PLAN, changing=("Plan",)))
    assert said.DIFFER in text
    assert said.MILESTONE not in text
    assert said.SUPPORT not in text
    assert "set apart" not in text
    assert "not the same at all times for Plan: read it as an average." in text


def test_table_of_tests_says_which_ratio_changes():
    table = said.churn_proportional(associations(ONBOARDING, PLAN, changing=("Plan",)))
    assert table.reset_index().to_numpy().tolist() == [
        ["Onboarding: yes", "may be constant", "12.3", "0.400"],
        ["Plan: yes", "changes with time", "12.3", "< 0.001"],
    ]


def test_what_is_missing_is_said_once():
    seen = outlook("returned")
    assert said.churn_ratios(NOTHING) == ""
    assert said.churn_proportional(NOTHING) == Instead("No table: there are no ratios to test.")
    assert said.churn_immortal({}) == ""
    assert said.churn_lost(NOTHING) == ""
    assert said.churn_repeat(NOTHING) == ""
    assert said.churn_list(Ledger(), seen) == ""
    assert said.churn_calibration(Ledger(), seen) == ""
    assert said.churn_left_out(seen) == ""


def three(*ratios):
    frame = pd.DataFrame({"hazard_ratio": ratios})
    return frame.assign(low=frame["hazard_ratio"] - 0.05, high=frame["hazard_ratio"] + 0.05)


def test_flattered_milestones_are_named():
    frames = {"Onboarding": three(0.5, 0.8, 0.8), "Feature": three(0.8, 0.8, 0.81)}
    assert "For Onboarding they differ by more" in said.churn_immortal(frames)
    frames.pop("Onboarding")
    assert "Here all three agree within their ranges." in said.churn_immortal(frames)


def test_calibration_says_how_far_off_in_points_and_how_well_ordered():
    seen = outlook(ahead=forecast(), tested=backtest())
    assert read(said.churn_calibration(ledger_of(seen), seen)) == (
        "In 10 groups of past customers by their chance, what was forecast and what came differ by "
        "at most 2.0 points. The squared error of the chances is 12.0 % (11.0 to 13.0), of the "
        "average for everybody 16.0 % (15.0 to 17.0). Of pairs of customers, about 70 in 100 (68.0 "
        "to 72.0) are put in the right order; a guess would do so with 50."
    )
    assert "squared" not in said.churn_calibration(Ledger(), seen)


def test_lost_customers_who_came_back_are_in_a_hundred_with_their_range():
    frame = pd.DataFrame({"days": [30, 60, 90], "customers": [100, 50, 4]})
    frame = frame.assign(later_returned=[0.61, 0.4, 0.2], low=[0.55, 0.3, 0.1])
    frame = frame.assign(high=[0.67, 0.5, 0.3], refused=[False, False, True])
    words = (
        "Of customers called lost, some return later: after 30 silent days 61 in 100 (55.0 to 67.0)"
        " and after 60 silent days 40 in 100 (30.0 to 50.0)."
    )
    assert said.churn_lost(frame) == words
    refused = said.churn_lost(frame.assign(customers=100))
    assert "From 90 days on, whoever buys today cannot be called lost" in refused
    assert said.churn_lost(frame.assign(customers=4)) == ""


def test_list_says_with_whom_it_begins_and_what_it_does_not_tell():
    for kind, words in (
        ("cancelled", "most likely to leave."),
        ("returned", "least likely to buy"),
    ):
        seen = outlook(kind, ahead=forecast(kind), tested=backtest())
        text = said.churn_list(ledger_of(seen), seen)
        assert f"A list begins with those {words}" in text
        assert "the customers held back at random tell which." in text


def test_what_is_left_out_is_named():
    ahead = forecast(left_out=("Plan is left out.",))
    seen = outlook(ahead=ahead, tested=backtest(), unused=("Onboarding", "First value", "Plan"))
    assert said.churn_left_out(seen) == (
        "The data do not tell: Onboarding, First value and Plan. Plan is left out."
    )


def test_repeat_purchases_are_a_comparison():
    assert said.DIFFER in said.churn_repeat(pd.DataFrame({"hazard_ratio": np.ones(2)}))


def test_action_is_due_a_week_after_the_report():
    seen = outlook(ahead=forecast(), tested=backtest())
    text = said.churn_action(
        ledger_of(seen), seen, owner="A", as_of=dt.date(2026, 12, 28), consents=True
    )
    assert "by 4 January 2027" in text
