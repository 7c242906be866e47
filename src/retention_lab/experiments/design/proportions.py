"""Designs that compare a share of customers, read when all of them have been followed."""

from __future__ import annotations

from dataclasses import dataclass
from math import asin, log, sqrt

import scipy

from retention_lab import checks
from retention_lab.checks import BadParameter
from retention_lab.experiments.design.allocation import HALVES, Pair, Shares, pair
from retention_lab.experiments.design.normal import Contrast


@dataclass(frozen=True, kw_only=True)
class Proportions:
    """Score test of a difference of two shares; effects are differences, 0.02 is two points.

    Parameters
    ----------
    control
        Share of control customers who do it.
    null
        Difference that the test tries to refute; with 0 this is the pooled z test.
    contact_rate
        Share of the treated arm that the treatment reaches: the effect is one on customers reached,
        and the test compares everybody as assigned.
    allocation
        Share of the customers in each arm, control first.

    References
    ----------
    Farrington & Manning (1990), Statistics in Medicine 9, 1447-1454: variance under the null at the
    most likely shares that differ by it. Fleiss, Levin & Paik (2003), Statistical Methods for Rates
    and Proportions, 3rd ed., s. 4.2, for a null of 0.
    """

    control: float
    null: float = 0.0
    contact_rate: float = 1.0
    allocation: Shares = HALVES

    def __post_init__(self) -> None:
        checks.share("control", self.control)
        refuse_contact(self.contact_rate)
        pair(self.allocation)
        if not -1 < self.null < 1:
            raise BadParameter(f"null must be a difference of shares, got {self.null!r}.")

    @property
    def limits(self) -> tuple[float, float, float]:
        """Differences that leave the treated share between 0 and 1, and the null."""
        room = 1 - 1e-9  # a share of exactly 0 or 1 has no spread
        low, high = -self.control * room, (1 - self.control) * room
        return low / self.contact_rate, self.null / self.contact_rate, high / self.contact_rate

    def contrast(self, effect: float) -> Contrast:
        """See `sizing.Design`."""
        arms, treated = pair(self.allocation), self.treated(effect)
        low = _under_null(arms, self.control, treated, self.null)
        high = low + self.null
        return Contrast(
            effect=treated - self.control - self.null,
            null_sd=spread(arms, low * (1 - low), high * (1 - high)),
            sd=spread(arms, self.control * (1 - self.control), treated * (1 - treated)),
            comparisons=arms.comparisons,
        )

    def treated(self, effect: float) -> float:
        """Share of the treated arm, reached or not.

        Raises
        ------
        BadParameter
            If it is not between 0 and 1.
        """
        share = self.control + effect * self.contact_rate
        if not 0 < share < 1:
            raise BadParameter(
                f"An effect of {effect:+g} would take the share of {self.control:g} to {share:g}, "
                "and shares lie between 0 and 1. Effects are differences: two points are 0.02."
            )
        return share


@dataclass(frozen=True, kw_only=True)
class UnpooledProportions(Proportions):
    """Wald test of a difference of two shares: the variance with the effect, always.

    References
    ----------
    Chow, Shao & Wang (2008), Sample Size Calculations in Clinical Research, 2nd ed., s. 4.2.
    """

    def contrast(self, effect: float) -> Contrast:
        """See `sizing.Design`."""
        arms, treated = pair(self.allocation), self.treated(effect)
        sd = spread(arms, self.control * (1 - self.control), treated * (1 - treated))
        distance = treated - self.control - self.null
        return Contrast(effect=distance, null_sd=sd, sd=sd, comparisons=arms.comparisons)


@dataclass(frozen=True, kw_only=True)
class ArcsineProportions(Proportions):
    """Test of two shares on the scale where their spread is 1; with a null of 0 only.

    References
    ----------
    Cohen (1988), Statistical Power Analysis for the Behavioral Sciences, 2nd ed., ch. 6.
    """

    def contrast(self, effect: float) -> Contrast:
        """See `sizing.Design`; the distance is Cohen's h."""
        refuse_null(self.null)
        arms, treated = pair(self.allocation), self.treated(effect)
        h = 2 * (asin(sqrt(treated)) - asin(sqrt(self.control)))
        sd = spread(arms, 1, 1)
        return Contrast(effect=h, null_sd=sd, sd=sd, comparisons=arms.comparisons)


@dataclass(frozen=True, kw_only=True)
class OddsRatio(Proportions):
    """Test of the log odds ratio of two shares, for differences of shares; with a null of 0 only.

    References
    ----------
    Chow, Shao & Wang (2008), s. 4.6, with the variance under the null at the pooled share, as in
    gsDesign.
    """

    def contrast(self, effect: float) -> Contrast:
        """See `sizing.Design`."""
        refuse_null(self.null)
        arms, p, q = pair(self.allocation), self.control, self.treated(effect)
        pooled = (arms.control * p + arms.treated * q) / arms.both
        null = 1 / (pooled * (1 - pooled))
        return Contrast(
            effect=log(q / (1 - q)) - log(p / (1 - p)),
            null_sd=spread(arms, null, null),
            sd=spread(arms, 1 / (p * (1 - p)), 1 / (q * (1 - q))),
            comparisons=arms.comparisons,
        )


def _under_null(arms: Pair, control: float, treated: float, null: float) -> float:
    """Most likely share of control, were the treated share higher by `null` exactly.

    statsmodels 0.15 has a formula for it, with a count where the number of customers belongs.
    """
    if null == 0:
        return (arms.control * control + arms.treated * treated) / arms.both

    def slope(low: float) -> float:
        """Slope of the log likelihood, times what keeps it finite where a share is 0 or 1."""
        high = low + null
        return arms.control * (control - low) * high * (1 - high) + arms.treated * (
            treated - high
        ) * low * (1 - low)

    return float(scipy.optimize.brentq(slope, max(0.0, -null), min(1.0, 1 - null), xtol=1e-15))


def spread(arms: Pair, control: float, treated: float) -> float:
    """Standard deviation of a difference, times the root of all customers, from two variances."""
    return sqrt(control / arms.control + treated / arms.treated)


def refuse_contact(rate: float) -> None:
    """Refuse a contact rate that is no share, or nobody."""
    if not 0 < rate <= 1:
        raise BadParameter(f"contact_rate must be a share above 0 and at most 1, got {rate!r}.")


def refuse_null(null: float) -> None:
    """Refuse a null but 0 where the scale of the test has no place for it."""
    if null:
        raise BadParameter(f"This test has a null of 0 only, got {null:g}: use Proportions.")
