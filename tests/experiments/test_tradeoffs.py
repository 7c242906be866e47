"""What a test could be instead, held against closed forms, simulation and a measured case."""

from __future__ import annotations

import datetime as dt
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from retention_lab.checks import BadParameter
from retention_lab.experiments import lookahead, simulate, testing, tradeoffs
from retention_lab.experiments.design.calendar import earliest
from retention_lab.experiments.design.curve import from_days
from retention_lab.experiments.plan import Plan, load
from retention_lab.experiments.sizing import assumptions, sized

TEMPLATES = Path(__file__).parents[2] / "experiments/templates"
FIELDS = {
    "name": "check_in",
    "title": "Check-in",
    "owner": "Lifecycle Marketing",
    "hypothesis": "A check-in keeps more customers.",
    "milestone": "onboarding_completed",
    "channel": "email",
    "arms": [{"name": "control", "share": 0.5}, {"name": "check-in", "share": 0.5, "message": "m"}],
    "starts": "2027-01-01",
    "ends": "2027-03-01",  # 60 days
    "endpoint": {"kind": "retained", "day": 90},
    "primary": {"smallest_effect": 0.06},
    "assumptions": {"entry_per_day": 2_806 / 60, "baseline": 0.6},
}


def plan(**changed: object) -> Plan:
    return Plan.model_validate({**FIELDS, **changed})


def calendar(found: Plan) -> pd.DataFrame:
    return tradeoffs.calendar(found, assumptions(found)).set_index("day")


@pytest.mark.parametrize("name", ["check_in_48h", "reorder_trigger", "email_or_sms"])
def test_the_effect_of_the_plan_takes_what_the_plan_takes(name):
    found = load(TEMPLATES / f"{name}.yml")
    effects, size = tradeoffs.effects(found, assumptions(found)), sized(found)
    own = effects[effects["of"] == "plan"].iloc[0]
    assert own["effect"] == found.primary.smallest_effect
    assert (own["customers"], own["weeks"]) == (size.needed.total, size.weeks)
    assert own["share"] == pytest.approx(found.assumptions.baseline + own["effect"])
    assert own["lift"] == pytest.approx(own["effect"] / found.assumptions.baseline)


def test_twice_the_effect_takes_about_a_quarter_of_the_customers():
    effects = tradeoffs.effects(plan(), assumptions(plan()))
    own, double = (effects[effects["of"] == of].iloc[0] for of in ("plan", "double"))
    assert double["customers"] == pytest.approx(own["customers"] / 4, rel=0.1)
    assert effects["effect"].is_monotonic_increasing
    assert effects["customers"].is_monotonic_decreasing
    assert effects["effect"].min() == pytest.approx(0.02)
    assert effects["effect"].max() == pytest.approx(0.18)


def test_what_a_trade_claims_is_sized_beside_and_what_cannot_be_is_left_out():
    high = plan(
        assumptions={"entry_per_day": 50, "baseline": 0.9}, primary={"smallest_effect": 0.05}
    )
    effects = tradeoffs.effects(high, assumptions(high), more=(0.045, 0.05, 0.12))
    assert effects["share"].max() < 1
    assert effects.loc[effects["of"] == "trade", "effect"].tolist() == [0.045, 0.05]
    assert effects.loc[effects["effect"] == 0.05, "of"].tolist() == ["plan", "trade"]
    impossible = high.model_copy(
        update={"primary": high.primary.model_copy(update={"smallest_effect": 0.2})}
    )
    with pytest.raises(BadParameter):
        tradeoffs.effects(impossible, assumptions(impossible))


def test_a_test_on_everybody_is_done_by_day_90_and_one_on_the_followed_by_day_135():
    # Measured, 60 to 66 in 100, 2,806 customers over 60 days: log-rank on everybody has a power of
    # 80 % on day 90; the test of shares of those followed for 90 days has none then, and gets
    # there near day 135.
    found = plan(primary={"test": "log-rank", "smallest_effect": 0.06})
    seen = calendar(found)
    assert seen.loc[90, "power"] == pytest.approx(0.80, abs=0.01)
    assert seen.loc[:90, "matured"].max() == 0
    assert 132 <= seen.index[seen["matured"] >= 0.8][0] <= 137
    assert seen.loc[150, "entered"] == pytest.approx(2_806)
    assert seen.loc[150, "events"] == pytest.approx(1_403 * (0.40 + 0.34))


