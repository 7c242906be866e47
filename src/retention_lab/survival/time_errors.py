"""Distributions of the error of log time, and the log likelihood of times that follow them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, assert_never

import numpy as np
import scipy
from scipy.special import expit, log_expit, log_ndtr, ndtr

from retention_lab.survival.censoring import Bools, Floats

Distribution = Literal["weibull", "lognormal", "loglogistic"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Times:
    """Positive times, whether each ended in an event, units a row stands for, and covariates."""

    times: Floats
    event: Bools
    weights: Floats
    x: Floats


def log_likelihood(
    distribution: Distribution, parameters: Floats, rows: Times
) -> tuple[float, Floats]:
    """Log likelihood of intercept, coefficients and log scale, and its slope by each of them."""
    scale, log_times = np.exp(parameters[-1]), np.log(rows.times)
    z = (log_times - parameters[0] - rows.x @ parameters[1:-1]) / scale
    density, survival, density_slope, survival_slope = _logs(distribution, z)
    value = np.where(rows.event, density - parameters[-1] - log_times, survival)
    along = rows.weights * np.where(rows.event, density_slope, survival_slope)
    slope = [
        -along.sum() / scale,
        *(-along @ rows.x / scale),
        -along @ z - rows.weights @ rows.event,
    ]
    return float(rows.weights @ value), np.array(slope)


def null_log_likelihood(distribution: Distribution, rows: Times) -> float:
    """Highest log likelihood without covariates."""
    alone = replace(rows, x=rows.x[:, :0])

    def lost(parameters: Floats) -> tuple[float, Floats]:
        value, slope = log_likelihood(distribution, parameters, alone)
        return -value, -slope

    start = np.array([np.average(np.log(rows.times), weights=rows.weights), 0.0])
    with np.errstate(over="ignore", invalid="ignore"):  # a step too far is taken back
        return float(-scipy.optimize.minimize(lost, start, jac=True, method="BFGS").fun)


def survival(distribution: Distribution, z: Floats) -> Floats:
    """Share whose error of log time is above z."""
    match distribution:
        case "weibull":
            return np.asarray(np.exp(-np.exp(z)))
        case "lognormal":
            return np.asarray(ndtr(-z))
        case "loglogistic":
            return np.asarray(expit(-z))
        case _:
            assert_never(distribution)


def _logs(distribution: Distribution, z: Floats) -> tuple[Floats, Floats, Floats, Floats]:
    """Logarithms of the density and the survival of an error, and the slopes of the two."""
    match distribution:
        case "weibull":
            return z - np.exp(z), -np.exp(z), 1 - np.exp(z), -np.exp(z)
        case "lognormal":
            density = -(z**2) / 2 - np.log(2 * np.pi) / 2
            above = np.asarray(log_ndtr(-z))
            return density, above, -z, -np.exp(density - above)
        case "loglogistic":
            above, gone = np.asarray(log_expit(-z)), np.asarray(expit(z))
            return z + 2 * above, above, 1 - 2 * gone, -gone
        case _:
            assert_never(distribution)
