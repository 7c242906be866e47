"""Measures: a ratio of two whole numbers of each customer, added up over customers, in a period.

Everything that is compared, followed over time or explained is one of these, so that one estimate
and one split of a change serve them all, the built-in ones and those of the user's own.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import ibis
import ibis.expr.types as ir
from ibis import _

from retention_lab import checks
from retention_lab.checks import BadData, BadParameter
from retention_lab.customers.purchases import calendar_days_between, customer_days
from retention_lab.inference.interval import Interval
from retention_lab.inference.moments import RatioMoments, ratio
from retention_lab.inference.proportions import proportion
from retention_lab.tables.engine import collect
from retention_lab.tables.metrics import Metric, per_customer
from retention_lab.tables.period import Period
from retention_lab.tables.snapshot import Snapshot

MeasureUnit = Literal["share", "money", "per_customer", "count"]
Better = Literal["higher", "lower", "neither"]

_RETURNED = re.compile(r"returned_([1-9]\d{0,3})")


@dataclass(frozen=True, kw_only=True)
class Measure:
    """What is measured: sum of y over sum of x, over the customers whom a period is about.

    `rows(shop, period)` gives one row per customer: `customer_id`, `y`, `x` (both int64; money in
    minor units). The figure is complete `matures` days after the last day of the period.
    """

    name: str
    label: str
    unit: MeasureUnit
    definition: str
    better: Better
    matures: int
    rows: Callable[[Snapshot, Period], ir.Table]


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """A measure in a period, of so many customers; money in whole units of the currency."""

    measure: Measure
    period: Period
    customers: int
    value: Interval


def measure(name: str, *, metrics: Sequence[Metric] = ()) -> Measure:
    """Return the built-in measure of that name, or the user's own.

    Built in are `returned_<days>`, `average_order_value`, `purchase_frequency`, `buyers_again` and
    `revenue_per_customer`. An order is a customer's purchases of one day.

    Raises
    ------
    BadParameter
        When there is no such measure.
    """
    days = _RETURNED.fullmatch(name)
    if days:
        return _returned(int(days[1]))
    every = {**_OF_BUYERS, **{own.name: _own(own) for own in metrics}}
    if name not in every:
        hint = checks.did_you_mean(name, ["returned_90", *every])
        raise BadParameter(
            f"There is no measure {name!r}.{hint} There are: returned_<days> such as returned_90, "
            f"{', '.join(every)}."
        )
    return every[name]


def estimate(shop: Snapshot, measure: Measure, *, period: Period, alpha: float = 0.05) -> Estimate:
    """Estimate a measure in a period, with its interval.

    The interval is Wilson's where each customer counts 1 of 1 or 0 of 1; elsewhere that of a ratio
    of sums over independent customers (`inference.moments.ratio`).

    Raises
    ------
    BadData
        While the figure is not complete, or when too few customers are behind it.
    """
    refuse_incomplete(shop, measure, period=period)
    row = collect(sums(measure.rows(shop, period))).iloc[0]
    if not row["n"]:
        raise BadData(f"Nobody stands behind {measure.label!r} in {period.name}: no figure.")
    moments = RatioMoments(**{str(name): int(value) for name, value in row.items()})
    whole = shop.minor_per_unit if measure.unit == "money" else 1
    return Estimate(
        measure=measure,
        period=period,
        customers=moments.n,
        value=_scaled(interval(moments, alpha=alpha), 1 / whole),
    )


def refuse_incomplete(shop: Snapshot, measure: Measure, *, period: Period) -> None:
    """Refuse a period whose customers have not all had their time.

    Raises
    ------
    BadData
        Naming the day on which the figure will be complete.
    """
    complete_on = period.last + dt.timedelta(days=measure.matures)
    if shop.as_of < complete_on:
        raise BadData(
            f"{measure.label} of {period.name} is complete on {complete_on}, and the data are as "
            f"of {shop.as_of}. Take an earlier period, or wait."
        )


def sums(rows: ir.Table, *, by: Sequence[str] = ()) -> ir.Table:
    """Collapse customers to what estimates need: `n`, `y`, `x`, `yy`, `xy`, `xx`, per group."""
    return rows.aggregate(
        by=list(by),
        n=_.count(),
        y=_.y.sum().fill_null(0),
        x=_.x.sum().fill_null(0),
        yy=sum_of_products(rows.y, rows.y),
        xy=sum_of_products(rows.x, rows.y),
        xx=sum_of_products(rows.x, rows.x),
    )


def sum_of_products(left: ir.IntegerColumn, right: ir.IntegerColumn) -> ir.DecimalScalar:
    """Exact sum of products, which 64 bits do not hold: both engines know decimals of 38 digits."""
    product = left.cast("decimal(19, 0)") * right.cast("decimal(18, 0)")
    return product.sum().cast("decimal(38, 0)").fill_null(0)


def interval(moments: RatioMoments, *, alpha: float = 0.05) -> Interval:
    """Give the ratio its interval: Wilson's if every customer counts 1 of 1 or 0 of 1.

    Raises
    ------
    BadData
        As `moments.ratio` does.
    """
    # A whole number equals its square only if it is 0 or 1.
    if moments.y == moments.yy and moments.n == moments.x == moments.xx:
        return proportion(moments.y, moments.n, alpha=alpha)
    return ratio(moments, alpha=alpha)


def _scaled(found: Interval, factor: float) -> Interval:
    return replace(
        found, value=found.value * factor, low=found.low * factor, high=found.high * factor
    )


def _returned(days: int) -> Measure:
    def rows(shop: Snapshot, period: Period) -> ir.Table:
        visits = customer_days(shop.orders, as_of=shop.as_of).mutate(
            first_day=_.day.min().over(group_by="customer_id")
        )
        since = calendar_days_between(visits.first_day, visits.day)
        new = visits.mutate(again=(since >= 1) & (since <= days)).filter(
            _.first_day.between(period.first, period.last)
        )
        return _whole(new.group_by("customer_id").agg(y=_.again.any().cast("int64"), x=1))

    return Measure(
        name=f"returned_{days}",
        label=f"Returned within {days} days",
        unit="share",
        definition=(
            f"Customers who bought again on a later day within {days} days of their first "
            "purchase, of all who first bought in the period."
        ),
        better="higher",
        matures=days,
        rows=rows,
    )


def _buyers(shop: Snapshot, period: Period) -> ir.Table:
    """Whoever bought in the period: `revenue` and `orders` in it, `purchases` up to its end."""
    inside = _.day >= period.first
    return (
        customer_days(shop.orders, as_of=period.last)
        .group_by("customer_id")
        .agg(
            revenue=_.revenue.sum(where=inside),
            orders=_.count(where=inside),
            purchases=_.count(),
        )
        .filter(_.orders > 0)
    )


def _of_buyers(y: ibis.Deferred, x: ibis.Deferred) -> Callable[[Snapshot, Period], ir.Table]:
    def rows(shop: Snapshot, period: Period) -> ir.Table:
        return _whole(_buyers(shop, period).mutate(y=y, x=x))

    return rows


def _whole(table: ir.Table) -> ir.Table:
    return table.select("customer_id", y=table.y.cast("int64"), x=table.x.cast("int64"))


_OF_BUYERS = {
    made.name: made
    for made in (
        Measure(
            name="average_order_value",
            label="Average order value",
            unit="money",
            definition=(
                "Revenue of the period per order, a customer's day being one order; the interval "
                "allows for orders of one customer being alike."
            ),
            better="higher",
            matures=0,
            rows=_of_buyers(_.revenue, _.orders),
        ),
        Measure(
            name="purchase_frequency",
            label="Orders per customer",
            unit="per_customer",
            definition="Orders of the period per customer who bought in it.",
            better="higher",
            matures=0,
            rows=_of_buyers(_.orders, ibis.literal(1)),
        ),
        Measure(
            name="buyers_again",
            label="Bought before",
            unit="share",
            definition=(
                "Customers of the period who by its end had bought on two days or more, of all who "
                "bought in it."
            ),
            better="higher",
            matures=0,
            rows=_of_buyers((_.purchases > 1).cast("int64"), ibis.literal(1)),
        ),
        Measure(
            name="revenue_per_customer",
            label="Revenue per customer",
            unit="money",
            definition="Revenue of the period per customer who bought in it.",
            better="higher",
            matures=0,
            rows=_of_buyers(_.revenue, ibis.literal(1)),
        ),
    )
}


def _own(metric: Metric) -> Measure:
    return Measure(
        name=metric.name,
        label=metric.label,
        unit=metric.unit,
        definition=metric.definition,
        better=metric.better,
        matures=0,
        rows=lambda shop, period: per_customer(metric, shop, period),
    )
