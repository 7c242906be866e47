"""The ledger of looks: when a test was read, what was known then, what it spent and what it said.

A row is never taken back. Its key is the how-manieth look it is, so of two runs at once, or two on
one day, only one takes it; what came in later changes no row.
"""

from __future__ import annotations

import datetime as dt
from math import inf
from typing import Any

import pandas as pd

from retention_lab.state import Ledger, State

COLUMNS = {
    "look": "int64",
    "on": "object",
    "planned": "float64",
    "information": "float64",
    "fraction": "float64",
    "lower": "float64",
    "upper": "float64",
    "alpha_spent": "float64",
    "beta_spent": "float64",
    "estimate": "float64",
    "std_error": "float64",
    "unit": "object",
    "final": "bool",
    "plan": "object",
    "stopped": "object",
    "smallest": "float64",
    "drift": "float64",
}


def ledger(state: State) -> Ledger:
    """Open the ledger of looks: a row per look at each arm but control; nobody is named."""
    return state.ledger("looks", key=("source", "experiment", "arm", "look"))


def taken(state: State | None, *, source: str, experiment: str) -> pd.DataFrame:
    """Give the looks that a test on a shop has had; none where there is no state.

    Returns
    -------
    DataFrame
        A row per look and arm, oldest first: `arm`, `look` (from 1), `on` (its day), `planned`
        (information that the last look was to have), `information` and `fraction` (of the
        planned), `lower` and `upper` (z; -inf where there is no lower bound), `alpha_spent` and
        `beta_spent` (so far), `estimate` and `std_error` in their `unit`, `final`, `plan` (digest),
        `stopped` ("" if the test went on), `smallest` (the plan's effect in the unit of the
        estimate; missing if nobody knew) and `drift` (for which futility is designed).

    Raises
    ------
    BadData
        If the ledger is damaged.
    """
    rows: list[dict[str, Any]] = []
    for row in ledger(state).rows() if state else ():
        if (row["source"], row["experiment"]) == (source, experiment):
            lower = -inf if row["lower"] is None else row["lower"]
            rows.append({**row, "on": dt.date.fromisoformat(row["on"]), "lower": lower})
    found = pd.DataFrame(rows, columns=["arm", *COLUMNS])
    return found.astype(COLUMNS)


def written(row: dict[str, Any]) -> dict[str, Any]:
    """Turn a row of `taken` into one of the ledger, which has no dates and no infinite numbers."""
    return {**row, "on": str(row["on"]), "lower": None if row["lower"] == -inf else row["lower"]}