def test_a_difference_of_shares_is_read_once_somebody_has_been_followed():
    found = plan()
    seen = calendar(found)
    assert seen.loc[:90, "power"].max() == 0
    assert seen.loc[92:, "power"].min() > 0
    assert (seen["power"] >= seen["matured"] - 1e-9).all()
    # Without dropout both count the same customers in the end.
    assert seen.loc[150, "power"] == pytest.approx(seen.loc[150, "matured"])
    kernel = testing.kernel(found, assumptions(found), day=150)
    ratio = testing.hazard_ratio(found, assumptions(found))
    day = earliest(kernel, ratio).day
    assert (seen.loc[day:, "power"] >= 0.8).all()
    assert (seen.loc[: day - 1, "power"] < 0.8).all()


def test_days_have_their_dates_and_looks_are_among_them():
    seen = calendar(plan(looks={"days": [101, 149]}))
    assert seen.index[seen["look"]].tolist() == [101, 149]
    assert seen.loc[150, "on"] == dt.date(2027, 5, 30)  # the last entered on 1 March
    assert len(seen) < 90


def test_customers_lost_from_view_count_while_they_are_seen():
    found = plan(assumptions={"entry_per_day": 50, "baseline": 0.6, "dropout_per_day": 0.005})
    last = calendar(found).iloc[-1]
    assert last["power"] > last["matured"] + 0.05


def test_halves_are_cheapest_and_each_split_has_its_messages():
    found = plan()
    splits = tradeoffs.allocations(found, assumptions(found)).set_index("control")
    assert splits["customers"].idxmin() == 0.5
    assert splits.loc[0.5, "customers"] == sized(found).needed.total
    assert splits.loc[0.2, "messages"] == pytest.approx(0.8 * splits.loc[0.2, "customers"], abs=1)
    assert splits.loc[0.1, "customers"] > 2.5 * splits.loc[0.5, "customers"]  # 0.25 / 0.09


def test_three_arms_want_a_larger_control():
    found = load(TEMPLATES / "reorder_trigger.yml")
    splits = tradeoffs.allocations(found, assumptions(found)).set_index("control")
    assert 0.28 in splits.index  # the plan's own
    assert splits.loc[0.28, "customers"] == sized(found).needed.total
    # 1 / (1 + sqrt 3) = 0.37 of all for control, against three arms that share the rest.
    assert splits["customers"].idxmin() == 0.4


def test_other_arms_keep_their_proportions():
    shares = {"a": 0.5, "b": 0.3, "c": 0.2}
    found = plan(arms=[{"name": name, "share": share} for name, share in shares.items()])
    assumed = assumptions(found)
    split = replace(assumed, allocation=(0.6, 0.24, 0.16))
    size, _ = testing.needed(found, split, testing.hazard_ratio(found, assumed))
    splits = tradeoffs.allocations(found, assumed).set_index("control")
    assert splits.loc[0.6, "customers"] == pytest.approx(size.total, abs=1)


@pytest.mark.slow
def test_everything_of_one_plan_takes_a_second_or_two():
    found = load(TEMPLATES / "check_in_48h.yml")
    rates = np.random.default_rng(3).uniform(0.0, 0.002, 730)
    share = np.exp(-np.append(0, rates.cumsum()))
    curve = from_days(pd.DataFrame({"day": range(731), "survival": share}))
    found = found.model_copy(update={"endpoint": found.endpoint.model_copy(update={"day": 730})})
    assumed = replace(assumptions(found), baseline=curve)
    testing.designed.cache_clear()
    began = time.process_time()
    for part in (tradeoffs.effects, tradeoffs.calendar, tradeoffs.allocations):
        part(found, assumed)
    for part in (lookahead.looks, lookahead.families):
        part(found, assumed)
    assert time.process_time() - began < 4  # measured on a busy machine: 2.2 s


@pytest.mark.slow
@pytest.mark.parametrize("test", ["retention", "log-rank"])
@pytest.mark.parametrize("day", [105, 135])
def test_simulated_tests_find_the_effect_as_often_as_the_calendar_says(test, day):
    primary = {"test": test, "smallest_effect": 0.06}
    found = plan(
        primary=primary,
        looks={"days": [105, 135]},
        assumptions={**FIELDS["assumptions"], "contact_rate": 0.9, "dropout_per_day": 0.001},
    )
    assumed, rng = assumptions(found), np.random.default_rng(11)
    ratio, said = testing.hazard_ratio(found, assumed), calendar(found).loc[day]
    times = 2_000
    simulated = simulate.trials(
        assumed,
        hazard_ratios=[ratio],
        customers=said["entered"],
        day=day,
        times=times,
        rng=rng,
    )
    score = simulate.logrank(simulated)
    if test == "retention":
        score = simulate.retention(simulated, at=90)
    power = simulate.found(score).value
    # Four standard deviations of the share of 2,000 tests.
    assert power == pytest.approx(said["power"], abs=4 * np.sqrt(0.25 / times))
