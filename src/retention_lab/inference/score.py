"""Difference of two shares by the score test, for tests that must hold with rare outcomes."""

from __future__ import annotations

from dataclasses import dataclass

from scipy.special import ndtr
from statsmodels.stats.proportion import confint_proportions_2indep, test_proportions_2indep

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
        that of Miettinen and Nurminen, who widen it by n / (n - 1) of all customers.

    Raises
    ------
    BadParameter
        If `null` is no difference of shares.
    BadData
        As `proportions.wilson` does; or if all or nobody did it in both groups.

    References
    ----------
    Miettinen & Nurminen (1985), Statistics in Medicine 4, 213-226; Farrington & Manning (1990),
    Statistics in Medicine 9, 1447-1454; both as in statsmodels.
    """
    shares = wilson([count_1, count_0], [n_1, n_0])["share"]
    if not -1 < null < 1:
        raise BadParameter(f"null must be a difference of shares, got {null!r}.")
    if shares.sum() in (0, 2):
        raise BadData(
            f"All or none of the {n_1 + n_0:,} customers of both groups did it, so there is "
            "nothing to compare yet: wait for more."
        )
    found = test_proportions_2indep(
        count_1, n_1, count_0, n_0, value=null, method="score", compare="diff", correction=False
    )
    low, high = confint_proportions_2indep(
        count_1,
        n_1,
        count_0,
        n_0,
        method="score",
        compare="diff",
        alpha=checks.share("alpha", alpha),
    )
    value = float(shares[0] - shares[1])
    return Score(value=value, low=float(low), high=float(high), z=float(found.statistic))
