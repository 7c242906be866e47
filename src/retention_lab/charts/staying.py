"""Pictures of how long customers stay, or wait: curves by group with their bands, and causes."""

from __future__ import annotations

from collections.abc import Mapping

import altair as alt
import numpy as np
import pandas as pd

from retention_lab.charts.frame import COUNT, ROUND, SHARE, TEXT, Columns, finished, tooltips
from retention_lab.charts.groups import COLOURS, DASHES
from retention_lab.churn.endpoints import Endpoint
from retention_lab.churn.evidence import Missing
from retention_lab.record import SMALL, percent
from retention_lab.record.small import apart
from retention_lab.survival.daygrid import kaplan_meier
from retention_lab.wording import Instead
from retention_lab.wording.phrases import capitalised, quoted

NO_MILESTONE = (
    "No picture: the data hold no milestone that the playbook names, or too few customers on one "
    "side of it."
)
DAYS = 365  # that are drawn
STEPS = 60  # of one curve: more than a screen shows
FAR = 0.1  # of its curve at most, so that a line shows what happened
_LEGEND = alt.Legend(
    symbolType="stroke", symbolSize=400, symbolOpacity=1, columns=3, labelLimit=180
)


def joined(grid: pd.DataFrame, *, endpoint: Endpoint) -> alt.LayerChart | Instead:
    """Draw how long customers stay, or wait, by when they joined.

    `grid` is the `joined` of `churn.evidence.Evidence`.
    """
    curves = {str(name): kaplan_meier(rows) for name, rows in grid.groupby("group", sort=False)}
    return by_group(curves, by="when they joined", endpoint=endpoint)


def by_milestone(
    grids: Mapping[str, pd.DataFrame], *, endpoint: Endpoint, day: int
) -> alt.LayerChart | Instead:
    """Draw how long customers stay, or wait, by whether they reached the first milestone.

    `grids` are those of `churn.evidence.Evidence`; `day` is where their lines begin.
    """
    if not grids:
        return Instead(NO_MILESTONE)
    label, grid = next(iter(grids.items()))
    names = {False: f"not by day {day}", True: f"by day {day}"}
    curves = {
        name: kaplan_meier(grid[grid["reached"] == reached])
        for reached, name in names.items()
        if (grid["reached"] == reached).any()
    }
    words = f"whether {quoted(label)} was reached in time"
    return by_group(curves, by=words, endpoint=endpoint)


def by_group(
    curves: Mapping[str, pd.DataFrame], *, by: str, endpoint: Endpoint
) -> alt.LayerChart | Instead:
    """Draw a line with its band for each group: as far as `SMALL` customers were followed.

    It goes in steps of nobody or as many, or each day would tell who left when. Where these lie so
    far apart that the line would show what did not happen, the group is not drawn.
    """
    coming = endpoint.kind == "returned"
    what = "Have bought again" if coming else "Still subscribed"
    columns: Columns = {
        "group": (capitalised(by), TEXT),
        "day": ("Day", COUNT),
        "share": (what, SHARE),
        "low": ("From", SHARE),
        "high": ("To", SHARE),
        "at_risk": ("Still followed", COUNT),
    }
    drawn = {name: steps(curve, coming=coming) for name, curve in curves.items()}
    names = [name for name, days in drawn.items() if len(days) > 1]
    if not names:
        return Instead(
            "No picture yet: no group is large enough, or was followed for long enough, to draw a "
            f"line that tells of no fewer than {SMALL} customers."
        )
    few = [name for name in drawn if name not in names]
    data = pd.concat([drawn[name].assign(group=name) for name in names])[list(columns)].round(ROUND)
    last = data.groupby("group", sort=False).last()
    words = "; ".join(
        f"{name} {percent(row['share'])} by day {row['day']:.0f}" for name, row in last.iterrows()
    )
    return finished(
        _banded(data, columns, names=names, told_apart=len(drawn) > 1),
        description=f"{what}, by days and by {by}: {words}.",
        caption=f"{what}, by days and by {by}. Bands are 95 % intervals."
        + (f" Too small for a line: {', '.join(few)}." if few else ""),
        columns=columns,
    )


def causes(curves: pd.DataFrame | Missing) -> alt.LayerChart | Instead:
    """Share who have left by each day, by cause; `curves` is what `cumulative_incidence` gave."""
    if isinstance(curves, Missing):
        return Instead(curves.why)
    columns: Columns = {
        "group": ("Cause", TEXT),
        "day": ("Day", COUNT),
        "share": ("Have left", SHARE),
        "low": ("From", SHARE),
        "high": ("To", SHARE),
        "at_risk": ("Still followed", COUNT),
    }
    drawn = curves.merge(_drawn(curves), on=["cause", "day"])
    named = drawn.rename(columns={"cause": "group", "incidence": "share"})
    data = named[list(columns)].round(ROUND)
    names = [name for name in dict.fromkeys(data["group"]) if (data["group"] == name).sum() > 1]
    if not names:
        return Instead(f"No picture: no cause of {SMALL} cancellations or more.")
    data = data[data["group"].isin(names)]
    last = data.groupby("group", sort=False).last()
    words = "; ".join(f"{name} {percent(row['share'])}" for name, row in last.iterrows())
    return finished(
        _banded(data, columns, names=names, told_apart=len(names) > 1),
        description=f"Share who have left by day {data['day'].max():.0f}, by cause: {words}.",
        caption="Have left, by days and by cause, out of all. Bands are 95 % intervals.",
        columns=columns,
    )


