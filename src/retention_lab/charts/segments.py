"""Pictures of who the customers are and how they move: groups by size, revenue and moves."""

from __future__ import annotations

import altair as alt
import numpy as np
import pandas as pd

from retention_lab.charts.cohorts import DARK_FROM
from retention_lab.charts.frame import (
    BLUE,
    CELL,
    COUNT,
    GREY,
    ORANGE,
    PALE,
    ROUND,
    SHARE,
    TEXT,
    Columns,
    finished,
    tooltips,
)
from retention_lab.record import SMALL, headed, percent
from retention_lab.record.moves import hidden_flows, hidden_moves, squared
from retention_lab.record.segments import hidden_sizes
from retention_lab.record.small import HIDDEN, cells
from retention_lab.tables.parsing import minor_digits
from retention_lab.wording import Instead

NO_EARLIER_DAY = "No picture of moves: nobody had bought by the earlier day."
FEW = 4  # groups, so that their names have room side by side
_LABELS = alt.Axis(labelLimit=150)
_HIDING = f" {HIDDEN} stands for what would tell of fewer than {SMALL} customers."
_SIDES = {"share": BLUE, "revenue_share": ORANGE}

NO_EARLIER_DAY = "No picture yet: nobody had bought by the earlier day."


def cohorts(sizes: pd.DataFrame, currency: str) -> alt.LayerChart | Instead:
    """Draw which share of the customers each value cohort has, beside its share of the revenue.

    `sizes` is what `customers.standing.sizes` gave, by cohort, of an amount in `currency`.
    """
    return _sizes(sizes, currency, heading="Cohort", by="value cohort")


def named(sizes: pd.DataFrame, currency: str) -> alt.LayerChart | Instead:
    """Draw the same as `cohorts` of named segments."""
    return _sizes(sizes, currency, heading="Segment", by="named segment")


def activity(sizes: pd.DataFrame, currency: str) -> alt.LayerChart | Instead:
    """Draw the same as `cohorts` of tiers of activity."""
    return _sizes(sizes, currency, heading="Days", by="days since the last purchase")


def _sizes(
    sizes: pd.DataFrame, currency: str, *, heading: str, by: str
) -> alt.LayerChart | Instead:
    columns: Columns = {
        "group": (heading, TEXT),
        "customers": ("Customers", CELL),
        "share": ("Share of customers", SHARE),
        "low": ("From", SHARE),
        "high": ("To", SHARE),
        "revenue": (headed("Revenue", currency), COUNT),
        "revenue_share": ("Share of revenue", SHARE),
    }
    hidden, unseen = hidden_sizes(sizes)
    if sizes["customers"].sum() < SMALL or hidden.all():
        return Instead(f"No picture: by {by}, it would tell of fewer than {SMALL} customers.")
    revenue = (sizes["revenue_within"] / 10 ** minor_digits(currency)).round()
    data = sizes.assign(customers=cells(sizes["customers"], hidden), revenue=revenue)
    data = data[list(columns)].astype({"revenue_share": "float64"})
    data.loc[hidden, ["share", "low", "high"]] = np.nan
    data.loc[unseen, ["revenue", "revenue_share"]] = np.nan
    told = data[~hidden].to_dict("records")
    words = "; ".join(f"{row['group']} {percent(row['share'])}" for row in told)
    return finished(
        _beside(data.round({**ROUND, "revenue_share": 4}), columns),
        description=f"Share of customers by {by}, beside the share of revenue: {words}.",
        caption=(
            f"Customers by {by}, and what they brought in the days that are scored, less returns. "
            f"Thin lines are 95 % intervals.{_HIDING if hidden.any() or unseen.any() else ''}"
        ),
        columns=columns,
        height=44 * len(data) + 40,
    )


def _beside(data: pd.DataFrame, columns: Columns) -> alt.LayerChart:
    parts = [columns[field][0] for field in _SIDES]
    base = (
        alt.Chart(data)
        .transform_fold([*_SIDES], as_=["field", "part"])
        .transform_calculate(of=f"datum.field == 'share' ? '{parts[0]}' : '{parts[1]}'")
        .encode(
            y=alt.Y("group:N", title=None, sort=list(data["group"]), axis=_LABELS),
            yOffset=alt.YOffset("of:N", sort=parts),
        )
    )
    scale = alt.Scale(domain=parts, range=list(_SIDES.values()))
    bars = base.mark_bar().encode(
        x=alt.X("part:Q", title="Share of all", axis=alt.Axis(format="%", tickCount=6)),
        color=alt.Color("of:N", sort=parts, scale=scale),
        tooltip=tooltips(columns),
    )
    customers = base.transform_filter("datum.field == 'share'")
    spans = customers.mark_rule(color=GREY, strokeWidth=2).encode(x="low:Q", x2="high:Q")
    none = base.transform_filter("!isValid(datum.part)").mark_text(text=HIDDEN, align="left")
    layers: alt.LayerChart = bars + spans + none.encode(x=alt.value(4))
    return layers


