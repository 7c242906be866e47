"""Pictures that set groups of customers side by side: a line each, told apart by more than colour.

All groups are handed in; a point that rests on fewer than `SMALL` customers, or would tell of as
few, is left out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import altair as alt
import numpy as np
import pandas as pd

from retention_lab.charts.annotations import annotated, caption, on_axis
from retention_lab.charts.frame import (
    BLUE,
    COUNT,
    GREY,
    MONTH,
    ORANGE,
    ROUND,
    SHARE,
    TEXT,
    Columns,
    by_month,
    finished,
    tooltips,
)
from retention_lab.record import SMALL, percent
from retention_lab.record.small import Mask, covered
from retention_lab.tables.annotations import Annotation
from retention_lab.wording import Instead

PERIODS = 12
_NO_MONTH = (
    f"No picture yet: no month with {SMALL} new customers of a group or more has had all its {{}} "
    "days."
)
_LEGEND = alt.Legend(symbolType="stroke", symbolSize=400, columns=4, labelLimit=150)
COLOURS = [BLUE, ORANGE, "#6b8e6e", "#8a63a8", "#9c755f", "#b07aa1", GREY]
DASHES = [[1, 0], [6, 3], [2, 2], [8, 2, 2, 2], [4, 4], [10, 4], [1, 3]]


def mean_by_group(
    means: Mapping[str, pd.DataFrame], *, by: str, unit: str
) -> alt.LayerChart | Instead:
    """Share of customers who bought in each period after that of their first purchase, by group.

    `means` holds what `cohorts.weighted_mean` gave, by the name of the group, in order.
    """
    columns: Columns = {
        "group": (_heading(by), TEXT),
        "period": (unit, COUNT),
        "size": ("Customers", COUNT),
        "share": ("Share", SHARE),
    }
    data = _stacked(means)
    data = data[data["period"].between(1, PERIODS)]
    did = (data["share"] * data["size"]).round().astype("int64")
    data = data[~hidden_points(data, did, whole="size", by="period")]
    if data.empty:
        return Instead(
            f"No picture yet: no group of {SMALL} customers or more has had a whole "
            f"{unit.lower()} after that of the first purchase."
        )
    per = f"{unit.lower()} since the first purchase"
    x = alt.X(
        "period:Q", title=per.capitalize(), axis=alt.Axis(tickMinStep=1, format="d", grid=False)
    )
    return finished(
        _lines(data[list(columns)].round(ROUND), columns, x=x, title="Bought in the period"),
        description=(
            f"Share of customers who bought in each {per}, by {_plain(by)}; in the first: "
            f"{_in_words(data[data['period'] == 1])}."
        ),
        caption=(
            f"By {per}, the share who bought in it, by {_plain(by)}: means over complete cohorts, "
            "weighted by their size."
        ),
        columns=columns,
    )


def returned_by_group(
    frames: Mapping[str, pd.DataFrame],
    *,
    by: str,
    days: int,
    annotations: Sequence[Annotation] = (),
) -> alt.Chart | alt.LayerChart | Instead:
    """Share of each month's new customers who bought again within `days` days, by group.

    `frames` holds what `cohorts.returned` gave, by the name of the group, in order; only months
    that are complete are drawn.
    """
    columns: Columns = {
        "group": (_heading(by), TEXT),
        "cohort": ("First bought", MONTH),
        "customers": ("Customers", COUNT),
        "share": ("Share", SHARE),
        "low": ("From", SHARE),
        "high": ("To", SHARE),
    }
    data = _stacked(frames)
    data = data[data["complete"]]
    data = data[~hidden_points(data, data["returned"], whole="customers", by="cohort")]
    if data.empty:
        return Instead(_NO_MONTH.format(days))
    data = data[list(columns)].astype(dict.fromkeys(("share", "low", "high"), "float64"))
    x = by_month("cohort", data["cohort"], title="Month of first purchase").bandPosition(0.5)
    newest = data[data["cohort"] == data["cohort"].max()]
    lines = _lines(data.round(ROUND), columns, x=x, title=f"Bought again within {days} days")
    shown = on_axis(annotations, months=data["cohort"])
    return finished(
        annotated(lines, shown, months=data["cohort"]),
        description=(
            f"Share of new customers who bought again within {days} days, by month of first "
            f"purchase and {_plain(by)}; in {newest['cohort'].iloc[0]:{MONTH}}: "
            f"{_in_words(newest)}."
        ),
        caption=(
            f"Bought again within {days} days, by month of first purchase and {_plain(by)}; "
            f"complete months. Intervals stand in the table.{caption(shown)}"
        ),
        columns=columns,
    )


def _stacked(frames: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    return pd.concat([frame.assign(group=name) for name, frame in frames.items()] or [_EMPTY])


def hidden_points(data: pd.DataFrame, did: pd.Series, *, whole: str, by: str) -> Mask:
    """Say which points tell of a few: by themselves, or as what is left of all groups together."""
    hidden = np.zeros(len(data), dtype=bool)
    for places in data.reset_index().groupby(by).indices.values():
        sizes = data[whole].iloc[places]
        small = covered(sizes)
        hidden[places] = small | covered(did.iloc[places], wholes=sizes, unknown=small)
    return hidden


_EMPTY = pd.DataFrame(
    columns=["period", "size", "share", "complete", "customers", "returned", "cohort"]
).astype(
    dict.fromkeys(("period", "size", "customers", "returned"), "int64")
    | {"share": "float64", "complete": "bool"}
)


def _lines(data: pd.DataFrame, columns: Columns, *, x: alt.X, title: str) -> alt.LayerChart:
    names = list(dict.fromkeys(data["group"]))
    base = alt.Chart(data).encode(
        x=x,
        y=alt.Y("share:Q", title=title, axis=alt.Axis(format="%"), scale=alt.Scale(zero=True)),
        color=alt.Color("group:N", sort=names, scale=_scale(names, COLOURS), legend=_LEGEND),
        tooltip=tooltips(columns),
    )
    lines = base.mark_line(strokeWidth=2).encode(
        strokeDash=alt.StrokeDash(
            "group:N", sort=names, scale=_scale(names, DASHES), legend=_LEGEND
        )
    )
    layers: alt.LayerChart = lines + base.mark_point(size=40, filled=True, opacity=1)
    return layers


def _scale(names: list[str], values: list[str] | list[list[int]]) -> alt.Scale:
    return alt.Scale(domain=names, range=values[: len(names)])


def _in_words(data: pd.DataFrame) -> str:
    pairs = zip(data["group"], data["share"], strict=True)
    return ", ".join(f"{group} {percent(share)}" for group, share in pairs) or "no group yet"


def _heading(by: str) -> str:
    return _plain(by).capitalize()


def _plain(by: str) -> str:
    return by.replace("_", " ")
