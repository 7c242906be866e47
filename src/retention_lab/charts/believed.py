"""The picture of how wrong the assumptions of a test may be, and what that would cost."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

import altair as alt
import pandas as pd

from retention_lab.charts.frame import BLUE, COUNT, DARK, ORANGE, TEXT, Columns, finished, tooltips
from retention_lab.record.believed import LOST_IN
from retention_lab.wording import Instead
from retention_lab.wording.believed import ranged

_SHORT = {
    "baseline": "Share as things are",
    "contact_rate": "Reached",
    "dropout_per_day": f"Lost in {LOST_IN} days",
    "onset_days": "Days to the effect",
}
_SIDES = {"low": "If it is lower", "high": "If it is higher"}


def wrong(frame: pd.DataFrame) -> alt.LayerChart | Instead:
    """Draw the customers needed if one assumption at a time is as wrong as it may be.

    `frame` is that of `experiments.believed.wrong`. How fast customers enter changes only how long
    the test takes, so it has no bar.
    """
    known = frame[frame["assumption"].isin(_SHORT)].dropna(subset="customers")
    ends = known[["customers_low", "customers_high"]]
    drawn = known[ends.notna().any(axis=1)]
    if drawn.empty:
        return Instead("No picture: the test cannot be sized by any other assumption.")
    columns: Columns = {
        "name": ("Assumption", TEXT),
        "range": ("May be", TEXT),
        "customers_low": ("Needed if lower", COUNT),
        "customers": ("As believed", COUNT),
        "customers_high": ("If higher", COUNT),
    }
    data = _labelled(drawn)[list(columns)]
    needed = drawn["customers"].iloc[0]
    words = "; ".join(
        f"{row['name']} {row['range']}: {_span(row)}" for row in data.to_dict("records")
    )
    return finished(
        _bars(data, columns, needed=float(needed)),
        description=(
            f"Customers needed if one assumption is wrong, {needed:,.0f} if none is: {words}."
        ),
        caption=(
            "Customers needed if one assumption at a time is as wrong as it may be. The line is at "
            f"the {needed:,.0f} needed if all hold."
        ),
        columns=columns,
        height=48 * len(data) + 70,
    )


def _labelled(drawn: pd.DataFrame) -> pd.DataFrame:
    """Name the assumptions, the one that costs most first."""
    spread = drawn[["customers_low", "customers_high"]].max(axis=1)
    rows = drawn.loc[spread.sort_values(ascending=False, kind="stable").index]
    ranges = [
        ranged(name, low, high)
        for name, low, high in zip(rows["assumption"], rows["low"], rows["high"], strict=True)
    ]
    return rows.assign(name=rows["assumption"].map(_SHORT), range=ranges)


def _span(row: Mapping[Hashable, Any]) -> str:
    ends = [row[name] for name in ("customers_low", "customers_high") if not pd.isna(row[name])]
    return " to ".join(f"{end:,.0f}" for end in ends)


def _bars(data: pd.DataFrame, columns: Columns, *, needed: float) -> alt.LayerChart:
    base = alt.Chart(data).transform_calculate(label="datum.name + '|' + datum.range")
    # Two lines a label, so that a telephone has room for bars.
    y = alt.Y(
        "label:N",
        title=None,
        sort=[f"{name}|{each}" for name, each in zip(data["name"], data["range"], strict=True)],
        axis=alt.Axis(labelExpr="split(datum.label, '|')", labelLimit=150),
    )
    axis = alt.Axis(format="~s", tickCount=4)
    scale = alt.Scale(domain=list(_SIDES.values()), range=[ORANGE, BLUE])
    layers = [
        base.transform_filter(f"isValid(datum.customers_{side})")
        .transform_calculate(side=f"'{words}'")
        .mark_bar(size=16)
        .encode(
            y=y,
            x=alt.X(f"customers_{side}:Q", title="Customers needed", axis=axis).scale(zero=False),
            x2="customers:Q",
            color=alt.Color("side:N", scale=scale, legend=alt.Legend(columns=2)),
            tooltip=tooltips(columns),
        )
        for side, words in _SIDES.items()
    ]
    # From a table of its own: a mark without data has no words for those who cannot see it.
    line = alt.Chart(pd.DataFrame({"needed": [needed]})).mark_rule(color=DARK, strokeWidth=2)
    return alt.LayerChart(layer=[*layers, line.encode(x="needed:Q")])
