"""The picture of a test's effect by segment: as it is, and pulled towards the average."""

from __future__ import annotations

import altair as alt
import pandas as pd

from retention_lab.charts.frame import (
    BLUE,
    COUNT,
    DARK,
    GREY,
    ORANGE,
    PALE,
    TEXT,
    Columns,
    finished,
    tooltips,
)
from retention_lab.experiments.readout import Readout
from retention_lab.record.subgroups import shown
from retention_lab.wording import Instead
from retention_lab.wording.subgroups import different, label

MOST = 24  # segments in a picture: the largest
_ROW, _TALL, _LABEL_WIDTH, _POINTS = 26, 36, 160, "+.1f"
_COLUMNS: Columns = {
    "name": ("Segment", TEXT),
    "both": ("Customers", COUNT),
    "pulled": ("Pulled, points", _POINTS),
    "pulled_low": ("From", _POINTS),
    "pulled_high": ("To", _POINTS),
    "effect": ("Alone, points", _POINTS),
    "low": ("Alone from", _POINTS),
    "high": ("Alone to", _POINTS),
    "mean": ("Average, points", _POINTS),
    "apart": ("Differs reliably", TEXT),
}
_SHRUNK = {"shrunk": "pulled", "shrunk_low": "pulled_low", "shrunk_high": "pulled_high"}


def effects(seen: Readout) -> alt.LayerChart | Instead:
    """Draw the effect of each segment beside the average of its attribute.

    Where nothing may be shown there is nothing here: the sentence beside the picture says why.
    """
    found = seen.subgroups
    if found is None or not seen.shows:
        return Instead("")
    rows = shown(found).merge(found.interactions[["arm", "segment", "mean"]])
    if rows.empty:
        return Instead("")
    largest = rows.loc[rows["both"].nlargest(MOST).index.sort_values()]
    data = _written(largest, several=len(seen.plan.arms) > 2)
    said = "; ".join(f"{row.name} {row.shown:+.1f}" for row in data.itertuples(index=False))
    cut = f" The {MOST} largest are drawn." if len(rows) > MOST else ""
    return finished(
        _layers(data),
        description=f"Effect of the test in points, by segment: {said}.",
        caption=(
            "Effect by segment, in points, a gain to the right. Pale: of the segment alone. Full: "
            "pulled towards the average, the upright stroke, with its 95 % interval; orange where "
            "it differs from it reliably. Two groups stand as they are. Dashed: no "
            f"effect.{cut}"
        ),
        columns=_COLUMNS,
        height=(_ROW if len(seen.plan.arms) == 2 else _TALL) * len(data) + 40,
    )


def _written(rows: pd.DataFrame, *, several: bool) -> pd.DataFrame:
    """Turn shares into points, and flags into words."""
    names = [label(row, several=several) for row in rows.to_dict("records")]
    told = rows.rename(columns=_SHRUNK)
    numbers = [*_SHRUNK.values(), "effect", "low", "high", "mean"]
    points = (100 * told[numbers].astype("float64")).round(4)
    apart = different(rows).map({True: "yes", False: "no"})
    written = told.assign(**points, name=names, apart=apart)[list(_COLUMNS)]
    return written.assign(shown=written["pulled"].fillna(written["effect"]))


def _layers(data: pd.DataFrame) -> alt.LayerChart:
    base = alt.Chart(data).encode(
        y=alt.Y(
            "name:N",
            title=None,
            sort=list(data["name"]),
            # The arm, where there are several, has a line of its own.
            axis=alt.Axis(labelLimit=_LABEL_WIDTH, labelExpr="split(datum.label, ', ')"),
        )
    )
    x = alt.X("low:Q", title="Effect in points", axis=alt.Axis(format="+~f", tickCount=5))
    alone = base.mark_rule(color=PALE, strokeWidth=5).encode(x=x, x2="high:Q")
    raw = base.mark_point(color=GREY, size=40, opacity=1).encode(x="effect:Q")
    mean = base.mark_tick(color=DARK, thickness=2, size=_ROW - 2).encode(x="mean:Q")
    colour = alt.condition(alt.datum.apart == "yes", alt.value(ORANGE), alt.value(BLUE))
    line = base.mark_rule(strokeWidth=2).encode(x="pulled_low:Q", x2="pulled_high:Q", color=colour)
    point = base.mark_point(filled=True, size=60, opacity=1).encode(
        x="shown:Q", color=colour, tooltip=tooltips(_COLUMNS)
    )
    zero = alt.Chart(pd.DataFrame({"none": [0]})).mark_rule(color=GREY, strokeDash=[4, 3])
    return alt.LayerChart(layer=[zero.encode(x="none:Q"), alone, raw, mean, line, point])
