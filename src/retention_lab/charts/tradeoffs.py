"""Pictures of what a test could be instead: its effect, its calendar, its arms and its looks."""

from __future__ import annotations

import json
from collections.abc import Mapping
from math import isnan
from typing import Any

import altair as alt
import pandas as pd

from retention_lab.charts.frame import (
    BAND,
    BLUE,
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
from retention_lab.charts.groups import COLOURS, DASHES
from retention_lab.record import percent
from retention_lab.wording import Instead
from retention_lab.wording.phrases import full_day
from retention_lab.wording.tradeoffs import FAMILY, points

_NONE = Instead("No picture: this cannot be worked out for the plan as it stands.")
_FOUND = 0.8
_POINTS = ".1f"
_WEEKS = [1, 2, 3, 5, 10, 20, 30, 50, 100, 200, 300, 500, 1000, 2000]
_OF = {"plan": "This plan", "double": "Twice that", "trade": "What the trade claims", "": ""}
_LEGEND = alt.Legend(
    symbolType="stroke", symbolSize=400, symbolOpacity=1, columns=1, labelLimit=330
)
_LABEL_WIDTH, _LINE = 160, 14  # pixels: of a label, and of a line of it
_WITH, _WITHOUT = "With the effect", "Without any"
_MOST, _MEAN = "At most", "Mean, with the effect"


def effects(frame: pd.DataFrame | None) -> alt.LayerChart | Instead:
    """Weeks that a test takes by the effect it looks for; `frame` is of `tradeoffs.effects`."""
    if frame is None:
        return _NONE
    columns: Columns = {
        "points": ("Effect in points", _POINTS),
        "share": ("Share with it", SHARE),
        "lift": ("Relative lift", SHARE),
        "customers": ("Customers", COUNT),
        "weeks": ("Weeks", COUNT),
        "what": ("What it is", TEXT),
    }
    told = frame.assign(points=100 * frame["effect"], what=frame["of"].map(_OF))
    data = told.drop_duplicates("effect")[list(columns)].round(4)
    plan = told[told["of"] == "plan"].iloc[0]
    trade = told.loc[told["of"] == "trade", "points"]
    x = alt.X(
        "points:Q",
        title=columns["points"][0],
        axis=alt.Axis(format="~g", tickCount=8),
        scale=alt.Scale(zero=True),
    )
    y = alt.Y(
        "weeks:Q",
        title="Weeks (each step the same factor)",
        scale=alt.Scale(type="log", nice=False, padding=12),
        axis=alt.Axis(values=_WEEKS, format="d"),
    )
    base = alt.Chart(data).encode(x=x, y=y, tooltip=tooltips(columns))
    marked = base.transform_filter("datum.what == 'This plan' || datum.what == 'Twice that'")
    layers: list[alt.Chart] = [
        base.mark_line(color=BLUE, strokeWidth=2),
        base.mark_point(color=BLUE, filled=True, size=40, opacity=1),
        marked.mark_point(color=ORANGE, filled=True, size=110, opacity=1),
        marked.mark_text(align="left", dx=9, dy=-7, fontSize=12).encode(text="what:N"),
    ]
    claimed = ""
    if len(trade):
        span = pd.DataFrame({"from": [trade.min()], "to": [trade.max()]})
        layers.insert(0, alt.Chart(span).mark_rect(color=BAND).encode(x="from:Q", x2="to:Q"))
        claimed = " The grey band is what the trade claims."
    return finished(
        alt.LayerChart(layer=layers),
        description=(
            "Weeks until a test has its customers and has followed them, by the effect it looks "
            f"for: {plan['weeks']:.0f} weeks and {plan['customers']:,} customers for "
            f"{points(plan['effect'])}."
        ),
        caption=f"Weeks that a test takes, by the effect it is to find.{claimed}",
        columns=columns,
    )


def calendar(frame: pd.DataFrame | None) -> alt.LayerChart | Instead:
    """How often the test would find its effect, by the day on which it is read once.

    `frame` is of `tradeoffs.calendar`.
    """
    if frame is None:
        return _NONE
    columns: Columns = {
        "day": ("Day of the test", COUNT),
        "date": ("Read at the end of", TEXT),
        "entered": ("Customers entered", COUNT),
        "power": ("Finds it, everybody counted", SHARE),
        "matured": ("Finds it, only those followed to the end", SHARE),
    }
    data = frame.assign(date=frame["on"].map(full_day))[list(columns)].round(4)
    x = alt.X("day:Q", title=columns["day"][0], axis=alt.Axis(format="d", grid=False))
    line = alt.Chart(pd.DataFrame({"y": [_FOUND]})).mark_rule(color=GREY, strokeDash=[4, 3])
    looks = alt.Chart(frame.loc[frame["look"], ["day"]]).mark_rule(color=DARK, strokeWidth=1)
    base = alt.Chart(data).encode(x=x)
    names = {
        "power": "Everybody counts from the first day",
        "matured": "Only those followed to the end",
    }
    last = data.iloc[-1]
    return finished(
        alt.LayerChart(
            layer=[
                line.encode(y="y:Q"),
                looks.encode(x="day:Q"),
                _lines(base, columns, names=names, y="Finds its effect", form="%"),
            ]
        ),
        description=(
            "How often the test would find its effect if it were read once, by day: on day "
            f"{last['day']:.0f} {percent(last['power'])}."
        ),
        caption=(
            "How often the test would find its effect, if it is there, by the one day on which it "
            "is read. Level and dashed: 80 %. Upright: the looks of the plan."
        ),
        columns=columns,
    )


def allocations(frame: pd.DataFrame | None) -> alt.LayerChart | Instead:
    """Customers and messages by the share of control; `frame` is of `tradeoffs.allocations`."""
    if frame is None:
        return _NONE
    columns: Columns = {
        "control": ("Share in control", "%"),
        "customers": ("Customers", COUNT),
        "weeks": ("Weeks", COUNT),
        "messages": ("Of them sent a message", COUNT),
    }
    axis = alt.Axis(format="%", grid=False, tickCount=5)
    x = alt.X("control:Q", title=columns["control"][0], axis=axis, scale=alt.Scale(domain=[0, 1]))
    base = alt.Chart(frame[list(columns)].round(4)).encode(x=x)
    names = {name: columns[name][0] for name in ("customers", "messages")}
    best = frame.sort_values("customers").iloc[0]
    return finished(
        alt.LayerChart(layer=[_lines(base, columns, names=names, y="Customers", form="~s")]),
        description=(
            "Customers that the test needs, by the share of them in control: fewest, "
            f"{best['customers']:,.0f}, with {percent(best['control'])}."
        ),
        caption="Customers needed, and how many of them are sent a message, by share of control.",
        columns=columns,
    )


def looks(frame: pd.DataFrame | None) -> alt.LayerChart | Instead:
    """How likely a test is to have stopped by each look, and what would stop it there.

    `frame` is of `lookahead.looks`.
    """
    if frame is None:
        return _NONE
    if len(frame) == 1:
        when = full_day(frame["on"].iloc[0])
        return Instead(f"No picture: this plan looks once, on {when}, and stops there.")
    columns: Columns = {
        "look": ("Look", COUNT),
        "date": ("At the end of", TEXT),
        "gain": ("Stops for a gain from", TEXT),
        "none": ("May give up below", TEXT),
        "stops_with": ("Stopped by then, with the effect", SHARE),
        "stops_without": ("Stopped by then, without any", SHARE),
    }
    data = frame.assign(
        date=frame["on"].map(full_day),
        gain=frame["smallest"].map(_effect),
        none=frame["futility"].map(_effect),
    )[list(columns)].round(4)
    labels = [_label(row) for row in frame.to_dict("records")]
    rise = -_LINE * (max(map(len, labels)) - 1) / 2  # or the first line is in the middle
    y = alt.Y(
        "look:O",
        title=None,
        axis=alt.Axis(
            labelExpr=f"{json.dumps(labels)}[datum.value - 1]",
            labelLimit=_LABEL_WIDTH,
            labelLineHeight=_LINE,
            labelOffset=rise,
        ),
    )
    base = alt.Chart(data).encode(y=y)
    bars = _folded(base, {"stops_with": _WITH, "stops_without": _WITHOUT}).mark_bar()
    share = alt.Axis(format="%", tickCount=5)
    return finished(
        alt.LayerChart(
            layer=[
                bars.encode(
                    x=alt.X("value:Q", title="Tests that have stopped by then", axis=share),
                    yOffset=alt.YOffset("line:N", sort=[_WITH, _WITHOUT]),
                    color=_colour([_WITH, _WITHOUT], legend=alt.Legend(columns=2)),
                    tooltip=tooltips(columns),
                )
            ]
        ),
        description=f"{columns['stops_with'][0]}, and without: {_in_words(data)}.",
        caption=(
            "Of 100 such tests, how many have stopped by each look, with the effect and without "
            "any; and the effect, in points, that stops a test there."
        ),
        columns=columns,
        height=62 * len(data) + 20,
    )


def families(frame: pd.DataFrame | None) -> alt.LayerChart | Instead:
    """Weeks at most, and on average with the effect, by the number of looks and how they spend.

    `frame` is of `lookahead.families`.
    """
    if frame is None:
        return _NONE
    columns: Columns = {
        "looks": ("Looks", COUNT),
        "kind": ("Bounds", TEXT),
        "customers": ("Customers at most", COUNT),
        "weeks_most": ("Weeks at most", COUNT),
        "weeks_with": ("Weeks on average, with the effect", COUNT),
        "weeks_without": ("Weeks on average, without any", COUNT),
    }
    data = frame.assign(kind=frame["family"].map(FAMILY))[list(columns)].round(2)
    kinds = list(dict.fromkeys(data["kind"]))
    axis = alt.Axis(tickMinStep=1, format="d", grid=False)
    base = alt.Chart(data).encode(x=alt.X("looks:Q", title="Looks, evenly spaced", axis=axis))
    folded = _folded(base, {"weeks_most": _MOST, "weeks_with": _MEAN})
    lines = folded.encode(
        y=alt.Y("value:Q", title="Weeks"), color=_colour(kinds, field="kind"), detail="line:N"
    )
    dashes = alt.Scale(domain=[_MOST, _MEAN], range=DASHES[:2])
    return finished(
        alt.LayerChart(
            layer=[
                lines.mark_line(strokeWidth=2).encode(
                    strokeDash=alt.StrokeDash("line:N", scale=dashes, legend=_LEGEND),
                    tooltip=tooltips(columns),
                ),
                lines.mark_point(size=40, filled=True, opacity=1).encode(tooltip=tooltips(columns)),
            ]
        ),
        description=(
            f"Weeks that a test takes at most, and on average with the effect: with one look "
            f"{data['weeks_most'].iloc[0]:.0f}; with {data['looks'].iloc[-1]:.0f} "
            + "; ".join(
                f"({row['kind']}) {row['weeks_most']:.0f} and {row['weeks_with']:.0f}"
                for row in data.iloc[-len(kinds) :].to_dict("records")
            )
            + "."
        ),
        caption="Weeks at most, and on average if the effect is there, by the number of looks.",
        columns=columns,
    )


def _folded(base: alt.Chart, names: Mapping[str, str]) -> alt.Chart:
    """One row for each of some columns, in `value`, under its name, in `line`."""
    rows = base.transform_fold([*names], as_=["field", "value"])
    return rows.transform_calculate(line=f"{json.dumps(names)}[datum.field]")


def _lines(
    base: alt.Chart, columns: Columns, *, names: Mapping[str, str], y: str, form: str
) -> alt.Chart:
    """Draw columns as lines, each under its name."""
    every = [*names.values()]
    dashes = alt.Scale(domain=every, range=DASHES[: len(every)])
    lines: alt.Chart = _folded(base, names).mark_line(strokeWidth=2)
    return lines.encode(
        y=alt.Y("value:Q", title=y, axis=alt.Axis(format=form), scale=alt.Scale(zero=True)),
        color=_colour(every),
        strokeDash=alt.StrokeDash("line:N", scale=dashes, legend=_LEGEND),
        tooltip=tooltips(columns),
    )


def _colour(names: list[str], *, field: str = "line", legend: alt.Legend = _LEGEND) -> alt.Color:
    scale = alt.Scale(domain=names, range=COLOURS[: len(names)])
    return alt.Color(f"{field}:N", scale=scale, legend=legend)


def _effect(value: float) -> str:
    """Write an effect; there may be none that stands on a bound."""
    return "none" if isnan(value) else points(value)


def _label(row: Mapping[Any, Any]) -> list[str]:
    """Lines beside a look: when it is, and the effects that stop the test."""
    lines = [full_day(row["on"])]
    if not isnan(row["smallest"]):
        lines.append(f"gain from {points(row['smallest'])}")
    if row["futility"] < row["smallest"]:  # at the last look they are one
        lines.append(f"gives up below {points(row['futility'])}")
    return lines


def _in_words(data: pd.DataFrame) -> str:
    return "; ".join(
        f"{row['date']} {percent(row['stops_with'])} and {percent(row['stops_without'])}"
        for row in data.to_dict("records")
    )
