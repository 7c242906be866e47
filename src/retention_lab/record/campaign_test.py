"""What is claimed of a campaign test: each step by arm, against control, and each arm with each.

What rests on fewer than `SMALL` customers, or would tell of as few, is not recorded. What is
counted per customer is claimed per 100 of them: in a short window it is small.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from retention_lab.experiments.campaign import Best
from retention_lab.experiments.readout import Readout
from retention_lab.inference.interval import Interval
from retention_lab.record.ledger import Ledger, Unit
from retention_lab.record.small import SMALL, few, splits

# The surest first, as to what is shown: machines open messages, too.
RANKED = (
    *("orders", "revenue_per_customer", "conversion", "click", "visit"),
    *("unsubscribe", "open"),
)
# As a customer goes: the order of a page.
STEPS = (
    *("visit", "open", "click", "conversion"),
    *("orders", "revenue_per_customer", "unsubscribe"),
)
_HUNDRED = 100
_Row = Mapping[Hashable, Any]


def valued(metric: str, arm: str) -> str:
    """Name the claim about a step of an arm."""
    return f"campaign:{metric}:{arm}"


def apart(metric: str, arm: str, other: str) -> str:
    """Name the claim about the difference of two arms."""
    return f"campaign_apart:{metric}:{arm}:{other}"


def headed(row: _Row) -> str:
    """Head a figure; what is counted by customer is told per 100 of them."""
    label: str = row["label"]
    if row["unit"] != "per_customer":
        return label
    return label.replace("per customer", f"per {_HUNDRED} customers")


def shown(frame: pd.DataFrame) -> pd.DataFrame:
    """Keep the rows of `campaign.funnel` that may be shown, in the order of the steps.

    Whoever clicks has mostly visited, and opened the message: so of two shares of an arm that are
    a few customers apart, the one that ranks lower goes.
    """
    told = frame[frame["value"].notna()]
    ranked = _ordered(told, RANKED)
    kept: list[bool] = []
    seen: list[tuple[str, str, int]] = []  # step, arm and how many did it
    for row in ranked.to_dict("records"):
        is_share = row["unit"] == "share"
        own = [(row["arm"], row["did"]), ("", row["did_control"])]
        near = is_share and any(
            few(abs(did - other)) and arm == whose and step != row["metric"]
            for arm, did in own
            for step, whose, other in seen
        )
        kept.append(not (near or _small(row, "") or _small(row, "_control")))
        if kept[-1] and is_share:
            seen += [(row["metric"], *each) for each in own]
    return _ordered(ranked[np.array(kept, dtype=bool)], STEPS)


def _ordered(frame: pd.DataFrame, metrics: Sequence[str]) -> pd.DataFrame:
    return frame.iloc[np.argsort(frame["metric"].map(metrics.index), kind="stable")]


def may_show(best: Best) -> bool:
    """Say whether no arm of `best` tells of a few."""
    rows = best.arms.assign(unit=best.outcome.unit).to_dict("records")
    return not any(_small(row, "") for row in rows)


def _small(row: _Row, end: str) -> bool:
    did, customers = row[f"did{end}"], row[f"customers{end}"]
    hides = splits(did, customers) if row["unit"] == "share" else few(did)
    return bool(customers < SMALL or hides)


def record(
    ledger: Ledger, seen: Readout, frame: pd.DataFrame | None, best: Best | None = None
) -> None:
    """Record what `campaign.funnel` and `campaign.best` found, if it may be read."""
    if not seen.shows:
        return
    control = seen.plan.arms[0].name
    for row in [] if frame is None else shown(frame).to_dict("records"):
        _value(ledger, seen, row, arm=row["arm"], of=("value", "value_low", "value_high"))
        ends = ("control", "control_low", "control_high")
        _value(ledger, seen, row | {"customers": row["customers_control"]}, arm=control, of=ends)
        _apart(ledger, seen, row, other=control)
    if best is not None and may_show(best):
        made = best.outcome
        words = {"metric": made.name, "label": made.label, "unit": made.unit}
        for row in best.arms.to_dict("records"):
            _value(ledger, seen, row | words, arm=row["arm"], of=("value", "low", "high"))
        for row in best.pairs.to_dict("records"):
            _apart(ledger, seen, row | words, other=row["other"])


def _value(ledger: Ledger, seen: Readout, row: _Row, *, arm: str, of: tuple[str, ...]) -> None:
    name = valued(row["metric"], arm)
    if name not in ledger:
        ledger.record(
            name,
            _scaled(row, of),
            unit=row["unit"],
            currency=seen.currency if row["unit"] == "money" else "",
            n=row["customers"],
            about=arm,
            label=f"{headed(row)}, {arm}",
            definition=_definition(seen, "of those assigned, whether or not a message arrived."),
        )


def _apart(ledger: Ledger, seen: Readout, row: _Row, *, other: str) -> None:
    name = apart(row["metric"], row["arm"], other)
    if name not in ledger and not pd.isna(row["low"]):
        unit: Unit = "points" if row["unit"] == "share" else row["unit"]
        ledger.record(
            name,
            _scaled(row, ("difference", "low", "high")),
            unit=unit,
            currency=seen.currency if unit == "money" else "",
            difference=True,
            about=f"{row['arm']} less {other}",
            label=f"{headed(row)}, {row['arm']} less {other}",
            definition=_definition(seen, f"the average of {row['arm']} less that of {other}."),
        )


def _definition(seen: Readout, what: str) -> str:
    return f"Within {seen.plan.endpoint.day} days from time zero; {what}"


def _scaled(row: _Row, of: tuple[str, ...]) -> Interval:
    times = _HUNDRED if row["unit"] == "per_customer" else 1
    value, low, high = (times * float(row[name]) for name in of)
    return Interval(value=value, low=low, high=high)
