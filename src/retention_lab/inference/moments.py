"""Means and ratios from a count and sums, with intervals: nothing else has to leave the engine."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

from retention_lab import checks
from retention_lab.checks import BadData
from retention_lab.inference.interval import Interval
from retention_lab.inference.tails import student_isf


@dataclass(frozen=True, kw_only=True)
class RatioMoments:
    """Sums over `n` independent units (customers) of a numerator y and a denominator x.

    Whole numbers, as large as they need to be: Python integers do not overflow or round.
    """

    n: int
    y: int
    x: int
    yy: int
    xy: int
    xx: int


def ratio(moments: RatioMoments, *, alpha: float = 0.05) -> Interval:
    """Sum of y over sum of x, clustered by unit, in units of y per unit of x.

    The variance is that of the linearised ratio, ``n / (n - 1) * sum((y - r x)^2) / sum(x)^2``, so
    orders of one customer are not taken for independent; the interval uses Student's t with n - 1
    degrees of freedom. The sum of squares is exact before it is divided.

    Raises
    ------
    BadData
        If there are fewer than two units, or the denominators sum to zero or less.

    References
    ----------
    Cochran (1977), Sampling Techniques, 3rd ed., eq. 6.9-6.13 (ratio of two sample means).
    """
    checks.share("alpha", alpha)
    n, y, x = moments.n, moments.y, moments.x
    if n < 2:
        raise BadData(f"An interval needs at least two customers, got {n}.")
    if x <= 0:
        raise BadData(f"A ratio needs a positive denominator, got {x}.")
    squares = moments.yy * x**2 - 2 * x * y * moments.xy + y**2 * moments.xx
    std_error = sqrt(n / (n - 1)) * sqrt(squares / x**4)
    margin = float(student_isf(alpha / 2, n - 1)) * std_error
    return Interval(value=y / x, low=y / x - margin, high=y / x + margin)


def mean(*, n: int, total: int, squares: int, alpha: float = 0.05) -> Interval:
    """Mean of `n` values from their sum and their sum of squares, with Student's t interval.

    Raises
    ------
    BadData
        If there are fewer than two values.
    """
    return ratio(RatioMoments(n=n, y=total, x=n, yy=squares, xy=total, xx=n), alpha=alpha)
