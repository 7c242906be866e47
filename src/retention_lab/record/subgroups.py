"""What is claimed of a test's effect by segment: pulled values, their average, how many there were.

A segment of fewer than `SMALL` customers is not recorded, nor is one by which such a segment could
be worked out.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from retention_lab.experiments.readout import Readout
from retention_lab.experiments.subgroups import Subgroups
from retention_lab.inference.interval import Interval
from retention_lab.record.ledger import Ledger
from retention_lab.record.small import covered, few

EXAMINED = "subgroups_examined"


def named(arm: str, segment: str, value: str) -> str:
    """Name the claim about the effect of an arm on a segment."""
    return f"subgroup:{arm}:{segment}:{value}"


def averaged(arm: str, segment: str) -> str:
    """Name the claim about the average over the segments of an attribute."""
    return f"subgroups_average:{arm}:{segment}"


def shown(found: Subgroups) -> pd.DataFrame:
    """Keep the rows of `found` that may be shown.

    The customers of all values of an attribute are those of the test, so what is left out could be
    worked out from the others: where it is few, the next smallest goes with it.
    """
    every = pd.concat([found.rows.assign(told=True), found.left_out.assign(told=False)])
    arms = every[["customers", "customers_control"]].to_numpy("int64")
    small, untold = np.any(few(arms), axis=1), ~every["told"].to_numpy("bool")
    every = every.assign(both=arms.sum(axis=1)).reset_index(drop=True)
    hidden = small | untold
    for places in every.groupby(["arm", "segment"]).indices.values():
        own, free = small[places], untold[places] & ~small[places]
        hidden[places] = covered(every["both"].iloc[places], unknown=free, hidden=own)
    rows: pd.DataFrame = every.loc[~hidden, [*found.rows.columns, "both"]]
    return rows.reset_index(drop=True)


def record(ledger: Ledger, seen: Readout) -> None:
    """Record the effects by segment of a test that may be read."""
    found = seen.subgroups
    if found is None or not seen.shows or found.rows.empty:
        return
    ledger.record(
        EXAMINED,
        found.examined,
        unit="count",
        label="Segments examined",
        definition="Values of the plan's segments with enough customers to tell an effect.",
    )
    rows = shown(found)
    for row in rows.to_dict("records"):
        _effect(ledger, row, day=seen.plan.endpoint.day)
    told = found.interactions.merge(rows[["arm", "segment"]].drop_duplicates())
    for row in told.to_dict("records"):
        ledger.record(
            averaged(row["arm"], row["segment"]),
            Interval(value=row["mean"], low=row["mean_low"], high=row["mean_high"]),
            unit="points",
            difference=True,
            label=f"Average over {row['segment']}",
            definition="Mean of the effects of its segments; the better one is known, the more it "
            "counts.",
        )


def _effect(ledger: Ledger, row: Mapping[Hashable, Any], *, day: int) -> None:
    pulled = not pd.isna(row["shrunk"])
    value, low, high = (
        ("shrunk", "shrunk_low", "shrunk_high") if pulled else ("effect", "low", "high")
    )
    ledger.record(
        named(row["arm"], row["segment"], row["value"]),
        Interval(value=row[value], low=row[low], high=row[high]),
        unit="points",
        difference=True,
        n=row["both"],
        about=f"{row['segment']} {row['value']}",
        label=f"{row['segment']} {row['value']}: effect of {row['arm']}",
        definition=f"Difference of shares at day {day}, a gain positive"
        + ("; pulled towards the average of its attribute." if pulled else "; not pulled."),
    )
