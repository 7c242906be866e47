"""Pictures of the looks of a test: what stops it there, and what more looks cost and save."""

from __future__ import annotations

import json
from collections.abc import Mapping
from math import isnan
from typing import Any

import altair as alt
import pandas as pd

from retention_lab.charts.frame import COUNT, SHARE, TEXT, Columns, finished, tooltips
from retention_lab.charts.groups import COLOURS, DASHES
from retention_lab.record import percent
from retention_lab.wording import Instead
from retention_lab.wording.phrases import full_day
from retention_lab.wording.sizes import points
from retention_lab.wording.tradeoffs import FAMILY

LEGEND = alt.Legend(symbolType="stroke", symbolSize=400, symbolOpacity=1, columns=1, labelLimit=330)
_LABEL_WIDTH, _LINE = 160, 14  # pixels: of a label, and of a line of it
_STOPS = {"stops_with": "With the effect", "stops_without": "Without any"}
_WEEKS = {"weeks_most": "At most", "weeks_with": "Mean, with the effect"}
_LOOKS: Columns = {
    "look": ("Look", COUNT),
    "date": ("At the end of", TEXT),
    "gain": ("Stops for a gain from", TEXT),
    "none": ("May give up below", TEXT),
    "stops_with": ("Stopped by then, with the effect", SHARE),
    "stops_without": ("Stopped by then, without any", SHARE),
}
_FAMILIES: Columns = {
    "looks": ("Looks", COUNT),
    "kind": ("Bounds", TEXT),
    "customers": ("Customers at most", COUNT),
    "weeks_most": ("Weeks at most", COUNT),
    "weeks_with": ("Weeks on average, with the effect", COUNT),
    "weeks_without": ("Weeks on average, without any", COUNT),
}


def looks(frame: pd.DataFrame) -> alt.LayerChart | Instead:
    """How likely a test is to have stopped by each look, and what would stop it there.

    `frame` is of `lookahead.looks`.
    """
    if len(frame) == 1:
        when = full_day(frame["on"].iloc[0])
        return Instead(f"No picture: this plan looks once, on {when}, and stops there.")
    data = frame.assign(
        date=frame["on"].map(full_day),
        gain=frame["smallest"].map(_effect),
        none=frame["futility"].map(_effect),
    )[list(_LOOKS)].round(4)
    share = alt.Axis(format="%", tickCount=5)
    names = [*_STOPS.values()]
    base = alt.Chart(data).encode(y=_beside(frame))
    bars = folded(base, _STOPS).mark_bar()
    stopped = bars.encode(
        x=alt.X("value:Q", title="Tests that have stopped by then", axis=share),
        yOffset=alt.YOffset("line:N", sort=names),
        color=coloured(names, legend=alt.Legend(columns=2)),
        tooltip=tooltips(_LOOKS),
    )
    words = "; ".join(
        f"{row['date']} {percent(row['stops_with'])} and {percent(row['stops_without'])}"
        for row in data.to_dict("records")
    )
    return finished(
        alt.LayerChart(layer=[stopped]),
        description=f"{_LOOKS['stops_with'][0]}, and without: {words}.",
        caption=(
            "How many tests as planned have stopped by each look, with the effect and without any; "
            "and the effects, in points, that stop a test there."
        ),
        columns=_LOOKS,
        height=62 * len(data) + 20,
    )


def families(frame: pd.DataFrame) -> alt.LayerChart:
    """Weeks at most, and on average with the effect, by the number of looks and how they spend.

    `frame` is of `lookahead.families`.
    """
    data = frame.assign(kind=frame["family"].map(FAMILY))[list(_FAMILIES)].round(2)
    kinds, names = list(dict.fromkeys(data["kind"])), [*_WEEKS.values()]
    axis = alt.Axis(tickMinStep=1, format="d", grid=False)
    base = alt.Chart(data).encode(x=alt.X("looks:Q", title="Looks, evenly spaced", axis=axis))
    weeks = folded(base, _WEEKS).encode(
        y=alt.Y("value:Q", title="Weeks"),
        color=coloured(kinds, field="kind"),
        detail="line:N",
        tooltip=tooltips(_FAMILIES),
    )
    last = "; ".join(
        f"{row['kind']}, {row['weeks_most']:.0f} and {row['weeks_with']:.0f}"
        for row in data.iloc[-len(kinds) :].to_dict("records")
    )
    return finished(
        alt.LayerChart(
            layer=[
                weeks.mark_line(strokeWidth=2).encode(strokeDash=dashed(names)),
                weeks.mark_point(size=40, filled=True, opacity=1),
            ]
        ),
        description=(
            "Weeks that a test takes at most, and on average with the effect. With one look: "
            f"{data['weeks_most'].iloc[0]:.0f}. With {data['looks'].iloc[-1]}: {last}."
        ),
        caption="Weeks at most, and on average if the effect is there, by the number of looks.",
        columns=_FAMILIES,
    )


def folded(base: alt.Chart, names: Mapping[str, str]) -> alt.Chart:
    """One row for each of some columns, in `value`, under its name, in `line`."""
    rows = base.transform_fold([*names], as_=["field", "value"])
    return rows.transform_calculate(line=f"{json.dumps(names)}[datum.field]")


def coloured(names: list[str], *, field: str = "line", legend: alt.Legend = LEGEND) -> alt.Color:
    """A colour for each name, in order."""
    scale = alt.Scale(domain=names, range=COLOURS[: len(names)])
    return alt.Color(f"{field}:N", scale=scale, legend=legend)


def dashed(names: list[str]) -> alt.StrokeDash:
    """A dash for each name of a `folded` column, in order."""
    scale = alt.Scale(domain=names, range=DASHES[: len(names)])
    return alt.StrokeDash("line:N", scale=scale, legend=LEGEND)


def _beside(frame: pd.DataFrame) -> alt.Y:
    """Name each look by its day and the effects that stop the test there, one below the other."""
    labels = [_label(row) for row in frame.to_dict("records")]
    axis = alt.Axis(
        labelExpr=f"{json.dumps(labels)}[datum.value - 1]",
        labelLimit=_LABEL_WIDTH,
        labelLineHeight=_LINE,
        # Else the first line is where the middle ought to be.
        labelOffset=-_LINE * (max(map(len, labels)) - 1) / 2,
    )
    return alt.Y("look:O", title=None, axis=axis)


def _label(row: Mapping[Any, Any]) -> list[str]:
    lines = [full_day(row["on"])]
    if not isnan(row["smallest"]):
        lines.append(f"gain from {points(row['smallest'])}")
    if row["futility"] < row["smallest"]:  # at the last look they are one
        lines.append(f"gives up below {points(row['futility'])}")
    return lines


def _effect(value: float) -> str:
    """Write an effect; there may be none that stands on a bound."""
    return "none" if isnan(value) else points(value)
