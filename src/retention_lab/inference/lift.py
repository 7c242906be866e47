"""Relative change of one estimate against another: 0.02 is 2 percent more, not two points.

The delta method is not offered: for rare outcomes its 95 % interval covers 92 %.
"""

from __future__ import annotations

from math import exp, log

from retention_lab.checks import BadData
from retention_lab.inference.interval import Interval
from retention_lab.inference.interval import lift as between
from retention_lab.inference.means import Estimate, around, difference


def log_ratio(one: Estimate, other: Estimate, *, alpha: float = 0.05) -> Interval:
    """``one / other - 1`` with an interval that is symmetric on the log scale.

    Raises
    ------
    BadData
        If either is not above 0, or has no spread.

    References
    ----------
    Katz, Baptista, Azen & Pike (1978), Biometrics 34, 469-474; for means with Welch's degrees of
    freedom, of the variances on the log scale.
    """
    if min(one.value, other.value) <= 0:
        raise BadData(
            f"A relative change needs two values above 0, got {one.value:g} and {other.value:g}: "
            "read the difference."
        )
    found = difference(_log(one), _log(other), alpha=alpha)
    low, high = (exp(bound) - 1 for bound in (found.low, found.high))
    return Interval(value=one.value / other.value - 1, low=low, high=high)


def fieller(one: Estimate, other: Estimate, *, alpha: float = 0.05) -> Interval:
    """``one / other - 1``, with the multiples of `other` from which `one` does not differ.

    It leaves out 0 where the difference does.

    Raises
    ------
    BadData
        If `other` may be zero, so that no multiple of it is too large, or either may be below 0.

    References
    ----------
    Fieller (1954), Journal of the Royal Statistical Society B 16, 175-185.
    """
    ends = [
        around(each.value, std_error=each.std_error, freedom=each.freedom, alpha=alpha)
        for each in (one, other)
    ]
    found = between(*ends)
    if found is None:
        raise BadData(
            f"The relative change has no bounds: {other.value:g} may be as low as "
            f"{ends[1].low:g} and {one.value:g} as low as {ends[0].low:g}, and both must be above "
            "0. Read the difference."
        )
    return found


def _log(each: Estimate) -> Estimate:
    """The same on the log scale, by the delta method."""
    return around(log(each.value), std_error=each.std_error / each.value, freedom=each.freedom)
