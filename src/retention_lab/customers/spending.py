"""What a purchase to come is worth: by a model of each customer, or as the cohort's was."""

from __future__ import annotations

import ibis.expr.types as ir
import numpy as np
import pandas as pd
from ibis import _

from retention_lab.checks import BadData
from retention_lab.customers.measures import sum_of_products
from retention_lab.customers.summary import PATTERNS
from retention_lab.inference import moments
from retention_lab.inference.btyd import spend, totals
from retention_lab.inference.btyd.maximum import normal
from retention_lab.inference.btyd.totals import Spending
from retention_lab.inference.moments import RatioMoments
from retention_lab.tables.engine import collect
from retention_lab.tables.snapshot import Snapshot

RELATED = 0.3  # a correlation of how often and how much, from which on Gamma-Gamma is not used
INSTEAD = "so each purchase counts as the mean of its cohort, less what was sent back"


def spending(known: ir.Table, rows: pd.DataFrame, *, unit: int) -> tuple[Spending, str]:
    """Mean value of a purchase to come, and why it is that of the cohort, where it is.

    Parameters
    ----------
    known
        Customers as `customers.segments.segmented` gives them.
    rows
        Their histories: `group` (cohort), `frequency`, `weight`, `spent` (minor units, of all
        repeat purchases of the row).
    unit
        Minor units of a whole one.

    Raises
    ------
    BadData
        If nobody spent anything.
    """
    again = known.filter((_.frequency > 0) & (_.repeat_revenue > 0))
    counted = again.group_by("frequency", "repeat_revenue").agg(weight=_.count())
    each = collect(counted, max_rows=PATTERNS).sort_values(["frequency", "repeat_revenue"])
    each = each.assign(monetary=each["repeat_revenue"] / each["frequency"] / unit)
    between, why = _between(each), "What customers spend cannot be told by a model of each"
    try:
        found = spend.fit(each)
        related = found.correlation.value
        if abs(related) <= RELATED:
            purchases = rows["frequency"].clip(lower=1) * rows["weight"] * unit
            monetary = rows.assign(monetary=rows["spent"] / purchases)
            return totals.by_model(found, monetary, between=between), ""
        how = "more" if related > 0 else "less"
        why = f"Who buys often spends {how} on a purchase (correlation {related:.2f})"
    except BadData:
        pass
    return totals.by_group(
        _means(known, unit), rows["group"], between=between
    ), f"{why}, {INSTEAD}."


def kept(shop: Snapshot, now: ir.Table) -> float:
    """Share of what was bought that was not sent back: of all customers, of all time.

    Raises
    ------
    BadData
        If nothing was.
    """
    net = int(collect(now.agg(net=_.revenue.sum()))["net"].iloc[0])
    bought = shop.orders.filter(_.ordered_on <= shop.as_of)
    gross = int(collect(bought.agg(gross=_.amount.sum()))["gross"].iloc[0])
    if net <= 0:
        raise BadData(f"All that was bought by {shop.as_of} was sent back: there is no value.")
    return net / gross


def _between(each: pd.DataFrame) -> float:
    """Squared coefficient of variation of the mean values of customers."""
    if each.empty:
        raise BadData("Nobody spent anything on a repeat purchase, so none has a value.")
    weight, value = each["weight"], each["monetary"]
    mean = np.average(value, weights=weight)
    return float(np.average((value / mean - 1) ** 2, weights=weight))


def _means(known: ir.Table, unit: int) -> pd.DataFrame:
    """Revenue less returns per purchase of each cohort, clustered by customer."""
    y, x = known.revenue, known.purchases
    products = {"yy": (y, y), "xy": (x, y), "xx": (x, x)}
    sums = known.group_by(group=known.cohort).agg(
        n=_.count(),
        y=y.sum(),
        x=x.sum(),
        **{name: sum_of_products(*pair) for name, pair in products.items()},
    )
    rows = {}
    for each in collect(sums).to_dict("records"):
        group = each["group"]
        parts = {name: int(each[name]) for name in ("n", "y", "x", *products)}
        found = moments.ratio(RatioMoments(**parts))
        if found.value <= 0:
            raise BadData(f"The purchases of {group!r} are worth nothing, less what was sent back.")
        error = (found.high - found.value) / normal(0.05)
        rows[group] = {"mean": found.value / unit, "std_error": error / unit}
    return pd.DataFrame.from_dict(rows, orient="index")
