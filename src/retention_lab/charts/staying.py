"""Pictures of how long customers stay, or wait: curves by group with their bands, and causes."""

from __future__ import annotations

from collections.abc import Mapping

import altair as alt
import numpy as np
import pandas as pd

from retention_lab.charts.frame import COUNT, ROUND, SHARE, TEXT, Columns, finished, tooltips
from retention_lab.charts.groups import COLOURS, DASHES
from retention_lab.record import SMALL, percent
from retention_lab.record.small import apart
from retention_lab.wording import Instead

LINES = 5  # more cannot be told apart
STEPS = 60  # of one curve: more than a screen shows
_LEGEND = alt.Legend(symbolType="stroke", symbolSize=400, columns=3, labelLimit=180)


def staying(
    curves: Mapping[str, pd.DataFrame], *, days: int, what: str, by: str, coming: bool = False
) -> alt.LayerChart | Instead:
    """Share who have not had the event by each day, a line with its band for each group.

    `curves` holds what `kaplan_meier` gave, by the name of the group, in order; of these the last
    `LINES` are drawn, each as far as `SMALL` customers were followed, in steps of nobody or as
    many. With `coming`, where the event is a good one, the share who have had it.
    """
    columns: Columns = {
        "group": (by, TEXT),
        "day": ("Day", COUNT),
        "share": (what, SHARE),
        "low": ("From", SHARE),
        "high": ("To", SHARE),
        "at_risk": ("Still followed", COUNT),
    }
    drawn = {name: _steps(curve, days=days, coming=coming) for name, curve in curves.items()}
    names = [name for name, steps in drawn.items() if len(steps) > 1][-LINES:]
    if not names:
        return Instead(f"No picture yet: no group of {SMALL} customers was followed for a day.")
    data = pd.concat([drawn[name].assign(group=name) for name in names])[list(columns)].round(ROUND)
    last = data.groupby("group", sort=False).last()
    words = "; ".join(
        f"{name} {percent(row['share'])} by day {row['day']:.0f}" for name, row in last.iterrows()
    )
    return finished(
        _banded(data, columns, names=names, days=days),
        description=f"{what} by days, by {by.lower()}: {words}.",
        caption=f"{what} by days, by {by.lower()}. Bands are 95 % intervals.",
        columns=columns,
    )


def causes(curves: pd.DataFrame, *, days: int) -> alt.LayerChart | Instead:
    """Share who have left by each day, by cause; `curves` is what `cumulative_incidence` gave."""
    columns: Columns = {
        "group": ("Cause", TEXT),
        "day": ("Day", COUNT),
        "share": ("Have left", SHARE),
        "low": ("From", SHARE),
        "high": ("To", SHARE),
        "at_risk": ("Still followed", COUNT),
    }
    parts = []
    for cause, rows in curves[curves["day"] <= days].groupby("cause", sort=False):
        kept = rows[(rows["at_risk"] >= SMALL) & ~_few_by_then(rows)]
        kept = kept[apart(kept["at_risk"], kept["events"].cumsum())] if len(kept) else kept
        parts.append(_thinned(kept).assign(group=cause, share=lambda each: each["incidence"]))
    data = pd.concat(parts)[list(columns)].round(ROUND)
    names = [name for name in dict.fromkeys(data["group"]) if (data["group"] == name).sum() > 1]
    if not names:
        return Instead(f"No picture: no cause of {SMALL} cancellations or more.")
    data = data[data["group"].isin(names)]
    last = data.groupby("group", sort=False).last()
    words = "; ".join(f"{name} {percent(row['share'])}" for name, row in last.iterrows())
    return finished(
        _banded(data, columns, names=names, days=days),
        description=f"Share who have left by day {data['day'].max():.0f}, by cause: {words}.",
        caption=(
            "Have left by days, by cause; the shares add up to all who left. Bands are 95 % "
            "intervals."
        ),
        columns=columns,
    )


def _few_by_then(rows: pd.DataFrame) -> pd.Series:
    so_far = rows["events"].cumsum()
    return so_far.between(1, SMALL - 1)


def _steps(curve: pd.DataFrame, *, days: int, coming: bool) -> pd.DataFrame:
    kept = curve[(curve["at_risk"] >= SMALL) & (curve["day"] <= days)]
    if len(kept):
        kept = kept[apart(kept["at_risk"], kept["events"].cumsum(), kept["censored"].cumsum())]
    names = ["share", "low", "high"]
    shares = kept[["survival", "low", "high"]].set_axis(names, axis=1)
    if coming:
        shares = 1 - kept[["survival", "high", "low"]].set_axis(names, axis=1)
    return _thinned(kept[["day", "at_risk"]].join(shares))


def _thinned(steps: pd.DataFrame) -> pd.DataFrame:
    if len(steps) <= STEPS:
        return steps
    return steps.iloc[np.linspace(0, len(steps) - 1, STEPS).round().astype("int64")]


def _banded(data: pd.DataFrame, columns: Columns, *, names: list[str], days: int) -> alt.LayerChart:
    def scale(values: list[str] | list[list[int]]) -> alt.Scale:
        return alt.Scale(domain=names, range=values[: len(names)])

    axis = alt.Axis(values=list(range(0, days + 1, 30 if days <= 400 else 90)))
    legend = _LEGEND if len(names) > 1 else None
    base = alt.Chart(data).encode(
        x=alt.X("day:Q", title="Days", axis=axis, scale=alt.Scale(domain=[0, days])),
        color=alt.Color("group:N", sort=names, scale=scale(COLOURS), legend=legend),
    )
    y = alt.Y("low:Q", title=columns["share"][0], axis=alt.Axis(format="%"))
    band = base.mark_area(opacity=0.15, interpolate="step-after").encode(y=y, y2="high:Q")
    line = base.mark_line(strokeWidth=2, interpolate="step-after").encode(
        y="share:Q",
        strokeDash=alt.StrokeDash("group:N", sort=names, scale=scale(DASHES), legend=legend),
        tooltip=tooltips(columns),
    )
    layers: alt.LayerChart = band + line
    return layers
