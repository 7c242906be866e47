"""Accelerated failure times and constant rates."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from lifelines import WeibullAFTFitter

from retention_lab.checks import BadData, BadParameter
from retention_lab.survival import parametric
from retention_lab.survival.exponential import exponential
from retention_lab.survival.parametric import aft, predict

DISTRIBUTIONS = ["weibull", "lognormal", "loglogistic"]


def customers(n=400, seed=1):
    """Weibull times of shape 1.5 that a check-in stretches by half, censored at random."""
    rng = np.random.default_rng(seed)
    checked_in, age = rng.integers(0, 2, n), rng.normal(40, 10, n)
    left = 60 * 1.5**checked_in * rng.weibull(1.5, n)
    censored = rng.exponential(90, n)
    return (
        pd.DataFrame({"onboarding: reached": checked_in, "age": age}),
        {"stop": np.minimum(left, censored), "event_observed": left <= censored},
    )


def test_a_planted_stretch_of_time_is_within_its_interval():
    covariates, told = customers(2000)
    found = aft(covariates, **told).summary().set_index("name")
    low, high = found.loc["onboarding: reached", ["low", "high"]]
    assert low < 1.5 < high
    assert found.loc["age", "low"] < 1 < found.loc["age", "high"]


@pytest.mark.parametrize("distribution", DISTRIBUTIONS)
def test_the_unit_of_time_moves_the_intercept_alone(distribution):
    covariates, told = customers()
    days = aft(covariates, **told, distribution=distribution)
    seconds = aft(covariates, **told | {"stop": told["stop"] * 86_400}, distribution=distribution)
    moved = seconds.parameters - days.parameters
    assert moved == pytest.approx([np.log(86_400), 0, 0, 0], abs=1e-6)
    assert seconds.covariance == pytest.approx(days.covariance, rel=1e-3)
    shift = days.events * np.log(86_400)
    assert seconds.log_likelihood == pytest.approx(days.log_likelihood - shift, abs=1e-6)


def test_a_weight_is_that_many_equal_rows():
    covariates, told = customers(150)
    weights = np.random.default_rng(0).integers(1, 4, 150)
    index = np.repeat(np.arange(150), weights)
    one = aft(covariates, **told, weights=weights)
    other = aft(covariates.iloc[index], **{name: told[name][index] for name in told})
    assert one.parameters == pytest.approx(other.parameters, abs=1e-6)
    assert one.covariance == pytest.approx(other.covariance, rel=1e-3, abs=1e-8)
    assert (one.n, one.events) == (other.n, other.events)


def test_the_fit_is_better_than_lifelines_and_than_no_covariates():
    covariates, told = customers()
    found = aft(covariates, **told)
    theirs = WeibullAFTFitter().fit(
        covariates.rename(columns={"onboarding: reached": "reached"}).assign(**told),
        "stop",
        "event_observed",
    )
    assert found.log_likelihood == pytest.approx(theirs.log_likelihood_, abs=1e-4)
    assert found.log_likelihood >= theirs.log_likelihood_ - 1e-9
    alone = aft(covariates[[]], **told)
    assert alone.log_likelihood == pytest.approx(found.null_log_likelihood, abs=1e-8)
    assert found.log_likelihood > found.null_log_likelihood


def test_a_fit_below_the_one_without_covariates_is_refused(monkeypatch):
    monkeypatch.setattr(parametric, "null_log_likelihood", lambda *_: 0.0)
    covariates, told = customers()
    with pytest.raises(BadData, match="is worse than one without covariates"):
        aft(covariates, **told)


def test_survival_beyond_follow_up_is_marked():
    covariates, told = customers()
    fit = aft(covariates, **told)
    last = told["stop"].max()
    found = predict(fit, covariates.head(2), days=[0, 30, last, last + 1])
    assert found["row"].tolist() == [0] * 4 + [1] * 4
    assert found["extrapolated"].tolist() == [False, False, False, True] * 2
    assert found.loc[found["day"] == 0, "survival"].tolist() == [1, 1]
    later = found[found["day"] > 0]
    assert ((later["low"] < later["survival"]) & (later["survival"] < later["high"])).all()


@pytest.mark.slow
@pytest.mark.parametrize("distribution", DISTRIBUTIONS)
def test_the_interval_of_survival_is_that_of_a_bootstrap(distribution):
    covariates, told = customers(800)
    profile = pd.DataFrame({"onboarding: reached": [1], "age": [40.0]})

    def share(index):
        fit = aft(
            covariates.iloc[index],
            **{name: told[name][index] for name in told},
            distribution=distribution,
        )
        return predict(fit, profile, days=[60]).iloc[0]

    rng = np.random.default_rng(3)
    found = share(np.arange(800))
    draws = [share(rng.integers(0, 800, 800))["survival"] for _ in range(40)]
    # A standard deviation of 40 draws is itself off by 11 %: four of those.
    width = (found["high"] - found["low"]) / (2 * 1.959964)
    assert width == pytest.approx(np.std(draws), rel=4 / np.sqrt(80))


def test_who_is_censored_at_time_zero_tells_nothing():
    covariates, told = customers(200)
    one = aft(covariates, **told)
    more = pd.concat([covariates, covariates.head(3)])
    zero = {"stop": np.append(told["stop"], [0, 0, 0])}
    zero["event_observed"] = np.append(told["event_observed"], [False] * 3)
    other = aft(more, **zero)
    assert other.parameters == pytest.approx(one.parameters, abs=1e-6)
    assert other.n == one.n + 3


def refused(columns, **changed):
    covariates, told = customers(200)
    for name, values in columns.items():
        covariates[name] = values(covariates, told)
    with pytest.raises((BadData, BadParameter)) as error:
        aft(covariates, **told | changed)
    return str(error.value)


def test_columns_that_cannot_be_fitted_are_named():
    no_event = {"vip": lambda _, told: 1 * ~told["event_observed"] * (told["stop"] < 30)}
    assert "Column 'vip' has no event on one of its two sides" in refused(no_event)
    double = {"older": lambda frame, _: 2 * frame["age"] + 3}
    assert "follows from the other columns in these 200 rows" in refused(double)
    assert "Column 'plan' is 1 in every row" in refused({"plan": lambda *_: 1})
    gap = {"plan": lambda frame, _: frame["age"].where(frame["age"] > 30)}
    assert "Column 'plan' is missing or infinite" in refused(gap)


def test_times_that_cannot_be_fitted_are_refused_in_a_sentence():
    assert "None of the 200 rows has an event" in refused({}, event_observed=np.zeros(200))
    assert "stop is 0 in 200 rows with an event" in refused(
        {}, stop=np.zeros(200), event_observed=np.ones(200)
    )
    assert "did not converge. Leave out" in refused({}, stop=np.full(200, 7.0))
    assert "It has: weibull, lognormal, loglogistic." in refused({}, distribution="gamma")


def test_a_constant_rate_is_events_over_days_and_marks_what_lies_beyond():
    found = exponential([10, 20, 30], event_observed=[1, 1, 0], weights=[1, 2, 3])
    assert found.rate.value == pytest.approx(3 / 140)
    assert found.std_error_log_rate == pytest.approx(3**-0.5)
    curve = found.survival([0, 30, 31])
    assert curve["extrapolated"].tolist() == [False, False, True]
    assert curve["survival"].iloc[1] == pytest.approx(np.exp(-90 / 140))
    assert (curve["low"] <= curve["survival"]).all()
    assert (curve["survival"] <= curve["high"]).all()
    with pytest.raises(BadData, match="got 0 events in 30 days"):
        exponential([10, 20], event_observed=[0, 0])
