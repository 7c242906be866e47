"""The first screen of a test before it begins, word for word, and the words it does without."""

from __future__ import annotations

import dataclasses
import re

import pandas as pd
import pytest

from retention_lab.inference.interval import Interval
from retention_lab.record import Ledger, design
from retention_lab.wording import proposal as said

from ..experiments import proposals  # noqa: TID252  one maker of proposals
from ..experiments.proposals import LOOKS, THREE, proposed  # noqa: TID252

ABOVE = re.compile(r"significant|\bp\b|hazard|driver|\bpower\b|[Aa]lpha|\bnan\b|  |\bNone\b")
RETURNED = {"kind": "returned", "day": 30}
TWO_SIDED = {"smallest_effect": 0.03}
ONE_MORE = {"smallest_effect": 0.01, "sides": 1, "alpha": 0.025}
TINY = {"target": 0.601}
TOO_FEW = {
    "planned": 2_000,
    "enrol_days": 300,
    "power": 0.27,
    "detectable": 0.062,
    "why": "8,500 customers are needed.",
}
HISTORY = {"entry_per_day": (7.4, 6.8, 8.1), "baseline": (0.794, 0.777, 0.809)}


def read(text):
    """Give a sentence plain spaces and apostrophes, and no backslashes."""
    return text.translate({0xA0: " ", 0x2019: "'", 0x201C: '"', 0x201D: '"', ord("\\"): None})


def first_screen(seen):
    ledger = Ledger()
    design.record(ledger, seen)
    texts = (
        said.design_headline(ledger, seen),
        said.design_body(ledger, seen),
        said.design_decide(ledger, seen, owner="Lifecycle"),
    )
    parts = [read(text) for text in texts]
    for part in parts:
        assert not ABOVE.search(part), part
    return parts


def test_a_plan_with_clusters_says_that_its_size_does_not_count_them():
    _, body, _ = first_screen(proposed(cluster="household"))
    assert "those of the same household depend on each other (their design effect is not" in body


def test_a_plan_that_is_large_enough_says_what_is_learnt_how_sure_and_what_to_decide():
    headline, body, decide = first_screen(proposed(cost_per_message=0.35))
    assert headline == (
        'To learn whether "Check-in" is worth 3 points of retention, we need 8,500 customers, 29 '
        "weeks and £1,488 of messages."
    )
    assert body == (
        "By the plan alone, 518 customers a week would enter and about 60 in 100 stay 90 days: "
        "history tells neither. Four times in five a test of that size finds a rise to about 63 "
        "in 100 among those whom it reaches; without any effect, it claims a gain 1 time in 40. "
        "As planned, 15,540 would enter, which is enough and more: the last may enter on 5 May "
        "2027. If only 6 points would change what you do, 2,100 customers and 17 weeks are enough; "
        'the trade\'s "5-15 % lift", of unknown origin, would be 3.0 to 9.0 points here. The '
        "weakest assumption is that 80 % receive the message: at 60 % we need 1.8 times as many."
    )
    assert decide == (
        "**Decide** (Lifecycle, by 10 January 2027): is 3 points the least that would change what "
        "you do, or only 6 points? If neither, do not run it. **Do not** look at the results "
        "before 6 November 2027: whoever looks often enough finds an effect that is not there."
    )


def test_history_stands_with_its_range_and_beside_a_plan_that_says_otherwise():
    _, body, _ = first_screen(proposed(seen=HISTORY))
    assert body.startswith(
        "By the shop's history, 52 customers a week would enter (48 to 57; the plan says 518) and "
        "about 79 in 100 stay 90 days (77.7 to 80.9; the plan says 60). "
    )
    agreed = {"entry_per_day": (70.0, 60.0, 80.0), "baseline": (0.61, 0.58, 0.64)}
    _, body, _ = first_screen(proposed(seen=agreed))
    assert "490 customers a week would enter (420 to 560) and" in body
    assert "the plan says" not in body


@pytest.mark.parametrize(
    ("name", "words"),
    [
        (
            "entry_per_day",
            "By the shop's history, 52 customers a week would enter (48 to 57; the plan says 518); "
            "by the plan alone, about 60 in 100 stay 90 days.",
        ),
        (
            "baseline",
            "By the shop's history, about 79 in 100 stay 90 days (77.7 to 80.9; the plan says 60); "
            "by the plan alone, 518 customers a week would enter.",
        ),
    ],
)
def test_what_only_the_plan_says_is_told_apart_from_history(name, words):
    assert first_screen(proposed(seen={name: HISTORY[name]}))[1].startswith(words)


