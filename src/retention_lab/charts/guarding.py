"""The picture of guardrails: the least harm that a planned test could rule out."""

from __future__ import annotations

import altair as alt
import pandas as pd

from retention_lab.charts.frame import (
    BLUE,
    COUNT,
    DARK,
    ORANGE,
    TEXT,
    Columns,
    finished,
    tooltips,
)
from retention_lab.record.guarding import told
from retention_lab.wording import Instead
from retention_lab.wording.guarding import NONE, harm

_LABEL_WIDTH = 175
_COLUMNS: Columns = {
    "label": ("Guardrail", TEXT),
    "borne": ("Harm that would be borne", TEXT),
    "least": ("Least harm that can be ruled out", TEXT),
    "times": ("Least over borne", ".2f"),
    "needed": ("Customers needed", COUNT),
    "planned": ("Customers planned", COUNT),
}


def margins(frame: pd.DataFrame) -> alt.LayerChart | Instead:
    """Draw the least harm that the planned customers can rule out, in margins of the plan.

    `frame` is what `experiments.guarding.guardrails` gave.
    """
    if frame.empty:
        return Instead(NONE)
    marked = told(frame)
    drawn = marked[marked["sized"] & marked["smallest"].notna()]
    if drawn.empty:
        return Instead("No picture: of no guardrail can it be told which harm could be ruled out.")
    rows = drawn.to_dict("records")
    data = drawn.assign(
        borne=[harm(row, row["margin"]) for row in rows],
        least=[harm(row, row["smallest"]) for row in rows],
        times=(drawn["smallest"] / drawn["margin"]).astype("float64").round(3),
    )[list(_COLUMNS)].astype({"needed": "int64", "planned": "int64"})
    planned = data["planned"].iloc[0]
    said = "; ".join(f"{row.label} {row.least}, {row.borne} borne" for row in data.itertuples())
    return finished(
        _bars(data),
        description=f"Least harm that {planned:,} customers can rule out: {said}.",
        caption=(
            f"Least harm that {planned:,} customers can rule out, over what the plan would "
            "bear. A bar that ends before the line, at 1, is enough."
        ),
        columns=_COLUMNS,
        height=40 * len(data) + 60,
    )


def _bars(data: pd.DataFrame) -> alt.LayerChart:
    base = alt.Chart(data).encode(
        y=alt.Y("label:N", title=None, sort=None, axis=alt.Axis(labelLimit=_LABEL_WIDTH))
    )
    axis = alt.Axis(tickCount=4)
    x = alt.X("times:Q", title="Least harm ruled out, over harm borne", axis=axis)
    colour = alt.condition(alt.datum.times <= 1, alt.value(BLUE), alt.value(ORANGE))
    bars = base.mark_bar(height=18).encode(x=x, color=colour, tooltip=tooltips(_COLUMNS))
    # From a table of its own: a mark without data has no words for those who cannot see it.
    borne = alt.Chart(pd.DataFrame({"borne": [1]}))
    line = borne.mark_rule(color=DARK, strokeDash=[4, 3], strokeWidth=2).encode(x="borne:Q")
    layers: alt.LayerChart = bars + line
    return layers
