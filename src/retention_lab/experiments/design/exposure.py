"""What a test has seen by a calendar day, on average: integrals over the time since entry."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from retention_lab.checks import BadParameter
from retention_lab.experiments.design.assumptions import Assumptions
from retention_lab.experiments.design.curve import Floats

# Between two whole days all that is integrated is smooth: five Gauss points are exact to rounding.
_POINTS, _WEIGHTS = np.polynomial.legendre.leggauss(5)


@dataclass(frozen=True, kw_only=True)
class Exposure:
    """Points on the clock of a customer, and what holds there; arms are control, then treated.

    `seen` is the share of the customers entered who are under observation at `time` unless they
    had the event, `rate` and `staying` (one row an arm) events per day and the share without one,
    of everybody as assigned. An integral is a sum with `weight`.
    """

    time: Floats
    weight: Floats
    seen: Floats
    rate: Floats
    staying: Floats

    @property
    def happening(self) -> Floats:
        """Events per day and customer entered, one row an arm."""
        return self.rate * self.staying * self.seen

    @property
    def events(self) -> Floats:
        """Share of the customers of each arm whose event has been seen."""
        total: Floats = self.happening @ self.weight
        return total


@dataclass(frozen=True, kw_only=True)
class _Clock:
    """What holds at the points whatever the effect is; effects are told by it many times.

    `rate` and `cumulative` (rate added up) are of customers not treated, `late` is that since the
    `onset` of the effect.
    """

    time: Floats
    weight: Floats
    seen: Floats
    rate: Floats
    cumulative: Floats
    late: Floats
    onset: float

    def times(self, hazard_ratio: float) -> Floats:
        """Rate of the customers reached over that of those not treated."""
        return np.where(self.time < self.onset, 1.0, hazard_ratio)


def exposure(
    assumptions: Assumptions, hazard_ratio: float, *, day: float, until: float | None = None
) -> Exposure:
    """Look at a test on a calendar day, at the first `until` days of customers (or all).

    Raises
    ------
    BadParameter
        If the hazard ratio is no positive number, or nobody has entered by the day.
    """
    if not 0 < hazard_ratio < np.inf:
        raise BadParameter(f"hazard_ratio must be a number above 0, got {hazard_ratio!r}.")
    refuse_before_entry(assumptions, day)
    known = min(day, assumptions.follow_up_days)
    clock = _clock(assumptions, day, known if until is None else until)
    reached, staying = assumptions.contact_rate, np.exp(-clock.cumulative)
    if_reached = np.exp(-clock.cumulative - (hazard_ratio - 1) * clock.late)
    mixed = (1 - reached) * staying + reached * if_reached
    events = (1 - reached) * staying + reached * clock.times(hazard_ratio) * if_reached
    return Exposure(
        time=clock.time,
        weight=clock.weight,
        seen=clock.seen,
        rate=np.array([clock.rate, clock.rate * events / mixed]),
        staying=np.array([staying, mixed]),
    )


def refuse_before_entry(assumptions: Assumptions, day: float) -> None:
    """Refuse a calendar day by which nobody has entered."""
    if not assumptions.first_entry < day < np.inf:
        raise BadParameter(f"day must be a calendar day by which customers entered, got {day!r}.")


@lru_cache(maxsize=128)  # the days of a calendar and of looks
def _clock(assumptions: Assumptions, day: float, until: float) -> _Clock:
    """Look at customers who are not treated, at their first `until` days."""
    time, weight = _points(assumptions, day, until)
    under_observation = assumptions.entered(day - time) / assumptions.entered(day)
    curve, onset = assumptions.baseline, assumptions.onset_delay_days
    cumulative = curve.cumulative(time)
    return _Clock(
        time=time,
        weight=weight,
        seen=under_observation * np.exp(-assumptions.dropout_per_day * time),
        rate=curve.rate(time),
        cumulative=cumulative,
        late=np.maximum(cumulative - curve.cumulative(np.array([onset])), 0.0),
        onset=onset,
    )


def _points(assumptions: Assumptions, day: float, until: float) -> tuple[Floats, Floats]:
    """Gauss points of each stretch between whole days and the days on which anything bends."""
    bends: list[float] = [*assumptions.baseline.starts, assumptions.onset_delay_days]
    inner = np.unique([*np.arange(np.ceil(until)), *(day - assumptions.totals[0]), *bends])
    edges = np.concatenate([[0.0], inner[(inner > 0) & (inner < until)], [until]])
    half, middle = np.diff(edges) / 2, (edges[1:] + edges[:-1]) / 2
    return (middle[:, None] + half[:, None] * _POINTS).ravel(), np.outer(half, _WEIGHTS).ravel()
