"""Designs that compare how fast the event comes: the log-rank test, by several formulas.

Effects are hazard ratios of the customers reached, after the onset of the effect. Where an effect
that sets in late, or reaches some only, makes the ratio of the arms change with time, the formulas
take the mean over the events that the test sees.

With arms of one size all agree. Measured with three treated for each control and a hazard ratio of
0.81, designs for a power of 0.80 have 0.78 (`Freedman`), 0.80 (`LogRankTest`), 0.81
(`LachinFoulkes`), 0.82 (`Schoenfeld`) and 0.83 (`RateDifference`): take `LogRankTest` there.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from math import sqrt

import numpy as np

from retention_lab.checks import BadParameter
from retention_lab.experiments.design.allocation import Pair, Shares, pair
from retention_lab.experiments.design.assumptions import Assumptions
from retention_lab.experiments.design.curve import Floats
from retention_lab.experiments.design.exposure import Exposure, exposure
from retention_lab.experiments.design.normal import Contrast


@dataclass(frozen=True, kw_only=True)
class Timed(ABC):
    """A test of time to an event, read on calendar day `day`; customers are those entered by then.

    Raises
    ------
    BadParameter
        When it is asked, if nobody has entered by the day.
    """

    assumptions: Assumptions
    day: float

    @property
    def allocation(self) -> Shares:
        """Share of the customers in each arm, control first."""
        return self.assumptions.allocation

    @property
    def limits(self) -> tuple[float, float, float]:
        """Hazard ratios: of a twentieth to twenty times as many events."""
        return 0.05, 1.0, 20.0

    @property
    def first_day(self) -> float:
        """Calendar day after which there is something to read."""
        return self.assumptions.first_entry

    @abstractmethod
    def contrast(self, effect: float) -> Contrast:
        """See `sizing.Design`; `effect` is a hazard ratio."""

    def seen(self, hazard_ratio: float) -> Exposure:
        """Everything that happened by `day`."""
        return exposure(self.assumptions, hazard_ratio, day=self.day)


@dataclass(frozen=True, kw_only=True)
class Schoenfeld(Timed):
    """Log-rank test whose statistic has variance 1 with the effect too.

    References
    ----------
    Schoenfeld (1981), Biometrika 68, 316-319; events over the mean share of events, as in rpact.
    """

    def contrast(self, effect: float) -> Contrast:
        """See `sizing.Design`."""
        arms, seen = pair(self.allocation), self.seen(effect)
        ratio = np.log(seen.rate[1] / seen.rate[0])
        return per_event(_mean_over_events(ratio, seen, arms), _events(seen, arms), arms)


@dataclass(frozen=True, kw_only=True)
class Freedman(Timed):
    """Log-rank test by the ratio of the arms at risk staying that of the allocation.

    References
    ----------
    Freedman (1982), Statistics in Medicine 1, 121-129; events as in `Schoenfeld`.
    """

    def contrast(self, effect: float) -> Contrast:
        """See `sizing.Design`."""
        arms, seen = pair(self.allocation), self.seen(effect)
        distance = freedman_distance(seen.rate[1] / seen.rate[0], arms)
        return per_event(_mean_over_events(distance, seen, arms), _events(seen, arms), arms)


@dataclass(frozen=True, kw_only=True)
class LachinFoulkes(Timed):
    """Difference of the logs of two rates, with the variances of no effect and of the effect.

    References
    ----------
    Lachin & Foulkes (1986), Biometrics 42, 507-519, for the log of the ratio as in gsDesign.
    """

    def contrast(self, effect: float) -> Contrast:
        """See `sizing.Design`."""
        arms, seen = pair(self.allocation), self.seen(effect)
        null = 1 / _events_without_effect(seen, arms)
        control, treated = 1 / seen.events
        return Contrast(
            effect=_mean_over_events(np.log(seen.rate[1] / seen.rate[0]), seen, arms),
            null_sd=sqrt(null / arms.control + null / arms.treated),
            sd=sqrt(control / arms.control + treated / arms.treated),
            comparisons=arms.comparisons,
        )


@dataclass(frozen=True, kw_only=True)
class RateDifference(Timed):
    """Difference of two constant rates, with the variance of the effect only.

    References
    ----------
    Lachin & Foulkes (1986), Biometrics 42, 507-519, approximation with one variance.
    """

    def contrast(self, effect: float) -> Contrast:
        """See `sizing.Design`.

        Raises
        ------
        BadParameter
            If the rate of either arm changes with time.
        """
        arms, seen = pair(self.allocation), self.seen(effect)
        if np.ptp(seen.rate, axis=1).max() > 1e-9 * seen.rate.max():
            raise BadParameter(
                "A difference of two rates needs rates that never change, and a curve by days, a "
                "late onset or a contact rate below 1 changes them: use LachinFoulkes."
            )
        rate = seen.rate[:, 0]
        variance = rate**2 / seen.events / [arms.control, arms.treated]
        sd = sqrt(variance.sum())
        distance = float(rate[1] - rate[0])
        return Contrast(effect=distance, null_sd=sd, sd=sd, comparisons=arms.comparisons)


@dataclass(frozen=True, kw_only=True)
class LogRankTest(Timed):
    """Log-rank test by the mean and the variance of its own statistic: the most faithful.

    With an effect, and arms of different sizes, its score scatters otherwise than the test claims.

    References
    ----------
    Yung & Liu (2020), Biometrics 76, 939-950, s. 2 (unweighted).
    """

    def contrast(self, effect: float) -> Contrast:
        """See `sizing.Design`; the effect is a mean difference of rates over the scatter."""
        arms, seen = pair(self.allocation), self.seen(effect)
        shares = np.array([[arms.control], [arms.treated]]) / arms.both
        at_risk = shares * seen.staying
        part = at_risk[1] / at_risk.sum(axis=0)
        weight = seen.weight * seen.seen
        drift = weight @ ((seen.rate[1] - seen.rate[0]) * at_risk[0] * part)
        events = at_risk * seen.rate
        claimed = weight @ (part * (1 - part) * events.sum(axis=0))
        true = weight @ (part**2 * events[0] + (1 - part) ** 2 * events[1])
        return Contrast(
            effect=float(drift),
            null_sd=sqrt(claimed / arms.both),
            sd=sqrt(true / arms.both),
            comparisons=arms.comparisons,
        )


def per_event(distance: float, events: float, arms: Pair) -> Contrast:
    """See a distance that has variance 1 / (events x share x other share), from events an entrant.

    Parameters
    ----------
    distance
        Log of the hazard ratio, or what `freedman_distance` gives in its place.
    events
        Mean share of the customers of both arms who have the event; 1 sizes a test in events.
    """
    sd = arms.both / sqrt(arms.control * arms.treated * events * arms.both)
    return Contrast(effect=distance, null_sd=sd, sd=sd, comparisons=arms.comparisons)


def freedman_distance(hazard_ratio: Floats, arms: Pair) -> Floats:
    """What Freedman's formula has in the place of the log of the hazard ratio."""
    return (hazard_ratio - 1) * arms.both / (arms.control + arms.treated * hazard_ratio)


def _events(seen: Exposure, arms: Pair) -> float:
    """Mean share of the customers of both arms whose event has been seen."""
    return float(np.array([arms.control, arms.treated]) @ seen.events / arms.both)


def _mean_over_events(ratio: Floats, seen: Exposure, arms: Pair) -> float:
    """Mean of something that may change with time, over the events of both arms."""
    when = seen.weight * (np.array([arms.control, arms.treated]) @ seen.happening)
    return float(when @ ratio / when.sum())


def _events_without_effect(seen: Exposure, arms: Pair) -> float:
    """Share with the event, if both arms had the mean of their rates."""
    shares = np.array([arms.control, arms.treated]) / arms.both
    staying = np.exp(shares @ np.log(seen.staying))
    return float(seen.weight @ (shares @ seen.rate * staying * seen.seen))
