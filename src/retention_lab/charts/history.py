"""Pictures of a shop's history before a test: who came to the milestone, and what they did then."""

from __future__ import annotations

import altair as alt
import numpy as np
import pandas as pd

from retention_lab.charts.frame import (
    BLUE,
    COUNT,
    GREY,
    MONTHS,
    ORANGE,
    PALE,
    ROUND,
    SHARE,
    TEXT,
    Columns,
    finished,
    tooltips,
)
from retention_lab.charts.staying import steps
from retention_lab.experiments.history import PACE_WEEKS, History
from retention_lab.record import SMALL, percent
from retention_lab.record.history import with_subscription
from retention_lab.record.small import Mask, covered, few
from retention_lab.wording import Instead
from retention_lab.wording.phrases import quoted

_FURTHER = 1.2  # of the endpoint's day, that is drawn
_WIDE = pd.Timedelta(days=6)  # of a bar


def arrivals(history: History) -> alt.LayerChart | Instead:
    """Draw who could have entered, week by week, with the mean of the last weeks and its range.

    Where that cannot be asked, it is who reached the milestone. Weeks of a few are left out, and
    what would tell of them beside the mean.
    """
    asked = not history.weeks["eligible"].isna().any()
    named = history.weeks.rename(columns={"eligible" if asked else "reached": "customers"})
    weeks = named[["week", "customers"]].astype({"customers": "int64"})
    hidden = _hidden(weeks["customers"])
    data = weeks[~hidden]
    if not data["customers"].sum():
        return Instead(f"No picture: there is no whole week with {SMALL} customers or more.")
    what = "Could have entered" if asked else "Reached it"
    columns: Columns = {"begins": ("Week of", TEXT), "customers": (what, COUNT)}
    data = data.assign(begins=data["week"].dt.strftime("%Y-%m-%d"), end=data["week"] + _WIDE)
    bars = alt.Chart(data.assign(none=0)).mark_rect(color=PALE)
    y = alt.Y("customers:Q", title=f"{what}, by week", axis=alt.Axis(format="~s", tickMinStep=1))
    x = alt.X("week:T", title=None, axis=MONTHS)
    layers = [bars.encode(x=x, x2="end:T", y=y, y2="none:Q", tooltip=tooltips(columns))]
    mean, last = _mean(history), data.iloc[-1]
    if mean is not None:
        layers += _lines(mean)
    return finished(
        alt.LayerChart(layer=layers),
        description=(
            f"Customers who reached {quoted(history.milestone)} by week"
            f"{', if they could have entered a test' if asked else ''}: "
            f"{last['customers']:,} in the week of {last['begins']}."
        ),
        caption=(
            f"{what}, by the week in which they first reached {quoted(history.milestone)}."
            + (" The line is the mean, with its 95 % range." if mean is not None else "")
            + (" Weeks that would tell of a few are left out." if hidden.any() else "")
        ),
        columns=columns,
    )


def baseline(history: History) -> alt.LayerChart | Instead:
    """Draw who is still there, or has come back, by days since the milestone, with the band.

    It ends a little after the endpoint's day, which is marked, or where fewer than `SMALL` were
    followed. As in `charts.staying`, it goes in steps of nobody or of as many.
    """
    coming = not with_subscription(history)
    data = pd.DataFrame()
    if history.curve is not None:
        data = steps(history.curve, coming=coming, days=_FURTHER * history.endpoint.day)
    if len(data) < 2:
        few_steps = f"No picture: a line would tell of fewer than {SMALL} customers."
        return Instead(history.why.get("baseline", few_steps))
    what = "Have bought again" if coming else "Still subscribed"
    columns: Columns = {
        "day": ("Day", COUNT),
        "share": (what, SHARE),
        "low": ("From", SHARE),
        "high": ("To", SHARE),
        "at_risk": ("Still followed", COUNT),
    }
    base = alt.Chart(data[list(columns)].round(ROUND)).encode(
        x=alt.X("day:Q", title=f"Days since {quoted(history.milestone)}")
    )
    y = alt.Y("low:Q", title=what, axis=alt.Axis(format="%"))
    band = base.mark_area(opacity=0.15, color=BLUE).encode(y=y, y2="high:Q")
    line = base.mark_line(color=BLUE).encode(y="share:Q", tooltip=tooltips(columns))
    day = alt.Chart(pd.DataFrame({"at": [history.endpoint.day]}))
    mark = day.mark_rule(color=GREY, strokeDash=[4, 4]).encode(x="at:Q")
    last = data.iloc[-1]
    return finished(
        alt.LayerChart(layer=[band, line, mark]),
        description=(
            f"{what}, by days since {quoted(history.milestone)}: {percent(last['share'])} by day "
            f"{last['day']:.0f}."
        ),
        caption=(
            f"{what}, by days since {quoted(history.milestone)}, of those who came in the last "
            f"{history.span} days. The band is a 95 % interval; the dashed line is day "
            f"{history.endpoint.day}, the endpoint of the test."
        ),
        columns=columns,
    )


def _hidden(customers: pd.Series) -> Mask:
    """Say which weeks tell of a few; of the last the sum is known, by their mean."""
    summed = np.arange(len(customers)) >= len(customers) - PACE_WEEKS
    hidden = few(customers)
    hidden[summed] = covered(customers[summed])
    return hidden


def _mean(history: History) -> pd.DataFrame | None:
    """Mean of the last weeks and its range, from the first of them to the end of the last."""
    weeks, pace = history.weeks.tail(PACE_WEEKS), history.entry
    if pace is None or few(weeks["eligible"].sum()):
        return None
    a_week = 7 / history.coverage
    found = {name: a_week * getattr(pace, name) for name in ("value", "low", "high")}
    ends = {"begin": weeks["week"].iloc[0], "end": weeks["week"].iloc[-1] + _WIDE}
    return pd.DataFrame([found | ends])


def _lines(mean: pd.DataFrame) -> list[alt.Chart]:
    across = alt.Chart(mean).encode(x="begin:T", x2="end:T")
    band = across.mark_rect(color=ORANGE, opacity=0.25).encode(y="low:Q", y2="high:Q")
    return [band, across.mark_rule(color=ORANGE, strokeWidth=2).encode(y="value:Q")]
