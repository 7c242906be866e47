"""Curves of who came back, cohort by cohort or side by side, beside the triangle they come from.

What may be shown is decided here: of a cohort what the triangle shows, of cohorts together or kinds
of customers what would tell of fewer than `SMALL`, by itself or as what is left of all of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import altair as alt
import numpy as np
import pandas as pd

from retention_lab.charts.cohorts import (
    MEAN,
    PERIODS,
    named,
)
from retention_lab.charts.frame import (
    COUNT,
    PALE,
    ROUND,
    SHARE,
    TEXT,
    Columns,
    finished,
    tooltips,
)
from retention_lab.charts.groups import COLOURS, DASHES, hidden_points
from retention_lab.inference.proportions import wilson
from retention_lab.record import SMALL, percent
from retention_lab.record.small import covered, gives_away
from retention_lab.wording import Instead

POINTS = ["side", "period", "cohorts", "size", "did", "share", "low", "high"]


def of_mean(mean: pd.DataFrame, *, later: bool) -> pd.DataFrame:
    """Return the points of all cohorts together, of the means that `hidden_in` lets stand."""
    shares = mean["later_share" if later else "share"]
    kept = mean[shares.notna()].assign(did=(shares * mean["size"]).round())
    return _with_intervals(kept.assign(side=MEAN))


def of_each(cells: pd.DataFrame, *, later: bool) -> pd.DataFrame:
    """Return the points of each cohort by itself, of the cells that `hidden_in` lets stand."""
    shares = cells["later_share" if later else "share"]
    rows = cells.assign(
        side=named(cells["cohort"]), did=(shares * cells["size"]).round(), cohorts=1
    )
    return _with_intervals(rows[rows["complete"] & shares.notna()])


def called(cohort: pd.Timestamp | None, cells: pd.DataFrame) -> str:
    """Return the name of a cohort in pictures; empty where it is not drawn."""
    names = named(cells["cohort"])[cells["cohort"] == cohort]
    return str(names.iloc[0]) if len(names) else ""


def of_cohorts(
    triangle: pd.DataFrame,
    cells: pd.DataFrame,
    sides: Mapping[str, Sequence[pd.Timestamp]],
    *,
    later: bool,
) -> pd.DataFrame:
    """Return the points of cohorts taken together, each side some of a triangle's.

    A point is left out where it would tell of a cell that is hidden, or where what is left of all
    cohorts would be few.
    """
    did = "active_later" if later else "active"
    seen = cells[cells["later_share" if later else "share"].notna()]
    keys = pd.MultiIndex.from_frame(triangle[["cohort", "period"]])
    drawn = keys.isin(pd.MultiIndex.from_frame(cells[["cohort", "period"]]))
    shown = keys.isin(pd.MultiIndex.from_frame(seen[["cohort", "period"]]))
    frame = triangle.assign(did=triangle[did], hides=drawn & ~shown, undrawn=~drawn)
    frame = frame[frame["complete"] & frame["period"].between(1, PERIODS)]
    side_of = {cohort: side for side, every in sides.items() for cohort in every}
    frame["side"] = frame["cohort"].map(side_of).fillna("")
    found = [_pooled(part, sides=list(sides)) for _period, part in frame.groupby("period")]
    return _with_intervals(pd.concat(found)) if found else _with_intervals(frame)


def of_kinds(curves: Mapping[str, pd.DataFrame], *, later: bool) -> pd.DataFrame:
    """Return the points of kinds of customers, of what `cube.curve` gave of each, in order."""
    whole = pd.concat([frame.assign(side=name) for name, frame in curves.items()])
    whole = whole[whole["period"].between(1, PERIODS)]
    whole = whole.assign(did=whole["active_later" if later else "active"])
    hidden = hidden_points(whole, whole["did"], whole="size", by="period")
    return _with_intervals(whole[~hidden])


def _pooled(part: pd.DataFrame, *, sides: list[str]) -> pd.DataFrame:
    """Add up the cells of one period side by side, and keep the sums that tell of nobody hidden."""
    groups = {side: part[part["side"] == side] for side in (*sides, "")}
    sums = pd.DataFrame(
        {
            "side": list(groups),
            "period": part["period"].iloc[0],
            "cohorts": [len(each) for each in groups.values()],
            "size": [each["size"].sum() for each in groups.values()],
            "did": [each["did"].sum() for each in groups.values()],
        }
    )
    tells = np.array([_tells(each) for each in groups.values()])
    rest = (sums["side"] == "").to_numpy()
    hidden = covered(sums["did"], wholes=sums["size"], unknown=rest, hidden=tells & ~rest)
    return sums[~hidden & ~rest & (sums["size"] > 0)]


def _tells(cells: pd.DataFrame) -> bool:
    """Say whether the sum of cells tells of one that is hidden, or is not drawn."""
    known = {"wholes": cells["size"], "unknown": cells["undrawn"]}
    unseen = (cells["hides"] | cells["undrawn"]).to_numpy()
    if len(cells) and unseen.all():
        return gives_away(cells["did"], **known)
    hides = covered(cells["did"], **known, hidden=cells["hides"])
    return bool((hides != unseen).any())


def _with_intervals(points: pd.DataFrame) -> pd.DataFrame:
    whole = points.astype({"did": "int64", "size": "int64"}).reset_index(drop=True)
    whole = whole.drop(columns=["share", "low", "high"], errors="ignore")
    return whole.join(wilson(whole["did"], whole["size"])).reindex(columns=POINTS)


def curves(
    points: pd.DataFrame, *, others: pd.DataFrame, unit: str, later: bool, at: int
) -> alt.LayerChart | Instead:
    """Draw shares by period with their 95 % intervals, a line for each side.

    `points` has the columns `POINTS`; `others` are drawn pale behind them. The period `at` is told
    in words.
    """
    if points.empty:
        return nothing(unit)
    sides = list(dict.fromkeys(points["side"]))
    pale = " Pale lines are single cohorts." if len(others) else ""
    return finished(
        layers(lined(points, others), sides, many=len(sides), unit=unit, later=later),
        description=described(points, unit=unit, later=later, at=at),
        caption=(
            f"By {unit.lower()} since the first purchase, the share who {_did(later)}, where the "
            f"{unit.lower()} is over for everybody. Bands are 95 % intervals.{pale}"
        ),
        columns=_columns(unit),
    )


def nothing(unit: str) -> Instead:
    """Say that there is no curve."""
    return Instead(
        f"No curve: no group of {SMALL} customers or more has had a whole {unit.lower()} after "
        "that of the first purchase, or each would tell of fewer."
    )


def described(points: pd.DataFrame, *, unit: str, later: bool, at: int) -> str:
    """Say what curves show, for readers who cannot see them."""
    now = points[points["period"] == at]
    words = ", ".join(
        f"{side} {percent(share)}" for side, share in zip(now["side"], now["share"], strict=True)
    )
    return (
        f"By {unit.lower()} since the first purchase, the share of customers who {_did(later)}; in "
        f"{at}: {words or 'nothing to show'}."
    )


def _did(later: bool) -> str:
    return "bought in it or later" if later else "bought in it"


def lined(points: pd.DataFrame, others: pd.DataFrame) -> pd.DataFrame:
    """Put the points of lines that are pale below those that stand out."""
    parts = [points.assign(main=True), *([others.assign(main=False)] if len(others) else [])]
    return pd.concat(parts)[[*_columns(""), "main"]].round(ROUND)


def _columns(unit: str) -> Columns:
    return {
        "side": ("Who", TEXT),
        "period": (unit, COUNT),
        "size": ("Customers", COUNT),
        "share": ("Share", SHARE),
        "low": ("From", SHARE),
        "high": ("To", SHARE),
    }


def layers(
    data: pd.DataFrame | alt.NamedData, names: list[str], *, many: int, unit: str, later: bool
) -> alt.LayerChart:
    """Draw the rows that `lined` gave, a colour and a dash for each of so `many` names."""
    x = alt.X(
        "period:Q",
        title=f"{unit} since the first purchase",
        axis=alt.Axis(tickMinStep=1, format="d", grid=False),
    )
    title, axis = _did(later).capitalize(), alt.Axis(format="%")
    y = alt.Y("share:Q", title=title, axis=axis)
    low = alt.Y("low:Q", title=title, axis=axis)
    colour = alt.Color(
        "side:N", sort=names, scale=alt.Scale(domain=names, range=COLOURS[:many]), legend=_LEGEND
    )
    dash = alt.StrokeDash(
        "side:N", sort=names, scale=alt.Scale(domain=names, range=DASHES[:many]), legend=_LEGEND
    )
    base = alt.Chart(data).encode(x=x)
    pale = base.transform_filter("!datum.main").mark_line(color=PALE, strokeWidth=1)
    mine = base.transform_filter("datum.main").encode(color=colour)
    bands = mine.mark_area(fillOpacity=0.15).encode(y=low, y2="high:Q")
    lines = mine.mark_line(strokeWidth=2.5).encode(y=y, strokeDash=dash)
    dots = mine.mark_point(size=40, filled=True, opacity=1)
    dots = dots.encode(y=y, tooltip=tooltips(_columns(unit)))
    whole: alt.LayerChart = pale.encode(y=y, detail="side:N") + bands + lines + dots
    return whole


_LEGEND = alt.Legend(
    symbolType="stroke", symbolSize=400, symbolOpacity=1, columns=3, labelLimit=150
)
