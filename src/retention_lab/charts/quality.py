"""Pictures of the data themselves: what became of each row."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import pandas as pd

from retention_lab.charts.annotations import annotated, caption, on_axis
from retention_lab.charts.frame import (
    BLUE,
    COUNT,
    GREY,
    MONTH,
    ORANGE,
    TEXT,
    AnyChart,
    Columns,
    finished,
    stacked_by_month,
)
from retention_lab.record.small import covered
from retention_lab.tables.annotations import Annotation
from retention_lab.tables.quality import USED
from retention_lab.wording import Instead

COLOURS = [BLUE, ORANGE, "#e3a72f", "#6b8e6e", "#8a63a8", GREY, "#b07aa1", "#9c755f"]


def left_out(
    frame: pd.DataFrame,
    *,
    table: str,
    minor_per_unit: int,
    annotations: Sequence[Annotation] = (),
) -> AnyChart | Instead:
    """Rows of one table by month and by what became of them.

    `frame` is a snapshot's `left_out`; rows without a time stand in no month and are not drawn. Any
    number of rows is told, but what they come to only from `SMALL` on: a table beside the picture
    adds the months up, so with a single month the next smallest is hidden.
    """
    columns: Columns = {
        "month": ("Month", MONTH),
        "reason": ("What became of it", TEXT),
        "rows": (f"Rows of {table}", COUNT),
        "amount": ("Amount", COUNT),
    }
    rows = frame[(frame["table"] == table) & frame["month"].notna()]
    if rows.empty:
        return Instead(f"No picture: no row of {table} has a time of its own.")
    amounts = (rows["amount"] / minor_per_unit).round()
    data = rows.assign(amount=amounts.mask(_hidden(rows)))
    reasons = dict.fromkeys([USED, *rows["reason"]])
    colours = dict(zip(reasons, itertools.cycle(COLOURS), strict=False))
    bars = stacked_by_month(data, columns, size="rows", part="reason", colours=colours)
    shown = on_axis(annotations, months=data["month"])
    return finished(
        annotated(bars, shown, months=data["month"]),
        description=f"Rows of {table} by month, used or left out by reason.",
        caption=f"What became of each row of {table}, month by month.{caption(shown)}",
        columns=columns,
    )


def _hidden(rows: pd.DataFrame) -> pd.Series:
    hidden = pd.Series(data=False, index=rows.index)
    for _reason, months in rows.groupby("reason"):
        hidden[months.index] = covered(months["rows"])
    return hidden
