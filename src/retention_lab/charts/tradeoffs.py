"""Pictures of what a test could be instead: its effect, its calendar, its arms and its looks."""

from __future__ import annotations

from collections.abc import Mapping

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
from retention_lab.charts.lookahead import coloured, dashed, families, folded, looks
from retention_lab.record import percent
from retention_lab.wording.phrases import full_day
from retention_lab.wording.sizes import points

__all__ = ["allocations", "calendar", "effects", "families", "looks"]

_FOUND = 0.8
_WEEKS = [1, 2, 3, 5, 10, 20, 30, 50, 100, 200, 300, 500, 1000, 2000]
_OF = {"plan": "This plan", "double": "Twice that", "trade": "What the trade claims", "": ""}
_MARKED = "datum.what == 'This plan' || datum.what == 'Twice that'"
_EFFECTS: Columns = {
    "points": ("Effect in points", ".1f"),
    "share": ("Share with it", SHARE),
    "lift": ("Relative lift", SHARE),
    "customers": ("Customers", COUNT),
    "weeks": ("Weeks", COUNT),
    "what": ("What it is", TEXT),
}
_CALENDAR: Columns = {
    "day": ("Day of the test", COUNT),
    "date": ("Read at the end of", TEXT),
    "entered": ("Customers entered", COUNT),
    "power": ("Finds it, everybody counted", SHARE),
    "matured": ("Finds it, only those followed to the end", SHARE),
}
_ALLOCATIONS: Columns = {
    "control": ("Share in control", "%"),
    "customers": ("Customers", COUNT),
    "weeks": ("Weeks", COUNT),
    "messages": ("Of them sent a message", COUNT),
}


def effects(frame: pd.DataFrame) -> alt.LayerChart:
    """Weeks that a test takes by the effect it looks for; `frame` is of `tradeoffs.effects`."""
    told = frame.assign(points=100 * frame["effect"], what=frame["of"].map(_OF))
    plan = told[told["of"] == "plan"].iloc[0]
    trade = told.loc[told["of"] == "trade", "points"]
    axis = alt.Axis(format="~g", tickCount=8)
    x = alt.X("points:Q", title=_EFFECTS["points"][0], axis=axis, scale=alt.Scale(zero=True))
    y = alt.Y(
        "weeks:Q",
        title="Weeks (each step the same factor)",
        scale=alt.Scale(type="log", nice=False, padding=12),
        axis=alt.Axis(values=_WEEKS, format="d"),
    )
    data = told.drop_duplicates("effect")[list(_EFFECTS)].round(4)
    base = alt.Chart(data).encode(x=x, y=y, tooltip=tooltips(_EFFECTS))
    marked = base.transform_filter(_MARKED)
    layers: list[alt.Chart] = [
        base.mark_line(color=BLUE, strokeWidth=2),
        base.mark_point(color=BLUE, filled=True, size=40, opacity=1),
        marked.mark_point(color=ORANGE, filled=True, size=110, opacity=1),
        marked.mark_text(align="left", dx=9, dy=-7, fontSize=12).encode(text="what:N"),
    ]
    return finished(
        alt.LayerChart(layer=[*_band(trade), *layers]),
        description=(
            "Weeks until a test has its customers and has followed them, by the effect it looks "
            f"for: {plan['weeks']:.0f} weeks and {plan['customers']:,} customers for "
            f"{points(plan['effect'])}."
        ),
        caption="Weeks that a test takes, by the effect it is to find."
        + (" The grey band is what the trade claims." if len(trade) else ""),
        columns=_EFFECTS,
    )


def calendar(frame: pd.DataFrame) -> alt.LayerChart:
    """How often the test would find its effect, by the day on which it is read once.

    `frame` is of `tradeoffs.calendar`.
    """
    data = frame.assign(date=frame["on"].map(full_day))[list(_CALENDAR)].round(4)
    x = alt.X("day:Q", title=_CALENDAR["day"][0], axis=alt.Axis(format="d", grid=False))
    line = alt.Chart(pd.DataFrame({"y": [_FOUND]})).mark_rule(color=GREY, strokeDash=[4, 3])
    upright = alt.Chart(frame.loc[frame["look"], ["day"]]).mark_rule(color=DARK, strokeWidth=1)
    names = {
        "power": "Everybody counts from the first day",
        "matured": "Only those followed to the end",
    }
    base = alt.Chart(data).encode(x=x)
    last = data.iloc[-1]
    return finished(
        alt.LayerChart(
            layer=[
                line.encode(y="y:Q"),
                upright.encode(x="day:Q"),
                _lines(base, _CALENDAR, names=names, y="Finds its effect", form="%"),
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
        columns=_CALENDAR,
    )


def allocations(frame: pd.DataFrame) -> alt.LayerChart:
    """Customers and messages by the share of control; `frame` is of `tradeoffs.allocations`."""
    axis = alt.Axis(format="%", grid=False, tickCount=5)
    across = alt.Scale(domain=[0, 1])
    x = alt.X("control:Q", title=_ALLOCATIONS["control"][0], axis=axis, scale=across)
    names = {name: _ALLOCATIONS[name][0] for name in ("customers", "messages")}
    base = alt.Chart(frame[list(_ALLOCATIONS)].round(4)).encode(x=x)
    best = frame.sort_values("customers").iloc[0]
    return finished(
        alt.LayerChart(layer=[_lines(base, _ALLOCATIONS, names=names, y="Customers", form="~s")]),
        description=(
            "Customers that the test needs, by the share of them in control: fewest, "
            f"{best['customers']:,.0f}, with {percent(best['control'])}."
        ),
        caption="Customers needed, and how many of them are sent a message, by share of control.",
        columns=_ALLOCATIONS,
    )


def _band(claimed: pd.Series) -> list[alt.Chart]:
    """Stretch of the effects that are claimed, if any are."""
    if claimed.empty:
        return []
    span = pd.DataFrame({"from": [claimed.min()], "to": [claimed.max()]})
    return [alt.Chart(span).mark_rect(color=BAND).encode(x="from:Q", x2="to:Q")]


def _lines(
    base: alt.Chart, columns: Columns, *, names: Mapping[str, str], y: str, form: str
) -> alt.Chart:
    """Draw columns as lines, each under its name."""
    lines: alt.Chart = folded(base, names).mark_line(strokeWidth=2)
    return lines.encode(
        y=alt.Y("value:Q", title=y, axis=alt.Axis(format=form), scale=alt.Scale(zero=True)),
        color=coloured([*names.values()]),
        strokeDash=dashed([*names.values()]),
        tooltip=tooltips(columns),
    )
