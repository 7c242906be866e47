"""The landmark model."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from retention_lab.checks import BadData, BadParameter
from retention_lab.churn import model

from .simulated import EFFECTS, FACTORS, HORIZON, PLAN, collapsed, landmarks, window

RNG = 20261122


@pytest.fixture(scope="module")
def frame():
    return landmarks(np.random.default_rng(RNG), n=2_000)


@pytest.fixture(scope="module")
def fitted(frame):
    return model.fit(frame, FACTORS, horizon=HORIZON)


def test_planted_hazard_ratios_come_back(fitted):
    told = model.coefficients(fitted)
    assert told["state"].tolist() == ["reached", "plus"]
    assert told["reference"].tolist() == ["not yet", "basic"]
    truth = np.exp(told["state"].map(EFFECTS))
    error = np.log(told["high"] / told["low"]) / (2 * 1.959964)
    # Four standard errors: a fixed seed, and one in 16,000 would miss.
    assert (np.log(told["hazard_ratio"] / truth).abs() < 4 * error).all()
    assert (error < 0.1).all()


def test_customers_and_events_are_those_of_the_states(frame, fitted):
    told = model.coefficients(fitted).set_index("factor")
    plus = frame[frame["plan"] == "plus"]
    assert told.loc["plan", "customers"] == plus["weight"].sum()
    assert told.loc["plan", "events"] == plus.loc[plus["event_observed"], "weight"].sum()
    assert told.loc["plan", "label"] == "Plan"


def test_weights_are_repeated_rows(frame):
    rows = frame.loc[frame.index.repeat(frame["weight"])].assign(weight=1)
    one, other = (model.fit(each, FACTORS, horizon=HORIZON) for each in (frame, rows))
    pd.testing.assert_frame_equal(model.coefficients(one), model.coefficients(other), rtol=1e-9)
    pd.testing.assert_frame_equal(one.windows, other.windows, rtol=1e-9)
    assert one.between == pytest.approx(other.between, rel=1e-6, abs=1e-12)


def test_windows_of_training_lie_a_horizon_apart_from_the_last_complete_one_back():
    rng = np.random.default_rng(RNG)
    days = pd.date_range(end="2026-08-31", periods=8, freq="30D")
    whole = [window(rng, day, 60) for day in days]
    cut_off = window(rng, "2026-09-30", 60)
    cut_off["event_observed"] &= cut_off["day"] <= 60
    cut_off["day"] = cut_off["day"].clip(upper=60)
    frame = collapsed(pd.concat([*whole, cut_off]))
    kept = model.training(frame, horizon=HORIZON)["landmark"].unique()
    assert sorted(kept) == [days[1], days[4], days[7]]


def test_a_model_tells_on_what_it_was_trained(fitted):
    first, last = fitted.trained
    assert (str(first), str(last)) == ("2025-12-04", "2026-08-31")
    assert fitted.windows["customers"].tolist() == [2_000] * 4
    # Efron's baseline spreads ties a little, so the sums agree to a small share only.
    assert fitted.windows["expected"].sum() == pytest.approx(
        fitted.windows["events"].sum(), rel=0.01
    )
    assert fitted.factors == FACTORS
    assert fitted.left_out == ()
    assert list(fitted.design(pd.DataFrame({"onboarding": ["reached"], "plan": ["x"]}))) == list(
        fitted.fit.names
    )


def test_variance_between_windows_is_seen_where_there_is_one():
    alike = landmarks(np.random.default_rng(RNG), periods=8, n=4_000)
    unlike = landmarks(np.random.default_rng(RNG), periods=8, n=4_000, spread=0.4)
    still, moving = (model.fit(each, FACTORS, horizon=HORIZON) for each in (alike, unlike))
    assert still.between < 0.01
    # The sample variance of eight normal draws lies between a quarter and thrice the truth of 0.16.
    assert 0.04 < moving.between < 0.5


def test_variance_between_windows_is_that_worked_by_hand():
    windows = pd.DataFrame({"events": [50, 100, 150], "expected": [100.0, 100.0, 100.0]})
    # Q = 2500/100 + 0 + 2500/100 = 50, less 2 degrees of freedom; 300 (1 - 1/3) = 200;
    # and a third of it again for the mean of three windows.
    assert model._between(windows) == pytest.approx(48 / 200 * (1 + 1 / 3))


def test_fewer_than_three_windows_cannot_tell_how_they_differ_and_it_is_said():
    two = model.fit(
        landmarks(np.random.default_rng(RNG), periods=2, spread=1.0), FACTORS, horizon=HORIZON
    )
    assert two.between == 0
    assert "fewer than 3 periods" in two.left_out[-1]


def test_another_horizon_than_that_of_the_landmarks_is_refused(frame):
    with pytest.raises(BadParameter, match="look 90 days ahead, and the horizon is 60"):
        model.fit(frame, FACTORS, horizon=60)
    with pytest.raises(BadData, match="No landmark has been followed for 120 days"):
        model.fit(frame, FACTORS, horizon=120)


def test_too_few_events_are_refused(frame):
    early = frame[frame["event_observed"]].head(9).assign(weight=1)
    few = pd.concat([frame[~frame["event_observed"]], early])
    with pytest.raises(BadData, match=r"9 customers had the event .* takes 10 or more"):
        model.fit(few, FACTORS, horizon=HORIZON)


def test_factors_that_tell_nobody_apart_are_refused(frame):
    with pytest.raises(BadData, match=r"None of the factors \(plan\) tells customers apart"):
        model.fit(frame.assign(plan="basic"), [PLAN], horizon=HORIZON)
    with pytest.raises(BadData, match="none given"):
        model.fit(frame, [], horizon=HORIZON)


def test_a_table_without_its_columns_is_refused(frame):
    with pytest.raises(BadData, match="landmarks lacks the column\\(s\\) weight"):
        model.fit(frame.drop(columns="weight"), FACTORS, horizon=HORIZON)
