"""What is claimed of a test's secondary metrics and guardrails: averages, difference, relative.

What rests on fewer than `SMALL` customers, or would tell of as few, is not recorded.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

import pandas as pd

from retention_lab.experiments.readout import Readout
from retention_lab.inference.interval import Interval
from retention_lab.record.ledger import Ledger, Unit
from retention_lab.record.small import SMALL, few, splits

EXAMINED = "measured_examined"
_HUNDRED = 100
_COUNTED = [
    *("value", "value_low", "value_high", "control", "control_low", "control_high"),
    *("difference", "low", "high", "margin"),
]
_PARTS = {"value": "in the arm", "control": "in control"}


def named(row: Mapping[Hashable, Any], part: str = "difference") -> str:
    """Name the claim about a row: its `difference`, `lift`, or the `value` of arm or `control`."""
    return f"{row['role']}_{part}:{row['metric']}:{row['arm']}"


def told(frame: pd.DataFrame) -> pd.DataFrame:
    """Say of each row of `experiments.measured.measured` whether its numbers are `open`.

    Those of a few customers are not, nor is a share that was done by a few customers more or less
    than another one of the same arm: it may tell of these. What is counted per customer is told per
    100 of them, as it is often small.
    """
    seen: dict[str, dict[str, int]] = {}  # by arm: how many did it, by the name of the metric
    rows = frame.assign(open=[_may(row, seen) for row in frame.to_dict("records")])
    by_customer = rows["label"].str.endswith("per customer") & (rows["unit"] == "per_customer")
    rows.loc[by_customer, _COUNTED] *= _HUNDRED
    rows.loc[by_customer, "label"] = rows["label"].str.replace("customer", f"{_HUNDRED} customers")
    return rows


def record(ledger: Ledger, seen: Readout) -> None:
    """Record the metrics of a test that may be read."""
    if seen.measured is None or not seen.shows or seen.measured.empty:
        return
    secondaries = int((seen.measured["role"] == "secondary").sum())
    if secondaries:
        ledger.record(
            EXAMINED,
            secondaries,
            unit="count",
            label="Comparisons of secondary metrics",
            definition="Secondary metrics of the plan, times its arms but control.",
        )
    rows = told(seen.measured)
    for row in rows[rows["open"]].to_dict("records"):
        _compared(ledger, row, seen)


def _may(row: Mapping[Hashable, Any], seen: dict[str, dict[str, int]]) -> bool:
    if pd.isna(row["difference"]):
        return False
    arms = {row["arm"]: "", "": "_control"}  # control has no name here, and needs none
    for end in arms.values():
        customers, counted, did = (row[f"{name}{end}"] for name in ("customers", "counted", "did"))
        small = splits(did, counted) if row["unit"] == "share" else few(did)
        if customers < SMALL or few(counted) or bool(small):
            return False
    if row["unit"] != "share":
        return True
    shares = {arm: seen.setdefault(arm, {}) for arm in arms}
    for arm, end in arms.items():
        others = [did for name, did in shares[arm].items() if name != row["metric"]]
        if any(few(abs(row[f"did{end}"] - did)) for did in others):
            return False
    for arm, end in arms.items():
        shares[arm][row["metric"]] = row[f"did{end}"]
    return True


def _compared(ledger: Ledger, row: Mapping[Hashable, Any], seen: Readout) -> None:
    unit, label, days = row["unit"], row["label"], seen.plan.endpoint.day
    currency = seen.currency if unit == "money" else ""
    points: Unit = "points" if unit == "share" else unit
    before = f"; allowing for the {days} days before time zero" if row["cleaned"] else ""
    within = f"In the {days} days from time zero, of customers followed for so long{before}."
    for part, whose in _PARTS.items():
        ledger.record(
            named(row, part),
            _interval(row, part),
            unit=unit,
            currency=currency,
            about=row["arm"],
            label=f"{label} {whose}",
            definition=within,
        )
    ledger.record(
        named(row),
        Interval(value=row["difference"], low=row["low"], high=row["high"]),
        unit=points,
        currency=currency,
        # What a few were not followed for could be worked out from all who were assigned.
        n=None if few(row["left_out"]) else row["customers"] + row["customers_control"],
        about=row["arm"],
        difference=True,
        label=f"{label}: arm less control",
        definition=within,
    )
    if not pd.isna(row["lift"]):
        ledger.record(
            named(row, "lift"),
            _interval(row, "lift"),
            unit="share",
            about=row["arm"],
            difference=True,
            label=f"{label}: relative to control",
            definition=f"Arm over control, less 1. {within}",
        )


def _interval(row: Mapping[Hashable, Any], part: str) -> Interval:
    return Interval(value=row[part], low=row[f"{part}_low"], high=row[f"{part}_high"])
