"""Jackknife pseudo-values: one uncensored value per unit, for regressions on covariates."""

from __future__ import annotations

from typing import Literal

import numpy as np
import pandas as pd

from retention_lab.checks import BadData
from retention_lab.survival.daygrid import Counts, refuse_beyond, staying
from retention_lab.survival.tally import tally

Quantity = Literal["restricted mean", "retained"]


def pseudo_values(
    grid: pd.DataFrame, *, day: float, quantity: Quantity = "restricted mean"
) -> pd.DataFrame:
    """What each unit adds to an estimate: n times that of all, less n - 1 times that without it.

    Units that leave on one day in one way have one value, so a grid is enough. Their mean is close
    to the estimate; a regression on them needs robust standard errors.

    Parameters
    ----------
    grid
        As `tally` takes it, of one group and without late entry.
    day
        Day since time zero that the quantity is of.
    quantity
        Mean days without the event up to that day, or the share without it after that day.

    Returns
    -------
    DataFrame
        One row per `day` on which units left and `event_observed` (truth value), in order: `n`
        (units), `pseudo_value`.

    Raises
    ------
    BadData
        As `tally` and `refuse_beyond` do; or if some came late, or there are fewer than two units.

    References
    ----------
    Andersen, Klein & Rosthoj (2003), Biometrika 90, 15-27.
    """
    curve = tally(grid)
    refuse_beyond(curve, day)
    n = int(curve["at_risk"].iloc[0])
    if "entered" in grid and grid["entered"].any():
        raise BadData("Pseudo-values need everybody from the start: leave out who `entered` late.")
    if n < 2:
        raise BadData("Pseudo-values leave out one unit after the other, so they need two or more.")
    left = curve.melt("day", ["events", "censored"], "event_observed", "n").query("n > 0")
    left = left.assign(event_observed=left["event_observed"] == "events")
    left = left.sort_values(["day", "event_observed"], ignore_index=True)
    known = curve[curve["day"] <= day]
    days, at_risk, events = (known[name].to_numpy() for name in ("day", "at_risk", "events"))
    lengths = np.diff(np.append(days, day))

    def estimate(at_risk: Counts, events: Counts) -> float:
        curve = staying(at_risk, events)
        return float(lengths @ curve if quantity == "restricted mean" else curve[-1])

    whole = n * estimate(at_risk, events)
    without = [
        estimate(at_risk - (days <= one.day), events - ((days == one.day) & one.event_observed))
        for one in left.itertuples()
    ]
    return left.assign(pseudo_value=whole - (n - 1) * np.array(without))
