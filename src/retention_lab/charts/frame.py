"""What all pictures share: colours, theme, and the words and columns that a chart must carry."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from typing import Any, TypeAlias, TypeVar

import altair as alt
import pandas as pd

from retention_lab.wording import Instead

BLUE, ORANGE, GREY, PALE = "#0b5fa5", "#c2410c", "#5b6470", "#9fc3e4"
DARK, LINE, BAND = "#30363d", "#e5e8eb", "#eff1f3"  # words; grid lines; stretches of time
HEIGHT, LAB_WIDTH = 260, 680
# JupyterLab draws this type without a network; Altair's own renderer loads scripts from one.
MIME = "application/vnd.vegalite.v5+json"
# Shares have digits enough that a tooltip and a sentence never differ: rounded to four and then to
# three, 56.347 % would be 56.4. More only makes the page heavier.
ROUND = dict.fromkeys(("share", "low", "high", "later_share", "later_low", "later_high"), 6)

# A label a month at most: left to itself, the axis of a young shop repeats them week by week. It
# stands to the right of its tick, along the month that begins there.
MONTHS = alt.Axis(
    format="%b %y",
    tickCount="month",
    tickSize=8,
    labelAlign="left",
    labelFlush=False,
    labelOffset=1,
    labelOverlap=True,
    labelSeparation=6,
)

# Formats that d3 (tooltips) and Python (data tables) read alike.
COUNT, SHARE, MONTH, TEXT = ",.0f", ".1%", "%B %Y", ""
CELL = ","  # of a count that may be hidden, and then is a word: d3 cannot format those
_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ufffe\uffff]")
Columns = Mapping[str, tuple[str, str]]  # by field: its heading and its format
AnyChart: TypeAlias = alt.Chart | alt.LayerChart
OneChart = TypeVar("OneChart", alt.Chart, alt.LayerChart, AnyChart)


def as_mime(spec: Mapping[str, object], **_: object) -> tuple[dict[str, object], dict[str, object]]:
    """Render for Altair: the chart as `MIME`, its description as text.

    A page draws a chart as wide as it is itself. JupyterLab 4 hangs on that, so there, where the
    runner has not set `RETENTION_LAB_STATIC`, a chart has a width of its own.
    """
    wide = {} if os.environ.get("RETENTION_LAB_STATIC") else {"width": LAB_WIDTH}
    words = f"[chart] {spec.get('description', '')}"
    return {MIME: _printable({**spec, **wide}), "text/plain": words}, {}


def _printable(node: Any) -> Any:  # noqa: ANN401  any JSON
    """Put a space for what cannot be drawn: some of it ends the process that draws the picture."""
    if isinstance(node, str):
        return _UNPRINTABLE.sub(" ", node)
    if isinstance(node, Mapping):
        return {key: _printable(value) for key, value in node.items()}
    return [_printable(each) for each in node] if isinstance(node, list) else node


@alt.theme.register("retention_lab", enable=True)
def _theme() -> alt.theme.ThemeConfig:
    axis = alt.theme.AxisConfigKwds(
        labelColor=DARK,
        titleColor=DARK,
        labelFontSize=12,
        titleFontSize=12,
        titleFontWeight="normal",
        gridColor=LINE,
        domainColor="#b6bcc2",
    )
    legend = alt.theme.LegendConfigKwds(
        labelColor=DARK, labelFontSize=12, orient="top", title=None, symbolStrokeWidth=2
    )
    config = alt.theme.ConfigKwds(
        font="sans-serif", view={"stroke": None}, axis=axis, legend=legend
    )
    return {"config": config}


def tooltips(columns: Columns, *fields: str) -> list[alt.Tooltip]:
    """Give the chosen columns, or all, under the headings of the data table."""
    kinds = {MONTH: "T", TEXT: "N", CELL: "N"}
    return [
        alt.Tooltip(
            f"{field}:{kinds.get(form, 'Q')}",
            title=heading,
            format=alt.Undefined if form in (TEXT, CELL) else form,
        )
        for field, (heading, form) in columns.items()
        if field in (fields or columns)
    ]


def by_month(field: str, months: pd.Series, *, title: str | None = None) -> alt.X:
    """Lay whole months along an axis, from the first to the last of `months`, their first days."""
    first, last = months.min(), months.max()
    begin = alt.DateTime(year=first.year, month=first.month)
    # Not the midnight that ends the month: the month after it would get a label.
    end = alt.DateTime(
        year=last.year, month=last.month, date=last.days_in_month, hours=23, minutes=59
    )
    scale = alt.Scale(domain=[begin, end])
    return alt.X(f"yearmonth({field}):T", title=title, axis=MONTHS, scale=scale)


def stacked_by_month(
    data: pd.DataFrame, columns: Columns, *, size: str, part: str, colours: Mapping[str, str]
) -> alt.Chart:
    """Stack bars of a column `size` by `month`; the first of `colours` stands at the bottom."""
    names = list(colours)
    ranked = alt.Chart(data[list(columns)]).transform_calculate(
        rank=f"indexof({json.dumps(names)}, datum[{json.dumps(part)}])"
    )
    bars: alt.Chart = ranked.mark_bar().encode(
        x=by_month("month", data["month"]),
        y=alt.Y(f"{size}:Q", title=columns[size][0], axis=alt.Axis(format="~s")),
        color=alt.Color(
            f"{part}:N",
            scale=alt.Scale(domain=names, range=list(colours.values())),
            legend=alt.Legend(columns=2, labelLimit=150),
        ),
        order=alt.Order("rank:Q"),
        tooltip=tooltips(columns, "month", part, size),
    )
    return bars


def listed(chart: AnyChart | Instead) -> pd.DataFrame:
    """Give the data table of a chart, which hides what the chart hides; empty without a chart."""
    if isinstance(chart, Instead):
        return pd.DataFrame()
    fields = [field for field, _heading in chart.usermeta["labels"]]
    holders = [chart, *(chart.layer if isinstance(chart, alt.LayerChart) else ())]
    tables = [each.data for each in holders if isinstance(each.data, pd.DataFrame)]
    return next(table[fields] for table in tables if set(fields) <= set(table.columns))


def finished(
    chart: OneChart, *, description: str, caption: str, columns: Columns, height: int = HEIGHT
) -> OneChart:
    """Give a chart its size, its words and the headings of its data table."""
    return chart.properties(
        width="container",
        height=height,
        description=description,
        usermeta={
            "caption": caption,
            "labels": [[field, heading] for field, (heading, _) in columns.items()],
            "formats": {field: form for field, (_, form) in columns.items() if form},
        },
    )
