"""The picture of rising interest: how much customers bought of late, and what chance gives."""

from __future__ import annotations

import altair as alt
import numpy as np
import pandas as pd

from retention_lab.charts.frame import (
    BLUE,
    CELL,
    COUNT,
    DARK,
    GREY,
    TEXT,
    Columns,
    finished,
    tooltips,
)
from retention_lab.customers.rising import Rising
from retention_lab.record import SMALL
from retention_lab.record.small import HIDDEN, cells, covered
from retention_lab.wording import Instead

LEAST = 0.1  # customers expected that are drawn: a logarithm has no room for none


def observed_expected(rising: Rising) -> alt.LayerChart | Instead:
    """Customers by days with a purchase of late, as seen and as chance gives, with the alerts.

    Days that fewer than `SMALL` customers reach are drawn together with those before.
    """
    if rising.why:
        return Instead(rising.why)
    if rising.tested < SMALL:
        return Instead(f"No picture: fewer than {SMALL} customers can be judged.")
    columns: Columns = {
        "days": ("Days with a purchase", TEXT),
        "customers": ("Customers", COUNT),
        "by_chance": ("Expected by chance", ",.1f"),
        "alerts": ("Alerts among them", CELL),
    }
    data = _shown(rising.counts)[list(columns)]
    if len(data) < 2:
        return Instead(f"No picture: fewer than {SMALL} customers bought, or did not buy.")
    words = "; ".join(
        f"{row.days}: {row.customers:,}, by chance {row.by_chance:,.1f}"
        for row in data.itertuples()
    )
    return finished(
        _paired(data, columns),
        description=f"Customers by days with a purchase, last {rising.within} days: {words}.",
        caption=(
            f"Customers by days with a purchase in the last {rising.within} days (filled circles), "
            "and how many chance alone gives by what each bought before (empty diamonds). Each "
            "step to the right is ten times as many."
        ),
        columns=columns,
        height=36 * len(data) + 30,
    )


def _shown(counts: pd.DataFrame) -> pd.DataFrame:
    """Put the last days together until they are no few, and leave out what would tell of a few."""
    upward = counts["customers"][::-1].cumsum()[::-1].to_numpy()
    last = int(np.flatnonzero(upward >= SMALL)[-1])
    pooled = counts.groupby(np.minimum(counts["bought"], last)).sum()
    names = [*map(str, range(last)), f"{last} or more"]
    hidden = covered(pooled["customers"])
    alerts = covered(pooled["alerts"], wholes=pooled["customers"], hidden=hidden)
    if not pooled["alerts"].any():  # which a sentence says
        alerts[:] = False
    return pooled.assign(
        days=names,
        by_chance=pooled["by_chance"].clip(lower=LEAST).round(1),
        alerts=list(map(str, cells(pooled["alerts"], alerts))),
    )[~hidden]


def _paired(data: pd.DataFrame, columns: Columns) -> alt.LayerChart:
    axis = alt.Axis(format="~s", tickCount=4)
    x = alt.X("customers:Q", title="Customers", scale=alt.Scale(type="log"), axis=axis)
    base = alt.Chart(data).encode(
        y=alt.Y("days:N", title="Days with a purchase", sort=list(data["days"])),
        tooltip=tooltips(columns),
    )
    chance = base.mark_point(color=GREY, shape="diamond", size=90, strokeWidth=2)
    seen = base.mark_point(color=BLUE, filled=True, size=70, opacity=1)
    layers: alt.LayerChart = chance.encode(x="by_chance:Q") + seen.encode(x=x)
    if data["alerts"].isin(["0", HIDDEN]).all():
        return layers  # a layer of nothing has no extent, of which browsers warn
    told = base.transform_filter(f"datum.alerts != '0' && datum.alerts != '{HIDDEN}'")
    label = told.transform_calculate(label="datum.alerts + ' alerts'").mark_text(
        align="left", dx=9, dy=-9, color=DARK
    )
    labelled: alt.LayerChart = layers + label.encode(x=x, text="label:N")
    return labelled
