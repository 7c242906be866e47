"""Pictures of what customers do: time to the second purchase, activity tiers, revenue."""

from __future__ import annotations

import datetime as dt
from collections.abc import Hashable, Mapping, Sequence
from typing import Any

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
    ORANGE,
    PALE,
    ROUND,
    SHARE,
    TEXT,
    AnyChart,
    Columns,
    finished,
    stacked_by_month,
    tooltips,
)
from retention_lab.record import SMALL, headed, money, percent
from retention_lab.record.asked import hidden_months
from retention_lab.record.periods import hidden_tiers
from retention_lab.record.small import HIDDEN, Mask, apart, cells, few
from retention_lab.tables.annotations import Annotation
from retention_lab.wording import Instead, full_day

STEPS = 120  # of a curve: more than a screen shows
BY_WHOM = {"returning customers": BLUE, "new customers": ORANGE, "all customers": GREY}
_HIDING = f" {HIDDEN} stands for what would tell of fewer than {SMALL} customers."


def repurchase_curve(curve: pd.DataFrame, *, days: int) -> alt.LayerChart | Instead:
    """Share of customers who have bought a second time by each day, with its band.

    `curve` is a Kaplan-Meier table; it is drawn as far as `SMALL` customers were followed, in steps
    of nobody or as many: a curve with each day would tell who bought when.
    """
    columns: Columns = {
        "day": ("Day", COUNT),
        "share": ("Have bought again", SHARE),
        "low": ("From", SHARE),
        "high": ("To", SHARE),
        "at_risk": ("Still followed", COUNT),
    }
    kept = curve[(curve["at_risk"] >= SMALL) & (curve["day"] <= days)]
    if len(kept) < 2:
        return Instead(f"No picture yet: fewer than {SMALL} customers were followed for a day.")
    kept = kept[apart(kept["at_risk"], kept["events"].cumsum(), kept["censored"].cumsum())]
    if len(kept) < 2:
        return Instead(f"No picture yet: fewer than {SMALL} customers make a step of it.")
    places = np.linspace(0, len(kept) - 1, min(len(kept), STEPS)).round().astype("int64")
    steps = kept.iloc[places]
    # The curve counts those without a second purchase, so its upper bound is our lower one.
    again = 1 - steps[["survival", "high", "low"]].set_axis(["share", "low", "high"], axis=1)
    data = steps[["day", "at_risk"]].join(again).round(ROUND)
    last = data.iloc[-1]
    return finished(
        _steps(alt.Chart(data), columns, days=days),
        description=(
            "Share of customers who have bought a second time, by days since the first: "
            f"{percent(last['share'])} by day {last['day']:.0f}."
        ),
        caption=(
            "Time to the second purchase; customers still waiting count as waiting. "
            "The band is the 95 % interval."
        ),
        columns=columns,
    )


def _steps(chart: alt.Chart, columns: Columns, *, days: int) -> alt.LayerChart:
    axis = alt.Axis(values=list(range(0, days + 1, 30)))
    x = alt.X("day:Q", title="Days since the first purchase", axis=axis)
    low = alt.Y("low:Q", title="Have bought again", axis=alt.Axis(format="%"))
    band = chart.mark_area(color=PALE, opacity=0.6, interpolate="step-after")
    line = chart.mark_line(color=BLUE, strokeWidth=2, interpolate="step-after")
    tooltip = tooltips(columns, "day", "share", "at_risk")
    line = line.encode(x=x, y="share:Q", tooltip=tooltip)
    layers: alt.LayerChart = band.encode(x=x, y=low, y2="high:Q") + line
    return layers


def activity_tiers(tiers: Mapping[dt.date, pd.DataFrame]) -> alt.LayerChart | Instead:
    """Customers by days since their last purchase, as of one day or several, the newest first.

    `tiers` holds what `activity.activity_tiers` gave, by its as-of date.
    """
    columns: Columns = {
        "when": ("As of", TEXT),
        "tier": ("Days", TEXT),
        "customers": ("Customers", CELL),
        "share": ("Share", SHARE),
        "low": ("From", SHARE),
        "high": ("To", SHARE),
    }
    if not tiers:
        return Instead("No picture yet: the records do not reach back further than the last tier.")
    kept = {day: each for day, each in tiers.items() if each["customers"].sum() >= SMALL}
    if not kept:
        return Instead(f"No picture: there are fewer than {SMALL} customers.")
    shown = {day: _shown(each) for day, each in kept.items()}
    data = pd.concat([each.assign(when=full_day(day)) for day, each in shown.items()])
    newest, frame = next(iter(shown.items()))
    words = "; ".join(_tier_in_words(row) for row in frame.to_dict("records"))
    return finished(
        _tiers(data[list(columns)].round(ROUND), columns),
        description=f"Customers by days since their last purchase, {full_day(newest)}: {words}.",
        caption=(
            "Customers by days since their last purchase (the purchase clock). "
            "Thin lines are 95 % intervals." + (_HIDING if data["share"].isna().any() else "")
        ),
        columns=columns,
        height=180,
    )


