"""Pictures of cohorts: who came back, month by month, and the triangle."""

from __future__ import annotations

from collections.abc import Sequence

import altair as alt
import numpy as np
import pandas as pd

from retention_lab.charts.annotations import annotated, caption, on_axis
from retention_lab.charts.frame import (
    BLUE,
    CELL,
    COUNT,
    GREY,
    MONTH,
    PALE,
    ROUND,
    SHARE,
    TEXT,
    AnyChart,
    Columns,
    by_month,
    finished,
    tooltips,
)
from retention_lab.charts.triangles import hidden_in
from retention_lab.record import SMALL, headed, percent
from retention_lab.record.small import HIDDEN, cells, covered, splits
from retention_lab.tables.annotations import Annotation
from retention_lab.wording import Instead

MEASURES = {
    "share": "share who bought in the period (%)",
    "later_share": "share who bought in it or later (%)",
    "active": "customers who bought in the period",
    "revenue": "revenue of the period",
}
COHORTS, PERIODS = 15, 12  # as many of the newest, and of the first, are drawn
MEAN = "Weighted mean"
_SHARES = ["share", "low", "high"]
# Of the colours from pale to dark: black words above it, or white ones below, would fall short of
# a contrast of 4.5 to 1.
DARK_FROM = 0.74
_HIDING = f" <{SMALL}: fewer than {SMALL} customers; {HIDDEN}: a number that would tell how many."


_RETURNED: Columns = {
    "cohort": ("First bought", MONTH),
    "customers": ("Customers", COUNT),
    "returned": ("Bought again so far", CELL),
    "share": ("Share", SHARE),
    "low": ("From", SHARE),
    "high": ("To", SHARE),
    "method": ("How", TEXT),
}


def returned_by_month(
    frame: pd.DataFrame, *, days: int, annotations: Sequence[Annotation] = ()
) -> AnyChart | Instead:
    """Share of each month's new customers who bought again within `days` days, with intervals.

    `frame` is what `cohorts.returned` gave; months on which nothing can be said yet are left out,
    and the share where it would tell of fewer than `SMALL` customers.
    """
    early = frame["share"].isna()
    kept = frame[~covered(frame["customers"], unknown=early) & ~early]
    if kept.empty:
        return Instead(
            f"No picture yet: no month with {SMALL} new customers or more has been followed for "
            f"{days} days."
        )
    hidden = splits(kept["returned"], kept["customers"])
    if hidden.all():
        return Instead(f"No picture: in each month, fewer than {SMALL} came back or did not.")
    data = kept[list(_RETURNED)].astype(dict.fromkeys(_SHARES, "float64"))
    data.loc[hidden, _SHARES] = np.nan
    data["returned"] = cells(kept["returned"], hidden)
    first, last = (_month_in_words(data[~hidden].iloc[place]) for place in (0, -1))
    span = first if len(data[~hidden]) == 1 else f"{first}, {last}"
    layers = _months(data.round(ROUND), _RETURNED, title=f"Bought again within {days} days")
    shown = on_axis(annotations, months=data["cohort"])
    return finished(
        annotated(layers, shown, months=data["cohort"]),
        description=(
            f"Share of new customers who bought again within {days} days, by month of first "
            f"purchase, with intervals: {span}."
        ),
        caption=(
            f"Bought again within {days} days, by month of first purchase. "
            f"Bars are 95 % intervals; open points are estimates.{caption(shown)}"
        ),
        columns=_RETURNED,
    )


def _month_in_words(row: pd.Series) -> str:
    estimate = "" if row["method"] == "observed" else " (an estimate)"
    return f"{percent(row['share'])}{estimate} for {row['cohort']:{MONTH}}"


def _months(data: pd.DataFrame, columns: Columns, *, title: str) -> alt.LayerChart:
    chart = alt.Chart(data)
    x = by_month("cohort", data["cohort"], title="Month of first purchase").bandPosition(0.5)
    scale, shares = alt.Scale(zero=True), alt.Axis(format="%")
    y = alt.Y("share:Q", title=title, axis=shares, scale=scale)
    low = alt.Y("low:Q", title=title, axis=shares, scale=scale)
    observed = "datum.method == 'observed'"
    fill = alt.condition(observed, alt.value(BLUE), alt.value("white"))
    bars = chart.mark_rule(color=PALE, strokeWidth=3).encode(x=x, y=low, y2="high:Q")
    line = chart.mark_line(color=BLUE, strokeWidth=2).encode(x=x, y=y).transform_filter(observed)
    points = chart.mark_point(color=BLUE, size=60, filled=False, strokeWidth=2, opacity=1)
    points = points.encode(x=x, y=y, fill=fill, tooltip=tooltips(columns))
    layers: alt.LayerChart = bars + line + points
    return layers


