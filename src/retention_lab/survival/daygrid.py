"""Kaplan-Meier on a day grid: counts per whole day are all that a survival curve needs.

A unit is at risk on day t when it has been followed for t days or longer, so somebody censored on
the day of an event still counts among those at risk there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import ndtri

from retention_lab import checks
from retention_lab.checks import BadData

Counts = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class MedianTime:
    """Day by which half of the units had the event, and its interval; None is "not reached"."""

    days: float | None
    low: float | None
    high: float | None


def kaplan_meier(grid: pd.DataFrame, *, alpha: float = 0.05) -> pd.DataFrame:
    """Share still without the event after each day of a collapsed table.

    Parameters
    ----------
    grid
        Columns `day` (whole days since time zero), `events` and `censored` (counts on that day);
        several rows of one day, such as those of several cohorts, are added up.
    alpha
        One minus the confidence level of the pointwise intervals.

    Returns
    -------
    DataFrame
        One row for day 0 and for each day on which anybody left, in order: `day`, `at_risk`,
        `events`, `censored`, `survival`, `std_error` (Greenwood), `low`, `high` (log-log; Wilson's
        interval of the units at risk where the curve is exactly 1 or 0, for there log-log has no
        width).

    Raises
    ------
    BadData
        If columns are missing or the grid holds nobody.

    References
    ----------
    Kalbfleisch & Prentice (2002), The Statistical Analysis of Failure Time Data, 2nd ed., s. 1.4.
    """
    z = float(ndtri(1 - checks.share("alpha", alpha) / 2))
    checks.columns("grid", grid.columns, ["day", "events", "censored"])
    counts = grid.groupby("day")[["events", "censored"]].sum()
    counts = counts[counts.sum(axis=1) > 0]
    if counts.empty:
        raise BadData("A survival curve of nobody cannot be drawn: the grid has no counts.")
    curve = counts.reindex(counts.index.union([0]), fill_value=0).rename_axis("day").reset_index()
    leaving = (curve["events"] + curve["censored"]).to_numpy()
    at_risk, events = leaving[::-1].cumsum()[::-1], curve["events"].to_numpy()
    survival, variance = np.cumprod((at_risk - events) / at_risk), _greenwood(at_risk, events)
    low, high = _bounds(survival, variance, at_risk, z)
    curve.insert(1, "at_risk", at_risk)
    std_error = survival * np.sqrt(variance)
    return curve.assign(survival=survival, std_error=std_error, low=low, high=high)


def _greenwood(at_risk: Counts, events: Counts) -> Floats:
    """Variance of the log of the curve; the term of a day on which all left is never used."""
    staying = np.maximum(at_risk - events, 1)
    return np.cumsum(events / (at_risk * staying.astype("float64")))


def _bounds(survival: Floats, variance: Floats, at_risk: Counts, z: float) -> tuple[Floats, Floats]:
    between = (survival > 0) & (survival < 1)
    log_survival = np.log(survival, where=between, out=np.full(len(survival), -1.0))
    spread = np.exp(z * np.sqrt(variance) / -log_survival)
    low, high = survival**spread, survival ** (1 / spread)
    # Wilson's interval where everybody or nobody is left, with the number at risk that day.
    all_left, none_left = at_risk / (at_risk + z**2), z**2 / (at_risk + z**2)
    low = np.select([between, survival == 1], [low, all_left], 0.0)
    high = np.select([between, survival == 0], [high, none_left], 1.0)
    return low, high


def survival_at(curve: pd.DataFrame, days: Sequence[int]) -> pd.DataFrame:
    """Read a curve of `kaplan_meier` at chosen days.

    Returns
    -------
    DataFrame
        One row per entry of `days`: `day`, `at_risk` (followed that long), `survival`,
        `std_error`, `low`, `high`.

    Raises
    ------
    BadData
        If a day lies before time zero or after the last day that anybody was followed.
    """
    known, asked = curve["day"].to_numpy(), np.asarray(days, dtype="int64")
    for day in asked:
        if not 0 <= day <= known[-1]:
            raise BadData(f"Day {day} lies outside the {known[-1]} days that anybody was followed.")
    shown = curve.iloc[np.searchsorted(known, asked, side="right") - 1].reset_index(drop=True)
    at_risk = curve["at_risk"].to_numpy()[np.searchsorted(known, asked, side="left")]
    columns = ["day", "at_risk", "survival", "std_error", "low", "high"]
    return shown.assign(day=asked, at_risk=at_risk)[columns]


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
