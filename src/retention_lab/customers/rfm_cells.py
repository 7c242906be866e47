"""The cells that customers of two days fall into: by days, frequency and monetary value.

Frequency and monetary value are scores under given lines; or steps between which lines can be put
by hand, so that whoever is in one cell is on the same side of each line.
"""

from __future__ import annotations

from dataclasses import dataclass

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd
from ibis import _
from numpy.typing import NDArray

from retention_lab.customers import rfm
from retention_lab.customers.measures import sum_of_products
from retention_lab.customers.rfm import Cuts
from retention_lab.customers.standing import Standing
from retention_lab.tables.engine import collect

CELLS = 2_000_000  # distinct rows of two dozen small numbers: 300 MB
SCORED = ("frequency", "monetary")


@dataclass(frozen=True, kw_only=True)
class Steps:
    """Where lines can be put by hand: at every day and purchase, and at multiples of `step`.

    From 0 to `days`, `purchases` and `money`; `money` and `step` are in minor units, `unit` of
    which make a whole one.
    """

    days: int
    purchases: int
    money: int
    step: int
    unit: int

    def places(self, measure: str) -> NDArray[np.int64]:
        """The least value of each cell of a measure, in days, purchases or minor units."""
        if measure == "monetary":
            return np.arange(-1, self.money // self.step + 1) * self.step
        return np.arange({"recency": self.days, "frequency": self.purchases}[measure] + 1)


def cells(here: Standing, cuts: Cuts | None, steps: Steps, *, reach: int) -> pd.DataFrame:
    """Count the customers of each cell.

    Parameters
    ----------
    here
        How they stand by the lines in use, and on which days.
    cuts
        Lines to score by; None for `steps`.
    steps
        Where lines can be put.
    reach
        Days since the last purchase from which on customers are not told apart.

    Returns
    -------
    DataFrame
        One row per cell, of customers who were there before first: `customers`; now and, as
        ``.._before``, on the earlier day `days` (since the last purchase), `again` (more than one
        purchase), `frequency` and `monetary`, `revenue_within` and `purchases_within`, and
        `revenue_now` and `revenue_before` (sums, of the ``days`` days up to each); `known` (there
        before), `long_before` (days that the first purchase lies before all that is scored, from
        -1), `used_frequency` and `used_monetary` (now, by the lines in use), `squares` (of
        `revenue_within`). What nobody had before is 0.

    Raises
    ------
    BadData
        If there are more than `CELLS` cells.
    """
    used = here.now.mutate(**{f"used_{name}": _[f"{name}_score"] for name in SCORED})
    rows = _joined(_celled(used, cuts, steps, reach=reach), here, cuts, steps, reach=reach)
    keys = [name for name in rows.columns if name not in (*_SUMMED, "customer_id")]
    sums = {name: rows[name].sum() for name in _SUMMED}
    squares = sum_of_products(rows.revenue_within, rows.revenue_within)
    table = rows.group_by(keys).agg(customers=_.count(), squares=squares, **sums)
    found = collect(table, max_rows=CELLS).sort_values("known", ascending=False, kind="stable")
    return found.astype({"squares": "float64"}).reset_index(drop=True)


_SUMMED = (
    *("revenue_within", "purchases_within", "revenue_within_before", "purchases_within_before"),
    *("revenue_now", "revenue_before"),
)


def _celled(table: ir.Table, cuts: Cuts | None, steps: Steps, *, reach: int) -> ir.Table:
    """Say of each customer in which cell of each measure they are."""
    if cuts is None:
        money = _.revenue_within.clip(upper=steps.money) // steps.step + 1
        of = {
            "frequency": _.purchases_within.clip(upper=steps.purchases),
            "monetary": (_.revenue_within >= 0).ifelse(money, 0),
        }
    else:
        table = rfm.scores(table, cuts)
        of = {name: _[f"{name}_score"] for name in SCORED}
    return table.mutate(
        days=_.last_days.clip(upper=reach), again=(_.purchases > 1).cast("int64"), **of
    )


def _joined(
    now: ir.Table, here: Standing, cuts: Cuts | None, steps: Steps, *, reach: int
) -> ir.Table:
    """One row per customer of the later day, with the cells of the earlier; 0 who is new."""
    columns = ["days", "again", *SCORED, "revenue_within", "purchases_within"]
    then = now.limit(0) if here.before is None else _celled(here.before, cuts, steps, reach=reach)
    earlier = then.select(
        "customer_id",
        revenue_before=then.revenue_recent,
        known=ibis.literal(1),
        **{f"{name}_before": then[name] for name in columns},
    )
    later = now.select(
        "customer_id",
        *columns,
        *(f"used_{name}" for name in SCORED),
        revenue_now=now.revenue_recent,
        long_before=(now.T - here.days - here.within).clip(lower=-1, upper=reach - here.within),
    )
    both = later.left_join(earlier, "customer_id").drop("customer_id_right")
    filled = [name for name in earlier.columns if name != "customer_id"]
    return both.mutate(**{name: both[name].fill_null(0) for name in filled})
