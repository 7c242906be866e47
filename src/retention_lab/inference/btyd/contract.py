"""Shifted beta-geometric: how long contracts last that can be ended once a period."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from retention_lab.checks import BadData, at_least
from retention_lab.inference.btyd.maximum import (
    Floats,
    Likelihood,
    Maximum,
    certified,
    climb,
    normal,
    std_errors,
)

_ADVICE = "Take more periods or customers, or use the share that renewed as it was observed."


@dataclass(frozen=True, kw_only=True, eq=False)
class ContractFit:
    """Chances to leave at a renewal, Beta(alpha, beta) over customers, from `periods` renewals."""

    maximum: Maximum
    periods: int


def fit(*, stayed: ArrayLike, lost: ArrayLike) -> ContractFit:
    """Fit the shifted beta-geometric by maximum likelihood.

    Parameters
    ----------
    stayed, lost
        Customers who renewed, and who did not, at their 1st, 2nd, ... renewal. Customers of later
        start count at the renewals that they have come to.

    Raises
    ------
    BadData
        Counts that are missing, negative or of unequal length; fewer than two renewals; nobody
        left, or nobody stayed; the data do not determine the parameters.

    References
    ----------
    Fader & Hardie (2007), Journal of Interactive Marketing 21, 76-90, equations 5 to 7.
    """
    kept, gone = (np.asarray(counts, dtype="float64") for counts in (stayed, lost))
    if kept.shape != gone.shape or kept.ndim != 1 or len(kept) < 2:
        raise BadData(f"Two renewals are the least, each with who stayed and who left. {_ADVICE}")
    if not (np.isfinite([kept, gone]).all() and min(kept.min(), gone.min()) >= 0):
        raise BadData("A count of renewals is missing or negative. Leave out what is not known.")
    if not (kept.any() and gone.any()):
        raise BadData(f"Nobody {'left' if kept.any() else 'stayed'} at any renewal. {_ADVICE}")
    likelihood = _likelihood(kept, gone)
    top = climb(likelihood, np.array([1.0, 1.0]))
    what = "the shifted beta-geometric"
    return ContractFit(
        maximum=certified(likelihood, top, names=("alpha", "beta"), what=what, advice=_ADVICE),
        periods=len(kept),
    )


def curve(parameters: ArrayLike, *, periods: int) -> pd.DataFrame:
    """Contracts by period, from (alpha, beta).

    Returns
    -------
    DataFrame
        `period` (1 to `periods`), `churn` (share of all lost at its end), `retention` (share kept
        of those still there), `survival` (share of all kept).
    """
    alpha, beta = np.asarray(parameters, dtype="float64").tolist()
    past = np.arange(int(at_least("periods", periods, 1)))
    retention = (beta + past) / (alpha + beta + past)
    survival = np.cumprod(retention)
    before = np.concatenate([[1.0], survival[:-1]])
    return pd.DataFrame(
        {
            "period": past + 1,
            "churn": before * (1 - retention),
            "retention": retention,
            "survival": survival,
        }
    )


def project(contract: ContractFit, *, periods: int, alpha: float = 0.05) -> pd.DataFrame:
    """Share kept by period with its interval (delta method, on the scale of log(-log)).

    Returns
    -------
    DataFrame
        `period`, `survival`, `low`, `high`, `seen`: whether the data reach so far, for what lies
        beyond is the formula's word alone.
    """

    def scale(vector: Floats) -> Floats:
        survival = curve(vector, periods=periods)["survival"].to_numpy("float64")
        return np.asarray(np.log(-np.log(survival)))

    middle = scale(contract.maximum.parameters)
    far = normal(alpha) * std_errors(contract.maximum, scale)
    period = np.arange(1, periods + 1)
    return pd.DataFrame(
        {
            "period": period,
            "survival": np.exp(-np.exp(middle)),
            "low": np.exp(-np.exp(middle + far)),
            "high": np.exp(-np.exp(middle - far)),
            "seen": period <= contract.periods,
        }
    )


def kept(parameters: ArrayLike, *, age: ArrayLike, periods: int) -> Floats:
    """Chance of contracts of that `age`, in whole periods, to be kept for `periods` more."""
    now = np.asarray(age, dtype="int64")
    survival = curve(parameters, periods=int(now.max()) + periods)["survival"].to_numpy("float64")
    every = np.append(1.0, survival)
    return np.asarray(every[now + periods] / every[now])


def _likelihood(kept: Floats, gone: Floats) -> Likelihood:
    past = np.arange(len(kept))
    all_ = kept + gone

    def at(parameters: Floats) -> tuple[float, Floats, Floats]:
        alpha, beta = parameters
        renewed, either = 1 / (beta + past), 1 / (alpha + beta + past)
        value = gone.sum() * np.log(alpha) - kept @ np.log(renewed) + all_ @ np.log(either)
        both = all_ @ either
        gradient = np.array([gone.sum() / alpha - both, kept @ renewed - both])
        bend = all_ @ either**2
        own = np.diag([gone.sum() / alpha**2, kept @ renewed**2])
        return float(value), gradient, bend - own

    return at
