"""Kaplan-Meier on collapsed counts."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lifelines import KaplanMeierFitter, NelsonAalenFitter
from lifelines.datasets import load_lung

from retention_lab.checks import BadData, BadParameter
from retention_lab.survival.daygrid import (
    kaplan_meier,
    median_time,
    nelson_aalen,
    survival_at,
)
from retention_lab.survival.tally import from_rows

from .units import random_units, repeated

spells = st.lists(st.tuples(st.integers(0, 30), st.booleans()), min_size=1, max_size=60)


def collapsed(rows):
    """Count the spells (day, event) of each day."""
    frame = pd.DataFrame(rows, columns=["day", "event"])
    frame["events"] = frame["event"].astype("int64")
    frame["censored"] = 1 - frame["events"]
    return frame.groupby("day", as_index=False)[["events", "censored"]].sum()


def lifelines_curve(rows):
    days, events = zip(*rows, strict=True)
    return KaplanMeierFitter().fit(days, events)


def random_spells(n, seed=5):
    rng = np.random.default_rng(seed)
    event, seen = rng.integers(1, 200, n), rng.integers(1, 250, n)
    return list(zip(np.minimum(event, seen).tolist(), (event <= seen).tolist(), strict=True))


def test_curve_meets_ten_units_worked_by_hand():
    # 9/10; then 8/9 of it, the one censored on day 5 still at risk there; then 5/7; then 2/3.
    days = [3, 5, 5, 8, 8, 8, 12, 15, 20, 20]
    died = [1, 1, 0, 1, 1, 0, 0, 1, 0, 0]
    curve = kaplan_meier(collapsed(list(zip(days, died, strict=True))))
    read = survival_at(curve, [3, 5, 8, 15])
    assert read["survival"].tolist() == pytest.approx([0.9, 0.8, 0.8 * 5 / 7, 0.8 * 5 / 7 * 2 / 3])
    assert read["at_risk"].tolist() == [10, 9, 7, 3]
    assert read["std_error"].iloc[0] == pytest.approx(np.sqrt(0.9 * 0.1 / 10))


def test_curve_and_bounds_agree_with_lifelines_on_a_thousand_spells():
    rows = random_spells(1000)
    curve, oracle = kaplan_meier(collapsed(rows)), lifelines_curve(rows)
    day = curve["day"].to_numpy()
    assert curve["survival"].to_numpy() == pytest.approx(oracle.predict(day).to_numpy(), rel=1e-9)
    inside = curve[(curve["survival"] < 1) & (curve["survival"] > 0)]
    bounds = oracle.confidence_interval_.loc[inside["day"]].to_numpy()
    assert inside[["low", "high"]].to_numpy() == pytest.approx(bounds, rel=1e-9)
    assert median_time(curve).days == oracle.median_survival_time_


@given(rows=spells)
def test_curve_agrees_with_lifelines_on_any_spells(rows):
    curve, oracle = kaplan_meier(collapsed(rows)), lifelines_curve(rows)
    after = curve[curve["day"] > 0]  # lifelines counts an event on day 0 as one before day 0
    if not any(event for day, event in rows if day == 0):
        expected = oracle.survival_function_.loc[after["day"]].to_numpy().ravel()
        assert after["survival"].to_numpy() == pytest.approx(expected, abs=1e-9)
    assert curve["survival"].is_monotonic_decreasing
    assert (curve["low"] <= curve["survival"]).all()
    assert (curve["survival"] <= curve["high"]).all()
    assert curve["at_risk"].iloc[0] == len(rows)


@given(rows=spells, copies=st.integers(2, 5))
def test_counts_are_the_same_as_repeated_rows(rows, copies):
    once = collapsed(rows)
    many = once.assign(events=once["events"] * copies, censored=once["censored"] * copies)
    pd.testing.assert_frame_equal(kaplan_meier(many), kaplan_meier(collapsed(rows * copies)))


def test_curve_minds_neither_the_order_nor_the_split_of_the_grid():
    rows = random_spells(300)
    whole = collapsed(rows)
    split = pd.concat([collapsed(rows[:100]), collapsed(rows[100:])]).sample(frac=1, random_state=3)
    pd.testing.assert_frame_equal(kaplan_meier(whole), kaplan_meier(split))


def test_curve_starts_at_day_0_with_everybody():
    curve = kaplan_meier(collapsed([(4, True), (9, False)]))
    first = curve.iloc[0]
    assert (first["day"], first["at_risk"], first["survival"]) == (0, 2, 1)
    assert survival_at(curve, [3])["at_risk"].item() == 2


def test_bounds_keep_a_width_where_nobody_or_everybody_had_the_event():
    curve = kaplan_meier(collapsed([(4, True)] * 20 + [(2, False)] * 5))
    before, after = curve.iloc[0], curve.iloc[-1]
    # Wilson's interval of 25 of 25 and of 0 of 20, with z = 1.959964.
    assert (before["low"], before["high"]) == pytest.approx((25 / (25 + 3.841459), 1))
    assert (after["low"], after["high"]) == pytest.approx((0, 3.841459 / (20 + 3.841459)))


def test_bounds_widen_with_confidence():
    grid = collapsed(random_spells(200))
    narrow, wide = kaplan_meier(grid, alpha=0.2), kaplan_meier(grid, alpha=0.01)
    inside = (narrow["survival"] < 1) & (narrow["survival"] > 0)
    assert (wide["low"] < narrow["low"])[inside].all()
    assert (wide["high"] > narrow["high"])[inside].all()


def test_median_is_none_when_half_never_had_the_event():
    got = median_time(kaplan_meier(collapsed([(5, True)] + [(9, False)] * 39)))
    assert (got.days, got.low, got.high) == (None, None, None)


@pytest.mark.parametrize("units", [4, 24, 54, 126])
def test_median_is_the_day_on_which_exactly_half_are_left(units):
    # For 24 units the product of the steps is a last bit above one half.
    curve = kaplan_meier(collapsed([(day, True) for day in range(1, units + 1)]))
    assert median_time(curve).days == units / 2


def test_median_lies_within_its_bounds():
    rows = random_spells(400)
    got = median_time(kaplan_meier(collapsed(rows)))
    assert got.low <= got.days <= got.high


@pytest.mark.parametrize("day", [-1, 10])
def test_a_day_that_nobody_was_followed_to_is_refused(day):
    curve = kaplan_meier(collapsed([(4, True), (9, False)]))
    with pytest.raises(BadData, match=f"Day {day} lies outside the 9 days"):
        survival_at(curve, [4, day])


def test_a_curve_of_nobody_is_refused():
    with pytest.raises(BadData, match="nobody"):
        kaplan_meier(pd.DataFrame({"day": [3], "events": [0], "censored": [0]}))


def test_a_grid_without_counts_is_refused_by_name():
    with pytest.raises(BadData, match="censored"):
        kaplan_meier(pd.DataFrame({"day": [3], "events": [0]}))
    with pytest.raises(BadParameter, match="alpha"):
        kaplan_meier(collapsed([(1, True)]), alpha=95)


def test_lung_curve_meets_the_printed_table():
    # R survival 3.5-3, survfit(Surv(time, status) ~ 1, conf.type = "log-log"), lifelines data.
    lung = load_lung()
    rows = list(zip(lung["time"].astype(int), lung["status"].astype(bool), strict=True))
    curve = kaplan_meier(collapsed(rows))
    read = survival_at(curve, [180, 365])
    assert read["survival"].tolist() == pytest.approx([0.72167, 0.40924], abs=6e-6)
    assert read["low"].tolist() == pytest.approx([0.6583, 0.33871], abs=6e-6)
    assert read["high"].tolist() == pytest.approx([0.77531, 0.47838], abs=6e-6)
    assert median_time(curve).days == 310


def test_curve_with_late_comers_agrees_with_lifelines():
    rows = repeated(random_units(late=True))
    curve = kaplan_meier(from_rows(rows))
    oracle = KaplanMeierFitter().fit(rows["durations"], rows["event_observed"], entry=rows["entry"])
    expected = oracle.predict(curve["day"]).to_numpy()
    assert curve["survival"].to_numpy() == pytest.approx(expected, rel=1e-9)
    inside = curve[(curve["survival"] < 1) & (curve["survival"] > 0)]
    bounds = oracle.confidence_interval_.loc[inside["day"]].to_numpy()
    assert inside[["low", "high"]].to_numpy() == pytest.approx(bounds, rel=1e-9)


def test_a_curve_that_fell_to_0_rests_on_who_was_there_then():
    # One of one leaves on day 1, and 50 come on day 2: they cannot bring it back.
    rows = [(1, True, 0)] + [(day, True, 2) for day in range(3, 53)]
    frame = pd.DataFrame(rows, columns=["durations", "event_observed", "entry"])
    after = kaplan_meier(from_rows(frame)).query("day > 1")
    assert after["survival"].eq(0).all()
    assert after["high"].tolist() == pytest.approx([3.841459 / (1 + 3.841459)] * len(after))


def test_bounds_on_the_log_scale_are_as_many_times_more_as_less():
    curve = kaplan_meier(collapsed(random_spells(200)), scale="log")
    inside = curve[(curve["survival"] > 0) & (curve["high"] < 1)]
    times = np.exp(1.959964 * inside["std_error"] / inside["survival"])
    assert (inside["high"] / inside["survival"]).to_numpy() == pytest.approx(times.to_numpy())
    assert (inside["survival"] / inside["low"]).to_numpy() == pytest.approx(times.to_numpy())


def test_curve_is_known_after_the_last_one_left():
    read = survival_at(kaplan_meier(collapsed([(4, True), (9, True)])), [9, 12])
    assert read["survival"].tolist() == [0, 0]
    assert read["at_risk"].tolist() == [1, 0]


def test_hazard_agrees_with_lifelines():
    rows = repeated(random_units(late=True))
    curve = nelson_aalen(from_rows(rows)).query("hazard > 0")
    oracle = NelsonAalenFitter(nelson_aalen_smoothing=False).fit(
        rows["durations"], rows["event_observed"], entry=rows["entry"]
    )
    expected = oracle.cumulative_hazard_.loc[curve["day"]].to_numpy().ravel()
    assert curve["hazard"].to_numpy() == pytest.approx(expected, rel=1e-9)


def test_hazard_meets_five_units_worked_by_hand():
    # 1/5, then 1/5 + 2/3; variances 1/25, then 1/25 + 2/9.
    curve = nelson_aalen(collapsed([(1, True), (2, False), (3, True), (3, True), (3, False)]))
    assert curve["hazard"].tolist() == pytest.approx([0, 0.2, 0.2, 0.2 + 2 / 3])
    assert curve["std_error"].tolist() == pytest.approx([0, 0.2, 0.2, np.sqrt(0.04 + 2 / 9)])
    assert curve["high"].iloc[0] == pytest.approx(np.log1p(3.841459 / 5))
    assert (curve["low"].iloc[0], curve["day"].tolist()) == (0, [0, 1, 2, 3])
    last = curve.iloc[-1]
    spread = 1.959964 * last["std_error"] / last["hazard"]
    assert np.log(last["high"] / last["hazard"]) == pytest.approx(spread)
    assert np.log(last["hazard"] / last["low"]) == pytest.approx(spread)