def _drawn(curves: pd.DataFrame) -> pd.DataFrame:
    """Choose the causes and days to draw: steps of nobody or of many, by cause and in all."""
    early = curves[(curves["day"] <= DAYS) & (curves["at_risk"] >= SMALL)]
    events = early.pivot_table(index="day", columns="cause", values="events").cumsum()
    at_risk = early.groupby("day")["at_risk"].first()
    if events.empty:
        return curves.iloc[:0][["cause", "day"]]
    many = events.loc[:, events.iloc[-1] >= SMALL]
    rest = at_risk.iloc[0] - at_risk - many.shift(fill_value=0).sum(axis=1)
    kept = apart(at_risk, rest, *(many[cause] for cause in many))
    return _thinned(many[kept]).reset_index().melt("day", var_name="cause")[["cause", "day"]]


def steps(curve: pd.DataFrame, *, coming: bool, days: float = DAYS) -> pd.DataFrame:
    """Choose the days to draw; none where their steps would lie far from the curve.

    `curve` is what `survival.daygrid.kaplan_meier` gave; of those who are `coming` the share who
    have come is drawn.
    """
    whole = _levelled(curve)
    early = whole[(whole["at_risk"] >= SMALL) & (whole["day"] <= days)]
    names = ["share", "low", "high"]
    shares = early[["survival", "low", "high"]].set_axis(names, axis=1)
    if coming:
        shares = 1 - early[["survival", "high", "low"]].set_axis(names, axis=1)
    every = early[["day", "at_risk"]].join(shares)
    if every.empty:
        return every
    kept = apart(early["at_risk"], early["events"].cumsum(), early["censored"].cumsum())
    # A level day before days of a few would tell when the first of them left.
    kept &= ~early["level"].to_numpy() | np.append(kept[1:], False)
    drawn = _thinned(every[kept])
    return drawn if _follow(drawn, every) else drawn.iloc[:0]


def _levelled(curve: pd.DataFrame) -> pd.DataFrame:
    """Add the day before each row that follows a gap, marked: until then the curve is `level`."""
    after = curve["day"].diff() > 1
    flat = curve.shift()[after].assign(
        day=curve["day"] - 1, at_risk=curve["at_risk"], events=0, censored=0, level=True
    )
    both = pd.concat([curve.assign(level=False), flat]).sort_values("day", ignore_index=True)
    return both.astype({**curve.dtypes, "level": bool})


def _follow(drawn: pd.DataFrame, curve: pd.DataFrame) -> bool:
    """Say whether straight lines between steps stay near the curve, up to the last of them."""
    upto = curve[curve["day"] <= drawn["day"].iloc[-1]]
    between = np.interp(upto["day"], drawn["day"], drawn["share"])
    return bool(np.abs(between - upto["share"]).max() <= FAR)


def _thinned(drawn: pd.DataFrame) -> pd.DataFrame:
    if len(drawn) <= STEPS:
        return drawn
    return drawn.iloc[np.linspace(0, len(drawn) - 1, STEPS).round().astype("int64")]


def _banded(
    data: pd.DataFrame, columns: Columns, *, names: list[str], told_apart: bool
) -> alt.LayerChart:
    def scale(values: list[str] | list[list[int]]) -> alt.Scale:
        return alt.Scale(domain=names, range=values[: len(names)])

    axis = alt.Axis(values=list(range(0, DAYS + 1, 30)))
    legend = _LEGEND if told_apart else None
    base = alt.Chart(data).encode(
        x=alt.X("day:Q", title="Days", axis=axis, scale=alt.Scale(domain=[0, DAYS])),
        color=alt.Color("group:N", sort=names, scale=scale(COLOURS), legend=legend),
    )
    y = alt.Y("low:Q", title=columns["share"][0], axis=alt.Axis(format="%"))
    band = base.mark_area(opacity=0.15).encode(y=y, y2="high:Q")
    # Straight from step to step: level until the next one, a line with few steps would lie too low.
    line = base.mark_line(strokeWidth=2).encode(
        y="share:Q",
        strokeDash=alt.StrokeDash("group:N", sort=names, scale=scale(DASHES), legend=legend),
        tooltip=tooltips(columns),
    )
    layers: alt.LayerChart = band + line
    return layers
