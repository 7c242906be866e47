"""Designs that compare a mean per customer, or a ratio of two sums."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, isfinite, sqrt

from retention_lab.checks import BadParameter
from retention_lab.experiments.design.allocation import HALVES, Shares, pair
from retention_lab.experiments.design.normal import Contrast, StudentContrast
from retention_lab.experiments.design.proportions import refuse_contact, spread
from retention_lab.inference.moments import RatioMoments, ratio
from retention_lab.inference.tails import student_isf


@dataclass(frozen=True, kw_only=True)
class Means:
    """Test of a difference of two means whose spreads may differ, for many customers.

    Parameters
    ----------
    sd_control, sd_treated
        Standard deviations of the values of one customer; of a ratio as `ratio_sd` gives it. In the
        unit of the effect.
    null, contact_rate, allocation
        As for `Proportions`.

    References
    ----------
    Chow, Shao & Wang (2008), Sample Size Calculations in Clinical Research, 2nd ed., s. 3.2.
    """

    sd_control: float
    sd_treated: float
    null: float = 0.0
    contact_rate: float = 1.0
    allocation: Shares = HALVES

    def __post_init__(self) -> None:
        for name in ("sd_control", "sd_treated"):
            if not 0 < (sd := getattr(self, name)) < inf:
                raise BadParameter(f"{name} must be a number above 0, got {sd!r}.")
        if not isfinite(self.null):
            raise BadParameter(f"null must be a number, got {self.null!r}.")
        refuse_contact(self.contact_rate)
        pair(self.allocation)

    @property
    def limits(self) -> tuple[float, float, float]:
        """A thousand standard deviations either way, and the null."""
        far = 1000 * max(self.sd_control, self.sd_treated)
        none = self.null / self.contact_rate
        return none - far, none, none + far

    def contrast(self, effect: float) -> Contrast:
        """See `sizing.Design`."""
        if not isfinite(effect):
            raise BadParameter(f"An effect must be a number, got {effect!r}.")
        arms = pair(self.allocation)
        sd = spread(arms, self.sd_control**2, self.sd_treated**2)
        distance = effect * self.contact_rate - self.null
        return Contrast(effect=distance, null_sd=sd, sd=sd, comparisons=arms.comparisons)


@dataclass(frozen=True, kw_only=True)
class StudentMeans(Means):
    """Student's t test of two means with one spread, exact for few customers too.

    References
    ----------
    Cohen (1988), Statistical Power Analysis for the Behavioral Sciences, 2nd ed., ch. 2.
    """

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.sd_control != self.sd_treated:
            raise BadParameter(
                f"Student's test has one spread, got {self.sd_control:g} and {self.sd_treated:g}: "
                "use Means."
            )
        if len(self.allocation) > 2:
            raise BadParameter("Student's test compares two arms: use Means for several.")

    def contrast(self, effect: float) -> StudentContrast:
        """See `sizing.Design`."""
        normal = super().contrast(effect)
        return StudentContrast(effect=normal.effect, null_sd=normal.null_sd, sd=normal.sd)


def ratio_sd(moments: RatioMoments) -> float:
    """Standard deviation of one customer's part in a ratio, such as orders per week of custom.

    Divided by the root of the number of customers it is the standard error of the ratio, so a
    design for means is one for ratios with it.

    Raises
    ------
    BadData
        As `inference.moments.ratio` does.
    """
    found = ratio(moments, alpha=0.05)
    std_error = (found.high - found.value) / float(student_isf(0.025, moments.n - 1))
    return std_error * sqrt(moments.n)
