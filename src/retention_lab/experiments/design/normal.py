"""A test whose statistic is nearly normal: what it may get wrong, and whom it needs for that."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import Literal

import scipy
from scipy.special import ndtr, ndtri

from retention_lab import checks
from retention_lab.checks import BadParameter
from retention_lab.inference.tails import student_isf


@dataclass(frozen=True, kw_only=True)
class Errors:
    """How often a test may be wrong.

    `alpha` is the share of tests without an effect that find one, on one side or on both; `power`
    the share of tests with the effect that find it.

    Raises
    ------
    BadParameter
        If either is no share, or the power is not above alpha: tossing a coin would do better.
    """

    alpha: float = 0.05
    power: float = 0.80
    sided: Literal[1, 2] = 2

    def __post_init__(self) -> None:
        checks.share("alpha", self.alpha)
        checks.share("power", self.power)
        if self.sided not in (1, 2):
            raise BadParameter(f"sided must be 1 or 2, got {self.sided!r}.")
        if self.power <= self.alpha:
            raise BadParameter(
                f"power must be above alpha, got power {self.power:g} and alpha {self.alpha:g}: "
                "such a test finds an effect no more often than it errs. A usual power is 0.8."
            )

    def critical(self, comparisons: int = 1) -> float:
        """Value that a standard normal statistic must pass at the first step of Holm's method."""
        return -float(ndtri(self.alpha / self.sided / comparisons))


@dataclass(frozen=True, kw_only=True)
class Contrast:
    """What a test estimates, and how widely its estimate scatters.

    `effect` is the distance from the null; `null_sd` and `sd` are the standard deviation of the
    estimate times the square root of the number of customers (of all arms), without the effect and
    with it. `comparisons` are the arms that are compared with control.
    """

    effect: float
    null_sd: float
    sd: float
    comparisons: int = 1

    def power(self, customers: float, errors: Errors) -> float:
        """Share of tests that find the effect, and find it on the right side."""
        distance = abs(self.effect) * sqrt(customers)
        return float(ndtr((distance - self._bar(errors)) / self.sd))

    def customers(self, errors: Errors) -> float:
        """Customers of all arms together, not rounded.

        Raises
        ------
        BadParameter
            If there is no effect, or so little power is asked for that nobody is needed.
        """
        if abs(self.effect) < 1e-12:  # nothing but rounding
            raise BadParameter(
                "No number of customers shows an effect of nothing: name the smallest effect that "
                "would change what you do."
            )
        reach = self._bar(errors) + float(ndtri(errors.power)) * self.sd
        if reach <= 0:
            raise BadParameter(f"A power of {errors.power:g} needs nobody: ask for more, as 0.8.")
        return (reach / self.effect) ** 2

    def _bar(self, errors: Errors) -> float:
        return errors.critical(self.comparisons) * self.null_sd


@dataclass(frozen=True, kw_only=True)
class StudentContrast(Contrast):
    """A difference of two means of one unknown spread, which the test estimates with it.

    Both tails count, as in R's ``power.t.test(strict = TRUE)`` and in statsmodels.
    """

    def power(self, customers: float, errors: Errors) -> float:
        """Share of tests that find a difference."""
        freedom = customers - 2
        bar = student_isf(errors.alpha / errors.sided / self.comparisons, freedom)
        distance = abs(self.effect) * sqrt(customers) / self.sd
        found = float(scipy.stats.nct.sf(bar, freedom, distance))
        if errors.sided == 1 or distance > 10:  # there the other tail is less than rounding
            return found
        return found + float(scipy.stats.nct.cdf(-bar, freedom, distance))

    def customers(self, errors: Errors) -> float:
        """Customers of all arms together, not rounded."""
        least = 4  # two an arm

        def missing(customers: float) -> float:
            return self.power(customers, errors) - errors.power

        normal = super().customers(errors)
        if missing(least) >= 0:
            return least
        return float(scipy.optimize.brentq(missing, least, 2 * normal + 100, xtol=1e-9, rtol=1e-13))
