"""Survival curves on a day grid: counts per whole day are all that they need.

What a grid is, and who is at risk on a day, is said in `tally`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import ndtri

from retention_lab import checks
from retention_lab.checks import BadData
from retention_lab.survival.tally import tally

Counts = NDArray[np.int64]
Floats = NDArray[np.float64]
Scale = Literal["log-log", "log"]


@dataclass(frozen=True, kw_only=True)
class MedianTime:
    """Day by which half of the units had the event, and its interval; None is "not reached"."""

    days: float | None
    low: float | None
    high: float | None


def kaplan_meier(
    grid: pd.DataFrame, *, alpha: float = 0.05, scale: Scale = "log-log"
) -> pd.DataFrame:
    """Share still without the event after each day of a collapsed table.

    Parameters
    ----------
    grid
        As `tally` takes it.
    alpha
        One minus the confidence level of the pointwise intervals.
    scale
        On which the intervals are symmetric; R takes "log" unless told otherwise.

    Returns
    -------
    DataFrame
        One row for day 0 and for each day on which anybody left or came, in order: `day`,
        `at_risk`, `events`, `censored`, `survival`, `std_error` (Greenwood), `low`, `high`
        (Wilson's interval of the units at risk where the curve is exactly 1 or 0, for there
        neither scale has a width).

    Raises
    ------
    BadData
        As `tally` does.

    References
    ----------
    Kalbfleisch & Prentice (2002), The Statistical Analysis of Failure Time Data, 2nd ed., s. 1.4.
    """
    z = float(ndtri(1 - checks.share("alpha", alpha) / 2))
    curve = tally(grid)[["day", "at_risk", "events", "censored"]]
    at_risk, events = curve["at_risk"].to_numpy(), curve["events"].to_numpy()
    survival, variance = staying(at_risk, events), np.cumsum(greenwood(at_risk, events))
    low, high = bounds(survival, variance, _resting_on(survival, at_risk), z, scale)
    std_error = survival * np.sqrt(variance)
    return curve.assign(survival=survival, std_error=std_error, low=low, high=high)


def nelson_aalen(grid: pd.DataFrame, *, alpha: float = 0.05) -> pd.DataFrame:
    """Cumulative hazard of a collapsed table: events per unit at risk, added up.

    Returns
    -------
    DataFrame
        Rows as in `kaplan_meier`: `day`, `at_risk`, `events`, `censored`, `hazard` (cumulative),
        `std_error` (Aalen), `low`, `high` (symmetric on the log scale; before the first event up to
        the hazard of Wilson's lower bound).

    Raises
    ------
    BadData
        As `tally` does.

    References
    ----------
    Aalen (1978), Annals of Statistics 6, 701-726; Klein & Moeschberger (2003), s. 4.2 and 4.3.
    """
    z = float(ndtri(1 - checks.share("alpha", alpha) / 2))
    curve = tally(grid)[["day", "at_risk", "events", "censored"]]
    at_risk, events = curve["at_risk"].to_numpy(), curve["events"].to_numpy()
    n = np.maximum(at_risk, 1).astype("float64")
    hazard, std_error = np.cumsum(events / n), np.sqrt(np.cumsum(events / n**2))
    some = hazard > 0
    spread = np.exp(z * np.divide(std_error, hazard, where=some, out=np.zeros(len(n))))
    high = np.where(some, hazard * spread, np.log1p(z**2 / n))
    return curve.assign(hazard=hazard, std_error=std_error, low=hazard / spread, high=high)


def staying(at_risk: Counts, events: Counts) -> Floats:
    """Product of the shares that stay; a day with nobody at risk leaves the curve as it is."""
    share: Floats = np.ones(len(at_risk))
    np.divide(at_risk - events, at_risk, where=at_risk > 0, out=share)
    share.cumprod(out=share)
    return share


def greenwood(at_risk: Counts, events: Counts) -> Floats:
    """Return what each day adds to the variance of the log of the curve.

    A day on which all left adds nothing: the curve is exactly 0 from there on.
    """
    both = at_risk * (at_risk - events).astype("float64")
    terms: Floats = np.zeros(len(both))
    np.divide(events, both, where=both > 0, out=terms)
    return terms


def _resting_on(survival: Floats, at_risk: Counts) -> Counts:
    """Units at risk on each day, or on the day when the curve fell to 0: later ones add nothing."""
    fell = np.flatnonzero(survival == 0)
    return np.where(survival == 0, at_risk[fell[0]], at_risk) if fell.size else at_risk


def bounds(
    survival: Floats, variance: Floats, at_risk: Counts, z: float, scale: Scale = "log-log"
) -> tuple[Floats, Floats]:
    """Bounds of a curve, given the variance of its log and the units that it rests on."""
    between = (survival > 0) & (survival < 1)
    log_survival = np.log(survival, where=between, out=np.full(len(survival), -1.0))
    spread = np.exp(z * np.sqrt(variance) / (-log_survival if scale == "log-log" else 1))
    if scale == "log-log":
        low, high = survival**spread, survival ** (1 / spread)
    else:
        low, high = survival / spread, np.minimum(survival * spread, 1)
    # Wilson's interval where everybody or nobody is left, with the number at risk that day.
    all_left, none_left = at_risk / (at_risk + z**2), z**2 / (at_risk + z**2)
    low = np.select([between, survival == 1], [low, all_left], 0.0)
    high = np.select([between, survival == 0], [high, none_left], 1.0)
    return low, high


def survival_at(curve: pd.DataFrame, days: Sequence[float]) -> pd.DataFrame:
    """Read a curve of `kaplan_meier` at chosen days.

    Returns
    -------
    DataFrame
        One row per entry of `days`: `day`, `at_risk` (followed that long), `survival`,
        `std_error`, `low`, `high`.

    Raises
    ------
    BadData
        As `refuse_beyond` does.
    """
    known, asked = curve["day"].to_numpy(), np.asarray(days)
    for day in asked:
        refuse_beyond(curve, day)
    shown = curve.iloc[np.searchsorted(known, asked, side="right") - 1].reset_index(drop=True)
    at_risk = np.append(curve["at_risk"], 0)[np.searchsorted(known, asked, side="left")]
    columns = ["day", "at_risk", "survival", "std_error", "low", "high"]
    return shown.assign(day=asked, at_risk=at_risk)[columns]


def refuse_beyond(curve: pd.DataFrame, day: float) -> None:
    """Refuse a day of which a curve knows nothing: before time zero, or after all were followed.

    Where the last who were followed all had the event, nothing can happen any more.
    """
    last = curve["day"].iloc[-1]
    end = curve[curve["day"] == last]
    over = end["events"].sum() == end["at_risk"].iloc[0]
    if day < 0 or (day > last and not over):
        raise BadData(
            f"Day {day:g} lies outside the {last:g} days that anybody was followed: choose a day "
            f"from 0 to {last:g}, or wait for more data."
        )


def median_time(curve: pd.DataFrame) -> MedianTime:
    """First day on which the curve is at one half or below, with the days for its two bounds.

    References
    ----------
    Brookmeyer & Crowley (1982), Biometrics 38, 29-41, with the pointwise bounds of the curve.
    """

    def first(column: str) -> float | None:
        below = curve.loc[curve[column] <= 0.5 + 1e-12, "day"]
        return None if below.empty else float(below.iloc[0])

    return MedianTime(days=first("survival"), low=first("low"), high=first("high"))
