"""Forecasts: how many, who, and how sure."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from retention_lab.checks import BadData
from retention_lab.churn import forecast as forecasts
from retention_lab.churn import model as models
from retention_lab.churn.endpoints import Endpoint
from retention_lab.churn.forecast import allocation, forecast, own_clock

from .shops import shop
from .simulated import (
    FACTORS,
    HORIZON,
    PLAN,
    RATE,
    chance,
    collapsed,
    customers,
    landmarks,
    people,
    window,
)

AS_OF = dt.date(2026, 11, 29)
STAY, RETURN = Endpoint(kind="cancelled"), Endpoint(kind="returned")


@pytest.fixture(scope="module")
def model():
    return models.fit(landmarks(np.random.default_rng(3), n=2_000), FACTORS, horizon=HORIZON)


@pytest.fixture(scope="module")
def today():
    return people(np.random.default_rng(4), 1_000)


@pytest.fixture(scope="module")
def said(model, today):
    return forecast(model, today, endpoint=STAY, as_of=AS_OF)


def test_probabilities_are_those_planted(said):
    truth = chance(said.people)
    # Three times the distance to the bounds is six standard errors.
    assert (said.people["probability"] - truth).abs().max() < 0.03
    arm = 3 * (said.people["high"] - said.people["low"]) / 2
    assert ((said.people["probability"] - truth).abs() < arm).all()
    assert (arm / 3 < 0.05).all()


def test_the_number_is_the_sum_of_the_chances_and_its_interval_allows_for_luck(said, today):
    lost = 1 - said.people["probability"]
    assert said.customers == 1_000
    assert said.expected.value == pytest.approx((today["weight"] * lost).sum())
    luck = 1.959964 * np.sqrt((today["weight"] * lost * (1 - lost)).sum())
    assert said.expected.high - said.expected.value > luck
    assert said.expected.value - said.expected.low > luck
    assert (str(said.until), said.horizon, said.checked) == ("2027-02-27", 90, True)


def test_returning_is_the_good_thing_where_there_is_no_contract(model, today, said):
    back = forecast(model, today, endpoint=RETURN, as_of=AS_OF)
    assert back.expected == said.expected
    turned = 1 - said.people[["probability", "high", "low"]].to_numpy()
    assert back.people[["probability", "low", "high"]].to_numpy() == pytest.approx(turned)
    assert (back.people["low"] < back.people["probability"]).all()
    assert (back.people["probability"] < back.people["high"]).all()


def test_weights_are_repeated_rows(model, today, said):
    rows = today.loc[today.index.repeat(today["weight"])].assign(weight=1)
    other = forecast(model, rows, endpoint=STAY, as_of=AS_OF)
    assert vars(other.expected) == pytest.approx(vars(said.expected), rel=1e-9)
    pd.testing.assert_frame_equal(
        other.people.drop_duplicates(ignore_index=True).drop(columns="weight"),
        said.people.drop(columns="weight"),
    )
    pd.testing.assert_frame_equal(allocation(other), allocation(said))


def test_the_number_lies_between_none_and_all(model):
    one = forecast(
        model,
        pd.DataFrame({"onboarding": ["reached"], "plan": ["basic"], "weight": [1]}),
        endpoint=STAY,
        as_of=AS_OF,
    )
    assert 0 == one.expected.low < one.expected.value < one.expected.high <= 1


def test_periods_that_differ_widen_both_intervals(today):
    unlike = landmarks(np.random.default_rng(3), periods=8, n=2_000, spread=0.4)
    moving = models.fit(unlike, FACTORS, horizon=HORIZON)
    wide = forecast(moving, today, endpoint=STAY, as_of=AS_OF)
    still = models.Model(**{**vars(moving), "between": 0.0})
    narrow = forecast(still, today, endpoint=STAY, as_of=AS_OF)
    assert wide.expected.value == narrow.expected.value
    assert wide.expected.low < narrow.expected.low
    assert wide.expected.high > narrow.expected.high
    assert (wide.people["low"] < narrow.people["low"]).all()
    assert (wide.people["high"] > narrow.people["high"]).all()


def test_a_variance_of_few_periods_has_the_quantiles_of_student():
    spread = forecasts._Spread(between=0.04, windows=5, alpha=0.05)
    # Tables of t: 2.776 at 4 degrees of freedom; with as much error of its own, 4 times 2 squared
    # is 16 degrees, and 2.120.
    arms = spread.arm(np.array([0.0, 0.1]), np.array([0.5, 0.5]))
    assert arms == pytest.approx([2.776 * 0.2, 2.120 * 0.08**0.5], rel=1e-3)


def test_allocation_brings_all_by_all_and_most_by_the_first(said):
    curve = allocation(said)
    assert curve["top_share"].tolist() == pytest.approx(np.linspace(0, 1, 21).tolist())
    assert curve[["customers", "share"]].iloc[[0, -1]].to_numpy().tolist() == [[0, 0], [1000, 1]]
    steps = curve["share"].diff().dropna()
    assert (steps > 0).all()
    assert (steps.diff().dropna() < 1e-12).all()  # the highest risk comes first
    riskiest = said.people.sort_values("probability").iloc[0]
    ten = curve.loc[2]
    assert ten["customers"] == 100
    # The riskiest tenth are all of the riskiest states, of whom there are more.
    assert riskiest["weight"] > 100
    expected = 100 * (1 - riskiest["probability"]) / said.expected.value
    assert ten["share"] == pytest.approx(expected)


def test_allocation_of_returns_begins_with_the_most_likely(model, today):
    curve = allocation(forecast(model, today, endpoint=RETURN, as_of=AS_OF))
    assert (curve["share"] >= curve["top_share"] - 1e-12).all()
    assert curve.loc[10, "share"] > 0.6


def test_nobody_to_forecast_is_refused(model, today):
    with pytest.raises(BadData, match="Nobody is a customer on 2026-11-29"):
        forecast(model, today.head(0), endpoint=STAY, as_of=AS_OF)
    with pytest.raises(BadData, match="people lacks the column\\(s\\) weight"):
        forecast(model, today.drop(columns="weight"), endpoint=STAY, as_of=AS_OF)
    with pytest.raises(BadData, match="lacks the column\\(s\\) plan"):
        forecast(model, today.drop(columns="plan"), endpoint=STAY, as_of=AS_OF)


def lives(rng, n, *, followed=1_000):
    """Spells of customers who entered at any time of the last `followed` days, and are seen now."""
    frame = customers(rng, n)
    age = rng.integers(0, followed + 1, n)
    time = rng.exponential(size=n) / (-np.log(chance(frame, days=1)))
    gone = time < age
    stop = np.where(gone, np.floor(time) + 1, age).astype("int64")
    return frame.assign(start=0, stop=stop, event_observed=gone, weight=1)


def aged(spells):
    """Today's customers with their ages."""
    still = spells[~spells["event_observed"]].rename(columns={"stop": "age"})
    return collapsed(still[["onboarding", "plan", "age", "weight"]])


