"""The log likelihood of times whose logarithm has an error of a known distribution."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from retention_lab.survival.parametric import aft
from retention_lab.survival.time_errors import Times, log_likelihood, survival

# Errors of log time as scipy has them.
ERRORS = {
    "weibull": stats.gumbel_l,
    "lognormal": stats.norm,
    "loglogistic": stats.logistic,
}


def customers():
    rng = np.random.default_rng(2)
    return Times(
        times=rng.exponential(30, 80),
        event=rng.random(80) < 0.6,
        weights=rng.integers(1, 4, 80).astype("float64"),
        x=rng.normal(size=(80, 2)),
    )


def slopes(function, at, step=1e-6):
    """Central differences, one row per entry of `at`."""
    moves = step * np.eye(len(at))
    return np.array([(function(at + move) - function(at - move)) / (2 * step) for move in moves])


@pytest.mark.parametrize("distribution", ERRORS)
def test_log_likelihood_is_that_of_scipy(distribution):
    rows, at = customers(), np.array([3.0, 0.2, -0.1, 0.3])
    error = ERRORS[distribution](loc=at[0] + rows.x @ at[1:3], scale=np.exp(at[3]))
    seen = error.logpdf(np.log(rows.times)) - np.log(rows.times)
    each = np.where(rows.event, seen, error.logsf(np.log(rows.times)))
    value, slope = log_likelihood(distribution, at, rows)
    assert value == pytest.approx(rows.weights @ each)
    numeric = slopes(lambda moved: log_likelihood(distribution, moved, rows)[0], at)
    assert slope == pytest.approx(numeric, rel=1e-5)
    z = np.array([-2.0, 0.0, 1.5])
    assert survival(distribution, z) == pytest.approx(ERRORS[distribution].sf(z))


@pytest.mark.parametrize("distribution", ERRORS)
def test_the_covariance_of_a_fit_is_the_inverse_curvature(distribution):
    rows = customers()
    fit = aft(
        pd.DataFrame(rows.x, columns=["a", "b"]),
        stop=rows.times,
        event_observed=rows.event,
        weights=rows.weights,
        distribution=distribution,
    )
    curvature = slopes(lambda moved: log_likelihood(distribution, moved, rows)[1], fit.parameters)
    assert fit.covariance == pytest.approx(np.linalg.inv(-curvature), rel=1e-3, abs=1e-6)
