"""Customers of a test counted by arm, what became of them, and attributes; with pseudo-values.

A pseudo-value is what a customer adds to the share of the own arm at the endpoint's day, so that
customers who have not been followed for so long count, too; here more is always a gain.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TypeVar

import pandas as pd

from retention_lab.experiments.plan import Plan
from retention_lab.inference.interval import Interval
from retention_lab.survival.pseudo import Quantity, pseudo_values

MILLION = 10**6  # sums of pseudo-values are exact: each is a whole number of millionths
UNKNOWN = "unknown"  # what customers are of whom an attribute is not known

Numbers = TypeVar("Numbers", bound=Interval)


def valued(
    grid: pd.DataFrame, *, plan: Plan, by: Sequence[str] = (), quantity: Quantity = "retained"
) -> pd.DataFrame:
    """Give everybody in a grid a pseudo-value, of each arm by itself.

    Parameters
    ----------
    grid
        `arm`, `by`, `day`, `events`, `censored`.
    quantity
        Of being retained, or returned, at the endpoint's day (a share), or of the days until then
        that are kept, or come earlier.

    Returns
    -------
    DataFrame
        `arm`, `by`, `day`, `event_observed`, `n` (customers), `gain` (the pseudo-value).

    Raises
    ------
    BadData
        As `pseudo_values` does, of any arm.
    """
    day, keys = plan.endpoint.day, ["day", "event_observed"]
    most = day if quantity == "restricted mean" else 1
    parts = []
    for _, rows in grid.groupby("arm", sort=False):
        values = pseudo_values(rows, day=day, quantity=quantity)[[*keys, "pseudo_value"]]
        left = rows.melt(["arm", *by, "day"], ["events", "censored"], "event_observed", "n")
        left = left[left["n"] > 0].assign(event_observed=left["event_observed"] == "events")
        parts.append(left.merge(values, on=keys))
    found = pd.concat(parts, ignore_index=True)
    kept = plan.endpoint.kind == "retained"
    gain = found.pop("pseudo_value")
    return found.assign(gain=gain if kept else most - gain)


def in_millionths(values: pd.Series) -> pd.Series:
    """Round pseudo-values to whole millionths."""
    return (values * MILLION).round().astype("int64")


def from_millionths(found: Numbers) -> Numbers:
    """Turn an interval of millionths, with its standard error if it has one, into whole units."""
    names = ("value", "low", "high", "std_error")
    numbers = {name: getattr(found, name) / MILLION for name in names if hasattr(found, name)}
    return replace(found, **numbers)
