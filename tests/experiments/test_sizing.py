"""A plan is sized by the designs, with its own assumptions; the shipped ones are feasible."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from statsmodels.stats.power import NormalIndPower
from statsmodels.stats.proportion import proportion_effectsize

from retention_lab.checks import BadParameter
from retention_lab.experiments.design.curve import from_days, still_there
from retention_lab.experiments.plan import Plan, load
from retention_lab.experiments.sizing import assumptions, sized
from retention_lab.inference.sequential.bounds import Rule
from retention_lab.inference.sequential.planning import design
from retention_lab.inference.sequential.spending import Spending

TEMPLATES = sorted((Path(__file__).parents[2] / "experiments/templates").glob("*.yml"))
FIELDS = {
    "name": "check_in",
    "title": "Check-in",
    "owner": "Lifecycle Marketing",
    "hypothesis": "A check-in keeps more customers.",
    "milestone": "onboarding_completed",
    "channel": "email",
    "arms": [{"name": "control", "share": 0.5}, {"name": "check-in", "share": 0.5}],
    "starts": "2026-12-01",
    "ends": "2027-03-30",  # 120 days
    "endpoint": {"kind": "retained", "day": 90},
    "primary": {"smallest_effect": 0.03},
    "assumptions": {"entry_per_day": 100, "baseline": 0.6},
}


def plan(**changed: object) -> Plan:
    return Plan.model_validate({**FIELDS, **changed})


def assuming(**changed: object) -> Plan:
    return plan(assumptions={**FIELDS["assumptions"], **changed})


def assuming_with(*, primary: object, looks: object, **changed: object) -> Plan:
    return plan(primary=primary, looks=looks, assumptions={**FIELDS["assumptions"], **changed})


def test_a_plan_of_one_look_and_no_dropout_needs_what_a_test_of_two_shares_needs():
    found = sized(plan())
    effect = proportion_effectsize(0.63, 0.60)
    # statsmodels, on the arcsine scale: another approximation of the same test.
    each = NormalIndPower().solve_power(effect, power=0.8, alpha=0.05)
    assert found.needed.total == pytest.approx(2 * each, rel=0.005)
    assert found.weeks == pytest.approx((2 * each / 100 + 90) / 7, rel=0.005)
    assert (found.planned, found.planned_weeks) == (12_000, 30)
    assert found.power > 0.8
    assert found.detectable < 0.03
    assert found.why == ""


def test_who_stays_and_who_does_not_return_are_one_question():
    stays = sized(plan())
    returns = sized(plan(endpoint={"kind": "returned", "day": 90}))
    # 60 to 63 in 100 without the event; 60 to 63 with it is 40 to 37 without: the same spread.
    assert returns.needed.total == pytest.approx(stays.needed.total, abs=2)
    assert returns.detectable == pytest.approx(stays.detectable, rel=0.01)


def test_an_effect_on_those_reached_needs_more_customers_by_the_square_of_the_contact_rate():
    whole, most = sized(plan()), sized(assuming(contact_rate=0.8))
    assert most.needed.total / whole.needed.total == pytest.approx(1 / 0.8**2, rel=0.01)


def test_looks_cost_customers_as_much_as_their_bounds_say():
    one, four = sized(plan()), sized(plan(looks={"information": [0.25, 0.5, 0.75, 1]}))
    assert one.inflation == 1
    rule = Rule(alpha=0.05, sides=2, power=0.8)
    assert four.inflation == design([0.25, 0.5, 0.75, 1], rule=rule).inflation > 1
    assert four.needed.total == pytest.approx(four.inflation * one.needed.total, abs=2)
    assert four.detectable > one.detectable


def test_looks_on_days_count_the_events_that_will_be_seen_by_then():
    spending = {"family": "Pocock"}  # inflates more the earlier the look
    events = {"test": "log-rank", "smallest_effect": 0.03}
    found = sized(plan(looks={"days": [60, 210], "spending": spending}, primary=events))
    rate = -np.log(0.615) / 90  # about the mean of 0.60 and 0.63
    by_60 = 100 * (60 - (1 - np.exp(-60 * rate)) / rate)  # 100 a day, each seen since then
    rule = Rule(alpha=0.05, sides=2, power=0.8, spending=Spending(**spending))
    due = design([by_60 / (12_000 * (1 - 0.615)), 1], rule=rule).inflation
    assert found.inflation == pytest.approx(due, abs=5e-4)


def test_a_plan_that_is_too_small_says_what_it_would_take():
    found = sized(assuming(entry_per_day=50))
    assert found.power < 0.8
    assert found.detectable > 0.03
    assert "customers are needed, and 6,000 enter as planned" in found.why
    days = -(-found.needed.total // 50)
    assert f"at 50 a day that takes {days} days of enrolment, not 120." in found.why


def test_a_test_that_takes_years_is_not_to_be_run():
    why = sized(assuming(entry_per_day=5)).why
    assert "That is more than 2 years: do not run it like this." in why
    assert "at 5 a day" in why


def test_next_to_nobody_finds_what_luck_finds():
    found = sized(assuming(entry_per_day=0.001))
    assert found.planned == 0
    assert found.power == pytest.approx(0.025, abs=0.002)  # of one side
    assert found.detectable is None


def test_what_is_assumed_may_be_another_word_than_the_plans():
    bent = from_days(pd.DataFrame({"day": [0, 10, 90], "survival": [1, 0.8, 0.7]}))
    other = replace(assumptions(plan()), baseline=bent, entry=((120, 50),))
    found = sized(assuming(entry_per_day=None, baseline=None), other)
    assert (found.baseline, found.target) == pytest.approx((0.7, 0.73))
    assert other.treated(found.hazard_ratio).survival(90) == pytest.approx(0.73)
    assert found.enrol_days == pytest.approx(found.needed.total / 50)
    assert found.weeks == pytest.approx((found.enrol_days + 90) / 7)
    assert found.planned == 6_000
    # With one look all that counts is what remains at the day, not by which curve.
    assert found.needed.total == sized(assuming(baseline=0.7)).needed.total


def test_looks_at_an_effect_that_has_hardly_begun_cost_more():
    spending = {"family": "Pocock"}
    looks = {"information": [0.25, 0.5, 0.75, 1], "spending": spending}
    events = {"test": "log-rank", "smallest_effect": 0.06}
    at_once = sized(plan(primary=events, looks=looks))
    late = sized(assuming_with(primary=events, looks=looks, onset_days=30))
    usual = design(looks["information"], rule=Rule(spending=Spending(**spending))).inflation
    assert at_once.inflation == pytest.approx(usual, abs=0.005)
    assert late.inflation > usual + 0.08
    # The gain at the day does not grow; only what is known of it does.
    shares = {"smallest_effect": 0.06}
    late = sized(assuming_with(primary=shares, looks=looks, onset_days=30))
    assert late.inflation == pytest.approx(usual)


def test_futility_that_would_stop_what_has_hardly_begun_is_refused():
    events = {"test": "log-rank", "smallest_effect": 0.06, "sides": 1, "alpha": 0.025}
    looks = {"information": [0.25, 0.5, 0.75, 1], "futility": {"family": "Pocock"}}
    with pytest.raises(BadParameter, match=r"leave looks\.futility out, or look later"):
        sized(assuming_with(primary=events, looks=looks, onset_days=60))


def test_a_last_look_before_customers_have_been_followed_is_told():
    found = sized(plan(looks={"days": [100, 130]}))
    assert found.planned == 12_000
    assert found.power < 0.8
    assert "look once more, on day 210" in found.why


def test_customers_who_enter_after_the_last_look_are_no_reason_to_enrol_for_longer():
    pace = {**FIELDS["assumptions"], "entry_per_day": 75}
    found = sized(plan(looks={"days": [95, 100]}, assumptions=pace))
    assert found.planned < found.needed.total < 120 * 75
    assert found.enrol_days < 120
    assert found.why.startswith("The last look comes before enough customers")


def test_a_test_of_which_nobody_is_left_is_refused():
    with pytest.raises(BadParameter, match="Nobody can be followed for 90 days if 8 of"):
        sized(assuming(dropout_per_day=8))


def test_several_arms_share_alpha():
    thirds = [
        {"name": name, "share": share}
        for name, share in zip("abc", (0.34, 0.33, 0.33), strict=True)
    ]
    two, three = sized(plan()), sized(plan(arms=thirds))
    assert three.needed.total > 1.5 * two.needed.total


def test_what_cannot_be_sized_is_refused():
    with pytest.raises(
        BadParameter, match=r"say assumptions\.baseline, the share of customers who"
    ):
        sized(assuming(baseline=None))
    with pytest.raises(BadParameter, match=r"say assumptions\.entry_per_day, the customers of all"):
        sized(assuming(entry_per_day=None))
    usual = replace(assumptions(plan()), baseline=still_there(0.98, day=90))
    with pytest.raises(BadParameter, match="98 in 100 are retained by day 90 as things are, and 3"):
        sized(plan(), usual)
    with pytest.raises(BadParameter, match="nobody has been followed for 90 days yet"):
        sized(plan(looks={"days": [30, 60]}))


def test_there_is_a_plan_to_start_from_for_each_of_the_usual_tests():
    assert [file.stem for file in TEMPLATES] == [
        *("check_in_48h", "contact_pressure", "email_or_sms", "incentive_level"),
        *("onboarding_checklist", "reorder_trigger", "subject_line", "win_back"),
    ]


@pytest.mark.parametrize("file", TEMPLATES, ids=lambda file: file.stem)
def test_a_plan_to_start_from_is_whole_and_has_what_it_needs(file):
    found = load(file)
    assert found.name == file.stem
    size = sized(found)
    assert size.why == ""
    assert found.primary.power <= size.power < 0.83  # nor does it ask for more than it needs
    assert size.detectable <= found.primary.smallest_effect
    assert "claim" in file.read_text(encoding="utf-8")


def test_plans_to_start_from_name_each_other_rightly():
    plans = [load(file) for file in TEMPLATES]
    names = {each.name for each in plans}
    assert {other for each in plans for other in each.exclusive_with} <= names
    assert len({each.salt for each in plans}) == len(plans)
