"""What is claimed of the guardrails of a planned test: figures as they are, and what can be shown.

What rests on fewer than `SMALL` customers, or would tell of as few, is not recorded.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

import pandas as pd

from retention_lab.inference.interval import Interval
from retention_lab.record.ledger import Ledger, Unit
from retention_lab.record.small import SMALL, few, splits

VALUE, NEEDED, MARGIN, POWER = (
    f"guardrail{part}:" for part in ("", "_needed", "_margin", "_power")
)  # each with the name of the metric


def told(frame: pd.DataFrame) -> pd.DataFrame:
    """Say of each guardrail what may be shown: `open`, its figure; `sized`, what it needs.

    Two shares that are a few customers apart may tell of these, so the later one is hidden;
    likewise two guardrails of which one was recorded for a few customers more. Of a share that few
    had nothing is told but that they are few, and what as many as `SMALL` or more would need.
    """
    seen: list[tuple[int, int | None]] = []  # customers followed, and those of them who did it
    rows = []
    for row in frame.to_dict("records"):
        open_, sized = _may(row, seen)
        rows.append({"open": open_, "sized": sized})
        if open_ or sized:
            share = open_ and row["unit"] == "share"
            seen.append((row["followed"], row["did"] if share else None))
    return frame.assign(**pd.DataFrame(rows, columns=["open", "sized"], index=frame.index))


def record(ledger: Ledger, frame: pd.DataFrame) -> None:
    """Record what `experiments.guarding.guardrails` found."""
    for row in told(frame).to_dict("records"):
        if row["open"]:
            _figure(ledger, row)
        if row["sized"]:
            _design(ledger, row)


def _may(row: Mapping[Hashable, Any], seen: list[tuple[int, int | None]]) -> tuple[bool, bool]:
    if pd.isna(row["value"]):
        return False, False
    followed, did, counted = row["followed"], row["did"], row["counted"]
    share = row["unit"] == "share"
    near = any(few(abs(followed - others)) for others, _ in seen)
    if followed < SMALL or few(counted) or near:
        return False, False
    small = bool(splits(did, counted) if share else few(did))
    apart = not share or not any(few(abs(did - one)) for _, one in seen if one is not None)
    is_sized = not pd.isna(row["needed"]) and (row["safe"] or not small) and apart
    return not small and apart, bool(is_sized)


def _figure(ledger: Ledger, row: Mapping[Hashable, Any]) -> None:
    ledger.record(
        VALUE + row["metric"],
        Interval(value=row["value"], low=row["low"], high=row["high"]),
        unit=row["unit"],
        currency=row["currency"],
        n=row["followed"],
        about="customers who reached the milestone before",
        label=f"{row['label']}, as things are",
        definition=f"{row['label']}, of customers followed from the milestone for as long as the "
        "test follows them.",
    )


def _design(ledger: Ledger, row: Mapping[Hashable, Any]) -> None:
    metric, label = row["metric"], row["label"]
    safe = f" Reckoned as if {SMALL} customers or more had." if row["safe"] else ""
    asked = f"If the treatment does no harm; non-inferiority at 2.5 % on one side.{safe}"
    ledger.record(
        NEEDED + metric,
        float(row["needed"]),
        unit="count",
        label=f"{label}: customers needed to show its margin",
        definition=f"Customers of all arms, with the power of the plan. {asked}",
    )
    if pd.isna(row["power"]):
        return
    ledger.record(
        POWER + metric,
        float(row["power"]),
        unit="share",
        n=row["planned"],
        label=f"{label}: how often its margin is shown",
        definition=f"Share of tests of the planned size that show it. {asked}",
    )
    if pd.isna(row["smallest"]):
        return
    unit: Unit = "points" if row["unit"] == "share" else row["unit"]
    ledger.record(
        MARGIN + metric,
        float(row["smallest"]),
        unit=unit,
        currency=row["currency"],
        n=row["planned"],
        label=f"{label}: smallest margin that can be shown",
        definition=f"By as many customers as are planned, with the power of the plan. {asked}",
    )
