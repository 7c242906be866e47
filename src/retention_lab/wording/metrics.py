"""Own metrics for readers: a table beside the period before, and what is said below it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Literal

import pandas as pd

from retention_lab.record import BEFORE, Ledger
from retention_lab.record.metrics import CHANGE
from retention_lab.tables.metrics import Metric
from retention_lab.wording.annotations import inert
from retention_lab.wording.phrases import Instead, capitalised, counted, full_day
from retention_lab.wording.rows import NOT_SHOWN
from retention_lab.wording.sizes import apart

Reading = Literal["better", "worse", "higher", "lower", "not clear", "no range", ""]


def own_metrics(
    ledger: Ledger, chosen: Sequence[Metric], *, as_of: dt.date, days: int
) -> pd.DataFrame | Instead:
    """Put each metric of the last `days` days beside that of the days before, with who owns it.

    Returns
    -------
    DataFrame or Instead
        One row per metric; a sentence where none was recorded of the last period.
    """
    if not any(metric.name in ledger for metric in chosen):
        return Instead(
            "None of the own metrics can be shown."
            if chosen
            else "No metrics of your own are defined yet."
        )
    before = as_of - dt.timedelta(days=days)
    rows = [
        {
            "Metric": metric.label,
            f"{days} days to {full_day(as_of)}": _shown(ledger, metric.name),
            f"{days} days to {full_day(before)}": _shown(ledger, metric.name + BEFORE),
            "Change": ": ".join(filter(None, (reading(ledger, metric), _moved(ledger, metric)))),
            "Owner, review by": f"{metric.owner}, {full_day(metric.review_by)}",
        }
        for metric in chosen
    ]
    return pd.DataFrame(rows).set_index("Metric")


def own_metrics_read(
    ledger: Ledger, chosen: Sequence[Metric], missing: Mapping[str, str], *, as_of: dt.date
) -> str:
    """Say which metrics moved, which are not shown and why, and which are due for review.

    `missing` is what `record.metrics.metrics` returned. A list, and a caution about chance.
    """
    said = [
        f"- {inert(metric.label)}: {sentence}"
        for metric in chosen
        for sentence in (
            _change(ledger, metric),
            _above_all(ledger, metric),
            _missing(missing.get(metric.name, "")),
            _due(metric, as_of=as_of),
        )
        if sentence
    ]
    return "\n\n".join(filter(None, ["\n".join(said), _caution(ledger, chosen)]))


def reading(ledger: Ledger, metric: Metric) -> Reading:
    """Read a change: only a range that leaves out zero earns a plain word."""
    if metric.name + CHANGE not in ledger:
        return ""
    change = ledger[metric.name + CHANGE]
    if change.low is None or change.high is None:
        return "no range"
    if change.low <= 0 <= change.high:
        return "not clear"
    direction: Reading = "higher" if change.low > 0 else "lower"
    if metric.better == "neither":
        return direction
    return "better" if direction == metric.better else "worse"


def _change(ledger: Ledger, metric: Metric) -> str:
    word = reading(ledger, metric)
    if word in ("", "no range", "not clear"):
        return ""
    now, before = ledger[metric.name], ledger[metric.name + BEFORE]
    return f"{word} than before, {now.text} against {before.text}: {_moved(ledger, metric)}."


def _above_all(ledger: Ledger, metric: Metric) -> str:
    if metric.unit != "share" or metric.name not in ledger or ledger[metric.name].value <= 1:
        return ""
    return "above 100\N{NO-BREAK SPACE}%, as what it counts is no part of what it is divided by."


def _missing(why: str) -> str:
    """Say why a metric is not shown; what it divides by may hold what Markdown would read."""
    return f"not shown, as {inert(why.removesuffix('.'))}." if why else ""


def _due(metric: Metric, *, as_of: dt.date) -> str:
    if metric.review_by >= as_of:
        return ""
    return (
        f"its review was due by {full_day(metric.review_by)}; ask {inert(metric.owner)} whether it "
        "still measures what it should."
    )


def _caution(ledger: Ledger, chosen: Sequence[Metric]) -> str:
    """Say how many changes were looked at: of many, some seem clear by chance."""
    readings = [reading(ledger, metric) for metric in chosen]
    compared = [word for word in readings if word not in ("", "no range")]
    if not compared:
        return ""
    if all(word == "not clear" for word in compared):
        return "No change of an own metric is clear of chance."
    were = "was" if len(compared) == 1 else "were"
    return (
        f"{capitalised(counted(len(compared), 'metric'))} {were} compared; about one in 20 would "
        "move as clearly by chance."
    )


def _shown(ledger: Ledger, name: str) -> str:
    return ledger[name].full if name in ledger else NOT_SHOWN


def _moved(ledger: Ledger, metric: Metric) -> str:
    return apart(ledger[metric.name + CHANGE]) if metric.name + CHANGE in ledger else ""
