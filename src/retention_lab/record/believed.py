"""What a test takes for granted: names, units and definitions in one place."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from math import exp, isfinite
from typing import Any

import pandas as pd

from retention_lab.experiments.believed import Belief, Believed, Name, Source
from retention_lab.inference.interval import Interval
from retention_lab.record.ledger import Ledger, Unit

BELIEVED = "believed_"  # and the name of the belief
WEAKEST = "believed_weakest"
POWER = "believed_power"
LOST_IN = 30  # days: of a rate a day nobody has a picture

_SAYS: dict[Source, str] = {
    "history": "What history tells",
    "plan": "What the plan says",
    "default": "What is taken where nobody knows",
}
_UNITS: dict[Name, Unit] = {
    "entry_per_day": "per_customer",
    "baseline": "share",
    "contact_rate": "share",
    "dropout_per_day": "share",
    "onset_days": "days",
}


@dataclass(frozen=True, kw_only=True)
class Weakest:
    """An assumption, the end `at` of its range, and how many times as long enrolment takes then."""

    name: Name
    value: float
    at: float
    times: float


def record(
    ledger: Ledger, believed: Believed, wrong: pd.DataFrame, simulated: Interval | None
) -> None:
    """Record each belief with its range, what the weakest would cost, and the simulated power."""
    labels = {belief.name: label(belief, believed) for belief in believed.beliefs}
    for belief in believed.beliefs:
        ledger.record(
            BELIEVED + belief.name,
            Interval(
                value=told(belief.name, belief.value),
                low=told(belief.name, belief.low),
                high=told(belief.name, belief.high),
            ),
            unit=_UNITS[belief.name],
            about=f"{believed.endpoint.kind} by day {believed.endpoint.day}",
            label=labels[belief.name],
            definition=f"{_SAYS[belief.source]}, and how wrong that may be. {belief.why}",
        )
    _weakest(ledger, wrong, labels)
    if simulated is not None:
        ledger.record(
            POWER,
            simulated,
            unit="share",
            label="Simulated tests that find the effect",
            definition=(
                "Tests of the needed size with the smallest effect, simulated customer by customer "
                "and read once at the end; the share whose own test finds it (Wilson)."
            ),
        )


def _weakest(ledger: Ledger, wrong: pd.DataFrame, labels: Mapping[Name, str]) -> None:
    dearest = weakest(wrong)
    if dearest is not None:
        ledger.record(
            WEAKEST,
            dearest.times,
            unit="per_customer",
            about=labels[dearest.name],
            label="Times as long, if the weakest assumption is wrong",
            definition=(
                "Days of enrolment needed if the assumption is as wrong as it may be, over those "
                "if it is right; the greatest of all assumptions."
            ),
        )


def label(belief: Belief, believed: Believed) -> str:
    """Name an assumption as a row of a table."""
    end = believed.endpoint
    return {
        "entry_per_day": "Customers who enter a day",
        "baseline": f"{end.kind.capitalize()} by day {end.day} as things are",
        "contact_rate": "Reached by the message",
        "dropout_per_day": f"Lost from view in {LOST_IN} days",
        "onset_days": "Days before it has any effect",
    }[belief.name]


def whose(belief: Belief) -> str:
    """Say whose word a belief is."""
    return {"history": "history", "plan": "the plan", "default": "nobody"}[belief.source]


def told(name: Name, value: float) -> float:
    """Turn a belief into a number that people have a picture of: a rate into a share."""
    return 1 - exp(-LOST_IN * value) if name == "dropout_per_day" else value


def weakest(wrong: pd.DataFrame) -> Weakest | None:
    """Find the assumption that costs most time if it is wrong; None where none costs any."""
    ends = [
        Weakest(name=row["assumption"], value=row["value"], at=row[end], times=times)
        for row in wrong.to_dict("records")
        for end in ("low", "high")
        if isfinite(times := _times(row, end)) and times > 1
    ]
    return max(ends, key=lambda each: each.times, default=None)


def _times(row: Mapping[Hashable, Any], end: str) -> float:
    """Days of enrolment if the truth is at an end of the range, over those as believed."""
    slower = row["value"] / row[end] if row["assumption"] == "entry_per_day" and row[end] else 1.0
    return float(slower * row[f"customers_{end}"] / row["customers"])
