"""Pictures of customers by groups that are moved by hand: how large each is, and what it brings.

They are drawn anew while a slider is dragged, so they have few parts, and hand their data to the
chart once. A click chooses a group by the selection `pick`.
"""

from __future__ import annotations

from collections.abc import Mapping

import altair as alt
import numpy as np
import pandas as pd

from retention_lab.charts import segments
from retention_lab.charts.frame import (
    BLUE,
    CELL,
    COUNT,
    GREY,
    ORANGE,
    PALE,
    SHARE,
    TEXT,
    Columns,
    finished,
    tooltips,
)
from retention_lab.customers.collapsed_rfm import Moved
from retention_lab.record import SMALL, headed, percent
from retention_lab.record.explored import Hidden, hidden
from retention_lab.record.small import HIDDEN, cells
from retention_lab.tables.parsing import minor_digits
from retention_lab.wording import Instead

MONEY = ",.2f"
_HIDING = f" {HIDDEN} stands for what would tell of fewer than {SMALL} customers."
_TOLD = ("group", "customers", "customers_before", "revenue", "mean")  # the table has the rest
_LABELS = alt.Axis(labelLimit=180, labelFontSize=13)


def sizes(seen: Moved, *, group: str) -> alt.LayerChart | Instead:
    """Draw the share of customers of each group, now and before, beside that of the revenue.

    A chosen `group` stands out.
    """
    columns, masks = _columns(seen), hidden(seen)
    if masks.now.all():
        return Instead(f"No picture: it would tell of fewer than {SMALL} customers; choose more.")
    data = _data(seen, masks)
    told = zip(data["group"][~masks.now], data["share"][~masks.now], strict=True)
    words = "; ".join(f"{name} {percent(share)}" for name, share in told)
    parts = {"share": BLUE, "share_before": PALE, "revenue_share": ORANGE}
    return finished(
        _bars(data, columns, parts, group=group),
        description=f"Share of customers in each group, before and now, and of revenue: {words}.",
        caption=(
            f"Customers of each group now and {seen.standing.days} days before, as shares of all, "
            f"and what they brought in {seen.standing.within} days, less returns. Thin lines are "
            f"95 % intervals.{_HIDING if masks.any else ''}"
        ),
        columns=columns,
        height=54 * len(data) + 40 if len(data) < 6 else 40 * len(data),
    )


def told(seen: Moved) -> alt.Chart:
    """Give the data table of `sizes`, which hides what is hidden there, beside another picture."""
    chart = alt.Chart(_data(seen, hidden(seen)))
    return finished(chart, description="", caption="", columns=_columns(seen))


def moves(seen: Moved) -> alt.LayerChart | Instead:
    """Draw from which group to which customers moved, as `segments.moves`; a row can be chosen."""
    drawn = segments.moves(seen.moves, seen.standing.currency, days=seen.standing.days)
    if isinstance(drawn, Instead):
        return drawn
    chart: alt.LayerChart = drawn.add_params(alt.selection_point(name="pick", fields=["before"]))
    return chart


def _columns(seen: Moved) -> Columns:
    here = seen.standing
    before = f"{here.days} days before"
    return {
        "group": ("Group", TEXT),
        "customers": ("Customers", CELL),
        "share": ("Share now", SHARE),
        "low": ("From", SHARE),
        "high": ("To", SHARE),
        "customers_before": ("Before", CELL),
        "share_before": (f"Share {before}", SHARE),
        "revenue": (headed("Revenue", here.currency), COUNT),
        "revenue_share": ("Share of revenue", SHARE),
        "mean": (headed("Each", here.currency), MONEY),
        "mean_low": ("At least", MONEY),
        "mean_high": ("At most", MONEY),
    }


def _data(seen: Moved, masks: Hidden) -> pd.DataFrame:
    """One row per group, with what may not be shown left out."""
    now, unit = seen.now, 10 ** minor_digits(seen.standing.currency)
    nothing = np.full(len(now), np.nan)
    money = {name: now[name] / unit for name in ("mean", "mean_low", "mean_high")}
    before = {"customers_before": [HIDDEN] * len(now), "share_before": nothing}
    if seen.before is not None:
        share = np.where(masks.before, np.nan, seen.before["share"].round(6))
        counts = cells(seen.before["customers"], masks.before)
        before = {"customers_before": counts, "share_before": share}
    shown = {
        **{name: (now[name].round(6), masks.now) for name in ("share", "low", "high")},
        "revenue": ((now["revenue_within"] / unit).round(), masks.unseen),
        "revenue_share": (now["revenue_share"].astype("float64").round(4), masks.unseen),
        **{name: (amount, masks.unseen | masks.now) for name, amount in money.items()},
    }
    data = {name: np.where(mask, np.nan, values) for name, (values, mask) in shown.items()}
    first = {"group": now["group"], "customers": cells(now["customers"], masks.now)}
    return pd.DataFrame({**first, **before, **data})[[*_columns(seen)]]


def _bars(
    data: pd.DataFrame, columns: Columns, parts: Mapping[str, str], *, group: str
) -> alt.LayerChart:
    heads = [columns[name][0] for name in parts]
    colours = alt.Scale(domain=heads, range=[*parts.values()])
    named = "".join(f"datum.field == '{name}' ? '{columns[name][0]}' : " for name in parts)
    base = (
        alt.Chart()
        .transform_fold([*parts], as_=["field", "value"])
        .transform_calculate(part=f"{named}''")
        .encode(
            y=alt.Y("group:N", title=None, sort=list(data["group"]), axis=_LABELS),
            yOffset=alt.YOffset("part:N", sort=heads),
        )
    )
    bars = base.mark_bar(cursor="pointer").encode(
        x=alt.X("value:Q", title="Share of all", axis=alt.Axis(format="%", tickCount=6)),
        color=alt.Color("part:N", sort=heads, scale=colours),
        opacity=alt.condition(alt.datum.group == group, alt.value(1), alt.value(0.6)),
        tooltip=tooltips(columns, *_TOLD),
    )
    spans = base.transform_filter("datum.field == 'share'").mark_rule(color=GREY, strokeWidth=2)
    pick = alt.selection_point(name="pick", fields=["group"])
    both = [bars.add_params(pick), spans.encode(x="low:Q", x2="high:Q")]
    return alt.LayerChart(layer=both, data=data)
