"""One function a picture. Each takes a small aggregated frame and embeds only the columns that it shows.

Every chart carries its words: a description for readers who cannot see it, a caption, and the headings of its data table. Groups of fewer
than `SMALL` customers are left out, and curves end where fewer are followed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt
import pandas as pd

SMALL = 10
BLUE, ORANGE, GREY, PALE = "#0b5fa5", "#c2410c", "#5b6470", "#9fc3e4"
HEIGHT = 260
# Shares are drawn and listed to a hundredth of a percent: more digits only make the page heavier.
ROUND = dict.fromkeys(("share", "low", "high", "later_share", "later_low", "later_high"), 4)

_MIME = "application/vnd.vegalite.v5+json"


def _lab_renderer(
    spec: Mapping[str, Any], **_: object
) -> tuple[dict[str, object], dict[str, object]]:
    """Show a chart as the type that JupyterLab draws without a network (Altair's own loads scripts from one)."""
    return {_MIME: dict(spec), "text/plain": f"[chart] {spec.get('description', '')}"}, {}


alt.renderers.register("retention_lab", _lab_renderer)
alt.renderers.enable("retention_lab")


@alt.theme.register("retention_lab", enable=True)
def _theme() -> alt.theme.ThemeConfig:
    text = {
        "labelColor": "#30363d",
        "titleColor": "#30363d",
        "labelFontSize": 12,
        "titleFontSize": 12,
    }
    return {
        "config": {
            "font": "sans-serif",
            "view": {"stroke": None},
            "axis": {
                **text,
                "gridColor": "#e5e8eb",
                "domainColor": "#b6bcc2",
                "titleFontWeight": "normal",
            },
            "legend": {**text, "orient": "top", "title": None, "symbolStrokeWidth": 2},
        }
    }


def returned_by_month(frame: pd.DataFrame, *, days: int) -> alt.LayerChart:
    """Share of each month's new customers who bought again within `days` days, with intervals.

    `frame` is what `cohorts.returned` gave; months that nobody could be judged on yet are left out.
    """
    kept = frame[(frame["customers"] >= SMALL) & frame["share"].notna()]
    data = (
        kept[["cohort", "customers", "returned", "share", "low", "high", "method"]]
        .astype({"share": "float64", "low": "float64", "high": "float64"})
        .round(ROUND)
    )
    chart = alt.Chart(data)
    x = alt.X(
        "cohort:T",
        title="Month of first purchase",
        axis=alt.Axis(format="%b %y", labelOverlap=True),
    )
    y = alt.Y(
        "share:Q",
        title=f"Bought again within {days} days",
        axis=alt.Axis(format="%"),
        scale=alt.Scale(zero=True),
    )
    tooltip = [
        alt.Tooltip("cohort:T", title="First bought", format="%B %Y"),
        alt.Tooltip("customers:Q", title="Customers", format=","),
        alt.Tooltip("share:Q", title="Bought again", format=".1%"),
        alt.Tooltip("low:Q", title="from", format=".1%"),
        alt.Tooltip("high:Q", title="to", format=".1%"),
        alt.Tooltip("method:N", title="How"),
    ]
    bars = (
        chart.mark_rule(color=PALE, strokeWidth=3)
        .encode(x=x, y=y, y2="high:Q")
        .transform_calculate(share="datum.low")
    )
    line = (
        chart.mark_line(color=BLUE, strokeWidth=2)
        .encode(x=x, y=y)
        .transform_filter("datum.method == 'observed'")
    )
    points = chart.mark_point(color=BLUE, size=60, filled=False, strokeWidth=2, opacity=1).encode(
        x=x,
        y=y,
        fill=alt.condition("datum.method == 'observed'", alt.value(BLUE), alt.value("white")),
        tooltip=tooltip,
    )
    first, last = data.iloc[0], data.iloc[-1]
    return _finished(
        bars + line + points,
        alt_text=(
            f"Share of new customers who bought again within {days} days, by month of first purchase, with intervals: "
            f"{first['share']:.1%} for {first['cohort']:%B %Y}, {last['share']:.1%} for {last['cohort']:%B %Y}."
        ),
        caption=f"Bought again within {days} days, by month of first purchase. Bars are 95 % intervals; open points are estimates.",
        labels={
            "cohort": "First bought", "customers": "Customers", "returned": "Bought again so far", "share": "Share",
            "low": "From", "high": "To", "method": "How",
        },
        formats={"cohort": "%B %Y", "share": ".1%", "low": ".1%", "high": ".1%"},
    )  # fmt: skip


def repurchase_curve(curve: pd.DataFrame, *, days: int) -> alt.LayerChart:
    """Share of customers who have bought a second time by each day, with its band; `curve` is a Kaplan-Meier table."""
    kept = curve[(curve["at_risk"] >= SMALL) & (curve["day"] <= days)]
    steps = kept.iloc[:: max(1, len(kept) // 120)]
    data = pd.DataFrame(
        {
            "day": steps["day"],
            "share": 1 - steps["survival"],
            "low": 1 - steps["high"],
            "high": 1 - steps["low"],
            "at_risk": steps["at_risk"],
        }
    ).round(ROUND)
    chart = alt.Chart(data)
    x = alt.X(
        "day:Q",
        title="Days since the first purchase",
        axis=alt.Axis(values=list(range(0, days + 1, 30))),
    )
    band = chart.mark_area(color=PALE, opacity=0.6, interpolate="step-after").encode(
        x=x, y=alt.Y("low:Q", title="Have bought again", axis=alt.Axis(format="%")), y2="high:Q"
    )
    line = chart.mark_line(color=BLUE, strokeWidth=2, interpolate="step-after").encode(
        x=x,
        y="share:Q",
        tooltip=[
            alt.Tooltip("day:Q", title="Day"),
            alt.Tooltip("share:Q", title="Bought again", format=".1%"),
            alt.Tooltip("at_risk:Q", title="Still followed", format=","),
        ],
    )
    return _finished(
        band + line,
        alt_text=(
            f"Share of customers who have bought a second time, by days since the first: {data['share'].iloc[-1]:.1%} by day "
            f"{int(data['day'].iloc[-1])}."
        ),
        caption="Time to the second purchase; customers still waiting count as waiting. The band is the 95 % interval.",
        labels={
            "day": "Day",
            "share": "Have bought again",
            "low": "From",
            "high": "To",
            "at_risk": "Still followed",
        },
        formats={"share": ".1%", "low": ".1%", "high": ".1%", "at_risk": ",.0f"},
    )


def activity_tiers(frame: pd.DataFrame) -> alt.LayerChart:
    """Customers by days since their last purchase, now and before; `frame` has tier, when, customers, share, low, high."""
    when = list(dict.fromkeys(frame["when"]))
    base = alt.Chart(
        frame[["tier", "when", "customers", "share", "low", "high"]].round(ROUND)
    ).encode(
        y=alt.Y(
            "tier:N", title="Days since last purchase", sort=list(dict.fromkeys(frame["tier"]))
        ),
        yOffset=alt.YOffset("when:N", sort=when),
    )
    bars = base.mark_bar().encode(
        x=alt.X("share:Q", title="Share of all customers", axis=alt.Axis(format="%")),
        color=alt.Color("when:N", sort=when, scale=alt.Scale(domain=when, range=[BLUE, PALE])),
        tooltip=[
            alt.Tooltip("when:N", title="As of"),
            alt.Tooltip("customers:Q", title="Customers", format=","),
            alt.Tooltip("share:Q", title="Share", format=".1%"),
        ],
    )
    intervals = base.mark_rule(color=GREY, strokeWidth=2).encode(x="low:Q", x2="high:Q")
    words = "; ".join(
        f"{row.tier} days: {row.share:.1%}" for row in frame[frame["when"] == when[0]].itertuples()
    )
    return _finished(
        bars + intervals,
        alt_text=f"Customers by days since their last purchase, {when[0]}: {words}.",
        caption="Customers by days since their last purchase (the purchase clock). Thin lines are 95 % intervals.",
        labels={
            "when": "As of",
            "tier": "Days",
            "customers": "Customers",
            "share": "Share",
            "low": "From",
            "high": "To",
        },
        formats={"customers": ",.0f", "share": ".1%", "low": ".1%", "high": ".1%"},
        height=180,
    )


def monthly_revenue(frame: pd.DataFrame, *, currency: str) -> alt.Chart:
    """Revenue by month from new and from returning customers; `frame` has month, who, revenue (major units), complete."""
    who = ["returning customers", "new customers"]
    chart = (
        alt.Chart(frame[["month", "who", "revenue", "complete"]].round({"revenue": 0}))
        .transform_calculate(rank=f"indexof({who}, datum.who)")
        .mark_bar()
        .encode(
            x=alt.X(
                "yearmonth(month):T", title=None, axis=alt.Axis(format="%b %y", labelOverlap=True)
            ),
            y=alt.Y("revenue:Q", title=f"Revenue ({currency})", axis=alt.Axis(format="~s")),
            color=alt.Color("who:N", scale=alt.Scale(domain=who, range=[BLUE, ORANGE])),
            order=alt.Order("rank:Q"),
            opacity=alt.condition("datum.complete", alt.value(1), alt.value(0.45)),
            tooltip=[
                alt.Tooltip("month:T", title="Month", format="%B %Y"),
                alt.Tooltip("who:N", title="From"),
                alt.Tooltip("revenue:Q", title="Revenue", format=",.0f"),
            ],
        )
    )
    last = frame[frame["complete"]].groupby("month")["revenue"].sum().iloc[-1:]
    words = "".join(f" {month:%B %Y}: {value:,.0f} {currency}." for month, value in last.items())
    return _finished(
        chart,
        alt_text=f"Revenue by month from new and returning customers.{words}",
        caption="Revenue by month. New means: in the month of the first purchase. A month that is not over is pale.",
        labels={
            "month": "Month",
            "who": "From",
            "revenue": f"Revenue ({currency})",
            "complete": "Month is over",
        },
        formats={"month": "%B %Y", "revenue": ",.0f"},
    )


MEASURES = {
    "share": "share who bought in the period (%)",
    "later_share": "share who bought in it or later (%)",
    "active": "customers who bought in the period",
    "revenue": "revenue of the period",
}


def triangle(
    frame: pd.DataFrame, means: pd.DataFrame, *, unit: str, currency: str, cohorts: int = 15
) -> alt.LayerChart:
    """The cohort triangle with a choice of measure; incomplete cells are hatched, a last row holds the weighted mean.

    `frame` is a triangle of `customers.cohorts` with `revenue` in major units, `means` its `weighted_mean`; `unit` says what a period
    is. The newest `cohorts` and the periods 1 to 12 are drawn.
    """
    data = _triangle_cells(frame, means, cohorts=cohorts)
    names = list(dict.fromkeys(data["cohort"]))
    measure = alt.param(
        name="measure",
        value="share",
        bind=alt.binding_select(
            options=list(MEASURES), labels=list(MEASURES.values()), name="Show: "
        ),
    )
    base = alt.Chart(data).transform_calculate(
        shown="datum[measure]",
        words="datum.shown === null ? '' : (measure == 'share' || measure == 'later_share')"
        " ? format(100 * datum.shown, '.0f') : format(datum.shown, datum.shown < 1000 ? '.0f' : '.2s')",
    )
    x = alt.X(
        "period:O",
        title=f"{unit} since the first purchase",
        axis=alt.Axis(orient="top", labelAngle=0),
    )
    y = alt.Y("cohort:O", title="First bought", sort=names)
    cells = base.mark_rect(stroke="white", strokeWidth=2).encode(
        x=x,
        y=y,
        color=alt.Color("shown:Q", scale=alt.Scale(scheme="blues", domainMin=0), legend=None),
        opacity=alt.condition("datum.complete", alt.value(1), alt.value(0.35)),
        tooltip=[
            alt.Tooltip("cohort:N", title="First bought"),
            alt.Tooltip("period:O", title=unit),
            alt.Tooltip("size:Q", title="Customers", format=","),
            alt.Tooltip("active:Q", title="Bought in it", format=","),
            alt.Tooltip("share:Q", title="Share", format=".1%"),
            alt.Tooltip("low:Q", title="from", format=".1%"),
            alt.Tooltip("high:Q", title="to", format=".1%"),
            alt.Tooltip("later_share:Q", title="In it or later", format=".1%"),
        ],
    )
    hatch = (
        base.transform_filter("!datum.complete")
        .mark_text(text="╱╱", color=GREY, fontSize=11)
        .encode(x=x, y=y)
    )
    # Dark cells need light words; where the turning point lies depends on the measure, so it is taken from the data.
    numbers = (
        base.transform_joinaggregate(most="max(shown)")
        .transform_filter("datum.complete")
        .mark_text(fontSize=11)
        .encode(
            x=x,
            y=y,
            text="words:N",
            color=alt.condition(
                "datum.shown > 0.6 * datum.most", alt.value("white"), alt.value("#1c2733")
            ),
        )
    )
    return _finished(
        (cells + hatch + numbers).add_params(measure),
        alt_text=(
            f"Triangle of cohorts by {unit.lower()} since the first purchase: the share of each month's new customers who bought in each; "
            f"{_mean_words(means)} Hatched cells are incomplete."
        ),
        caption=f"By {unit.lower()}, the share of each month's new customers who bought in it. Hatched: not over yet for everybody.",
        labels={
            "cohort": "First bought", "size": "Customers", "period": unit, "active": "Bought in it", "share": "Share", "low": "From",
            "high": "To", "later_share": "In it or later", "later_low": "From ", "later_high": "To ",
            "revenue": f"Revenue ({currency})", "complete": "Complete",
        },
        formats={
            **dict.fromkeys(("share", "low", "high", "later_share", "later_low", "later_high"), ".1%"),
            "revenue": ",.0f", "size": ",.0f", "active": ",.0f",
        },
        height=24 * len(names),
    )  # fmt: skip


def _triangle_cells(frame: pd.DataFrame, means: pd.DataFrame, *, cohorts: int) -> pd.DataFrame:
    kept = frame[(frame["size"] >= SMALL) & frame["period"].between(1, 12)]
    newest = sorted(kept["cohort"].unique())[-cohorts:]
    cells = kept[kept["cohort"].isin(newest)].assign(
        cohort=lambda t: t["cohort"].dt.strftime("%b %Y")
    )
    mean = means[means["period"].between(1, 12)].assign(cohort="Weighted mean", complete=True)
    columns = [
        "cohort",
        "size",
        "period",
        "active",
        "share",
        "low",
        "high",
        "later_share",
        "later_low",
        "later_high",
    ]
    return pd.concat([cells, mean])[[*columns, "revenue", "complete"]].round(
        {**ROUND, "revenue": 0}
    )


def _mean_words(means: pd.DataFrame) -> str:
    first = means[means["period"] == 1]
    return "" if first.empty else f"{first['share'].iloc[0]:.1%} on average in period 1."


def left_out(frame: pd.DataFrame, *, table: str) -> alt.Chart:
    """Rows of one table by month and by what became of them; `frame` is a snapshot's `left_out`."""
    rows = frame[(frame["table"] == table) & frame["month"].notna()]
    reasons = ["used", *(reason for reason in dict.fromkeys(rows["reason"]) if reason != "used")]
    colours = [BLUE, ORANGE, "#e3a72f", "#6b8e6e", "#8a63a8", GREY, "#b07aa1", "#9c755f"]
    chart = (
        alt.Chart(rows[["month", "reason", "rows", "amount"]])
        .transform_calculate(rank=f"indexof({reasons}, datum.reason)")
        .mark_bar()
        .encode(
            x=alt.X(
                "yearmonth(month):T", title=None, axis=alt.Axis(format="%b %y", labelOverlap=True)
            ),
            y=alt.Y("rows:Q", title=f"Rows of {table}", axis=alt.Axis(format="~s")),
            color=alt.Color(
                "reason:N",
                scale=alt.Scale(domain=reasons, range=(colours * 3)[: len(reasons)]),
                legend=alt.Legend(columns=2, labelLimit=150),
            ),
            order=alt.Order("rank:Q"),
            tooltip=[
                alt.Tooltip("month:T", title="Month", format="%B %Y"),
                "reason:N",
                alt.Tooltip("rows:Q", title="Rows", format=","),
            ],
        )
    )
    return _finished(
        chart,
        alt_text=f"Rows of {table} by month, used or left out by reason.",
        caption=f"What became of each row of {table}, month by month.",
        labels={
            "month": "Month",
            "reason": "What became of it",
            "rows": "Rows",
            "amount": "Amount",
        },
        formats={"month": "%B %Y", "rows": ",.0f", "amount": ",.2f"},
    )


def _finished(
    chart: Any,  # any Altair chart: they share no public class that has properties()
    *,
    alt_text: str,
    caption: str,
    labels: Mapping[str, str],
    formats: Mapping[str, str],
    height: int = HEIGHT,
) -> Any:
    """Give a chart its size, its words and the headings of its data table."""
    pairs: Sequence[tuple[str, str]] = list(labels.items())
    return chart.properties(
        width="container",
        height=height,
        description=alt_text,
        usermeta={"caption": caption, "labels": pairs, "formats": dict(formats)},
    )