def triangle(
    frame: pd.DataFrame, means: pd.DataFrame, *, unit: str, currency: str, minor_per_unit: int
) -> alt.LayerChart | Instead:
    """The cohort triangle with a choice of measure; incomplete cells are hatched.

    `frame` is a triangle of `customers.cohorts`, `means` its `weighted_mean`, drawn as the last
    row; `unit` says what a period is. The newest `COHORTS` and the first `PERIODS` are drawn, but
    for what would tell of fewer than `SMALL` customers; see `triangles`.
    """
    shown = hidden_in(frame, means, cohorts=COHORTS, periods=PERIODS)
    data = with_mean(*shown, minor_per_unit=minor_per_unit)
    if data["cohort"].eq(MEAN).all():
        return Instead(
            f"No picture yet: no group of {SMALL} new customers or more has reached a "
            f"{unit.lower()} after its first."
        )
    columns = triangle_columns(unit, currency)
    measure = alt.binding_select(
        options=list(MEASURES), labels=list(MEASURES.values()), name="Show: "
    )
    rows = dict.fromkeys(data["cohort"])
    layers = triangle_layers(data, columns, unit=unit, cohorts=list(rows))
    per = f"{unit.lower()} since the first purchase"
    cohort = "week" if unit.endswith("week") else "month"
    return finished(
        layers.add_params(alt.param(name="measure", value="share", bind=measure)),
        description=(
            f"Triangle of cohorts by {per}: the share of each {cohort}'s new customers who bought "
            f"in each.{_mean_in_words(data)} Hatched cells are incomplete."
        ),
        caption=(
            f"By {per}, the share of each {cohort}'s new customers who bought in it. "
            "Hatched: not over yet for everybody."
            + (_HIDING if any(isinstance(each, str) for each in data["active"]) else "")
        ),
        columns=columns,
        height=max(24 * len(rows), 72),
    )


def with_mean(cells: pd.DataFrame, mean: pd.DataFrame, *, minor_per_unit: int) -> pd.DataFrame:
    """Put the weighted mean below cells, both from `hidden_in`, as a last cohort."""
    names = named(cells["cohort"])
    cells = cells.assign(cohort=names, revenue=cells["revenue"] / minor_per_unit)
    mean = mean.assign(cohort=MEAN, complete=True, active=None)
    columns = list(triangle_columns("", ""))
    # Each part must have all columns, or pandas would guess the types of those without a value.
    parts = [part.reindex(columns=columns) for part in (cells, mean) if len(part)]
    data = pd.concat(parts) if parts else cells.reindex(columns=columns)
    if not any(isinstance(each, str) for each in data["active"]):
        data = data.astype({"active": "Int64"})  # the mean has none: JSON knows no NaN
    return data.astype({"revenue": "float64"}).round({**ROUND, "revenue": 0})


def named(cohorts: pd.Series) -> pd.Series:
    """Name cohorts: Aug 2026, or the Mondays on which their weeks began."""
    names: pd.Series = cohorts.dt.strftime(
        "%b %Y" if cohorts.dt.is_month_start.all() else "%d %b %Y"
    )
    return names


def triangle_columns(unit: str, currency: str) -> Columns:
    """Head the columns of a triangle."""
    return {
        "cohort": ("First bought", TEXT),
        "size": ("Customers", COUNT),
        "period": (unit, COUNT),
        "active": ("Bought in it", CELL),
        "share": ("Share", SHARE),
        "low": ("From", SHARE),
        "high": ("To", SHARE),
        "later_share": ("In it or later", SHARE),
        "later_low": ("Later, from", SHARE),
        "later_high": ("Later, to", SHARE),
        "revenue": (headed("Revenue", currency), COUNT),
        "complete": ("Complete", TEXT),
    }


def triangle_layers(
    data: pd.DataFrame | alt.NamedData, columns: Columns, *, unit: str, cohorts: Sequence[str]
) -> alt.LayerChart:
    """Draw cells of `cohort` by `period` in the colours and words of the parameter `measure`.

    A cell that is not `complete` is hatched; one without a number shows the word that stands in
    `active`.
    """
    is_share = "(measure == 'share' || measure == 'later_share')"
    narrow = "width < 400 && datum.shown < 9500"  # a telephone has room for `7k`, not for `7.1k`
    base = (
        alt.Chart(data)
        .transform_calculate(
            shown="isNumber(datum[measure]) ? datum[measure] : null",
            words=f"datum.shown === null ? {_HIDDEN}"
            f" : {is_share} ? format(100 * datum.shown, '.0f')"
            f" : format(datum.shown, datum.shown < 1000 ? '.0f' : {narrow} ? '.1s' : '.2s')",
        )
        .transform_joinaggregate(most="max(shown)")
        .transform_calculate(
            level="datum.shown === null ? null : datum.most > 0 ? datum.shown / datum.most : 0"
        )
        .encode(
            x=alt.X(
                "period:O",
                title=f"{unit} since the first purchase",
                axis=alt.Axis(orient="top", labelAngle=0),
            ),
            y=alt.Y("cohort:O", title="First bought", sort=list(cohorts)),
        )
    )
    cells = base.mark_rect(stroke="white", strokeWidth=2).encode(
        color=alt.Color("level:Q", scale=alt.Scale(scheme="blues", domain=[0, 1]), legend=None),
        opacity=alt.condition("datum.complete", alt.value(1), alt.value(0.35)),
        tooltip=tooltips(columns, *(field for field in columns if field != "complete")),
    )
    hatch = base.transform_filter("!datum.complete").mark_text(text="//", color=GREY, fontSize=11)
    ink = alt.condition(f"datum.level > {DARK_FROM}", alt.value("white"), alt.value("black"))
    numbers = base.transform_filter("datum.complete").mark_text(fontSize=11)
    numbers = numbers.encode(text="words:N", color=ink)
    layers: alt.LayerChart = cells + hatch + numbers
    return layers


# The mean has no count, and neither a count nor revenue of its own to hide.
_HIDDEN = f"isString(datum.active) ? datum.active : isValid(datum.active) ? '{HIDDEN}' : ''"


def _mean_in_words(data: pd.DataFrame) -> str:
    first = data[(data["cohort"] == MEAN) & (data["period"] == 1)]
    if first["share"].dropna().empty:
        return ""
    return f" The weighted mean is {percent(first['share'].iloc[0])} in period 1."