def test_a_plan_that_is_too_small_says_what_it_could_see_and_how_long_it_would_need():
    headline, body, decide = first_screen(proposed(size=TOO_FEW))
    assert headline == (
        'This test is too small as planned: to learn whether "Check-in" is worth 3 points of '
        "retention takes 8,500 customers and 29 weeks; 2,000 would enter."
    )
    assert (
        "As planned, about 27 in 100 such tests would find it; only 6.2 points or more would be "
        "found four times in five."
    ) in body
    # 300 days of enrolment from 11 January on.
    assert decide == (
        "**Decide** (Lifecycle, by 10 January 2027): let customers enter until 6 November 2027, or "
        "act only on 6.2 points or more? If neither, do not run it. **Do not** run it as it is and "
        "hope: about 73 in 100 such tests show nothing even if the effect is there."
    )


def test_a_plan_that_could_see_no_effect_at_all_says_so():
    _, body, decide = first_screen(proposed(size={**TOO_FEW, "detectable": None}))
    assert "would find it, and no effect would be large enough to be seen." in body
    assert "let customers enter until 6 November 2027? If not, do not run it." in decide


def test_a_last_look_before_customers_were_followed_is_told():
    early = {"power": 0.4, "planned_weeks": 12.0, "why": "The last look comes too early."}
    headline, _, decide = first_screen(proposed(size=early))
    assert headline == (
        'This test would be read too early: to learn whether "Check-in" is worth 3 points of '
        "retention takes 8,500 customers and 29 weeks; its last look comes after 12 weeks."
    )
    # Day 300: 210 days of enrolment and 90 of follow-up.
    assert "look once more, on 6 November 2027, or look for a larger effect?" in decide
    assert "about 60 in 100 such tests show nothing" in decide


def test_a_test_of_two_years_and_more_is_not_to_be_run():
    headline, body, decide = first_screen(proposed(size={**TOO_FEW, "weeks": 209.0}))
    assert headline == (
        'Do not run this test as it stands: to learn whether "Check-in" is worth 3 points of '
        "retention takes 8,500 customers and about 4 years."
    )
    assert "If only 6 points would change what you do, 2,100 customers and 17 weeks" in body
    assert (
        "would you act on 6 points or more only, or is there a milestone that more customers "
        "reach? If neither, do not run it. **Do not** run it as it is and hope"
    ) in decide


def test_where_twice_the_effect_takes_years_as_well_only_another_milestone_helps():
    years = proposals.EFFECTS.assign(weeks=[6_000.0, 1_044.0])
    headline, body, decide = first_screen(
        proposed(size={**TOO_FEW, "weeks": 6_000.0}, parts={"effects": years})
    )
    assert headline.endswith("takes 8,500 customers and more than a hundred years.")
    assert "Even 6 points would take about 20 years; the trade's" in body
    assert "is there a milestone that more customers reach? If not, do not run it." in decide


def test_two_years_that_the_plan_allows_are_too_long_all_the_same():
    headline, body, decide = first_screen(proposed(size={"weeks": 130.0}))
    assert headline.startswith("Do not run this test as it stands")
    assert "which is enough" in body
    assert "or is there a milestone that more customers reach?" in decide


def test_a_two_sided_test_finds_a_difference_and_no_gain():
    headline, body, decide = first_screen(proposed(primary=TWO_SIDED))
    assert 'whether "Check-in" changes retention by 3 points, we need' in headline
    assert (
        "finds a difference of 3 points up or down among those whom it reaches; without any "
        "effect, it claims a difference 1 time in 20."
    ) in body
    assert "gain" not in body + decide


def test_who_returns_is_brought_back_and_the_claim_about_retention_is_not_made_of_it():
    headline, body, _ = first_screen(proposed(endpoint=RETURNED))
    assert 'whether "Check-in" brings back 3 more customers in 100, we need' in headline
    assert "about 60 in 100 buy again within 30 days" in body
    assert "trade" not in body
    headline, _, _ = first_screen(proposed(endpoint=RETURNED, primary=TWO_SIDED))
    assert 'whether "Check-in" changes by 3 points how many buy again, we need' in headline


