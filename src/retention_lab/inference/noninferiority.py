"""Guardrails read: whether an arm is shown to be no worse than another by more than a margin."""

from __future__ import annotations

from dataclasses import dataclass
from math import copysign, isfinite

from retention_lab.checks import BadParameter
from retention_lab.inference.interval import Interval
from retention_lab.inference.means import Estimate, around
from retention_lab.inference.score import score
from retention_lab.inference.tails import student_sf


@dataclass(frozen=True, kw_only=True)
class NoWorse:
    """A test that the harm is less than `margin`, on one side at level `alpha`.

    `difference` has the level of both sides together, 1 - 2 alpha; `z` is above 0 where the
    estimate lies on the harmless side of the margin.
    """

    difference: Interval
    margin: float
    z: float
    p_value: float
    alpha: float

    @property
    def shown(self) -> bool:
        """Whether it is shown; if not, harm is not shown either."""
        return self.p_value < self.alpha


def no_worse(difference: Estimate, *, margin: float, alpha: float = 0.025) -> NoWorse:
    """Test a difference of means, ratios or retention against a margin.

    Parameters
    ----------
    difference
        Treated minus control.
    margin
        Harm that is borne, in the unit of the difference: negative where less is worse, positive
        where more is worse.
    alpha
        Chance to call harm of just the margin harmless.

    Raises
    ------
    BadParameter
        If the margin is 0 or no number.
    BadData
        If the difference has no spread.

    References
    ----------
    Chow, Shao & Wang (2008), Sample Size Calculations in Clinical Research, 2nd ed., s. 3.2.3.
    """
    side = _harmless(margin)
    read = around(
        difference.value,
        std_error=difference.std_error,
        freedom=difference.freedom,
        alpha=2 * alpha,
    )
    z = side * (read.value - margin) / read.std_error
    p_value = float(student_sf(z, read.freedom))
    return NoWorse(difference=read, margin=margin, z=z, p_value=p_value, alpha=alpha)


def no_worse_share(
    count_1: int, n_1: int, count_0: int, n_0: int, *, margin: float, alpha: float = 0.025
) -> NoWorse:
    """The same for two shares by the score test; group 1 of `score` is the treated one.

    Raises
    ------
    BadParameter, BadData
        As `no_worse` and `score` do.
    """
    side = _harmless(margin)
    found = score(count_1, n_1, count_0, n_0, null=margin, alpha=2 * alpha)
    z = side * found.z
    p_value = float(student_sf(z, float("inf")))
    return NoWorse(difference=found, margin=margin, z=z, p_value=p_value, alpha=alpha)


def _harmless(margin: float) -> float:
    """Sign of the harmless side of a margin."""
    if margin == 0 or not isfinite(margin):
        raise BadParameter(
            f"margin must say how much harm would be borne, and not be 0, got {margin!r}."
        )
    return copysign(1, -margin)
