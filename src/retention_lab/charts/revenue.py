"""What cohorts have brought so far, per customer: a triangle of money."""

from __future__ import annotations

import altair as alt
import pandas as pd

from retention_lab.charts.cohorts import COHORTS, PERIODS, triangle_layers
from retention_lab.charts.frame import COUNT, TEXT, Columns, finished
from retention_lab.charts.triangles import hidden_in
from retention_lab.customers.cohorts import weighted_mean
from retention_lab.inference.moments import mean
from retention_lab.record import SMALL, headed
from retention_lab.record.small import HIDDEN
from retention_lab.tables.parsing import minor_digits
from retention_lab.wording import Instead

UNIT = "Calendar month"
_MONEY = ",.2f"


def revenue_triangle(frame: pd.DataFrame, *, currency: str) -> alt.LayerChart | Instead:
    """Draw what a customer of each cohort has brought on the mean by each month; see `triangles`.

    `frame` is what `customers.cohorts.revenue_triangle` gave. Cells that are not complete hold no
    number. A row ends before the first month whose revenue would tell of fewer than `SMALL`
    customers, as the next sum would tell it, too.
    """
    data = _cells(frame, unit=10 ** minor_digits(currency))
    if data.empty:
        return Instead(
            f"No picture yet: no group of {SMALL} new customers or more has reached a calendar "
            "month after its first."
        )
    columns: Columns = {
        "cohort": ("First bought", TEXT),
        "size": ("Customers", COUNT),
        "period": (UNIT, COUNT),
        "mean": (headed("Revenue a customer", currency), _MONEY),
        "low": ("From", _MONEY),
        "high": ("To", _MONEY),
        "complete": ("Complete", TEXT),
    }
    what = "revenue so far per customer who first bought in the month"
    hides = f" {HIDDEN}: would tell of fewer than {SMALL} customers."
    rows = list(dict.fromkeys(data["cohort"]))
    return finished(
        triangle_layers(data, columns, unit=UNIT, cohorts=rows).add_params(
            alt.param(name="measure", value="mean")
        ),
        description=f"Triangle of cohorts by calendar month since the first purchase: {what}. "
        "Hatched cells are incomplete.",
        caption=f"By calendar month since the first purchase, {what}, before returns. Hatched: not "
        f"over yet.{hides if data['active'].notna().any() else ''}",
        columns=columns,
        height=max(24 * len(rows), 72),
    )


def _cells(frame: pd.DataFrame, *, unit: int) -> pd.DataFrame:
    """Every cell of the rows to draw, `mean`, `low` and `high` in whole units where they stand."""
    drawn, _means = hidden_in(frame, weighted_mean(frame), cohorts=COHORTS, periods=PERIODS)
    begun = frame["period"].le(PERIODS) & frame["cohort"].isin(drawn["cohort"])
    cells = frame[begun].merge(
        drawn[["cohort", "period"]].assign(tells=drawn["revenue"].isna()), how="left"
    )
    tells = cells["tells"].astype("boolean").fillna(value=False)
    tells = tells.groupby(cells["cohort"]).cummax() & cells["complete"]
    shown = cells["complete"] & ~tells
    means = [
        mean(n=int(row["size"]), total=int(row["spent"]), squares=int(row["squares"]))
        for row in cells[shown].to_dict("records")
    ]
    for name in ("value", "low", "high"):
        cells.loc[shown, name] = [getattr(each, name) / unit for each in means]
    cells["active"] = tells.map({True: HIDDEN, False: None})
    cells["cohort"] = cells["cohort"].dt.strftime("%b %Y")
    named = cells.rename(columns={"value": "mean"}).round(dict.fromkeys(("mean", "low", "high"), 2))
    return named[["cohort", "size", "period", "mean", "low", "high", "complete", "active"]]