@pytest.fixture(scope="module")
def spells():
    return lives(np.random.default_rng(5), 6_000)


@pytest.fixture(scope="module")
def by_age(spells):
    return own_clock(
        collapsed(spells), aged(spells), FACTORS, horizon=HORIZON, endpoint=STAY, as_of=AS_OF
    )


def test_own_clock_tells_the_chances_of_customers_of_that_age(by_age):
    young = by_age.people[by_age.people["age"] < 400]
    # The hazard planted is the same at every age.
    error = young["probability"] - chance(young)
    assert np.average(error, weights=young["weight"]) == pytest.approx(0, abs=0.01)
    assert error.abs().max() < 0.12
    inside = (young["low"] <= chance(young)) & (chance(young) <= young["high"])
    assert np.average(inside, weights=young["weight"]) > 0.8
    truth = (by_age.people["weight"] * (1 - chance(by_age.people))).sum()
    assert by_age.expected.low < truth < by_age.expected.high


def test_own_clock_is_marked_as_unchecked(by_age):
    assert not by_age.checked
    assert by_age.people["weight"].sum() == by_age.customers


def test_who_is_older_than_anybody_was_followed_is_left_out_and_counted(by_age, spells):
    oldest = spells["stop"].max() - HORIZON
    old = aged(spells).query("age > @oldest")["weight"].sum()
    assert old > 10
    assert by_age.people["age"].max() <= oldest
    everybody = (~spells["event_observed"]).sum()
    assert by_age.customers == everybody - old
    assert by_age.left_out[-1].startswith(
        f"{old} of {everybody:,} customers are not in the forecast: they have been here for more "
        f"than {oldest} days"
    )


def test_a_few_who_are_left_out_are_not_counted(spells):
    now = aged(spells)
    old = now["age"] > spells["stop"].max() - HORIZON
    few = pd.concat([now[~old], now[old].head(3).assign(weight=1)])
    told = own_clock(collapsed(spells), few, FACTORS, horizon=HORIZON, endpoint=STAY, as_of=AS_OF)
    assert told.left_out[-1].startswith("Fewer than 10 customers are")


