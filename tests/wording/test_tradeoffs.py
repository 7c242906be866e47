"""The sentences of what a test could be instead, word for word."""

from __future__ import annotations

from math import nan

from retention_lab.wording import tradeoffs as sentences

from ..experiments.instead import (  # noqa: TID252  one maker of what a test could be
    ALLOCATIONS,
    CALENDAR,
    EFFECTS,
    FAMILY_ROWS,
    LOOKS,
    ONE_LOOK,
    PLAN,
)


def planned(**changed):
    return PLAN.model_copy(update=changed)


def test_other_effects_stand_beside_that_of_the_plan():
    assert sentences.tradeoffs_effects(PLAN, EFFECTS) == (
        "To find 3 points, this test takes 15,042 customers and 42 weeks. If only 6 points would "
        "change what you do, 3,710 customers and 20 weeks are enough. To find 1.5 points would "
        "take 60,530 customers and about 2.5 years. What the trade claims would be 3.0 to 9.0 "
        "points here; nobody knows where its claim comes from. A test of fewer customers overlooks "
        "smaller effects, it does not rule them out. All this holds if what is assumed of "
        "customers does."
    )


def test_years_are_not_called_enough():
    slow = EFFECTS.assign(weeks=10 * EFFECTS["weeks"])
    text = sentences.tradeoffs_effects(PLAN, slow)
    assert "Even to find 6 points would take 3,710 customers and about " in text
    assert "enough" not in text


def test_an_effect_that_cannot_be_and_a_claim_that_nobody_made_are_not_said():
    small = EFFECTS[EFFECTS["of"].isin(["", "plan"])]
    text = sentences.tradeoffs_effects(PLAN, small)
    assert "42 weeks. To find 1.5 points" in text
    assert "trade" not in text


def test_the_day_from_which_on_the_test_finds_its_effect_is_said_with_its_caution():
    # Between days 200 (0.70) and 240 (0.81) by a straight line: 236.4; 240 and 280: 272.
    assert sentences.tradeoffs_calendar(PLAN, CALENDAR) == (
        "Read once, this test would find its effect four times in five from day 237 on (25 August "
        "2027); waiting until everybody has been followed would take until day 300. A test of only "
        "those who have been followed for 90 days would get there on day 272. This is for a test "
        "that is read once: who reads it every week until it succeeds will find a gain where there "
        "is none."
    )


def test_a_test_that_never_finds_its_effect_often_enough_says_so():
    short = CALENDAR.assign(power=0.9 * CALENDAR["power"])
    assert sentences.tradeoffs_calendar(PLAN, short).startswith(
        "Read once, even on day 300 (27 October 2027), when everybody has been followed, this test "
        "would find its effect 77 times in 100, not four times in five. This is for a test that is "
        "read once"
    )
    late = CALENDAR.assign(matured=0.9 * CALENDAR["matured"])
    assert "would never get there (at most 76 times in 100)" in (
        sentences.tradeoffs_calendar(PLAN, late)
    )


def test_the_split_of_the_plan_stands_beside_the_cheapest():
    assert sentences.tradeoffs_allocation(PLAN, ALLOCATIONS) == (
        "With 50 in 100 customers in control as planned, this test takes 15,042 customers (7,521 "
        "of them in arms that are sent a message) and 42 weeks; no other split needs noticeably "
        "fewer. Every split finds the effect as often; the others only take longer."
    )
    every = ALLOCATIONS.assign(messages=ALLOCATIONS["customers"])
    assert "15,042 customers (all of them in arms that are sent a message)" in (
        sentences.tradeoffs_allocation(PLAN, every)
    )
    control, other = PLAN.arms
    fifth = planned(
        arms=(
            control.model_copy(update={"share": 0.2}),
            other.model_copy(update={"share": 0.8}),
        )
    )
    text = sentences.tradeoffs_allocation(fifth, ALLOCATIONS)
    assert text.startswith("With 20 in 100 customers in control as planned, this test takes 23,665")
    assert "; 50 in 100 customers in control would be cheapest: 15,042 customers (7,521" in text


def test_looks_are_said_with_what_they_cost_and_save():
    assert sentences.tradeoffs_looks(PLAN, LOOKS, FAMILY_ROWS) == (
        "At the first look, on 23 April 2027, only a gain of 8.4 points or more, as seen then, "
        "stops it. Before the last, on 27 October 2027, 27 in 100 tests as planned have stopped, "
        "for a gain or for want of one, if the effect is there, and 73 in 100 if there is none. "
        "Three evenly spaced looks (O'Brien-Fleming: strict at first) take "
        "10.4\N{NO-BREAK SPACE}% more customers than one at most, and save on average 6 weeks if "
        "the effect is there and 14 weeks if there is none. A gain that stops a test early looks "
        "larger than it is, and the read-out corrects for that. On any other day the test may not "
        "be read."
    )


def test_a_plan_of_one_look_hears_of_four():
    text = sentences.tradeoffs_looks(planned(looks=None), ONE_LOOK, FAMILY_ROWS)
    assert text.startswith("This plan looks once, on 27 October 2027. Four evenly spaced looks")
    assert "save on average 8 weeks if the effect is there. A gain" in text


def test_a_look_that_nothing_can_stop_and_looks_that_save_nothing_say_so():
    early = LOOKS.assign(smallest=[nan, 0.04, 0.02], futility=nan, stops_without=[0, 0.001, 1])
    sure = sentences.tradeoffs_looks(PLAN, LOOKS.assign(stops_with=0.998), FAMILY_ROWS)
    assert "more than 99 in 100 tests as planned" in sure
    slow = FAMILY_ROWS.assign(weeks_with=50.0)
    text = sentences.tradeoffs_looks(PLAN, early, slow)
    assert "no gain that could be seen is large enough to stop it" in text
    assert "27 in 100 tests as planned have stopped if the effect is there, and fewer than" in text
    assert "save on average no time if the effect is there" in text


def test_a_test_of_two_sides_stops_for_a_loss_as_well():
    both = planned(
        primary=PLAN.primary.model_copy(update={"sides": 2}),
        looks=PLAN.looks.model_copy(update={"futility": None}),
    )
    text = sentences.tradeoffs_looks(both, LOOKS, FAMILY_ROWS)
    assert "only a difference of 8.4 points or more up or down, as seen then, stops it" in text
    assert "for a gain" not in text


def test_looks_of_another_family_are_priced_as_if_strict_at_first():
    spending = PLAN.looks.spending.model_copy(update={"family": "Kim-DeMets", "parameter": 3.0})
    other = planned(looks=PLAN.looks.model_copy(update={"spending": spending}))
    text = sentences.tradeoffs_looks(other, LOOKS, FAMILY_ROWS)
    assert "looks (O'Brien-Fleming: strict at first)" in text
    pocock = PLAN.looks.spending.model_copy(update={"family": "Pocock"})
    even = planned(looks=PLAN.looks.model_copy(update={"spending": pocock}))
    assert "looks (Pocock: alike at all looks) take 38.4" in (
        sentences.tradeoffs_looks(even, LOOKS, FAMILY_ROWS)
    )
