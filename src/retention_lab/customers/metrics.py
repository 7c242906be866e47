"""Own metrics of a period, and how much one moved between two."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import ibis.expr.types as ir

from retention_lab.checks import BadData
from retention_lab.customers.compare import Side, compare
from retention_lab.customers.measures import Measure, estimate, measure
from retention_lab.inference.interval import Interval
from retention_lab.tables import metrics
from retention_lab.tables.engine import collect
from retention_lab.tables.metrics import Metric
from retention_lab.tables.period import Period
from retention_lab.tables.snapshot import Snapshot


@dataclass(frozen=True, kw_only=True)
class Figure:
    """A metric in a period, money in whole units of the currency; a total has no interval.

    `customers` are those who count in it; `rows` has what each adds: `customer_id`, `y` and, for a
    quotient, `x`.
    """

    metric: Metric
    period: Period
    value: float | Interval
    customers: int
    rows: ir.Table

    @property
    def point(self) -> float:
        """The value without its interval."""
        return self.value.value if isinstance(self.value, Interval) else self.value


def figure(shop: Snapshot, metric: Metric, *, period: Period) -> Figure:
    """Compute a metric in a period.

    Raises
    ------
    BadParameter
        When the engine refuses the expression.
    BadData
        In words that continue "not shown, as", when the shop lacks a table, the records begin too
        late, or there is nothing to count or to divide by.
    """
    lacking = metrics.lacking(metric, shop)
    if lacking:
        raise BadData(f"{shop.name} has no {' and no '.join(lacking)}.")
    if period.first < shop.records_from:
        raise BadData(
            f"it needs records from {period.first} on, and they begin on {shop.records_from}."
        )
    return (_total if metric.is_total else _quotient)(shop, metric, period)


def change(shop: Snapshot, now: Figure, before: Figure) -> float | Interval:
    """How much a metric moved, in its own unit; a quotient's change has an interval.

    Who counts in both periods is not taken for two customers; see `compare.compare`.
    """
    if now.metric.is_total:
        return now.point - before.point
    rows = {side.period: side.rows for side in (now, before)}
    sides = [Side(shop=shop, period=period) for period in rows]
    return compare(_measure(now.metric, rows), *sides).difference


def _measure(metric: Metric, rows: Mapping[Period, ir.Table]) -> Measure:
    """The metric as a measure of rows that are computed already."""
    return replace(measure(metric.name, metrics=[metric]), rows=lambda _, period: rows[period])


def _total(shop: Snapshot, metric: Metric, period: Period) -> Figure:
    rows = metrics.total(metric, shop, period)
    found = collect(rows.aggregate(n=rows.count(), y=rows.y.sum().fill_null(0))).iloc[0]
    value = int(found["y"]) / (shop.minor_per_unit if metric.unit == "money" else 1)
    return Figure(metric=metric, period=period, value=value, customers=int(found["n"]), rows=rows)


def _quotient(shop: Snapshot, metric: Metric, period: Period) -> Figure:
    rows = metrics.per_customer(metric, shop, period)
    sums = {name: rows[name].sum().fill_null(0) for name in ("y", "x")}
    found = collect(rows.aggregate(least=rows.y.min(), **sums)).iloc[0]
    over, under = (aggregate.text for aggregate in metric.formula.aggregates)
    days = f"from {period.first} to {period.last}"
    if found["x"] <= 0:
        raise BadData(f"there was nothing to divide by ({under} is {found['x']:.0f} {days}).")
    if found["y"] == 0:  # a range of 0 to 0 would be too sure of itself
        raise BadData(f"there was nothing to count ({over} is 0 {days}).")
    made = estimate(shop, _measure(metric, {period: rows}), period=period)
    value = made.value
    if found["least"] >= 0:  # where nobody counts below zero, nor do all together
        value = replace(value, low=max(0.0, value.low))
    return Figure(metric=metric, period=period, value=value, customers=made.customers, rows=rows)
