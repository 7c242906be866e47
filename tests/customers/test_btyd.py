"""Holdouts of a shop: what was known, what came after, and who is the better forecaster."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from retention_lab.checks import BadData, BadParameter
from retention_lab.customers.btyd import Holdout, Tracking, holdout, outlook, return_rate, track
from retention_lab.customers.summary import patterns, purchases
from retention_lab.inference.btyd.answers import expected
from retention_lab.inference.btyd.fitting import fit
from retention_lab.inference.interval import Interval
from retention_lab.inference.proportions import proportion

from .orders import order_table, random_rows

UNTIL, END = dt.date(2023, 6, 30), dt.date(2023, 7, 30)
RETURNED = Interval(value=0.2, low=0.1, high=0.3)


def test_a_holdout_is_split_at_the_end_of_a_day():
    orders = order_table(
        [
            ("anna", "2023-01-01", 1),
            ("anna", "2023-05-31", 1),  # 30 days before the end of June, so not within them
            ("anna", "2023-06-10", 1),  # within 30 days before
            ("anna", "2023-06-10", 1),  # the same purchase
            ("anna", "2023-06-30", 1),  # the last day that is known
            ("anna", "2023-07-01", 1),
            ("anna", "2023-07-30", 1),
            ("anna", "2023-07-31", 1),  # after the end
            ("bert", "2023-06-20", 1),  # a first purchase is no repeat
            ("cleo", "2023-07-02", 1),  # not known yet
        ]
    )
    held = holdout(orders, until=UNTIL, as_of=END)
    assert held.days == 30
    # Anna: 3 repeats in 180 days, 2 of them in the last 30; Bert: once, ten days ago.
    assert held.patterns.to_numpy().tolist() == [[0, 0, 10, 0, 0, 1], [3, 180, 180, 2, 2, 1]]
    assert return_rate(held) == proportion(0, 1)


def test_histories_of_a_holdout_are_those_of_the_purchase_summary():
    orders = order_table(random_rows(1))
    until = dt.date(2023, 9, 30)
    held = holdout(orders, until=until, as_of=dt.date(2023, 12, 31)).patterns
    names = ["frequency", "recency", "T"]
    counted = held.groupby(names, as_index=False)["weight"].sum()
    summary = patterns(purchases(orders, as_of=until))
    pd.testing.assert_frame_equal(counted, summary, check_dtype=False)


def test_the_return_rate_is_of_those_who_had_bought_once():
    rows = {"frequency": [0, 0, 0, 3], "later": [0, 1, 2, 5], "weight": [60, 30, 10, 7]}
    assert return_rate(held_back(rows)) == proportion(40, 100)


def held_back(columns):
    return Holdout(days=90, patterns=pd.DataFrame(columns))


def simulated(rng, n):
    """Purchases in 360 days and the 90 after them; customers stop when their time is up."""
    rate = rng.gamma(0.8, 1 / 40, n)
    until = rng.exponential(120, n)
    rows = []
    for each, end in zip(rate, until, strict=True):
        gaps = rng.exponential(1 / each, 200)
        times = np.concatenate([[0.0], np.cumsum(gaps)])
        days = np.unique(np.ceil(times[times < min(end, 450.0)]))
        known = days[days <= 360]
        before, later = (days[(days > low) & (days <= low + 90)] for low in (270, 360))
        rows.append((len(known) - 1, known.max(), 360.0, len(before), len(later), 1))
    names = ["frequency", "recency", "T", "before", "later", "weight"]
    return held_back(pd.DataFrame(rows, columns=names))


def test_a_model_of_customers_who_stop_beats_the_naive_forecast_and_says_so():
    held = simulated(np.random.default_rng(2), 3_000)
    model = fit(held.patterns, model="BG/NBD")
    found = track(model, held)
    assert found.verdict == "better"
    assert found.beats_naive
    rows = held.patterns
    ahead = expected(model.process, rows, horizon=90)
    saved = (rows["before"] - rows["later"]) ** 2 - (ahead - rows["later"]) ** 2
    assert found.gain.value == pytest.approx(saved.mean())
    assert found.error == pytest.approx((ahead - rows["later"]).abs().mean())
    assert found.actual == held.patterns["later"].sum()
    assert found.naive == held.patterns["before"].sum()


def test_a_model_that_a_naive_forecast_beats_says_so():
    held = simulated(np.random.default_rng(3), 1_000)
    same = held_back(held.patterns.assign(later=held.patterns["before"]))
    found = track(fit(same.patterns, model="BG/NBD"), same)
    assert found.verdict == "worse"
    assert not found.beats_naive


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [(0.1, 0.3, "better"), (-0.1, 0.5, "no different"), (-0.3, -0.1, "worse")],
)
def test_the_verdict_needs_the_whole_interval(low, high, verdict):
    gain = Interval(value=(low + high) / 2, low=low, high=high)
    found = Tracking(
        customers=9,
        days=90,
        actual=4,
        expected=Interval(value=4.0, low=3.0, high=5.0),
        naive=5,
        error=0.5,
        naive_error=0.6,
        gain=gain,
    )
    assert found.verdict == verdict
    assert found.beats_naive == (verdict == "better")


def test_who_bought_once_gets_the_rate_observed_under_bg_nbd_and_the_models_own_under_mbg_nbd():
    rows = simulated(np.random.default_rng(5), 2_000).patterns
    one, other = (
        outlook(fit(rows, model=model), rows, days=90, returned=RETURNED)
        for model in ("BG/NBD", "MBG/NBD")
    )
    once = rows["frequency"] == 0
    assert one.loc[once, ["probability", "low", "high"]].drop_duplicates().to_numpy().tolist() == [
        [0.2, 0.1, 0.3]
    ]
    assert set(one.loc[once, "meaning"]) == {"comes back"}
    assert set(one.loc[~once, "meaning"]) == set(other["meaning"]) == {"not gone"}
    assert (other["probability"] < 1).all()
    assert ((one["low"] <= one["probability"]) & (one["probability"] <= one["high"])).all()


def test_holdouts_that_cannot_be_are_refused():
    orders = order_table([("anna", "2023-01-01", 1), ("anna", "2023-02-01", 1)])
    with pytest.raises(BadParameter, match="until must be before as_of"):
        holdout(orders, until=END, as_of=END)
    with pytest.raises(BadData, match="Nobody had bought by 2022-12-31"):
        holdout(orders, until=dt.date(2022, 12, 31), as_of=END)
    with pytest.raises(BadData, match="Nobody had bought exactly once"):
        return_rate(holdout(orders, until=UNTIL, as_of=END))
