"""Difference of two arms, adjusted by regression for covariates of before time zero."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from retention_lab import checks
from retention_lab.checks import BadData
from retention_lab.inference.means import Estimate, around

Floats = NDArray[np.float64]


def lin(
    patterns: pd.DataFrame,
    *,
    outcome: str,
    covariates: Sequence[str],
    treated: str = "treated",
    alpha: float = 0.05,
) -> Estimate:
    """Mean difference over all units, from one regression in each arm on centred covariates.

    It estimates what the raw difference does, whether or not the regressions are right. With
    pseudo-values (`survival.pseudo`, computed in each arm by itself) as the outcome it is the
    difference in retention at a day, or in days kept.

    Parameters
    ----------
    patterns
        One row for each combination that occurs of `treated` (truth values), the `outcome`, and the
        `covariates` (numbers, or texts, of which each value but the first has a column of its own);
        `n`, how many units have it.

    Returns
    -------
    Estimate
        In the unit of the outcome, with standard errors HC2.

    Raises
    ------
    BadData
        If a column or value is missing, an arm is, or its units do not tell the covariates apart.

    References
    ----------
    Lin (2013), Annals of Applied Statistics 7, 295-318; HC2 of MacKinnon & White (1985), Journal of
    Econometrics 29, 305-325.
    """
    needed = [treated, outcome, *covariates, "n"]
    checks.columns("patterns", patterns.columns, needed)
    if patterns[needed].isna().any(axis=None):
        raise BadData(
            "An adjustment needs all values of the outcome and the covariates: give those that are "
            "not known a value of their own, such as 'no ticket'."
        )
    rows = patterns[patterns["n"] > 0]
    y, n = (rows[name].to_numpy(dtype="float64") for name in (outcome, "n"))
    x = pd.get_dummies(rows[["n", *covariates]], drop_first=True).to_numpy(dtype="float64")
    centred = x - np.average(x, axis=0, weights=n)
    centred[:, 0] = 1  # the intercept, in the place of n
    one = rows[treated].to_numpy(dtype=bool)
    (mean_1, variance_1), (mean_0, variance_0) = (
        _at_the_mean(centred[arm], y[arm], n[arm]) for arm in (one, ~one)
    )
    freedom = float(n.sum()) - 2 * centred.shape[1]
    std_error = float(np.sqrt(variance_1 + variance_0))
    return around(mean_1 - mean_0, std_error=std_error, freedom=freedom, alpha=alpha)


def _at_the_mean(x: Floats, y: Floats, n: Floats) -> tuple[float, float]:
    """Intercept of the regression of an arm, and its variance by HC2."""
    if n.sum() <= x.shape[1]:
        raise BadData(
            f"An arm of {n.sum():.0f} customers is too small for {x.shape[1] - 1} covariates: "
            "leave some out, or wait for more customers."
        )
    scale = np.sqrt(n)
    q, r = np.linalg.qr(x * scale[:, None])
    spread = np.linalg.norm(r, axis=0)
    leverage = (q**2).sum(axis=1) / n
    if (np.abs(r.diagonal()) <= 1e-9 * spread).any() or (leverage > 1 - 1e-9).any():
        raise BadData(
            "In one arm the covariates cannot be told apart: two say the same, one has the same "
            "value for all, or a value belongs to one customer only. Leave some out, or put their "
            "values together."
        )
    inverse = np.linalg.inv(r)
    fitted = inverse @ (q.T @ (y * scale))
    pull = q @ inverse[0] / scale  # of each unit on the intercept
    errors = y - x @ fitted
    return float(fitted[0]), float((n * (pull * errors) ** 2 / (1 - leverage)).sum())
