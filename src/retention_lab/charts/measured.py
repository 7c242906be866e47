"""Pictures of what a test did besides: guardrails in margins, secondary metrics in per cent."""

from __future__ import annotations

import re
from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import altair as alt
import pandas as pd

from retention_lab.charts.frame import (
    BLUE,
    DARK,
    GREY,
    ORANGE,
    TEXT,
    Columns,
    finished,
    tooltips,
)
from retention_lab.experiments.readout import Readout
from retention_lab.wording import Instead
from retention_lab.wording.measured import READINGS, label, of_design, reading, rows_of

MOST = 4.0  # margins at which a picture is cut; and times the average of control
_ROW, _LABEL_WIDTH = 34, 165
_COLOURS = {
    **dict.fromkeys(("holds", "better"), BLUE),
    **dict.fromkeys(("harmed", "worse"), ORANGE),
    **dict.fromkeys(("open", "chance"), GREY),
    "differs": DARK,
}
_SHAPES = {BLUE: "circle", ORANGE: "triangle-down", GREY: "diamond", DARK: "square"}
_MARGINS: Columns = {
    "name": ("Guardrail", TEXT),
    "value": ("Difference in margins, better above 0", "+.2f"),
    "low": ("From", "+.2f"),
    "high": ("To", "+.2f"),
    "says": ("What it says", TEXT),
}
_LIFTS: Columns = {
    "name": ("Secondary metric", TEXT),
    "value": ("Relative to control", "+.1%"),
    "low": ("From", "+.1%"),
    "high": ("To", "+.1%"),
    "says": ("What it says", TEXT),
}
_Rows = Sequence[Mapping[Hashable, Any]]


def guardrails(seen: Readout) -> alt.LayerChart | Instead:
    """Draw each guardrail's difference from control, over its margin, the better side to the right.

    Where nothing may be drawn there is nothing here: the sentence beside the picture says why.
    """
    rows = [row for row in rows_of(seen, "guardrail") if row["open"]]
    if not rows:
        return Instead("")
    data = _written([_in_margins(row) for row in rows], seen)
    said = "; ".join(
        f"{name}: {says}" for name, says in zip(data["name"], data["says"], strict=True)
    )
    return finished(
        _layers(data, _MARGINS, title="Harm borne is -1; better to the right", marks=[-1.0, 0.0]),
        description=f"Guardrails, as differences from control over their margins: {said}.",
        caption=(
            "Differences from control over the harm that the plan would bear, with their 95 % "
            "ranges. A guardrail holds when its whole range lies to the right of the line at -1, "
            f"and is harmed when it lies to the left.{_cut(data)}"
        ),
        columns=_MARGINS,
        height=_ROW * len(data) + 60,
    )


def secondaries(seen: Readout) -> alt.LayerChart | Instead:
    """Draw each secondary metric relative to control.

    What has no relative change is left out, and what control could not do.
    """
    every = [row for row in rows_of(seen, "secondary") if row["open"] and not pd.isna(row["lift"])]
    rows = [row for row in every if not of_design(row, seen)]
    if not rows:
        return Instead("")
    ends = ("lift", "lift_low", "lift_high")
    parts = [
        row | dict(zip(("value", "low", "high"), map(row.get, ends), strict=True)) for row in rows
    ]
    data = _written(parts, seen)
    said = "; ".join(
        f"{name} {at:+.1%}" for name, at in zip(data["name"], data["value"], strict=True)
    )
    return finished(
        _layers(data, _LIFTS, title="More or less than control", marks=[0.0], form="%"),
        description=f"Secondary metrics, relative to control: {said}.",
        caption=(
            "Secondary metrics relative to control, with their 95 % ranges, each alone. Blue: "
            "differs for the better, allowing for all that were examined; orange: for the worse; "
            f"grey: may be chance.{_cut(data)}"
        ),
        columns=_LIFTS,
        height=_ROW * len(data) + 60,
    )


def _in_margins(row: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
    """The difference over the margin, turned so that less is worse."""
    times = (1 if row["better"] == "higher" else -1) / row["margin"]
    low, high = sorted(times * row[end] for end in ("low", "high"))
    return {**row, "value": times * row["difference"], "low": low, "high": high}


def _written(rows: _Rows, seen: Readout) -> pd.DataFrame:
    reads = [reading(row) for row in rows]
    numbers = {
        name: [round(float(row[name]), 4) for row in rows] for name in ("value", "low", "high")
    }
    return pd.DataFrame(
        {
            # What is relative, or in margins, is so of 100 customers or of one.
            "name": [re.sub(" per (100 )?customers?", "", label(row, seen)) for row in rows],
            **numbers,
            "says": [READINGS[read] for read in reads],
            "colour": [_COLOURS[read] for read in reads],
        }
    )


def _cut(data: pd.DataFrame) -> str:
    beyond = data["low"].min() < -MOST or data["high"].max() > MOST
    return " Ranges that are wider than the picture are cut." if beyond else ""


def _layers(
    data: pd.DataFrame, columns: Columns, *, title: str, marks: list[float], form: str = "~g"
) -> alt.LayerChart:
    names = list(data["name"])
    base = alt.Chart(data).encode(
        y=alt.Y("name:N", title=None, sort=names, axis=alt.Axis(labelLimit=_LABEL_WIDTH)),
        color=alt.Color("colour:N", scale=None),
    )
    ends = [max(-MOST, min(data["low"].min(), *marks)), min(MOST, max(data["high"].max(), 0.0))]
    room = 0.05 * (ends[1] - ends[0])
    scale = alt.Scale(domain=[ends[0] - room, ends[1] + room], clamp=True, nice=False)
    x = alt.X("low:Q", title=title, scale=scale, axis=alt.Axis(format=form, tickCount=5))
    shapes = alt.Scale(domain=list(_SHAPES), range=list(_SHAPES.values()))
    lines = [
        alt.Chart(pd.DataFrame({"at": [at]}))
        .mark_rule(color=DARK if at else GREY, strokeWidth=2 if at else 1, strokeDash=[4, 3])
        .encode(x=alt.X("at:Q", scale=scale))
        for at in marks
    ]
    ranges = base.mark_rule(strokeWidth=3).encode(x=x, x2="high:Q")
    points = base.mark_point(filled=True, size=110, opacity=1).encode(
        x=alt.X("value:Q", scale=scale),
        shape=alt.Shape("colour:N", scale=shapes, legend=None),
        tooltip=tooltips(columns),
    )
    return alt.LayerChart(layer=[*lines, ranges, points])
