"""The top of a likelihood of positive parameters, and the proof that it is one.

All is done on the logarithms of the parameters: there is no border to run into, and one step is as
long for a parameter of 0.01 as for one of 100.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd
import scipy
from numpy.typing import NDArray
from scipy.special import ndtri

from retention_lab import checks
from retention_lab.checks import BadData

Floats = NDArray[np.float64]
Likelihood = Callable[[Floats], tuple[float, Floats, Floats]]
"""Log likelihood of the parameters, its gradient and its Hessian, all in the parameters."""

_EDGE = 20.0  # logarithms beyond it are no estimates: the likelihood rises for ever
_LOOSE = 4.0  # a standard error of a logarithm: interval of a factor 2,500 either way
_CLIMB: Any = {"gtol": 1e-9, "max_trust_radius": 4.0, "maxiter": 200}  # wider than the stubs
_STEP = 1e-4  # of central differences in the logarithms: an error of 1e-8


@dataclass(frozen=True, kw_only=True, eq=False)
class Maximum:
    """Parameters at the top of a likelihood; `covariance` is that of their logarithms.

    `gradient_norm` is the longest slope left, per unit of the logarithm of a parameter.
    """

    names: tuple[str, ...]
    parameters: Floats
    covariance: Floats
    log_likelihood: float
    gradient_norm: float

    def summary(self, *, alpha: float = 0.05) -> pd.DataFrame:
        """Parameters with their intervals, which are symmetric on the logarithms.

        Returns
        -------
        DataFrame
            One row per parameter: `name`, `value`, `std_error`, `low`, `high`.
        """
        error = np.sqrt(np.diag(self.covariance))
        far = np.exp(normal(alpha) * error)
        return pd.DataFrame(
            {
                "name": self.names,
                "value": self.parameters,
                "std_error": self.parameters * error,
                "low": self.parameters / far,
                "high": self.parameters * far,
            }
        )


def normal(alpha: float) -> float:
    """Quantile of the normal distribution for a two-sided interval of level ``1 - alpha``."""
    return float(ndtri(1 - checks.share("alpha", alpha) / 2))


def climb(likelihood: Likelihood, start: Floats) -> Floats:
    """Parameters where a climb by trust regions from `start` ends; `certified` says if at a top."""
    size = abs(likelihood(start)[0]) or 1.0

    @lru_cache(maxsize=2)
    def at(logs: tuple[float, ...]) -> tuple[float, Floats, Floats]:
        if max(map(abs, logs)) > _EDGE:  # never a step that is taken, so without a slope
            return np.inf, np.zeros(len(logs)), np.eye(len(logs))
        value, gradient, hessian = _in_logs(likelihood, np.exp(logs))
        return -value / size, -gradient / size, -hessian / size

    def value(logs: Floats) -> float:
        return at(tuple(logs.tolist()))[0]

    def slope(logs: Floats) -> Floats:
        return at(tuple(logs.tolist()))[1]

    def bend(logs: Floats) -> Floats:
        return at(tuple(logs.tolist()))[2]

    found = scipy.optimize.minimize(
        value,
        np.log(start),
        jac=slope,
        hess=bend,
        method="trust-exact",
        options=_CLIMB,
    )
    return np.asarray(np.exp(found.x))


def certified(
    likelihood: Likelihood, parameters: Floats, *, names: tuple[str, ...], what: str, advice: str
) -> Maximum:
    """Make sure that `parameters` are a top which the data determine.

    Another step of Newton's must promise less than a millionth of log likelihood, the surface must
    be curved downwards in every direction, and no interval may span more than a factor of 2,500
    either way.

    Raises
    ------
    BadData
        Naming the model (`what`) and what to do (`advice`).
    """
    value, gradient, hessian = _in_logs(likelihood, parameters)
    curved = np.linalg.eigvalsh(-hessian)[0] > 0
    covariance: Floats = np.full_like(hessian, np.inf)
    if curved:
        covariance = np.asarray(np.linalg.inv(-hessian), dtype="float64")
    squares = np.diag(covariance)  # below 0 where rounding hides that nothing is curved
    loose = not curved or squares.min() < 0 or squares.max() > _LOOSE**2
    if loose or gradient @ covariance @ gradient > 1e-6:
        raise BadData(f"The data do not determine the parameters of {what}. {advice}")
    return Maximum(
        names=names,
        parameters=parameters,
        covariance=covariance,
        log_likelihood=value,
        gradient_norm=float(np.abs(gradient).max()),
    )


def std_errors(maximum: Maximum, answer: Callable[[Floats], Floats]) -> Floats:
    """Standard errors of `answer`, an array of numbers that the parameters give (delta method)."""
    logs = np.log(maximum.parameters)
    slopes = np.stack(
        [
            (answer(np.exp(logs + step)) - answer(np.exp(logs - step))) / (2 * _STEP)
            for step in _STEP * np.eye(len(logs))
        ]
    )
    spread = np.einsum("in,in->n", slopes, maximum.covariance @ slopes)
    return np.asarray(np.sqrt(np.maximum(spread, 0)))


def _in_logs(likelihood: Likelihood, parameters: Floats) -> tuple[float, Floats, Floats]:
    value, gradient, hessian = likelihood(parameters)
    slope = parameters * gradient
    return value, slope, hessian * np.outer(parameters, parameters) + np.diag(slope)
