"""Predictions of Cox models, their errors, and where they are refused."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from lifelines import CoxPHFitter

from retention_lab.checks import BadData, BadParameter
from retention_lab.survival import cox

CUSTOMERS = pd.DataFrame({"b": [0.0, 1.5, -1.0], "a": [0, 1, 1]}, index=["ann", "bob", "cas"])


def fit(rows, **options):
    outcome = {"start": rows["start"], "stop": rows["stop"], "event_observed": rows["event"]}
    return cox.fit(rows[["a", "b"]], **(outcome | options))


def joint(rows, fitted):
    """Covariance of coefficients and baseline steps in one likelihood, by its second derivative."""
    x, days = rows[["a", "b"]].to_numpy(dtype=float), fitted.baseline["day"].to_numpy()
    step = fitted.baseline["hazard"].to_numpy()
    risk = np.exp(x @ fitted.coefficients)
    there = (rows["start"].to_numpy() < days[:, None]) & (days[:, None] <= rows["stop"].to_numpy())
    crossed = there @ (risk[:, None] * x)
    squares = (x * (risk * (step @ there))[:, None]).T @ x
    events = [(rows["event"] & (rows["stop"] == day)).sum() for day in days]
    information = np.block([[squares, crossed.T], [crossed, np.diag(events / step**2)]])
    return np.linalg.inv(information), step, days


def test_survival_agrees_with_lifelines(made):
    # lifelines shares tied events among the baseline as Breslow does, and draws lines between
    # events: so without ties, and at events.
    rows = made().assign(start=0, stop=lambda rows: rows["stop"] + 1e-6 * rows.index)
    oracle = CoxPHFitter().fit(rows[["stop", "event", "a", "b"]], "stop", "event")
    fitted = fit(rows)
    for day in fitted.baseline["day"].iloc[[0, 50, 150]]:
        found = cox.predict(fitted, CUSTOMERS, day=day)
        expected = oracle.predict_survival_function(CUSTOMERS, times=[day]).to_numpy().ravel()
        assert found["survival"].to_numpy() == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize(("since", "day"), [(0, 9), (3, 20)])
def test_errors_are_those_of_coefficients_and_baseline_in_one_likelihood(made, since, day):
    rows = made()
    fitted = fit(rows, ties="breslow")
    covariance, step, days = joint(rows, fitted)
    within = (days > since) & (days <= day)
    x = CUSTOMERS[["a", "b"]].to_numpy()
    risk = np.exp(x @ fitted.coefficients)
    hazard = risk * step[within].sum()
    slope = np.column_stack([x * hazard[:, None], np.outer(risk, within)])
    error = np.sqrt(np.einsum("ij,jk,ik->i", slope, covariance, slope))
    found = cox.predict(fitted, CUSTOMERS, day=day, since=since)
    survival = np.exp(-hazard)
    assert found["survival"].to_numpy() == pytest.approx(survival)
    assert found["std_error"].to_numpy() == pytest.approx(survival * error)
    spread = 1.959964 * error / hazard
    assert found["low"].to_numpy() == pytest.approx(survival ** np.exp(spread), rel=1e-6)
    assert found["high"].to_numpy() == pytest.approx(survival ** np.exp(-spread), rel=1e-6)
    assert found.index.tolist() == ["ann", "bob", "cas"]

    counts = np.array([5, 1, 8])
    total = cox.expected_events(fitted, CUSTOMERS, day=day, since=since, weights=counts)
    moved = (counts * survival) @ slope
    assert total.value == pytest.approx(counts @ (1 - survival))
    assert total.std_error == pytest.approx(np.sqrt(moved @ covariance @ moved))


def test_survival_since_a_day_is_that_of_those_left(made):
    fitted = fit(made())
    late, early, since = (
        cox.predict(fitted, CUSTOMERS, **each)["survival"]
        for each in ({"day": 20}, {"day": 6}, {"day": 20, "since": 6})
    )
    assert since.to_numpy() == pytest.approx((late / early).to_numpy())


def test_each_customer_may_have_days_and_a_stratum_of_their_own(made):
    rows = made()
    fitted = fit(rows, strata=rows["plan"])
    each = {"day": [9, 12, 15], "since": [0, 2, 4], "stratum": ["solo", "basic", "solo"]}
    together = cox.predict(fitted, CUSTOMERS, **each)
    totals = []
    for row, customer in enumerate(CUSTOMERS.index):
        own = {name: values[row] for name, values in each.items()}
        alone = cox.predict(fitted, CUSTOMERS.loc[[customer]], **own)
        pd.testing.assert_frame_equal(alone, together.loc[[customer]])
        totals.append(cox.expected_events(fitted, CUSTOMERS.loc[[customer]], **own))
    total = cox.expected_events(fitted, CUSTOMERS, **each)
    assert total.value == pytest.approx(sum(each.value for each in totals))
    # Errors of one model go together, but for what is chance within each stratum.
    assert total.std_error < sum(each.std_error for each in totals)


def test_events_to_expect_of_those_fitted_are_those_that_happened(made):
    rows = made().assign(start=0, stop=lambda rows: rows["stop"].max())
    rows["stop"] = np.where(rows["event"], made()["stop"], rows["stop"])
    fitted = fit(rows)
    last = int(rows["stop"].max())
    total = cox.expected_events(fitted, rows[["a", "b"]], day=last)
    assert total.value == pytest.approx(rows["event"].sum(), rel=0.01)
    twice = cox.expected_events(fitted, rows[["a", "b"]], day=last, weights=np.full(300, 2))
    assert twice.value == pytest.approx(2 * total.value)
    assert twice.std_error == pytest.approx(2 * total.std_error)


def test_predictions_mind_no_unit(made):
    rows = made()
    scaled = fit(rows.assign(b=1000 * rows["b"] + 7))
    shifted = CUSTOMERS.assign(b=1000 * CUSTOMERS["b"] + 7)
    found, expected = cox.predict(scaled, shifted, day=9), cox.predict(fit(rows), CUSTOMERS, day=9)
    pd.testing.assert_frame_equal(found, expected)


def test_bounds_keep_a_width_where_no_event_was_seen():
    rows = pd.DataFrame({"stop": [5, 6, 7, 9, 9, 12], "event": [1, 1, 1, 0, 1, 0]})
    fitted = cox.fit(rows[[]], stop=rows["stop"], event_observed=rows["event"])
    nobody = pd.DataFrame(index=[0])
    early = cox.predict(fitted, nobody, day=4).iloc[0]
    # Wilson's interval of six of six, with z = 1.959964.
    assert early.tolist() == pytest.approx([1, 0, 6 / (6 + 3.841459), 1])
    late = cox.predict(fitted, nobody, day=12, since=9).iloc[0]
    assert late.tolist() == [1, 0, 0, 1]
    twice, plan = pd.concat([rows, rows]), ["first"] * 6 + ["last"] * 6
    both = cox.fit(
        twice[[]], stop=twice["stop"], event_observed=twice["event"], strata=np.array(plan)
    )
    for stratum in ("first", "last"):
        own = cox.predict(both, nobody, day=12, since=9, stratum=stratum).iloc[0]
        assert own.tolist() == late.tolist()
    assert cox.expected_events(fitted, nobody, day=4) == cox.Expected(value=0, std_error=0)


def test_day_0_is_part_of_the_time_since_time_zero(made):
    rows = made()
    fitted = fit(rows.assign(stop=rows["stop"] - 1), start=None)
    later = fit(rows, start=None)
    found, expected = (
        cox.predict(each, CUSTOMERS, day=day) for each, day in ((fitted, 6), (later, 7))
    )
    pd.testing.assert_frame_equal(found, expected)


def test_days_outside_the_follow_up_are_refused(made):
    rows = made()
    fitted = fit(rows)
    last = rows["stop"].max()
    with pytest.raises(BadData, match=rf"Day 400 lies beyond the {last:g} days .*earlier day"):
        cox.predict(fitted, CUSTOMERS, day=400)
    with pytest.raises(BadData, match="Day 400 lies beyond"):
        cox.expected_events(fitted, CUSTOMERS, day=[5, 400, 6])
    later = fit(rows.assign(start=rows["start"] + 10, stop=rows["stop"] + 10))
    with pytest.raises(BadData, match=r"Nobody was followed before day 10.*set since to that day"):
        cox.predict(later, CUSTOMERS, day=15)
    assert (cox.predict(later, CUSTOMERS, day=15, since=10)["survival"] < 1).all()
    with pytest.raises(BadParameter, match="day must lie after since, got 5 and 5"):
        cox.predict(fitted, CUSTOMERS, day=5, since=5)


def test_follow_up_is_that_of_the_stratum(made):
    rows = made()
    rows = rows[(rows["plan"] != "solo") | (rows["stop"] <= 8)]
    fitted = fit(rows, strata=rows["plan"])
    with pytest.raises(BadData, match="beyond the 8 days"):
        cox.predict(fitted, CUSTOMERS, day=15, stratum="solo")
    cox.predict(fitted, CUSTOMERS, day=15, stratum="basic")
    with pytest.raises(BadParameter, match=r"no stratum 'soloo'. Did you mean 'solo'"):
        cox.predict(fitted, CUSTOMERS, day=5, stratum="soloo")
    with pytest.raises(BadParameter, match=r"It has: basic, family, solo"):
        cox.predict(fitted, CUSTOMERS, day=5)


def test_customers_without_the_columns_are_refused(made):
    with pytest.raises(BadData, match="lack column 'b'; they have a"):
        cox.predict(fit(made()), CUSTOMERS[["a"]], day=5)
    with pytest.raises(BadData, match="'b' is missing or infinite in 1 of 3 rows"):
        cox.predict(fit(made()), CUSTOMERS.assign(b=[1, np.nan, 2]), day=5)


@pytest.mark.slow
def test_intervals_cover_true_survival_as_often_as_they_say():
    rng, runs, truth = np.random.default_rng(11), 4000, np.array([-0.5, 0.3])
    profile, covered = CUSTOMERS[["a", "b"]].to_numpy(), np.zeros((runs, 3))
    survival = np.exp(-(15 - 5) / 30 * np.exp(profile @ truth))
    for run in range(runs):
        x = np.column_stack([rng.integers(0, 2, 300), rng.normal(size=300)])
        time, end = rng.exponential(30 * np.exp(-x @ truth)), rng.uniform(5, 60, 300)
        fitted = cox.fit(
            pd.DataFrame(x, columns=["a", "b"]),
            stop=np.minimum(time, end),
            event_observed=time <= end,
        )
        found = cox.predict(fitted, CUSTOMERS, day=15, since=5)
        covered[run] = (found["low"] <= survival) & (survival <= found["high"])
    # Four standard errors of a share of 0.95.
    assert covered.mean(axis=0) == pytest.approx(0.95, abs=4 * np.sqrt(0.95 * 0.05 / runs))
