"""Difference of two shares by the score test, for tests that must hold with rare outcomes.

The numbers are those of statsmodels 0.15, whose root of the cubic is at times no number.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import acos, copysign, cos, pi, sqrt

import scipy
from scipy.special import ndtr, ndtri

from retention_lab import checks
from retention_lab.checks import BadData, BadParameter
from retention_lab.inference.interval import Interval
from retention_lab.inference.proportions import wilson


@dataclass(frozen=True, kw_only=True)
class Score(Interval):
    """A difference of shares with its interval, and the statistic of the test (normal)."""

    z: float

    @property
    def p_value(self) -> float:
        """Two-sided."""
        return float(2 * ndtr(-abs(self.z)))


def score(
    count_1: int, n_1: int, count_0: int, n_0: int, *, null: float = 0.0, alpha: float = 0.05
) -> Score:
    """Share of group 1 minus share of group 0, tested against a difference of `null`.

    With a null of 0 this is the z test with the pooled share, and its square the chi-squared test.

    Parameters
    ----------
    count_1, n_1, count_0, n_0
        How many did it, and of how many, in each group.
    null
        Difference of shares that the test tries to refute.

    Returns
    -------
    Score
        The test is that of Farrington and Manning, as `experiments.design` plans it; the interval
        that of Miettinen and Nurminen, whose variance is larger by n / (n - 1) of all customers.

    Raises
    ------
    BadParameter
        If `null` is no difference of shares.
    BadData
        As `proportions.wilson` does; or if all or nobody did it in both groups.

    References
    ----------
    Miettinen & Nurminen (1985), Statistics in Medicine 4, 213-226; Farrington & Manning (1990),
    Statistics in Medicine 9, 1447-1454.
    """
    shares = wilson([count_1, count_0], [n_1, n_0])["share"]
    value, n = float(shares[0] - shares[1]), n_1 + n_0
    if not -1 < null < 1:
        raise BadParameter(f"null must be a difference of shares, got {null!r}.")
    if shares.sum() in (0, 2):
        raise BadData(
            f"All or none of the {n:,} customers of both groups did it, so there is nothing to "
            "compare yet: wait for more."
        )
    reach = float(ndtri(checks.share("alpha", alpha) / 2)) ** 2 * n / (n - 1)

    def outside(apart: float) -> float:
        variance = _variance(count_1, n_1, count_0, n_0, null=apart)
        return (value - apart) ** 2 - reach * variance

    def bound(end: float) -> float:
        """Where the test is just rejected on the way from the value to -1 or 1."""
        near = value + 1e-9 * (end - value)  # where all or none did it, the value has no variance
        return end if value == end else float(scipy.optimize.brentq(outside, near, end, xtol=1e-15))

    variance = _variance(count_1, n_1, count_0, n_0, null=null)
    return Score(value=value, low=bound(-1), high=bound(1), z=(value - null) / sqrt(variance))


def _variance(count_1: int, n_1: int, count_0: int, n_0: int, *, null: float) -> float:
    """Variance of the difference at the most likely shares, were it `null`.

    As in statsmodels 0.15, by which the worked examples were made: it takes `count_0` in `linear`
    where the appendix of 1985 has `n_0`. That moves z by some per cent where the null is far from
    the difference, and not at all for a null of 0; groups that change places change it, too.
    """
    n, count = n_1 + n_0, count_1 + count_0
    if null == 0:
        low = count / n
    else:
        square = ((n_1 + 2 * n_0) * null - n - count) / (3 * n)
        linear = ((count_0 * null - n - 2 * count_0) * null + count) / (3 * n)
        q = square**3 - 1.5 * linear * square + count_0 * null * (1 - null) / (2 * n)
        p = copysign(sqrt(max(0.0, square**2 - linear)), q)
        # Rounding can put the cosine beyond 1.
        cosine = max(-1.0, min(1.0, q / p**3)) if p else 1.0
        low = 2 * p * cos((pi + acos(cosine)) / 3) - square
    low = max(0.0, -null, min(1.0, 1 - null, low))
    high = low + null
    return max(0.0, low * (1 - low) / n_0 + high * (1 - high) / n_1)
