"""An estimate of a survival kernel with its standard error and interval.

This room and that of inference do not know each other, so the kernels have an answer of their own.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import exp

from scipy.special import expit, logit, ndtri

from retention_lab import checks


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """A value, its standard error and its two-sided interval, all in the unit of the value."""

    value: float
    std_error: float
    low: float
    high: float


def of_share(value: float, *, std_error: float, n: float, alpha: float = 0.05) -> Estimate:
    """Give a value between 0 and 1 its interval, by the delta method on the logit scale.

    A value of exactly 0 or 1, where the logit has no width, has Wilson's interval of `n`, the units
    that it rests on.

    References
    ----------
    Wilson (1927), Journal of the American Statistical Association 22, 209-212.
    """
    z = float(ndtri(1 - checks.share("alpha", alpha) / 2))
    low, high = (n / (n + z**2), 1.0) if value >= 1 else (0.0, z**2 / (n + z**2))
    if 0 < value < 1:
        spread = z * std_error / (value * (1 - value))
        low, high = (float(expit(logit(value) + step)) for step in (-spread, spread))
    return Estimate(value=value, std_error=std_error, low=low, high=high)


def of_ratio(value: float, *, std_error: float, alpha: float = 0.05) -> Estimate:
    """Give a positive value its interval, by the delta method on the log scale."""
    z = float(ndtri(1 - checks.share("alpha", alpha) / 2))
    spread = exp(z * std_error / value)
    return Estimate(value=value, std_error=std_error, low=value / spread, high=value * spread)


def of_difference(value: float, *, std_error: float, alpha: float = 0.05) -> Estimate:
    """Give a value of any sign its interval, by the normal distribution."""
    spread = float(ndtri(1 - checks.share("alpha", alpha) / 2)) * std_error
    return Estimate(value=value, std_error=std_error, low=value - spread, high=value + spread)
