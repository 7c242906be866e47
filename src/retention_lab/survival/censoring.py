"""Who was followed for how long, and the weights that stand in for those who were censored."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

import numpy as np
from numpy.typing import ArrayLike, NDArray

from retention_lab.checks import BadData

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True)
class Followed:
    """Times, whether each ended in an event, and how many units every row stands for."""

    durations: Floats
    event_observed: Bools
    weights: Floats

    @property
    def n(self) -> float:
        """Units, not rows."""
        return float(self.weights.sum())

    def std_error(self, effect: Floats) -> float:
        """Infinitesimal jackknife, from the effect of one more unit of each row on a statistic."""
        return sqrt(float(self.weights @ effect**2))


def followed(
    durations: ArrayLike, *, event_observed: ArrayLike, weights: ArrayLike | None = None
) -> Followed:
    """Check durations, events and frequency weights, one entry per row.

    Raises
    ------
    BadData
        If there are no rows, lengths differ, a value is missing, or a duration or weight is
        negative.
    """
    time = column("durations", durations, rows=np.size(durations))
    event = column("event_observed", event_observed, rows=len(time))
    weight = column("weights", np.ones(len(time)) if weights is None else weights, rows=len(time))
    if not len(time):
        raise BadData("durations has no rows, so there is nobody to learn from.")
    if (time < 0).any():
        raise BadData(
            f"durations must not be negative, got {time.min():g} in row {time.argmin()}. "
            "Follow-up ends before it starts there; mend the two dates."
        )
    if (weight <= 0).any():
        raise BadData(
            f"weights must be above zero, got {weight.min():g} in row {weight.argmin()}. "
            "Leave out the rows that stand for nobody."
        )
    if not np.isin(event, (0, 1)).all():
        raise BadData("event_observed must be true or false (1 or 0) in every row.")
    return Followed(durations=time, event_observed=event == 1, weights=weight)


def column(name: str, values: ArrayLike, *, rows: int) -> Floats:
    """Return the values as floats if there is a finite one for every row."""
    array = np.asarray(values, dtype="float64")
    if array.shape != (rows,):
        raise BadData(f"{name} must have one value for each of {rows} rows, got {array.shape}.")
    if not np.isfinite(array).all():
        row = int(np.flatnonzero(~np.isfinite(array))[0])
        raise BadData(f"{name} is missing or infinite in row {row}. Fill it in, or leave it out.")
    return array


@dataclass(frozen=True, kw_only=True)
class Censoring:
    """Who is known to leave by a day (`case`) or to stay beyond it, and Kaplan-Meier of censoring.

    `times` are the distinct censoring times up to the day, with the share `hazard` of the `at_risk`
    units that were censored on each; a row's weight is the inverse of the share not yet censored
    just before its `until`.
    """

    rows: Followed
    case: Bools
    stays: Bools
    until: Floats
    times: Floats
    hazard: Floats
    at_risk: Floats

    @property
    def inverse(self) -> Floats:
        """Weight that stands for those who were censored; 0 for the censored themselves."""
        return np.asarray((self.case | self.stays) / self.before(self.until))

    def before(self, times: Floats) -> Floats:
        """Share not yet censored just before each time."""
        curve = np.concatenate([[1.0], np.cumprod(1 - self.hazard)])
        return np.asarray(curve[np.searchsorted(self.times, times, side="left")])

    def influence(self, scores: Floats) -> Floats:
        """Effect of one more unit of each row on a statistic, by way of these weights alone.

        `scores` are the parts of the statistic that are proportional to each row's `inverse`.
        """
        # A score feels the hazards of all times before its own: sums from the end.
        first = np.searchsorted(self.times, self.until, side="left")
        ending = np.bincount(first, weights=scores, minlength=len(self.times) + 1)
        felt = ending[::-1].cumsum()[::-1][1:] / ((1 - self.hazard) * self.at_risk)
        exposed = np.concatenate([[0.0], np.cumsum(felt * self.hazard)])
        own = self.rows.durations
        upto = np.searchsorted(self.times, own, side="right")
        hit = ~self.rows.event_observed & np.isin(own, self.times)
        moved = np.where(hit, np.append(felt, 0.0)[upto - 1], 0.0)
        return np.asarray(moved - exposed[upto])


def censoring(rows: Followed, *, day: float) -> Censoring:
    """Weigh those of whom it is known whether they had the event by `day`.

    Who was followed beyond the day stays. Where all follow-up was cut on it, as in windows of equal
    length, those censored on it stay, for their days were whole. At risk of censoring on a day is
    everybody followed for as long or longer.

    Raises
    ------
    BadData
        If nobody was followed for `day`.

    References
    ----------
    Graf, Schmoor, Sauerbrei & Schumacher (1999), Statistics in Medicine 18, 2529-2545.
    """
    if day > rows.durations.max():
        raise BadData(
            f"Day {day:g} lies beyond the {rows.durations.max():g} days that anybody was followed. "
            "Choose an earlier day."
        )
    stays, end = rows.durations > day, float(np.nextafter(day, np.inf))
    if not stays.any():
        stays, end = (rows.durations == day) & ~rows.event_observed, day
    times, place = np.unique(rows.durations, return_inverse=True)
    leaving = np.bincount(place, weights=rows.weights)
    censored = np.bincount(place, weights=rows.weights * ~rows.event_observed)
    at_risk = leaving[::-1].cumsum()[::-1]
    used = (censored > 0) & (times < end)
    return Censoring(
        rows=rows,
        case=rows.event_observed & (rows.durations <= day),
        stays=stays,
        until=np.minimum(rows.durations, end),
        times=times[used],
        hazard=(censored / at_risk)[used],
        at_risk=at_risk[used],
    )
