"""The picture of a campaign test: how much more or less of each step an arm brings than control."""

from __future__ import annotations

import altair as alt
import pandas as pd

from retention_lab.charts.frame import (
    BLUE,
    DARK,
    GREY,
    TEXT,
    Columns,
    finished,
    tooltips,
)
from retention_lab.experiments.campaign import LEVEL
from retention_lab.experiments.readout import Readout
from retention_lab.record.campaign_test import headed, shown
from retention_lab.wording import Instead
from retention_lab.wording.campaign_test import untold

_ROW, _LABEL_WIDTH, _PERCENT = 28, 170, "+.1%"
_SHORT = {
    "orders": "Orders",
    "revenue_per_customer": "Revenue",
    "conversion": "Conversions",
    "click": "Clicks",
    "visit": "Visits",
    "unsubscribe": "Unsubscribed",
    "open": "Opens",
}
_COLUMNS: Columns = {
    "name": ("Step and arm", TEXT),
    "step": ("What is measured", TEXT),
    "lift": ("Relative to control", _PERCENT),
    "lift_low": ("From", _PERCENT),
    "lift_high": ("To", _PERCENT),
    "clear": ("Clear of chance", TEXT),
}
_NO_LIFT = (
    "No picture: no step of control is known well enough to say by what part of it an arm differs. "
    "The differences stand in the text."
)


def lifts(seen: Readout, frame: pd.DataFrame | None) -> alt.LayerChart | Instead:
    """Draw the relative difference of each arm from control, step by step.

    `frame` is what `campaign.funnel` gave. Where nothing may be shown there is nothing here: the
    sentence beside the picture says why.
    """
    if untold(seen, frame) or frame is None:
        return Instead("")
    rows = shown(frame)
    rows = rows[rows["lift"].notna()]
    if rows.empty:
        return Instead(_NO_LIFT)
    names = [f"{_SHORT[row['metric']]}, {row['arm']}" for row in rows.to_dict("records")]
    clear = (rows["p_adjusted"] <= LEVEL).fillna(value=False).map({True: "yes", False: "no"})
    data = rows.assign(
        name=names, step=[headed(row) for row in rows.to_dict("records")], clear=clear
    )[list(_COLUMNS)]
    numbers = ["lift", "lift_low", "lift_high"]
    data = data.astype(dict.fromkeys(numbers, "float64")).round(4)
    control = seen.plan.arms[0].name
    said = "; ".join(f"{row.name} {row.lift:+.1%}" for row in data.itertuples())
    return finished(
        _layers(data, control=control),
        description=f"Each step of each arm relative to {control}: {said}.",
        caption=(
            f"By what part of it each arm differs from {control}, with its 95 % interval: +100 % "
            "is twice as much. Blue: clear of chance, allowing for all comparisons; grey: may be "
            "chance."
        ),
        columns=_COLUMNS,
        height=_ROW * len(data) + 40,
    )


def _layers(data: pd.DataFrame, *, control: str) -> alt.LayerChart:
    base = alt.Chart(data).encode(
        y=alt.Y(
            "name:N",
            title=None,
            sort=list(data["name"]),
            axis=alt.Axis(labelLimit=_LABEL_WIDTH),
        ),
        color=alt.condition(alt.datum.clear == "yes", alt.value(BLUE), alt.value(GREY)),
    )
    axis = alt.Axis(format="+~%", tickCount=5)
    x = alt.X("lift_low:Q", title=f"More or less than {control}", axis=axis)
    line = base.mark_rule(strokeWidth=2).encode(x=x, x2="lift_high:Q")
    point = base.mark_point(filled=True, size=60, opacity=1).encode(
        x="lift:Q", tooltip=tooltips(_COLUMNS)
    )
    zero = alt.Chart(pd.DataFrame({"none": [0]})).mark_rule(color=DARK, strokeDash=[4, 3])
    return alt.LayerChart(layer=[zero.encode(x="none:Q"), line, point])
