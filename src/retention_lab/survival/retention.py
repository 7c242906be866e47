"""What a curve says about one day: who is still there, and how many days were kept by then."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from retention_lab import checks
from retention_lab.checks import BadData, BadParameter
from retention_lab.survival.daygrid import (
    greenwood,
    kaplan_meier,
    refuse_beyond,
    survival_at,
)
from retention_lab.survival.estimate import Estimate, of_difference


def retained(
    grid: pd.DataFrame, *, day: float, since: float | None = None, alpha: float = 0.05
) -> Estimate:
    """Share without the event after a day, of all or of those without it `since` another.

    Parameters
    ----------
    grid
        As `tally` takes it.
    day
        Day since time zero.
    since
        Earlier day since time zero: P(T > day | T > since), both counted from time zero.

    Returns
    -------
    Estimate
        With the interval of `kaplan_meier`, begun anew after `since` where that is given.

    Raises
    ------
    BadParameter
        If `since` is not before `day`.
    BadData
        As `tally` and `refuse_beyond` do.
    """
    if since is not None:
        if not 0 <= since < day:
            raise BadParameter(f"since must lie from 0 to before day {day:g}, got {since:g}.")
        checks.columns("grid", grid.columns, ["day"])
        refuse_beyond(kaplan_meier(grid), day)
        # Those at risk after a day are who left later, less who came later: earlier rows are done.
        grid = grid[grid["day"] > since]
    read = survival_at(kaplan_meier(grid, alpha=alpha), [day]).iloc[0]
    value, std_error, low, high = (
        float(read[column]) for column in ("survival", "std_error", "low", "high")
    )
    return Estimate(value=value, std_error=std_error, low=low, high=high)


def restricted_mean(grid: pd.DataFrame, *, day: float, alpha: float = 0.05) -> Estimate:
    """Mean days without the event up to a day: the area under the curve (RMST).

    Returns
    -------
    Estimate
        In days. Its variance is Greenwood's sum of squared remaining areas, a sampling variance;
        the interval is symmetric.

    Raises
    ------
    BadParameter
        If `day` is not after time zero.
    BadData
        As `tally` and `refuse_beyond` do; or if nobody had the event before `day`, as the mean is
        then `day` with no spread to tell.

    References
    ----------
    Klein & Moeschberger (2003), Survival Analysis, 2nd ed., s. 4.5.
    """
    curve = kaplan_meier(grid)
    if not day > 0:
        raise BadParameter(f"day must be after time zero, got {day!r}.")
    refuse_beyond(curve, day)
    curve = curve[curve["day"] < day]
    events, at_risk = curve["events"].to_numpy(), curve["at_risk"].to_numpy()
    if not events.any():
        raise BadData(
            f"Nobody had the event before day {day:g}, so the mean of the days until then has no "
            "spread: choose a later day."
        )
    areas = np.diff(np.append(curve["day"], day)) * curve["survival"].to_numpy()
    remaining = areas[::-1].cumsum()[::-1]
    std_error = float(np.sqrt((remaining**2 * greenwood(at_risk, events)).sum()))
    return of_difference(float(areas.sum()), std_error=std_error, alpha=alpha)


def restricted_loss(grid: pd.DataFrame, *, day: float, alpha: float = 0.05) -> Estimate:
    """Mean days lost to the event up to a day: what `restricted_mean` leaves; raises as it does."""
    kept = restricted_mean(grid, day=day, alpha=alpha)
    return replace(kept, value=day - kept.value, low=day - kept.high, high=day - kept.low)
