"""Estimates of an arm that carry their standard error, and the difference of two arms.

Whatever has an `Estimate` is compared in one way: a share, a mean, a ratio of two sums, one that
a covariate adjusted, or the effect of a segment.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, isfinite, sqrt

from retention_lab import checks
from retention_lab.checks import BadData
from retention_lab.inference.interval import Interval
from retention_lab.inference.moments import RatioMoments, ratio
from retention_lab.inference.proportions import proportion
from retention_lab.inference.tails import student_isf, student_sf


@dataclass(frozen=True, kw_only=True)
class Estimate(Interval):
    """An interval with its standard error, in the unit of the value, and degrees of freedom.

    Infinitely many degrees of freedom are those of the normal distribution.
    """

    std_error: float
    freedom: float = inf

    @property
    def p_value(self) -> float:
        """Two-sided, of the true value being zero."""
        return float(2 * student_sf(abs(self.value) / self.std_error, self.freedom))


def around(
    value: float, *, std_error: float, freedom: float = inf, alpha: float = 0.05
) -> Estimate:
    """Give a value the symmetric interval of Student's t.

    Raises
    ------
    BadData
        If it is no number, or its standard error is none or not above 0.
    """
    if not (isfinite(value) and isfinite(std_error) and std_error > 0):
        raise BadData(
            f"No range can be told of {value:g}: all customers are alike so far. Wait for more of "
            "them."
        )
    margin = float(student_isf(checks.share("alpha", alpha) / 2, freedom)) * std_error
    return Estimate(
        value=value, low=value - margin, high=value + margin, std_error=std_error, freedom=freedom
    )


def share(count: int, n: int, *, alpha: float = 0.05) -> Estimate:
    """Share `count` / `n` with Wilson's interval; raises as `proportions.wilson` does.

    The standard error is the plain one, 0 where all or nobody did it; for a difference of two
    shares alone `proportions.difference` has the better interval.
    """
    found = proportion(count, n, alpha=alpha)
    std_error = sqrt(found.value * (1 - found.value) / n)
    return Estimate(value=found.value, low=found.low, high=found.high, std_error=std_error)


def mean(moments: RatioMoments, *, alpha: float = 0.05) -> Estimate:
    """Sum of y over sum of x, as `moments.ratio`, which says the source; raises as it does.

    With x = 1 for everybody this is the mean of y. Units are whoever was assigned: where groups
    such as households were, sums of y and x by group make it cluster-robust.
    """
    found, freedom = ratio(moments, alpha=alpha), moments.n - 1
    # The interval is symmetric, so its standard error can be read off.
    std_error = (found.high - found.low) / 2 / float(student_isf(alpha / 2, freedom))
    return Estimate(
        value=found.value, low=found.low, high=found.high, std_error=std_error, freedom=freedom
    )


def difference(one: Estimate, other: Estimate, *, alpha: float = 0.05) -> Estimate:
    """`one` minus `other`, which are independent, by Welch's test; spreads may differ.

    Raises
    ------
    BadData
        If neither has a spread, or one is no number.

    References
    ----------
    Welch (1947), Biometrika 34, 28-35.
    """
    variance = one.std_error**2 + other.std_error**2
    # Two normal estimates leave nothing to divide by.
    lost = one.std_error**4 / one.freedom + other.std_error**4 / other.freedom
    return around(
        one.value - other.value,
        std_error=sqrt(variance),
        freedom=variance**2 / lost if lost else inf,
        alpha=alpha,
    )