def _shown(tiers: pd.DataFrame) -> pd.DataFrame:
    """Hide what would tell of a few customers: the count, and with it all that follows from it."""
    hidden = hidden_tiers(tiers)
    shown = tiers.assign(customers=cells(tiers["customers"], hidden))
    shown.loc[hidden, ["share", "low", "high"]] = np.nan
    return shown


def _tier_in_words(row: Mapping[Hashable, Any]) -> str:
    if pd.notna(row["share"]):
        return f"{row['tier']} days: {percent(row['share'])}"
    few = "fewer than " + row["customers"][1:] if row["customers"] != HIDDEN else "not shown"
    return f"{row['tier']} days: {few}"


def _tiers(data: pd.DataFrame, columns: Columns) -> alt.LayerChart:
    when, tiers = (list(dict.fromkeys(data[field])) for field in ("when", "tier"))
    base = alt.Chart(data).encode(
        y=alt.Y("tier:N", title="Days since last purchase", sort=tiers),
        yOffset=alt.YOffset("when:N", sort=when),
    )
    colours = alt.Scale(domain=when, range=[BLUE, PALE][: len(when)])
    bars = base.mark_bar().encode(
        x=alt.X("share:Q", title="Share of all customers", axis=alt.Axis(format="%")),
        color=alt.Color("when:N", sort=when, scale=colours),
        tooltip=tooltips(columns),
    )
    intervals = base.mark_rule(color=GREY, strokeWidth=2).encode(x="low:Q", x2="high:Q")
    hidden = base.transform_filter("!isValid(datum.share)").mark_text(align="left")
    layers: alt.LayerChart = bars + intervals + hidden.encode(x=alt.value(4), text="customers:N")
    return layers


def monthly_revenue(
    months: pd.DataFrame,
    *,
    currency: str,
    minor_per_unit: int,
    annotations: Sequence[Annotation] = (),
) -> AnyChart | Instead:
    """Revenue by month from new and from returning customers.

    `months` is what `revenue.monthly_revenue` gave. A month that would tell of fewer than `SMALL`
    customers is left out, or drawn as a whole; see `asked.hidden_months`. One without any sales is
    not.
    """
    columns: Columns = {
        "month": ("Month", MONTH),
        "who": ("From", TEXT),
        "revenue": (headed("Revenue", currency), COUNT),
        "complete": ("Month is over", TEXT),
    }
    hidden, whole = hidden_months(months)
    kept = months[~hidden]
    if not kept["customers"].any():
        return Instead(f"No picture: in no month did {SMALL} customers or more buy.")
    data = _by_whom(kept, whole=whole[~hidden]).assign(
        revenue=lambda parts: (parts["revenue"] / minor_per_unit).round()
    )
    colours = {name: BY_WHOM[name] for name in BY_WHOM if name in set(data["who"])}
    bars = stacked_by_month(data, columns, size="revenue", part="who", colours=colours)
    bars = bars.encode(opacity=alt.condition("datum.complete", alt.value(1), alt.value(0.45)))
    shown = on_axis(annotations, months=kept["month"])
    return finished(
        annotated(bars, shown, months=kept["month"]),
        description=(
            "Revenue by month from new and returning customers."
            + _last_month(kept, minor_per_unit=minor_per_unit, currency=currency)
        ),
        caption=(
            "Revenue by month. New means: in the month of the first purchase. "
            "A month that is not over is pale."
            + _what_is_hidden(months, hidden, whole & ~hidden)
            + caption(shown)
        ),
        columns=columns,
    )


def _by_whom(months: pd.DataFrame, *, whole: Mask) -> pd.DataFrame:
    """List what each month brought: new and returning customers apart, or together."""
    returning, new, everybody = BY_WHOM
    parts = months.rename(columns={"revenue_returning": returning, "revenue_new": new})
    apart = parts[~whole].melt(
        ["month", "complete"], [returning, new], var_name="who", value_name="revenue"
    )
    together = months[whole].assign(
        who=everybody, revenue=lambda part: part["revenue_new"] + part["revenue_returning"]
    )
    return pd.concat([apart, together[apart.columns]])


def _what_is_hidden(months: pd.DataFrame, hidden: Mask, whole: Mask) -> str:
    said = ""
    if hidden.any():
        said = f" Months with fewer than {SMALL} customers are left out"
        said += ", and what would tell of them." if hidden[~few(months["customers"])].any() else "."
    if whole.any():
        said += f" Where fewer than {SMALL} are returning, the month is drawn as a whole."
    return said


def _last_month(months: pd.DataFrame, *, minor_per_unit: int, currency: str) -> str:
    over = months[months["complete"]]
    if over.empty:
        return ""
    last = over.iloc[-1]
    revenue = (last["revenue_new"] + last["revenue_returning"]) / minor_per_unit
    return f" {last['month']:{MONTH}}: {money(revenue, currency)}."
