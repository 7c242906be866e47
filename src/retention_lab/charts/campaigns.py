"""The picture of what came of messages: each share beside the band that the trade claims."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

import altair as alt
import pandas as pd

from retention_lab.charts.frame import (
    BLUE,
    COUNT,
    PALE,
    SHARE,
    TEXT,
    Columns,
    finished,
    tooltips,
)
from retention_lab.record import percent
from retention_lab.record.campaigns import shown
from retention_lab.wording import Instead

_DIGITS, _LABEL_WIDTH, _ROW = 6, 170, 26  # not fewer, or a tooltip may differ from the sentence
_DID = {"click": "clicked", "conversion": "ordered", "open": "opened"}
_COLUMNS: Columns = {
    "rate": ("After a message", TEXT),
    "group": ("Cohort", TEXT),
    "delivered": ("Customers with a message", COUNT),
    "share": ("Share", SHARE),
    "low": ("From", SHARE),
    "high": ("To", SHARE),
    "band_low": ("Band from", SHARE),
    "band_high": ("Band to", SHARE),
}
_FADED = alt.condition(alt.datum.rate == _DID["open"], alt.value(0.45), alt.value(1))


def bands(frame: pd.DataFrame) -> alt.LayerChart | Instead:
    """Draw each rate of each cohort with its interval on its band; opens, the least sure, paler.

    `frame` is what `customers.campaigns.rates` gave. Where nothing of it may be shown there is
    nothing here: the sentence beside the picture says why.
    """
    data = shown(frame)
    if data.empty:
        return Instead("")
    ranked = pd.Categorical(data["rate"].map(_DID), list(_DID.values()))
    numbers = dict.fromkeys(("share", "low", "high", "band_low", "band_high"), "float64")
    data = data.assign(rate=ranked).sort_values("rate", kind="stable").astype(numbers)
    data = data[list(_COLUMNS)].astype({"rate": "object"}).round(_DIGITS)
    said = "; ".join(map(_said, data.to_dict("records")))
    return finished(
        _layers(data),
        description=f"Share of customers who responded to a message, by rate and cohort: {said}.",
        caption=(
            "Points: of the customers with a message, the share who clicked, ordered or opened, "
            "with its 95 % interval. Bars: the band that the trade claims, where there is one. "
            "Opens, the paler ones, include those by machines. The axis is stretched near zero."
        ),
        columns=_COLUMNS,
        height=_ROW * len(data) + 40,
    )


def _said(row: Mapping[Hashable, Any]) -> str:
    low, high = row["band_low"], row["band_high"]
    band = "" if pd.isna(low) else f" (band {percent(low)} to {percent(high)})"
    return f"{row['rate']}, {row['group']} {percent(row['share'])}{band}"


def _layers(data: pd.DataFrame) -> alt.LayerChart:
    names = [f"{row.rate}: {row.group}" for row in data.itertuples()]
    base = (
        alt.Chart(data)
        .transform_calculate(row='datum.rate + ": " + datum.group')
        .encode(
            y=alt.Y("row:N", title=None, sort=names, axis=alt.Axis(labelLimit=_LABEL_WIDTH)),
            opacity=_FADED,
        )
    )
    # Clicks of a few in a hundred and opens of half of all, on one axis.
    scale = alt.Scale(type="sqrt", domainMin=0)
    axis = alt.Axis(format="%", values=[0, 0.01, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1])
    x = alt.X("band_low:Q", title="Share of customers with a message", axis=axis, scale=scale)
    band = base.transform_filter("isValid(datum.band_low)").mark_bar(color=PALE, height=14)
    line = base.mark_rule(color=BLUE, strokeWidth=2).encode(x="low:Q", x2="high:Q")
    point = base.mark_point(color=BLUE, filled=True, size=50).encode(
        x="share:Q", tooltip=tooltips(_COLUMNS)
    )
    layers: alt.LayerChart = band.encode(x=x, x2="band_high:Q") + line + point
    return layers
