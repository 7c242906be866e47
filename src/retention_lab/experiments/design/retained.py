"""Designs that compare what remains at a day since entry: retention, and days kept until then."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

import numpy as np

from retention_lab.checks import BadParameter
from retention_lab.experiments.design.allocation import pair
from retention_lab.experiments.design.curve import Floats
from retention_lab.experiments.design.exposure import Exposure, exposure
from retention_lab.experiments.design.normal import Contrast
from retention_lab.experiments.design.timed import Timed


@dataclass(frozen=True, kw_only=True)
class Retention(Timed):
    """Difference of the shares without the event `at` days since entry, of Kaplan-Meier curves.

    Everybody counts from entry on, also who has not been followed for so long.

    The test estimates its own error. Where few have, or have not, the event and arms differ in
    size, that leans to one side: with a fifth of the customers in control, designs for a power of
    0.80 have 0.83 if 97 in 100 stay as things are, and 0.78 if 2 in 100 do (measured, for a gain of
    one point). So have tests of 80 customers in all. Simulate such tests.

    Raises
    ------
    BadParameter
        If `at` is beyond follow-up, or before the onset of the effect; when it is asked, if nobody
        has been followed for so long by the calendar day.

    References
    ----------
    Klein, Logan, Harhoff & Andersen (2007), Statistics in Medicine 26, 4505-4519, with Greenwood's
    variance in its limit.
    """

    at: float

    def __post_init__(self) -> None:
        onset, end = self.assumptions.onset_delay_days, self.assumptions.follow_up_days
        if not onset < self.at <= end:
            raise BadParameter(
                f"at must be a day after {onset:g}, when the effect sets in, and within the "
                f"{end:g} days of follow-up, got {self.at!r}."
            )

    @property
    def first_day(self) -> float:
        """Calendar day on which the first customer has been followed for `at` days."""
        return self.assumptions.first_entry + self.at

    def contrast(self, effect: float) -> Contrast:
        """See `sizing.Design`; `effect` is a hazard ratio, the distance a difference of shares."""
        seen = self._until(effect)
        # The points lie between 0 and `at`, so no value of `staying` is that of `at` itself.
        remaining = np.exp(-seen.rate @ seen.weight)
        hazard = seen.weight * seen.rate / (seen.staying * seen.seen)
        return self._contrast(remaining, remaining**2 * hazard.sum(axis=1))

    def _until(self, hazard_ratio: float) -> Exposure:
        if not self.day > self.first_day:
            raise BadParameter(
                f"On calendar day {self.day:g} nobody has been followed for {self.at:g} days yet: "
                f"read the test after day {self.first_day:g}."
            )
        return exposure(self.assumptions, hazard_ratio, day=self.day, until=self.at)

    def _contrast(self, value: Floats, variance: Floats) -> Contrast:
        """Contrast of two independent estimates and their variances times the arm's customers."""
        arms = pair(self.allocation)
        sd = sqrt(variance[0] / arms.control + variance[1] / arms.treated)
        distance = float(value[1] - value[0])
        return Contrast(effect=distance, null_sd=sd, sd=sd, comparisons=arms.comparisons)


@dataclass(frozen=True, kw_only=True)
class MeanDays(Retention):
    """Difference of the mean days without the event until `at` days since entry (RMST).

    References
    ----------
    Royston & Parmar (2013), BMC Medical Research Methodology 13, 152, with Greenwood's variance in
    its limit.
    """

    def contrast(self, effect: float) -> Contrast:
        """See `sizing.Design`; `effect` is a hazard ratio, the distance one of days."""
        seen = self._until(effect)
        area = seen.weight * seen.staying
        remaining = np.cumsum(area[:, ::-1], axis=1)[:, ::-1] - area / 2
        hazard = seen.weight * seen.rate / (seen.staying * seen.seen)
        return self._contrast(area.sum(axis=1), (remaining**2 * hazard).sum(axis=1))