@pytest.mark.parametrize(("day", "claims"), [(59, False), (60, True), (120, True), (121, False)])
def test_the_claim_of_the_trade_is_about_90_days_or_so(day, claims):
    _, body, _ = first_screen(proposed(endpoint={"kind": "retained", "day": day}))
    assert ("trade" in body) == claims


def test_several_arms_are_each_held_against_control():
    size = {"needed": proposals.Size(customers=8_500, allocation=(0.4, 0.3, 0.3))}
    headline, body, _ = first_screen(proposed(arms=THREE, primary=TWO_SIDED, size=size))
    assert 'whether an arm of "Check-in" changes retention by 3 points' in headline
    assert (
        'finds an arm that is 3 points above or below "control" among those whom it reaches; if '
        "none has any effect, it claims a difference 1 time in 20."
    ) in body
    _, body, _ = first_screen(proposed(arms=THREE, size=size))
    assert 'finds an arm that is 3 points above "control" among' in body


def test_a_test_with_looks_may_stop_early_and_is_not_read_between_them():
    _, body, decide = first_screen(proposed(parts={"looks": LOOKS}))
    assert (
        "on 5 May 2027; with the effect, about 62 in 100 such tests may stop by week 26."
    ) in body
    assert "**Do not** look at the results between its two looks: whoever looks often" in decide


def test_one_look_is_not_called_an_early_stop():
    _, body, decide = first_screen(proposed(parts={"looks": LOOKS.iloc[1:]}))
    assert "may stop" not in body
    assert "before 6 November 2027" in decide


def test_everybody_reached_needs_no_word_on_whom_it_reaches():
    reached = {"contact_rate": 1.0, "entry_per_day": 74, "baseline": 0.6}
    assert "whom it reaches" not in first_screen(proposed(assumptions=reached))[1]


def test_what_does_not_fit_the_shop_is_mended_first_and_listed():
    seen = proposed(unknown=["segments: there is no *country*.", "channel: none."])
    decide = first_screen(seen)[2]
    assert decide.startswith(
        "**First** mend two things in the plan that do not fit this shop; they stand below. "
        "**Decide** "
    )
    assert said.design_unknown(seen).startswith("- segments\\: there is no \\*country\\*\\.\n- ")
    one = first_screen(proposed(unknown=["channel: none."]))[2]
    assert one.startswith(
        "**First** mend what does not fit this shop in the plan; it stands below. "
    )
    assert said.design_unknown(proposed()) == ""


def test_a_first_day_that_has_passed_is_told_and_the_decision_has_a_week():
    passed = {"starts": "2026-11-29", "ends": "2027-06-26"}
    assert first_screen(proposed(**passed))[2].startswith(
        "The first day, 29 November 2026, has passed: set `starts` and `ends` to days to come. "
        "**Decide** (Lifecycle, by 6 December 2026): "
    )


def test_a_plan_that_cannot_be_sized_has_a_first_screen_that_says_why():
    why = {"believed": "Nobody knows how many customers come. Say assumptions.entry_per_day."}
    nothing = dict.fromkeys(("believed", "sized", "effects", "wrong"))
    headline, body, decide = first_screen(proposed(why=why, parts=nothing))
    assert headline == "How many customers this test needs cannot be said yet."
    assert body == why["believed"]
    assert decide == (
        "**Decide** (Lifecycle, by 10 January 2027): who settles this, and how? Until then the "
        "test waits. **Do not** start it before its size is known."
    )


def test_parts_that_are_not_known_are_not_said():
    parts = {"effects": None, "wrong": None}
    _, body, decide = first_screen(proposed(endpoint=RETURNED, parts=parts))
    assert body.endswith("which is enough and more: the last may enter on 5 May 2027.")
    assert "is 3 points the least that would change what you do? If not, do not run it." in decide


def test_lines_of_the_plan_are_those_that_history_has_otherwise():
    differs = said.design_plan_lines(proposed(seen=HISTORY))
    assert (
        "```yaml\n"
        "assumptions:\n"
        "  entry_per_day: 7.4 # 6.8 to 8.1; the plan says 74\n"
        "  baseline: 0.794 # 0.777 to 0.809; the plan says 0.6\n"
        "```\n"
    ) in differs
    assert "every read-out tells such a change" in differs
    agreed = proposed(seen={"entry_per_day": (70.0, 60.0, 80.0)})
    assert said.design_plan_lines(agreed) == "Wherever history tells, the plan agrees."
    for nothing in (proposed(), proposed(parts={"believed": None})):
        assert said.design_plan_lines(nothing).startswith("History tells none of the numbers")


