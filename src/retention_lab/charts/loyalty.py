"""A picture of the ladder of loyalty: who stands on it beside what they bring."""

from __future__ import annotations

import altair as alt
import numpy as np
import pandas as pd

from retention_lab.charts.frame import (
    BLUE,
    CELL,
    ORANGE,
    ROUND,
    SHARE,
    TEXT,
    Columns,
    finished,
    tooltips,
)
from retention_lab.record import SMALL, percent
from retention_lab.record.loyalty import hidden_in
from retention_lab.record.small import cells
from retention_lab.wording import Instead

_DIGITS = 3  # of a share of revenue: more could tell what a few have sent back
_COLUMNS: Columns = {
    "tier": ("Tier", TEXT),
    "customers": ("Customers", CELL),
    "share": ("Share of customers", SHARE),
    "low": ("From", SHARE),
    "high": ("To", SHARE),
    "revenue_share": ("Share of revenue", SHARE),
    "one_away": ("One purchase away", CELL),
}


def loyalty(frame: pd.DataFrame) -> alt.Chart | Instead:
    """Draw the share of customers on each tier beside their share of the revenue of the window.

    `frame` is what `customers.loyalty.tiers` gave, best tier first; what would tell of fewer than
    `SMALL` customers is left out.
    """
    hidden = hidden_in(frame)
    if hidden["customers"].all():
        return Instead(f"No picture: no tier has {SMALL} customers or more.")
    data = frame[list(_COLUMNS)].astype({"revenue_share": "float64"})
    data.loc[hidden["customers"], ["share", "low", "high", "revenue_share"]] = np.nan
    data = data.round({**ROUND, "revenue_share": _DIGITS})
    data["revenue_share"] += 0.0  # a tiny loss has no sign
    for name in ("customers", "one_away"):
        data[name] = cells(frame[name], hidden[name])
    known = data[~hidden["customers"].to_numpy()]
    said = "; ".join(
        f"{row['tier']} {percent(row['share'])} of customers" for row in known.to_dict("records")
    )
    return finished(
        _bars(data),
        description=f"Tiers of loyalty, best first: {said}.",
        caption="Customers and revenue of the days scored by tier of loyalty. Intervals stand in "
        "the table, and how many customers are one purchase below each tier.",
        columns=_COLUMNS,
        height=60 * len(data),
    )


def _bars(data: pd.DataFrame) -> alt.Chart:
    names = {field: _COLUMNS[field][0] for field in ("share", "revenue_share")}
    folded = alt.Chart(data).transform_fold(list(names), as_=["what", "part"])
    word = f"datum.what === 'share' ? '{names['share']}' : '{names['revenue_share']}'"
    scale = alt.Scale(domain=list(names.values()), range=[BLUE, ORANGE])
    bars: alt.Chart = (
        folded.transform_calculate(what=word)
        .mark_bar()
        .encode(
            y=alt.Y("tier:N", title=None, sort=data["tier"].tolist()),
            yOffset=alt.YOffset("what:N", sort=list(names.values())),
            x=alt.X("part:Q", title="Share", axis=alt.Axis(format="%", tickCount=6)),
            color=alt.Color("what:N", sort=list(names.values()), scale=scale),
            tooltip=tooltips(_COLUMNS),
        )
    )
    return bars
