"""Columns without a hazard ratio are refused by name; others are fitted, however extreme."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from retention_lab.checks import BadData
from retention_lab.survival import cox


def fit(rows, *names, **options):
    outcome = {"start": rows["start"], "stop": rows["stop"], "event_observed": rows["event"]}
    return cox.fit(rows[list(names)], **(outcome | options))


def test_a_column_that_follows_from_others_is_refused_with_them(made):
    rows = made().assign(total=lambda rows: 2 * rows["a"] - rows["b"], other=lambda r: r["who"] % 7)
    with pytest.raises(BadData, match=r"'total' follows from a, b, so .*leave one of them out"):
        fit(rows, "a", "other", "b", "total")


def test_all_states_of_a_factor_are_refused(made):
    rows = made()
    for plan in ("basic", "family", "solo"):
        rows[plan] = rows["plan"] == plan
    with pytest.raises(BadData, match="'solo' follows from basic, family"):
        fit(rows, "basic", "family", "b", "solo")
    assert fit(rows, "basic", "family", "b").coefficients.shape == (3,)


def test_a_column_constant_within_strata_is_refused(made):
    rows = made().assign(family=lambda rows: rows["plan"] == "family")
    with pytest.raises(BadData, match=r"'family' does not differ between customers of one stratum"):
        fit(rows, "a", "family", strata=rows["plan"])


def test_a_column_that_only_those_without_company_have_is_refused(made):
    rows = made()
    late = rows["start"] >= rows.loc[rows["event"], "stop"].max()
    assert not late.any()
    last = rows.iloc[[0]].assign(start=100, stop=110, event=True, alone=1)
    with pytest.raises(BadData, match="'alone' does not differ"):
        fit(pd.concat([last, rows.assign(alone=0)]), "a", "alone")


@pytest.mark.parametrize("event", [False, True])
@pytest.mark.parametrize("rows_of", [300, 20_000])
def test_a_state_in_which_nobody_or_everybody_had_the_event_is_refused(made, event, rows_of):
    rows = made(rows_of)
    if event:  # those who have the event on the spot whenever they are there
        rows["trial"] = rows["event"] & (rows["stop"] == 1)
        rows["start"] = 0
    else:
        rows["trial"] = ~rows["event"] & (rows["who"] % 5 == 0)
    with pytest.raises(BadData, match=r"Column 'trial' separates those with an event.*together"):
        fit(rows, "a", "trial", "b")


def test_a_column_that_tells_the_order_of_events_is_refused(made):
    rows = made().assign(start=0, event=True, clock=lambda rows: -rows["stop"])
    with pytest.raises(BadData, match="'clock' separates"):
        fit(rows, "clock")


@pytest.mark.parametrize("ties", ["efron", "breslow"])
def test_one_event_in_a_rare_state_has_a_hazard_ratio(made, ties):
    rows = made(20_000).assign(start=0)
    rare = np.zeros(len(rows), dtype=bool)
    rare[np.flatnonzero(rows["event"] & (rows["stop"] == 1))[:1]] = True
    rare[np.flatnonzero(rows["stop"] > 1)[:2]] = True
    fitted = fit(rows.assign(rare=rare), "a", "rare", ties=ties)
    assert fitted.certificate.gradient < 1e-6
    assert np.isfinite(fitted.summary()[["low", "high"]]).all(axis=None)


def test_a_first_step_hundreds_of_times_too_long_is_shortened():
    # Two of 2,000 customers are in a state; one has the first event, and one sees the second. With
    # M = 1998 others and u = exp(coefficient), u / (2 u + M) / (u + M) is greatest at M / sqrt 2.
    stop = np.arange(1, 2001)
    state = pd.DataFrame({"state": np.isin(stop, [1, 3])})
    fitted = cox.fit(state, stop=stop, event_observed=stop <= 2)
    assert fitted.coefficients[0] == pytest.approx(np.log(1998 / np.sqrt(2)))
    assert fitted.certificate.gradient < 1e-6


def test_two_columns_almost_alike_are_no_separation(made):
    rows = made(5000, days=400)
    noise = np.random.default_rng(3).normal(size=len(rows))
    for size in (1e-2, 1e-3, 1e-4):
        fitted = fit(rows.assign(twin=rows["b"] + size * noise), "b", "twin")
        assert fitted.certificate.gradient < 1e-6


def test_an_extreme_value_is_no_separation(made):
    rows = made(5000)
    rows.loc[17, "b"] = 1e4
    fitted = fit(rows, "a", "b")
    assert fitted.certificate.gradient < 1e-6
    assert fitted.certificate.above_null > 0


def test_strong_effects_are_no_separation():
    rng = np.random.default_rng(4)
    x = rng.normal(size=2000)
    time = rng.exponential(np.exp(-6 * x))
    fitted = cox.fit(pd.DataFrame({"x": x}), stop=time, event_observed=np.ones(2000))
    assert fitted.coefficients[0] == pytest.approx(6, abs=4 * fitted.covariance[0, 0] ** 0.5)