def test_lines_of_the_plan_hold_what_only_history_says():
    silent = proposed(seen=HISTORY, assumptions={"contact_rate": 0.8})
    lines = said.design_plan_lines(silent)
    assert "  entry_per_day: 7.4 # 6.8 to 8.1; the plan says nothing\n" in lines


def test_money_is_the_cost_of_messages_and_no_gain_is_promised():
    ledger, seen = Ledger(), proposed(cost_per_message=0.35)
    design.record(ledger, seen)
    assert read(said.design_costs(ledger, seen)) == (
        "The messages would cost £1,488, at £0.35 each. From which gain on they pay cannot be said "
        "before the test: what it earns with each customer is one of its results."
    )
    assert "no cost of a message" in said.design_costs(Ledger(), proposed())


def test_a_cost_that_the_plan_names_is_not_called_missing():
    unsized = dataclasses.replace(proposed(cost_per_message=0.35), sized=None)
    assert "before it is known how many are needed" in said.design_costs(Ledger(), unsized)
    silent = [{"name": name, "share": 0.5} for name in ("control", "later")]
    ledger, seen = Ledger(), proposed(cost_per_message=0.35, arms=silent)
    design.record(ledger, seen)
    assert "No arm of the plan sends anything" in said.design_costs(ledger, seen)


def test_a_rise_too_small_to_show_in_100_is_told_as_a_difference():
    _, body, _ = first_screen(proposed(primary=ONE_MORE | {"smallest_effect": 0.001}, size=TINY))
    assert "finds a rise of 0.1 points among those whom it reaches" in body


def test_one_customer_more_is_one_customer():
    headline, *_ = first_screen(proposed(endpoint=RETURNED, primary=ONE_MORE))
    assert "brings back 1 more customer in 100, we need" in headline


def test_enough_is_not_called_plenty():
    _, body, _ = first_screen(proposed(size={"planned": 10_000}))
    assert "As planned, 10,000 would enter, which is enough. If" in body


@pytest.mark.parametrize(
    ("found", "words"),
    [
        ((0.795, 0.777, 0.812), "about 80 in 100 (77.7 to 81.2) found the effect, as they should."),
        ((0.76, 0.74, 0.78), "(74.0 to 78.0) found the effect, where 80 should."),
        ((0.85, 0.83, 0.87), "(83.0 to 87.0) found the effect, where 80 should."),
    ],
)
def test_simulated_tests_are_held_against_what_formulas_promise(found, words):
    interval = Interval(value=found[0], low=found[1], high=found[2])
    ledger, seen = Ledger(), proposed(parts={"simulated": interval})
    design.record(ledger, seen)
    assert read(said.design_simulated(ledger, seen)).endswith(words)


def test_tests_too_large_to_simulate_say_so():
    seen = proposed(why={"simulated": "Too large."})
    assert said.design_simulated(Ledger(), seen) == "Too large."
    assert said.design_simulated(Ledger(), proposed()) == ""


def arriving(*eligible):
    weeks = pd.DataFrame({"week": proposals.AS_OF, "reached": 50, "eligible": eligible})
    return proposals.history(weeks=weeks)


def test_a_milestone_that_hardly_anybody_reaches_is_no_place_for_a_test():
    deserted = {"history": arriving(*[0] * 11, 9)}
    headline, body, decide = first_screen(proposed(parts=deserted))
    assert headline == (
        "Do not run this test here: hardly anybody who could enter it reaches "
        '"onboarding_completed".'
    )
    assert body == (
        "In the last 12 whole weeks fewer than 10 customers came who could enter; the plan counts "
        "on 518 a week. Only if they came would 8,500 customers and 29 weeks be enough."
    )
    assert decide == (
        "**Decide** (Lifecycle, by 10 January 2027): is there a milestone that more customers "
        "reach? If not, do not run it. **Do not** start it in the hope that more will come."
    )
    for missing in ("sized", "believed"):
        unsized = first_screen(proposed(parts={**deserted, missing: None}))
        assert unsized[0] == headline
    silent = proposed(parts={**deserted, "sized": None, "believed": None})
    assert first_screen(silent)[1].endswith("fewer than 10 customers came who could enter.")
