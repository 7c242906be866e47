"""The sentences of what customers are worth, word for word."""

from __future__ import annotations

import dataclasses

import pytest

from retention_lab.customers.contracts import NO_BETTER, NONE, UNSEEN, Contracts
from retention_lab.customers.worth import TOO_LITTLE
from retention_lab.inference.interval import Interval
from retention_lab.record import Ledger
from retention_lab.record.worth import record
from retention_lab.wording import worth as sentences

from ..customers.worths import TRACKING, TRIAL, WORTH, kept  # noqa: TID252  one maker of worths


def said(sentence, **change):
    worth, ledger = dataclasses.replace(WORTH, **change), Ledger()
    record(ledger, worth)
    return sentence(ledger, worth)


def tried(**change):
    return dataclasses.replace(TRIAL, tracking=dataclasses.replace(TRACKING, **change))


def test_the_value_stands_beside_what_one_customer_did():
    assert said(sentences.worth_total) == (
        "We expect today\N{RIGHT SINGLE QUOTATION MARK}s 1,000 customers to bring about £6,000 of "
        "revenue in the next 12 months (£5,000 to £7,200), discounted at 10 % a year. Customers "
        "who are yet to come are not in it. Of it, about 50 in 100 come from the 100 customers of "
        "high-value repeat. This is an estimate of the average of customers like these at "
        "today\N{RIGHT SINGLE QUOTATION MARK}s prices; one customer may be far from it: in the 200 "
        "days held back one customer in ten bought at least 2.5 times as often as expected, and "
        "about 60 in 100 bought nothing. It is not a budget."
    )


def test_what_is_taken_off_and_who_is_left_out_is_said():
    text = said(sentences.worth_total, margin=0.4, kept=0.936, left_out=3, money="It is so.")
    assert "£6,000 of margin (40 % of revenue) in the next 12 months" in text
    assert ", less the 6.4\N{NO-BREAK SPACE}% usually sent back, discounted at 10 % a year." in text
    assert "margin; one customer may be far from it" in text
    assert "It is so. Fewer than 10 customers who bought on more than half of all days" in text
    assert "discounted" not in said(sentences.worth_total, yearly_discount=0.0)
    assert "12 customers who bought" in said(sentences.worth_total, left_out=12)


def test_without_a_model_what_was_observed_stands_in_its_place():
    text = said(sentences.worth_total, by=None, total=None, why=TOO_LITTLE)
    assert text == (
        f"{TOO_LITTLE} What was observed: revenue per customer in the last 365 days was, for "
        "one-time £10.00, £9.00 to £11.00; high-value repeat £50.00, £45.00 to £55.00; mid-value "
        "repeat £20.00, £18.00 to £22.00."
    )


def test_a_model_that_did_well_is_used_and_says_so():
    assert said(sentences.worth_tracking) == (
        "Told only what was known on 13 May 2026, the model expected 1,200 purchases (1,100 to "
        "1,300) in the 200 days after it; 1,250 came. Had everybody bought as often as in the 200 "
        "days before, it would have been 1,400. Customer by customer the model was nearer than "
        "that, by more than chance gives, so it is used."
    )


def test_a_total_that_missed_is_said_with_its_side():
    text = said(sentences.worth_tracking, trial=tried(actual=1_000, naive=1_050))
    assert text.endswith(
        "so it is used. Its total was 20.0\N{NO-BREAK SPACE}% too high, more than its range "
        "allows. The range of the months to come allows for another such miss. In total the simple "
        "rule was nearer."
    )
    assert "too low" in said(sentences.worth_tracking, trial=tried(actual=2_000))
    assert "was all too high" in said(sentences.worth_tracking, trial=tried(actual=0))


@pytest.mark.parametrize(
    ("gain", "words"),
    [
        ((-0.1, 0.3), "was no nearer than that, beyond chance, so it is not used."),
        ((-0.3, -0.1), "was further off than that, so it is not used."),
    ],
)
def test_a_model_that_is_not_used_says_why(gain, words):
    low, high = gain
    level = tried(gain=Interval(value=(low + high) / 2, low=low, high=high))
    assert said(sentences.worth_tracking, trial=level, by=None, total=None).endswith(words)


def test_who_bought_once_is_told_from_what_was_seen():
    assert said(sentences.worth_once) == (
        "After a single purchase nobody can tell a customer who waits from one who is gone. Of the "
        "500 who had bought once by 13 May 2026, about 20 in 100 (20.0\N{NO-BREAK SPACE}%, 16.7 to "
        "23.7) bought again in the 200 days after it."
    )
    assert said(sentences.worth_once, model="BG/NBD").startswith(
        "With a single purchase this model assumes the customer is still active, so no value is "
        "shown for those who bought once. Of the 500"
    )
    assert said(sentences.worth_once, trial=None).endswith("from one who is gone.")


def test_nothing_is_said_of_a_model_that_was_not_tried():
    assert said(sentences.worth_tracking, trial=None, by=None, total=None, why=TOO_LITTLE) == ""


SEEN = (
    "Of 6,000 subscriptions, about 86 in 100 (83.7 to 87.7) are kept for 3 periods and about 54 in "
    "100 (52.0 to 56.0) are kept for 12 periods of 30 days."
)


def test_contracts_say_what_was_kept_and_what_a_formula_adds():
    assert sentences.worth_contracts(kept()) == (
        f"{SEEN} A formula in which those most likely to leave go first, which could not be tested "
        "on an earlier day, expects that about 29 in 100 (27.2 to 31.2) are kept for 24 periods; "
        "beyond 12 periods that is its word alone."
    )
    assert sentences.worth_contracts(kept(tracking=TRACKING)) == (
        f"{SEEN} A formula in which those most likely to leave go first, told only what was known "
        "200 days ago, expected 1,200 of the 900 subscribers of that day to be still there now "
        "(1,100 to 1,300); 1,250 are. One rate for all periods would have said 1,400. Told all "
        "that is known now, it expects that about 29 in 100 (27.2 to 31.2) are kept for 24 "
        "periods; beyond 12 periods that is its word alone."
    )


def test_a_formula_that_is_not_what_was_seen_is_not_to_be_planned_by():
    assert sentences.worth_contracts(kept(fits=False)).endswith(
        "says 69 in 100 for 12 periods, which is not what was seen: do not plan by it."
    )
    text = sentences.worth_contracts(kept(projected=False, why=NO_BETTER))
    assert text == f"{SEEN} {NO_BETTER}"


@pytest.mark.parametrize("why", [NONE, UNSEEN])
def test_without_contracts_the_reason_stands_alone(why):
    assert sentences.worth_contracts(Contracts(subscriptions=0, frame=None, why=why)) == why


def test_a_few_subscribers_of_an_earlier_day_are_not_told():
    few = dataclasses.replace(TRACKING, customers=900, actual=895)
    assert "895" not in sentences.worth_contracts(kept(tracking=few))
