"""How fast customers have the event: a rate that is constant between some days."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import inf, isfinite, log

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from retention_lab import checks
from retention_lab.checks import BadData, BadParameter

Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Curve:
    """Events per day and customer still without one: `rates[i]` from day `starts[i]` on.

    The curve is known until day `end`, which is infinite for a formula.
    """

    starts: tuple[float, ...]
    rates: tuple[float, ...]
    end: float = inf

    def rate(self, time: Floats) -> Floats:
        """Events per day at moments since time zero."""
        return self._rates.take(self._piece(time))

    def cumulative(self, time: Floats) -> Floats:
        """Rate added up until moments since time zero."""
        piece = self._piece(time)
        within: Floats = time - self._starts[piece]
        return within * self._rates[piece] + self._sums[piece]

    def survival(self, time: float) -> float:
        """Share without the event until a moment."""
        return float(np.exp(-self.cumulative(np.array([float(time)]))[0]))

    def moment(self, cumulative: Floats) -> Floats:
        """When the rate has added up to given values: the inverse of `cumulative`."""
        if len(self.rates) == 1:
            return cumulative / self.rates[0]
        piece = np.searchsorted(self._sums, cumulative, side="right") - 1
        within: Floats = (cumulative - self._sums[piece]) / self._rates[piece]
        return within + self._starts[piece]

    def times(self, ratio: float, *, after: float = 0.0) -> Curve:
        """Return the curve with its rates multiplied by `ratio` from day `after` on."""
        starts = np.union1d(self._starts, [after])
        rates = self.rate(starts) * np.where(starts >= after, ratio, 1.0)
        return Curve(starts=tuple(starts), rates=tuple(rates), end=self.end)

    @cached_property
    def _starts(self) -> Floats:
        return np.array(self.starts, dtype="float64")

    @cached_property
    def _rates(self) -> Floats:
        # A stretch without events is left in an instant by `moment`, which must not divide by 0.
        return np.array([max(rate, 1e-300) for rate in self.rates])

    @cached_property
    def _sums(self) -> Floats:
        return np.append(0.0, np.cumsum(self._rates[:-1] * np.diff(self._starts)))

    def _piece(self, time: Floats) -> NDArray[np.intp]:
        return np.searchsorted(self._starts, time, side="right") - 1


def constant(rate: float) -> Curve:
    """Customers have the event at one rate per day for ever (exponential times).

    Raises
    ------
    BadParameter
        If the rate is not a number above 0.
    """
    if not (isfinite(rate) and rate > 0):
        raise BadParameter(f"rate must be a number of events per day above 0, got {rate!r}.")
    return Curve(starts=(0.0,), rates=(float(rate),))


def still_there(share: float, *, day: float) -> Curve:
    """One rate per day, such that a share of the customers is without the event after a day."""
    checks.share("share", share)
    if not 0 < day < inf:
        raise BadParameter(f"day must be a number above 0, got {day!r}.")
    return constant(-log(share) / day)


def from_days(days: pd.DataFrame) -> Curve:
    """Follow a curve that was observed, as `survival.daygrid.kaplan_meier` returns it.

    Parameters
    ----------
    days
        Columns `day` (from 0, rising) and `survival` (share without the event after that day).

    Raises
    ------
    BadData
        If the days do not rise from 0, or the shares rise, do not begin with 1 or reach 0: after
        that day nobody is left whom a treatment could keep, so cut the curve before it.
    """
    checks.columns("days", days.columns, ["day", "survival"])
    day, share = (days[name].to_numpy("float64") for name in ("day", "survival"))
    if len(day) < 2 or day[0] != 0 or not (np.diff(day) > 0).all() or not isfinite(day[-1]):
        raise BadData("A baseline curve needs two days at least, rising from day 0.")
    if share[0] != 1 or not (np.diff(share) <= 0).all() or not share[-1] > 0:
        raise BadData(
            "The shares of a baseline curve must begin with 1, never rise, and stay above 0, got "
            f"{share[0]:g} to {share[-1]:g}: cut the curve before the day on which nobody is left."
        )
    if share[-1] == 1:
        raise BadData("Nobody has the event on the baseline curve, so no test can change that.")
    rates = -np.diff(np.log(share)) / np.diff(day)
    return Curve(starts=tuple(day[:-1]), rates=tuple(rates), end=float(day[-1]))
