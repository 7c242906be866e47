"""Residuals of Cox models: worked by hand, and by leaving customers out."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from retention_lab.survival import cox

TIES = ("efron", "breslow")


def fit(rows, **options):
    outcome = {"start": rows["start"], "stop": rows["stop"], "event_observed": rows["event"]}
    return cox.fit(rows[["a", "b"]], **(outcome | options))


@pytest.mark.parametrize("ties", TIES)
def test_residuals_add_up(ties, made):
    rows = made()
    fitted = fit(rows, ties=ties, strata=rows["plan"], weights=rows["count"])
    weights = rows["count"].to_numpy()
    assert weights @ cox.martingale(fitted) == pytest.approx(0, abs=1e-9)
    assert weights @ cox.score(fitted).to_numpy() == pytest.approx([0, 0], abs=1e-4)
    schoenfeld = cox.schoenfeld(fitted)
    events = rows[rows["event"]].sort_values(["plan", "stop"], kind="stable")
    counted = events["count"].to_numpy()
    assert schoenfeld["stratum"].tolist() == events["plan"].tolist()
    assert schoenfeld["day"].tolist() == events["stop"].tolist()
    assert counted @ schoenfeld[["a", "b"]].to_numpy() == pytest.approx([0, 0], abs=1e-4)


def test_martingale_residuals_are_events_less_cumulative_hazard(made):
    rows = made()
    fitted = fit(rows, ties="breslow")
    baseline = fitted.baseline
    risk = np.exp(rows[["a", "b"]].to_numpy() @ fitted.coefficients)
    for row in (0, 17, 123):
        start, stop = rows.loc[row, ["start", "stop"]]
        within = baseline[(baseline["day"] > start) & (baseline["day"] <= stop)]
        expected = rows.loc[row, "event"] - risk[row] * within["hazard"].sum()
        assert cox.martingale(fitted)[row] == pytest.approx(expected)


@pytest.mark.parametrize("ties", TIES)
def test_dfbeta_is_near_what_leaving_a_row_out_does(ties, made):
    rows = made(600)
    fitted = fit(rows, ties=ties)
    found = cox.dfbeta(fitted)
    for row in (3, 40, 41, 500):
        without = fit(rows.drop(index=row), ties=ties).coefficients
        moved = fitted.coefficients - without
        assert found.loc[row].to_numpy() == pytest.approx(moved, rel=0.1, abs=2e-4)


@pytest.mark.parametrize("ties", TIES)
def test_dfbeta_summed_by_cluster_is_the_robust_variance(ties, made):
    rows = made()
    fitted = fit(rows, ties=ties, cluster=rows["who"], weights=rows["count"])
    weighted = cox.dfbeta(fitted).mul(rows["count"], axis=0)
    summed = weighted.groupby(rows["who"]).sum().to_numpy()
    assert summed.T @ summed == pytest.approx(fitted.covariance)


def test_residuals_come_in_the_order_of_the_rows(made):
    rows = made()
    mixed = rows.sample(frac=1, random_state=2)
    one, other = fit(rows), fit(mixed)
    back = np.argsort(mixed.index)
    assert cox.martingale(other)[back] == pytest.approx(cox.martingale(one))
    assert cox.score(other).to_numpy()[back] == pytest.approx(cox.score(one).to_numpy(), abs=1e-6)


def test_schoenfeld_residuals_meet_six_rows_worked_by_hand():
    # Therneau & Grambsch (2000), appendix E.1: at the Breslow coefficient, r = exp(1.475285).
    rows = pd.DataFrame({"time": [9, 1, 1, 6, 6, 8], "event": [1, 1, 0, 1, 1, 0]})
    x = pd.DataFrame({"x": [0, 1, 1, 1, 0, 0]})
    fitted = cox.fit(x, stop=rows["time"], event_observed=rows["event"], ties="breslow")
    r = (3 + np.sqrt(33)) / 2
    mean_1, mean_6 = 3 * r / (3 * r + 3), r / (r + 3)
    expected = [1 - mean_1, 1 - mean_6, 0 - mean_6, 0]
    assert cox.schoenfeld(fitted)["x"].tolist() == pytest.approx(expected, abs=1e-6)
