"""What an arm is worth: by hand, on a small shop, and what is refused where nobody can tell."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from functools import cache
from types import SimpleNamespace

import ibis
import pandas as pd
import pytest
from scipy.stats import norm

from retention_lab.checks import BadData
from retention_lab.experiments import stakes
from retention_lab.inference.interval import Interval
from retention_lab.inference.means import around
from retention_lab.inference.sequential.reading import Stopped

from .acting import shop_of
from .readouts import effect_of, looked_of, plan_of

AS_OF = dt.date(2027, 3, 8)
BEGIN = pd.Timestamp("2027-01-12")
PRICED = {"cost_per_message": 0.35, "margin": 0.5}
NAMED = {"cost_per_message": 0.35, "worth": 31.0}
RETURNED = {"endpoint": {"kind": "returned", "day": 30}, "assumptions": {"entry_per_day": 1}}
EFFECT = effect_of(0.051, 0.0189)


@cache
def shop(base=20.0):
    """Customers of control: 30 stayed and spent about 20 each, 20 left and spent about 8."""
    ids = [f"c{n}" for n in range(80)]
    spent = [base + n % 5 if n < 30 else 8.0 + n % 3 for n in range(50)]
    frames = {
        "customers": pd.DataFrame({"customer_id": ids, "signed_up_at": BEGIN}),
        "orders": pd.DataFrame(
            {
                "order_id": [f"o{n}" for n in range(50)],
                "customer_id": ids[:50],
                "ordered_at": BEGIN + pd.Timedelta(days=3),
                "amount": spent,
            }
        ),
    }
    return shop_of(frames, as_of=AS_OF)


def marked(**columns):
    """The customers of the shop: 50 of control, 30 of the arm that sends."""
    rows = {
        "customer_id": [f"c{n}" for n in range(80)],
        "arm": ["control"] * 50 + ["check-in"] * 30,
        "reached_at": BEGIN,
        "known": True,
        "day": [40] * 30 + [10] * 20 + [40] * 30,
        "event_observed": [False] * 30 + [True] * 20 + [False] * 30,
        **columns,
    }
    return SimpleNamespace(arms=ibis.memtable(pd.DataFrame(rows)))


def money(plan, *, people=None, effect=EFFECT, of=None, **look):
    looked = looked_of(effect, **look)
    return stakes.money(of or shop(), people or marked(), plan, effect, looked)


def day_of(plan, day):
    endpoint = {"kind": plan.endpoint.kind, "day": day}
    return plan_of(**{**PRICED, "endpoint": endpoint})


def test_worth_by_the_plan_gives_the_money_of_its_effect():
    found = money(plan_of(**NAMED))
    # 5.1 points at 31 each, less 0.35 for a message; the bound of the look is 2.36.
    assert found.per_customer.value == pytest.approx(0.051 * 31 - 0.35)
    assert found.per_customer.low == pytest.approx((0.051 - 2.36 * 0.0189) * 31 - 0.35)
    assert found.pays_from == pytest.approx(0.35 / 31)
    assert found.break_even.value == pytest.approx(0.051 * 31)
    # Chance that a normal with that mean and spread lies below 0.
    assert found.chance_of_loss == pytest.approx(norm.cdf(-(0.051 * 31 - 0.35) / (0.0189 * 31)))
    assert found.worth_range is None


def test_a_year_goes_by_the_pace_of_enrolment_and_by_who_is_covered():
    # 80 customers in the 57 days from 11 January to 8 March.
    yearly = money(plan_of(**NAMED)).customers_per_year
    assert yearly == pytest.approx(365.25 * 80 / 57)
    assert money(plan_of(**NAMED, coverage=0.5)).customers_per_year == pytest.approx(2 * yearly)
    assert money(plan_of(**NAMED, ends="2027-02-19")).customers_per_year == pytest.approx(
        365.25 * 80 / 40
    )


def test_a_year_is_not_told_by_a_few_days():
    found = money(plan_of(**NAMED, ends="2027-02-06"))
    assert found.enrol_days == 27
    assert [found.per_year, found.customers_per_year, found.regret, found.waiting] == [None] * 4
    assert found.per_customer.value == pytest.approx(0.051 * 31 - 0.35)


def test_worth_by_the_shop_is_what_those_who_stayed_spent_more():
    found = money(day_of(plan_of(), 30))
    # Means by hand: 22 and 8.95 (seven 8, seven 9 and six 10), times the margin of a half.
    assert found.worth == pytest.approx(0.5 * (22 - (7 * 8 + 7 * 9 + 6 * 10) / 20), abs=1e-9)
    assert found.worth_range.low < found.worth < found.worth_range.high
    assert "may be worth less" in found.worth_why


def test_returned_customers_are_those_with_the_event_by_the_day():
    gone = {"event_observed": [True] * 30 + [False] * 50, "day": [10] * 30 + [40] * 50}
    found = money(plan_of(**PRICED, **RETURNED), people=marked(**gone))
    assert found.worth == pytest.approx(money(day_of(plan_of(), 30)).worth)
    late = marked(**gone | {"day": [31] * 30 + [40] * 50})  # after the endpoint's day
    with pytest.raises(BadData, match="too few bought again"):
        money(plan_of(**PRICED, **RETURNED), people=late)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({}, "names no cost of a message"),
        ({"cost_per_message": 0.35, "worth": 0}, "worth nothing"),
        (
            {"cost_per_message": 0.35, "endpoint": {"kind": "retained", "day": 90}},
            "followed for 90",
        ),
    ],
)
def test_money_that_nobody_can_tell_is_refused_in_words(fields, message):
    with pytest.raises(BadData, match=message):
        money(plan_of(**fields))


def test_worth_is_refused_where_those_who_stayed_spent_no_more_or_are_few():
    with pytest.raises(BadData, match="did not certainly spend more within 30 days"):
        money(day_of(plan_of(), 30), of=shop(base=7.0))
    few = marked(event_observed=[False] * 45 + [True] * 5 + [False] * 30)
    with pytest.raises(BadData, match="too few stayed or too few left"):
        money(day_of(plan_of(), 30), people=few)


def test_messages_that_were_not_sent_cost_nothing():
    due = {"due": [True] * 70 + [False] * 10}
    sent = marked(**due, sent=[False] * 50 + [True] * 15 + [False] * 15)
    assert money(plan_of(**NAMED), people=sent).cost == pytest.approx(0.35 * 15 / 20)
    none = marked(**due, sent=False)  # a shop that knows other messages
    assert money(plan_of(**NAMED), people=none).cost == pytest.approx(0.35)


def test_an_arm_that_sends_no_more_than_control_has_no_cost_to_weigh():
    both = [
        {"name": "control", "share": 0.5, "message": "old"},
        {"name": "check-in", "share": 0.5, "message": "new"},
    ]
    with pytest.raises(BadData, match="sends no more messages than control"):
        money(plan_of(**NAMED, arms=both))


def test_waiting_is_told_only_while_a_look_is_to_come():
    running = money(plan_of(**NAMED))
    assert running.waiting is not None
    assert running.waiting < running.regret
    assert money(plan_of(**NAMED), stopped="gain").waiting is None


def test_the_effect_after_an_early_stop_is_the_corrected_one():
    early = stakes.in_points(plan_of(), EFFECT, looked_of(EFFECT, stopped="gain"))
    assert early.value == pytest.approx(0.9 * 0.051)
    # An interval of level 1 - 2 x 0.025, whose half is 1.96 standard errors.
    assert early.std_error == pytest.approx((early.high - early.low) / 2 / 1.959964, rel=1e-6)
    last = looked_of(EFFECT, stopped="gain", final=True, look=4, bound=2.0)
    found = stakes.in_points(plan_of(), EFFECT, last)
    assert (found.value, found.std_error) == (0.051, 0.0189)
    assert found.low == pytest.approx(0.051 - 2.0 * 0.0189)


def test_a_log_rank_test_takes_its_bound_to_the_difference_of_shares():
    ratio = {"unit": "log hazard", "estimate": 0.15, "std_error": 0.05}
    looked = looked_of(EFFECT, **ratio, interval=Interval(value=0.15, low=0.03, high=0.27))
    assert stakes.in_points(plan_of(), EFFECT, looked).high == pytest.approx(0.051 + 2.4 * 0.0189)
    corrected = Stopped(p_value=0.01, effect=Interval(value=0.12, low=0.03, high=0.21))
    stop = replace(looked, stopped="gain", unbiased=corrected)
    found = stakes.in_points(plan_of(), EFFECT, stop)
    errors = [-0.6, -2.4, 1.2]  # by which the corrected ratio lies off the one found
    expected = [0.051 + each * 0.0189 for each in errors]
    assert [found.value, found.low, found.high] == pytest.approx(expected)


@pytest.mark.parametrize("ratio", [0.0, 0.001, -0.001])
def test_a_log_rank_test_stopped_near_no_effect_keeps_its_sign_and_its_width(ratio):
    found = {"unit": "log hazard", "estimate": ratio, "std_error": 0.05}
    around_it = Interval(value=ratio, low=ratio - 0.12, high=ratio + 0.12)
    looked = looked_of(EFFECT, **found, interval=around_it, stopped="futility")
    stop = replace(looked, unbiased=Stopped(p_value=0.5, effect=around_it))
    points = stakes.in_points(plan_of(), EFFECT, stop)
    assert points.value == pytest.approx(0.051)
    assert points.high - points.low == pytest.approx(4.8 * 0.0189)


def test_an_adjusted_effect_is_read_and_none_is_refused():
    looked = looked_of(EFFECT, unit="log hazard", interval=Interval(value=0.051, low=0, high=0.1))
    adjusted = replace(EFFECT, adjusted=around(0.04, std_error=0.015))
    assert stakes.in_points(plan_of(), adjusted, looked).value == 0.04
    nothing = replace(EFFECT, difference=None, why={"difference": "Nobody was followed."})
    with pytest.raises(BadData, match=r"can be told yet\. Nobody was followed"):
        stakes.in_points(plan_of(), nothing, looked)
