"""The picture of a test while its plan is tried out: its power by week, and where it stands."""

from __future__ import annotations

from collections.abc import Mapping

import altair as alt
import pandas as pd

from retention_lab.charts.frame import (
    BAND,
    COUNT,
    DARK,
    GREY,
    ORANGE,
    SHARE,
    TEXT,
    Columns,
    finished,
    tooltips,
)
from retention_lab.charts.lookahead import coloured, dashed, folded
from retention_lab.experiments.proposal import Proposal
from retention_lab.record import percent
from retention_lab.wording import Instead
from retention_lab.wording.phrases import full_day
from retention_lab.wording.sizes import lasts

_NAMES = {
    "power": "Everybody counts from the first day",
    "matured": "Only those followed to the end",
}
_COLUMNS: Columns = {
    "week": ("Week of the test", ",.1f"),
    "date": ("Read at the end of", TEXT),
    "entered": ("Customers entered", COUNT),
    "power": ("Finds it, everybody counted", SHARE),
    "matured": ("Finds it, only those followed to the end", SHARE),
}


def power(seen: Proposal) -> alt.LayerChart | Instead:
    """Draw how often the test finds its effect, by week; where the plan stands, and its looks."""
    if seen.calendar is None or seen.sized is None:
        return Instead(next(iter(seen.why.values())))
    size, goal, frame = seen.sized, seen.plan.primary.power, seen.calendar
    data = frame.assign(week=frame["day"] / 7, date=frame["on"].map(full_day))
    marks = [{"week": week} for week in data.loc[data["look"], "week"]]
    plan = {"week": size.planned_weeks, "share": size.power}
    layers = [
        _of({"from": 0, "to": seen.plan.days / 7})
        .mark_rect(color=BAND)
        .encode(alt.X("from:Q"), alt.X2("to:Q")),
        _of({"goal": goal}).mark_rule(color=GREY, strokeDash=[4, 3]).encode(alt.Y("goal:Q")),
        _of(*marks).mark_rule(color=DARK).encode(alt.X("week:Q")),
        _lines(data[list(_COLUMNS)].round(4)),
        _of(plan)
        .mark_point(color=ORANGE, filled=True, size=130, opacity=1)
        .encode(alt.X("week:Q"), alt.Y("share:Q")),
    ]
    return finished(
        alt.LayerChart(layer=layers),
        description=(
            f"How often the test finds its effect, by the week in which it is read: as planned "
            f"{percent(size.power)} after {lasts(size.planned_weeks)}."
        ),
        caption=(
            "How often the test finds its effect, if it is there, by the one week in which it is "
            f"read. Level and dashed: {percent(goal)}, which is asked for. Upright: the looks. "
            "Grey: customers enter. The point is the plan with all its looks."
        ),
        columns=_COLUMNS,
    )


def _of(*rows: Mapping[str, float]) -> alt.Chart:
    """Begin a layer of a few rows; a frame for each would take as long as all else together."""
    return alt.Chart(alt.InlineData(values=[*rows]))


def _lines(data: pd.DataFrame) -> alt.Chart:
    base = alt.Chart(data).encode(
        x=alt.X("week:Q", title="Weeks since the first day", axis=alt.Axis(format="d", grid=False))
    )
    lines: alt.Chart = folded(base, _NAMES).mark_line(strokeWidth=2)
    return lines.encode(
        y=alt.Y(
            "value:Q",
            title="Finds its effect",
            axis=alt.Axis(format="%"),
            scale=alt.Scale(domain=[0, 1]),
        ),
        color=coloured([*_NAMES.values()]),
        strokeDash=dashed([*_NAMES.values()]),
        tooltip=tooltips(_COLUMNS),
    )
