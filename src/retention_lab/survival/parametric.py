"""Accelerated failure times: how covariates stretch the time to an event, by formula.

A formula goes on beyond follow-up, where nothing was seen; what it says there is marked. Fits are
those of lifelines, on a time scale of their own, and taken to the top before they are believed.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from lifelines import LogLogisticAFTFitter, LogNormalAFTFitter, WeibullAFTFitter
from lifelines.exceptions import ConvergenceError
from numpy.typing import ArrayLike
from scipy.linalg import qr
from scipy.special import ndtr, ndtri

from retention_lab import checks
from retention_lab.checks import BadData
from retention_lab.survival import cox_input
from retention_lab.survival.censoring import Floats
from retention_lab.survival.cox_rows import Rows
from retention_lab.survival.time_errors import (
    Distribution,
    Times,
    log_likelihood,
    null_log_likelihood,
    survival,
)

# lifelines has the logarithm of the scale, or of its inverse.
_FITTERS = {
    "weibull": (WeibullAFTFitter, -1),
    "lognormal": (LogNormalAFTFitter, 1),
    "loglogistic": (LogLogisticAFTFitter, -1),
}
_STEPS = 50


@dataclass(frozen=True, kw_only=True, eq=False)
class Aft:
    """Accelerated failure times: log T = intercept + coefficients x + scale times an error.

    `parameters` are intercept, coefficients and the logarithm of the scale, for times in the unit
    given; `covariance` is theirs. `n` and `events` count units; `followed` is the longest time.
    """

    distribution: Distribution
    names: tuple[str, ...]
    parameters: Floats
    covariance: Floats
    log_likelihood: float
    null_log_likelihood: float
    n: int
    events: int
    followed: float

    @property
    def scale(self) -> float:
        """Scale of the error of log time: the inverse of the shape of Weibull times."""
        return float(np.exp(self.parameters[-1]))

    def summary(self, *, alpha: float = 0.05) -> pd.DataFrame:
        """Coefficients with their intervals.

        Returns
        -------
        DataFrame
            A row for the intercept and for each covariate: `name`, `coefficient`, `std_error`,
            `time_ratio` (by how much one unit more stretches time), `low`, `high` (of that ratio),
            `z`, `p_value`.
        """
        width = float(ndtri(1 - checks.share("alpha", alpha) / 2))
        value, error = self.parameters[:-1], np.sqrt(np.diag(self.covariance))[:-1]
        return pd.DataFrame(
            {
                "name": ["intercept", *self.names],
                "coefficient": value,
                "std_error": error,
                "time_ratio": np.exp(value),
                "low": np.exp(value - width * error),
                "high": np.exp(value + width * error),
                "z": value / error,
                "p_value": 2 * ndtr(-np.abs(value / error)),
            }
        )


def aft(
    covariates: pd.DataFrame,
    *,
    stop: ArrayLike,
    event_observed: ArrayLike,
    distribution: Distribution = "weibull",
    weights: ArrayLike | None = None,
) -> Aft:
    """Fit accelerated failure times by maximum likelihood.

    Parameters
    ----------
    covariates
        One column of numbers per covariate, one row per unit.
    stop, event_observed, weights
        Time, whether it ended in the event, and how many units a row stands for (default one). Who
        is censored at time zero tells a model of log times nothing and is left out.
    distribution
        Of the times: Weibull, log-normal or log-logistic.

    Raises
    ------
    BadData
        If a column is constant, follows from others, has no events on one side or gaps, if an event
        has time zero, or the fit does not converge or is worse than one without covariates.
    BadParameter
        If the distribution is none of the three.

    References
    ----------
    Kalbfleisch & Prentice (2002), s. 2.2 and 3.5. Davidson-Pilon (2019), lifelines, JOSS 4(40).
    """
    checks.known("aft", "distribution", [distribution], _FITTERS)
    rows = cox_input.prepare(
        covariates,
        stop=stop,
        event_observed=event_observed,
        start=None,
        strata=None,
        weights=weights,
        cluster=None,
        ties="efron",
    )
    times = np.asarray(stop, dtype="float64")[rows.order]
    _refuse_undetermined(rows)
    told = _positive(rows, times)
    parameters, covariance = _fitted(rows.names, told, distribution)
    parameters, value, null = _best(rows.names, told, distribution, parameters, covariance)
    # Back to covariates that are not centred and scaled.
    back = np.eye(len(parameters))
    back[1:-1, 1:-1] /= rows.scale[:, None]
    back[0, 1:-1] = -rows.centre / rows.scale
    return Aft(
        distribution=distribution,
        names=rows.names,
        parameters=back @ parameters,
        covariance=back @ covariance @ back.T,
        log_likelihood=value,
        null_log_likelihood=null,
        n=int(rows.weights.sum()),
        events=int(rows.weights @ rows.event),
        followed=float(times.max()),
    )


def predict(
    fit: Aft, covariates: pd.DataFrame, *, days: Sequence[float], alpha: float = 0.05
) -> pd.DataFrame:
    """Share expected to be without the event after each of `days`, with what the fit is unsure of.

    Returns
    -------
    DataFrame
        One row per row of `covariates` and day, in that order: `row` (from 0), `day`, `survival`,
        `low`, `high` (delta method on the error of log time) and `extrapolated`: true beyond
        follow-up, where the formula alone speaks.

    Raises
    ------
    BadData
        If a column of the fit is missing, has gaps or holds no numbers.
    """
    width = float(ndtri(1 - checks.share("alpha", alpha) / 2))
    day = np.tile([checks.at_least("days", each, 0) for each in days], len(covariates))
    columns = [cox_input.column(covariates, name) for name in fit.names]
    x = np.column_stack([np.ones(len(covariates)), *columns]).repeat(len(days), axis=0)
    with np.errstate(divide="ignore"):  # day 0 is long before any event
        z = np.maximum((np.log(day) - x @ fit.parameters[:-1]) / fit.scale, -700)
    slopes = np.column_stack([-x / fit.scale, -z])
    error = np.sqrt(((slopes @ fit.covariance) * slopes).sum(axis=1))
    frame = {
        "row": np.arange(len(covariates)).repeat(len(days)),
        "day": day,
        "survival": survival(fit.distribution, z),
        "low": survival(fit.distribution, z + width * error),
        "high": survival(fit.distribution, z - width * error),
        "extrapolated": day > fit.followed,
    }
    return pd.DataFrame(frame)


def _positive(rows: Rows, times: Floats) -> Times:
    """Rows whose time has a logarithm."""
    at_zero = int(((times == 0) & rows.event).sum())
    if at_zero:
        raise BadData(
            f"stop is 0 in {at_zero} rows with an event, and zero has no logarithm. Count the day "
            "of an event as at least 1."
        )
    some = times > 0
    return Times(
        times=times[some], event=rows.event[some], weights=rows.weights[some], x=rows.x[some]
    )


def _refuse_undetermined(rows: Rows) -> None:
    """Refuse columns that follow from others, or of which one of two sides has no event."""
    if not rows.names:
        return
    _, triangle, pivot = qr(rows.x, mode="economic", pivoting=True)
    size = np.abs(np.diag(triangle))
    if len(rows.x) <= len(rows.names) or size[-1] < 1e-9 * size[0]:
        raise BadData(
            f"Column {rows.names[pivot[-1]]!r} follows from the other columns in these "
            f"{len(rows.x)} rows, so its share cannot be told: leave it out."
        )
    for name, values in zip(rows.names, rows.x.T, strict=True):
        if len(np.unique(values)) == 2 and len(np.unique(values[rows.event])) == 1:
            raise BadData(
                f"Column {name!r} has no event on one of its two sides, so its coefficient has no "
                "end: put that state together with another, or leave the column out."
            )


def _fitted(
    names: tuple[str, ...], rows: Times, distribution: Distribution
) -> tuple[Floats, Floats]:
    """Parameters for the times as given, and their covariance, by lifelines on times around 1."""
    fitter, sign = _FITTERS[distribution]
    unit = float(np.median(rows.times))
    plain = [f"x{place}" for place in range(len(names))]  # lifelines reads formulas into names
    frame = pd.DataFrame(rows.x, columns=plain).assign(
        stop=rows.times / unit, event=rows.event, weight=rows.weights
    )
    try:
        with warnings.catch_warnings():  # what they say of the fit is checked afterwards
            warnings.simplefilter("ignore")
            fit = fitter().fit(frame, "stop", "event", weights_col="weight")
    except (ConvergenceError, np.linalg.LinAlgError, ValueError) as error:
        raise _unbelievable(names, "did not converge") from error
    location, scale = fit.params_.index.get_level_values(0).unique()
    order = [(location, name) for name in ["Intercept", *plain]] + [(scale, "Intercept")]
    signs = np.append(np.ones(len(order) - 1), sign)
    parameters = fit.params_[order].to_numpy() * signs
    parameters[0] += np.log(unit)
    covariance = fit.variance_matrix_.loc[order, order].to_numpy()
    return parameters, covariance * np.outer(signs, signs)


def _best(
    names: tuple[str, ...],
    rows: Times,
    distribution: Distribution,
    parameters: Floats,
    covariance: Floats,
) -> tuple[Floats, float, float]:
    """Parameters at the very top, and the log likelihood there and without covariates.

    lifelines stops a little short of it (4e-5 in the intercept of the rossi data), so Newton steps
    go on until the next one would add nothing.
    """
    for _ in range(_STEPS):
        with np.errstate(over="ignore", invalid="ignore"):  # a way that leads nowhere is refused
            value, slope = log_likelihood(distribution, parameters, rows)
        step = covariance @ slope
        if slope @ step < 1e-12:
            break
        parameters = parameters + step
    else:
        raise _unbelievable(names, "did not converge")
    null = null_log_likelihood(distribution, rows)
    if value < null - 1e-6:
        raise _unbelievable(names, "is worse than one without covariates")
    return parameters, value, null


def _unbelievable(names: tuple[str, ...], what: str) -> BadData:
    return BadData(
        f"The fit on {', '.join(names) or 'no columns'} {what}. Leave out one column after the "
        "other to find the one that it stumbles over, or choose another distribution."
    )
