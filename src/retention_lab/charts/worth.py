"""Pictures of what customers are worth: by cohort, held against what came, and of contracts."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

import altair as alt
import pandas as pd

from retention_lab.charts.frame import (
    BLUE,
    COUNT,
    GREY,
    SHARE,
    TEXT,
    Columns,
    finished,
    tooltips,
)
from retention_lab.charts.groups import COLOURS, DASHES
from retention_lab.customers.contracts import PERIOD, Contracts
from retention_lab.customers.worth import Worth
from retention_lab.record import SMALL, headed, percent
from retention_lab.record.ledger import money
from retention_lab.record.small import few
from retention_lab.record.worth import earned, everybody, followed, shown
from retention_lab.tables.parsing import minor_digits
from retention_lab.wording import Instead
from retention_lab.wording.phrases import capitalised

_LABEL_WIDTH = 150
_LEGEND = alt.Legend(symbolType="stroke", symbolSize=400, symbolOpacity=1, columns=2)
_EXPECTED = "Expected"


@dataclass(frozen=True, kw_only=True)
class Line:
    """A column to draw under a `name`, with the columns of its band, if it has one."""

    name: str
    field: str
    low: str = ""
    high: str = ""


def by_cohort(worth: Worth) -> alt.LayerChart | Instead:
    """Value of each cohort in the months to come; or what a customer brought, where no model may.

    A cohort of a few customers is left out, and what would tell of it.
    """
    expected = worth.by is not None
    told = shown(everybody(worth) if expected else worth.observed)
    if told.empty:
        return Instead(f"No picture: no cohort of {SMALL} customers or more may be shown.")
    what = f"{capitalised(earned(worth))} expected in the next {worth.months} months"
    if not expected:
        what = f"Revenue per customer in the last {worth.within} days"
    columns: Columns = {
        "group": ("Cohort", TEXT),
        "customers": ("Customers", COUNT),
        **({"active": ("Expected not gone", COUNT)} if expected else {}),
        **({"expected": ("Purchases expected", COUNT)} if expected else {}),
        "value": (headed(what, worth.currency), ",.2f"),
        "low": ("From", ",.2f"),
        "high": ("To", ",.2f"),
        **({"each": ("Per customer", ",.2f")} if expected else {}),
    }
    unit = 10 ** minor_digits(worth.currency)
    sums = told.assign(**{name: told[name] / unit for name in ("value", "low", "high")})
    data = sums.assign(each=sums["value"] / sums["customers"])[list(columns)].round(2)
    words = "; ".join(
        f"{row['group']} {money(row['value'], worth.currency)}" for row in data.to_dict("records")
    )
    return finished(
        _intervals(data, columns, title=headed(what, worth.currency)),
        description=f"{what}, by value cohort: {words}.",
        caption=f"{what}, by value cohort. Lines are 95 % intervals.",
        columns=columns,
        height=40 * len(data) + 40,
    )


def tracking(worth: Worth) -> alt.LayerChart | Instead:
    """Purchases of the days held back, week by week: what the model expected, and what came."""
    weeks, tried = worth.weeks, worth.trial
    if weeks is None or tried is None or worth.tracking is None:
        return Instead(worth.why or "No picture: no model of purchases was tried.")
    kept = weeks[~few(weeks["actual"])]
    if kept.empty or worth.tracking.customers < SMALL:
        return Instead(f"No picture: fewer than {SMALL} purchases came in the days held back.")
    columns: Columns = {
        "week": ("Weeks held back", COUNT),
        "actual": ("What came", COUNT),
        "expected": (_EXPECTED, COUNT),
        "low": ("From", COUNT),
        "high": ("To", COUNT),
    }
    data = kept[list(columns)].round(0)
    lines = [
        Line(name="What came", field="actual"),
        Line(name=_EXPECTED, field="expected", low="low", high="high"),
    ]
    last = data.iloc[-1]
    return finished(
        _lines(data, columns, lines=lines, y="Purchases so far", form="~s"),
        description=(
            f"Purchases of the last {tried.days} days, added up by week: by week "
            f"{last['week']:.0f} {last['actual']:,.0f} came and {last['expected']:,.0f} were "
            "expected."
        ),
        caption=(
            "Purchases added up by week, as the model expected them when it knew nothing of these "
            "weeks, and as they came. The band is a 95 % interval."
        ),
        columns=columns,
    )


def contracts(found: Contracts) -> alt.LayerChart | Instead:
    """Share of subscriptions kept, period by period: as seen, and as projected."""
    seen = followed(found)
    if seen.empty or found.frame is None:
        return Instead(found.why or f"No picture: no {SMALL} subscriptions were followed.")
    told = bool(found.frame["projected"].notna().all())
    columns: Columns = {
        "period": (f"Period of {PERIOD} days", COUNT),
        "share": ("Kept", SHARE),
        "low": ("From", SHARE),
        "high": ("To", SHARE),
        **({"projected": ("Expected", SHARE)} if told else {}),
        **({"projected_low": ("Expected from", SHARE)} if told else {}),
        **({"projected_high": ("Expected to", SHARE)} if told else {}),
    }
    # Only what may be shown of what was seen; the projection goes on without it.
    every = found.frame if told else found.frame[found.frame["period"].isin(seen["period"])]
    hidden = ~every["period"].isin(seen["period"])
    data = every.assign(**{name: every[name].mask(hidden) for name in ("share", "low", "high")})[
        list(columns)
    ].round(4)
    lines = [
        Line(name="As seen", field="share", low="low", high="high"),
        Line(name=_EXPECTED, field="projected", low="projected_low", high="projected_high"),
    ]
    last = seen.iloc[-1]
    return finished(
        _lines(data, columns, lines=lines[: 1 + told], y="Share kept", form="%"),
        description=(
            f"Share of subscriptions kept, by periods of {PERIOD} days: {percent(last['share'])} "
            f"after {last['period']:.0f}."
        ),
        caption=(
            f"Subscriptions kept to the end of each period of {PERIOD} days, as seen"
            f"{' and as a formula expects' if told else ''}. Bands are 95 % intervals."
        ),
        columns=columns,
    )


def _intervals(data: pd.DataFrame, columns: Columns, *, title: str) -> alt.LayerChart:
    base = alt.Chart(data).encode(
        y=alt.Y(
            "group:N", title=None, sort=[*data["group"]], axis=alt.Axis(labelLimit=_LABEL_WIDTH)
        )
    )
    axis = alt.Axis(format="~s", tickCount=4)
    x = alt.X("value:Q", title=title, axis=axis, scale=alt.Scale(zero=True))
    layers: alt.LayerChart = base.mark_rule(color=GREY, strokeWidth=2).encode(
        x="low:Q", x2="high:Q"
    ) + base.mark_point(color=BLUE, filled=True, size=90, opacity=1).encode(
        x=x, tooltip=tooltips(columns)
    )
    return layers


def _lines(
    data: pd.DataFrame, columns: Columns, *, lines: Sequence[Line], y: str, form: str
) -> alt.LayerChart:
    """Draw columns as lines, with their bands, along the first of `columns`."""
    x, names = next(iter(columns)), [line.name for line in lines]
    axis = alt.Axis(tickMinStep=1, format="d", grid=False)
    across = alt.X(f"{x}:Q", title=columns[x][0], axis=axis, scale=alt.Scale(zero=True))
    base = alt.Chart(data).encode(x=across)
    layers = []
    for line, colour in zip(lines, COLOURS, strict=False):
        height = alt.Y(f"{line.field}:Q", title=y, axis=alt.Axis(format=form))
        if line.low:
            band = base.mark_area(opacity=0.15, color=colour)
            layers.append(band.encode(y=alt.Y(f"{line.low}:Q", title=y), y2=f"{line.high}:Q"))
        named = base.transform_calculate(line=json.dumps(line.name))
        layers.append(
            named.mark_line(strokeWidth=2).encode(
                y=height,
                color=alt.Color("line:N", scale=_scale(names, COLOURS), legend=_LEGEND),
                strokeDash=alt.StrokeDash("line:N", scale=_scale(names, DASHES), legend=_LEGEND),
                tooltip=tooltips(columns),
            )
        )
    return alt.LayerChart(layer=layers)


def _scale(names: list[str], values: list[str] | list[list[int]]) -> alt.Scale:
    return alt.Scale(domain=names, range=values[: len(names)])