def moves(frame: pd.DataFrame | None, currency: str, *, days: int) -> alt.LayerChart | Instead:
    """Draw from which group to which customers moved, as shares of the group that they were in.

    `frame` is what `customers.migration.moves` gave, of amounts in `currency`, over `days` days;
    None where there is no earlier day.
    """
    if frame is None:
        return Instead(NO_EARLIER_DAY)
    columns: Columns = {
        "before": (f"{days} days before", TEXT),
        "now": ("Now", TEXT),
        "customers": ("Customers", CELL),
        "share": ("Share of those before", SHARE),
        "low": ("From", SHARE),
        "high": ("To", SHARE),
        "revenue_before": (headed("Revenue before", currency), COUNT),
        "revenue_now": (headed("Revenue now", currency), COUNT),
    }
    hidden = hidden_moves(squared(frame)).ravel()
    if hidden.all() or frame["customers"].sum() < SMALL:
        return Instead(f"No picture of moves: it would tell of fewer than {SMALL} customers.")
    money = ["revenue_before", "revenue_now"]
    data = frame.astype({"share": "float64"})[list(columns)]
    data[money] = (data[money] / 10 ** minor_digits(currency)).round()
    data["customers"] = cells(frame["customers"], hidden)
    data.loc[hidden, ["share", "low", "high", *money]] = np.nan
    stay = data[data["before"].eq(data["now"]) & data["share"].notna()]
    words = "; ".join(f"{row['now']} {percent(row['share'])}" for row in stay.to_dict("records"))
    return finished(
        _heat(data.round(ROUND), columns),
        description=(
            f"Where customers of each group are {days} days later. In it still: "
            f"{words or 'not shown'}."
        ),
        caption=(
            f"Of 100 customers in the group of a row, how many are in that of a column {days} days "
            f"later, by the same cut lines.{_HIDING if hidden.any() else ''}"
        ),
        columns=columns,
        height=max(30 * len(stay), 90) + 60,
    )


def _heat(data: pd.DataFrame, columns: Columns) -> alt.LayerChart:
    names = list(dict.fromkeys(data["before"]))
    wrapped = {"labelExpr": "split(datum.label, ' ')", "labelAngle": 0}
    axis = wrapped if len(names) <= FEW else {"labelAngle": -90, "labelLimit": 120}
    base = (
        alt.Chart()  # both layers have the data of the whole, which Altair need not compare then
        .transform_calculate(
            words=(
                f"!isNumber(datum.share) ? (isString(datum.customers) ? '{HIDDEN}' : '') : "
                "datum.share > 0 && datum.share < 0.005 ? '<1' : format(100 * datum.share, '.0f')"
            )
        )
        .encode(
            x=alt.X("now:N", title="Now", sort=names, axis=alt.Axis(**axis)),
            y=alt.Y("before:N", title=columns["before"][0], sort=names, axis=_LABELS),
        )
    )
    scale = alt.Scale(scheme="blues", domain=[0, 1])
    squares = base.mark_rect(stroke="white", strokeWidth=2).encode(
        color=alt.Color("share:Q", scale=scale, legend=None),
        tooltip=tooltips(columns),
    )
    ink = alt.condition(f"datum.share > {DARK_FROM}", alt.value("white"), alt.value("black"))
    words = base.mark_text().encode(text="words:N", color=ink)
    return alt.LayerChart(layer=[squares, words], data=data)


def flows(frame: pd.DataFrame | None, moves: pd.DataFrame | None) -> alt.LayerChart | Instead:
    """Draw how many of those who left a group or came into it left, beside what luck would do.

    `frame` and `moves` are what `customers.migration` gave by the same groups. Only long-standing
    customers are drawn, and only groups of which luck can be told. None where there is no earlier
    day.
    """
    if frame is None or moves is None:
        return Instead(NO_EARLIER_DAY)
    columns: Columns = {
        "group": ("Group", TEXT),
        "customers": ("Were in it", COUNT),
        "left": ("Left", COUNT),
        "share": ("Share who left", SHARE),
        "low": ("From", SHARE),
        "high": ("To", SHARE),
        "left_long": ("Long-standing: left", COUNT),
        "came_long": ("Came", COUNT),
        "by_chance": ("Would leave by luck", COUNT),
        "chance_low": ("At least", COUNT),
        "chance_high": ("At most", COUNT),
    }
    _hidden, unlucky = hidden_flows(frame, moves)
    data = frame.loc[~unlucky, list(columns)].astype({"share": "float64"}).round(ROUND)
    if data.empty:
        return Instead(
            "No picture of luck: too few long-standing customers left a group or came into one."
        )
    words = "; ".join(
        f"{row['group']} {row['left_long']:,} (by luck {row['chance_low']:,.0f} to "
        f"{row['chance_high']:,.0f})"
        for row in data.to_dict("records")
    )
    return finished(
        _against_luck(data, columns),
        description=f"Long-standing customers who left each group, beside luck: {words}.",
        caption=(
            "Of long-standing customers who left a group or came into it, the share who left. The "
            "bar is what luck alone makes 95 times in 100: about as many leave as come."
        ),
        columns=columns,
        height=36 * len(data) + 40,
    )


def _against_luck(data: pd.DataFrame, columns: Columns) -> alt.LayerChart:
    fields = {"at": "left_long", "from": "chance_low", "to": "chance_high"}
    base = (
        alt.Chart(data)
        .transform_calculate(
            **{
                name: f"datum.{field} / (datum.left_long + datum.came_long)"
                for name, field in fields.items()
            }
        )
        .encode(y=alt.Y("group:N", title=None, sort=list(data["group"]), axis=_LABELS))
    )
    axis, scale = alt.Axis(format="%", tickCount=6), alt.Scale(domain=[0, 1])
    x = alt.X("from:Q", title="Of those who left or came, left", axis=axis, scale=scale)
    luck = base.mark_bar(size=14, color=PALE).encode(x=x, x2="to:Q")
    seen = base.mark_point(filled=True, size=90, color=BLUE, opacity=1)
    layers: alt.LayerChart = luck + seen.encode(x="at:Q", tooltip=tooltips(columns))
    return layers