def test_own_clock_beyond_all_follow_up_is_refused(spells):
    with pytest.raises(BadData, match=r"To look 1200 days ahead.* days is the longest"):
        own_clock(
            collapsed(spells), aged(spells), FACTORS, horizon=1200, endpoint=STAY, as_of=AS_OF
        )


def test_own_clock_without_an_event_or_an_age_is_refused(spells):
    def told(episodes, now):
        own_clock(episodes, now, FACTORS, horizon=HORIZON, endpoint=STAY, as_of=AS_OF)

    with pytest.raises(BadData, match="has an event"):
        told(collapsed(spells.assign(event_observed=False)), aged(spells))
    with pytest.raises(BadData, match="people lacks the column\\(s\\) age"):
        told(collapsed(spells), aged(spells).drop(columns="age"))


def test_own_clock_without_factors_is_the_curve_of_everybody(spells):
    now = aged(spells).query("age < 400")
    told = own_clock(collapsed(spells), now, [], horizon=HORIZON, endpoint=STAY, as_of=AS_OF)
    assert told.people.groupby("age")["probability"].nunique().max() == 1
    truth = (now["weight"] * (1 - chance(now))).sum()
    assert told.expected.value == pytest.approx(truth, rel=0.15)


def test_an_age_after_which_nobody_left_has_an_interval():
    # Nobody leaves from day 200 to day 500, so the rate there is zero.
    rng = np.random.default_rng(6)
    early = pd.DataFrame({"stop": rng.integers(1, 200, 300), "event_observed": True})
    late = pd.DataFrame({"stop": rng.integers(500, 601, 300)})
    late = late.assign(event_observed=late["stop"] < 510)
    plans = np.where(rng.random(600) < 0.5, "basic", "plus")
    frame = pd.concat([early, late], ignore_index=True).assign(start=0, weight=1, plan=plans)
    now = pd.DataFrame({"plan": ["basic", "plus"], "age": 300, "weight": [40, 60]})
    told = own_clock(frame, now, [PLAN], horizon=HORIZON, endpoint=STAY, as_of=AS_OF)
    assert told.people["probability"].tolist() == [1.0, 1.0]
    assert ((told.people["low"] > 0.9) & (told.people["low"] < 1)).all()
    assert told.expected.low == told.expected.value == 0
    assert 0 < told.expected.high < 10


def test_ages_are_days_since_the_newest_subscription_began():
    rows = [
        ("a", "2024-01-01", None, None),
        ("a", "2024-05-01", None, None),
        ("b", "2024-05-01", None, None),
        ("c", "2024-01-01", "2024-02-01", "voluntary"),
    ]
    here = shop({"subscriptions": rows}, dt.date(2024, 5, 20))
    found = forecasts.ages(here, STAY, [])
    assert found.to_dict("records") == [{"age": 19, "weight": 2}]  # the hour of summer is short


def test_a_state_that_nobody_was_in_before_is_told(model, today):
    new = today.assign(plan=today["plan"].replace("plus", "max"))
    count = new.loc[new["plan"] == "max", "weight"].sum()
    told = forecast(model, new, endpoint=STAY, as_of=AS_OF)
    assert told.left_out == (
        f"{count} of 1,000 customers are in a state that nobody was in before, so their chances "
        "are those of other states.",
    )
    assert len(told.people) == len(new)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("spread", "periods", "least"),
    # Three periods hardly tell how much periods differ: 89 in 100 is what can be had.
    [(0.0, 4, 0.95), (0.2, 8, 0.95), (0.2, 3, 0.88)],
)
def test_intervals_cover_what_comes(spread, periods, least):
    runs, held, chances = 200, 0, 0.0
    for seed in range(runs):
        rng = np.random.default_rng(seed)
        table = landmarks(rng, periods=periods, n=500, spread=spread)
        fitted = models.fit(table, FACTORS, horizon=HORIZON)
        rate = RATE * np.exp(spread * rng.standard_normal())
        came = window(rng, AS_OF, 500, rate=rate)
        now = collapsed(came[["onboarding", "plan", "weight"]])
        told = forecast(fitted, now, endpoint=STAY, as_of=AS_OF)
        held += told.expected.low <= came["event_observed"].sum() <= told.expected.high
        truth = chance(told.people, rate=rate)
        chances += ((told.people["low"] <= truth) & (truth <= told.people["high"])).mean()
    room = 3 * np.sqrt(least * (1 - least) / runs)
    assert held / runs > least - room
    assert chances / runs > least - room
