"""One measure of two groups or periods: both estimates and their difference, with intervals."""

from __future__ import annotations

from dataclasses import dataclass, replace

import ibis.expr.types as ir
import pyarrow as pa
from ibis import _

from retention_lab.checks import BadParameter
from retention_lab.customers.measures import (
    Estimate,
    Measure,
    estimate,
    refuse_incomplete,
    sum_of_products,
    sums,
)
from retention_lab.inference.interval import Interval, lift, minus
from retention_lab.inference.moments import RatioMoments
from retention_lab.inference.pairs import CrossMoments, correlation
from retention_lab.tables.engine import collect, keep, put, stream
from retention_lab.tables.period import Period
from retention_lab.tables.snapshot import Snapshot


@dataclass(frozen=True, kw_only=True)
class Side:
    """What is looked at: the customers of a snapshot, perhaps filtered, in a period."""

    shop: Snapshot
    period: Period


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """A measure now and before; "before" may also be other customers in the same period.

    `difference` is now minus before in the unit of the measure (0.02 of a share is two points),
    `lift` the relative difference where one can be told; `overlap` counts the customers who stand
    on both sides. `where_now` and `where_before` are the conditions that chose the customers.
    """

    now: Estimate
    before: Estimate
    difference: Interval
    lift: Interval | None
    overlap: int
    currency: str
    where_now: str
    where_before: str


def compare(measure: Measure, now: Side, before: Side, *, alpha: float = 0.05) -> Comparison:
    """Estimate a measure on two sides, and by how much it differs.

    Customers are taken for independent of each other, but not what one customer does on both sides:
    the difference allows for those who stand on both (`inference.interval.minus` with the
    correlation of the two estimates). Where nobody does, it is Newcombe's for shares.

    Raises
    ------
    BadParameter
        When the sides are the same, or of different shops.
    BadData
        As `measures.estimate` does for either side.
    """
    _refuse_unlike(now, before)
    (first, ours), (second, theirs) = (
        _measured(measure, side, alpha=alpha) for side in (now, before)
    )
    both = _both(ours, theirs)
    together = correlation(_moments(ours), _moments(theirs), both) if both.n else 0.0
    return Comparison(
        now=first,
        before=second,
        difference=minus(first.value, second.value, correlation=together),
        lift=lift(first.value, second.value, correlation=together),
        overlap=both.n,
        currency=now.shop.currency,
        where_now=now.shop.where,
        where_before=before.shop.where,
    )


def _refuse_unlike(now: Side, before: Side) -> None:
    shops = [(side.shop.name, side.shop.currency) for side in (now, before)]
    if shops[0] != shops[1]:
        raise BadParameter(
            "Both sides of a comparison must be of one shop and currency, got "
            f"{' and '.join(f'{name} ({currency})' for name, currency in shops)}."
        )
    same = [(side.period, side.shop.where, side.shop.content_hash) for side in (now, before)]
    if same[0] == same[1]:
        raise BadParameter(
            f"Both sides are {now.period.name} of the same customers. Compare with another period, "
            "or with customers whom another condition chooses."
        )


def _measured(measure: Measure, side: Side, *, alpha: float) -> tuple[Estimate, ir.Table]:
    """Estimate one side, with the rows behind it: these are costly, and needed again."""
    refuse_incomplete(side.shop, measure, period=side.period)
    rows = keep(measure.rows(side.shop, side.period), where=measure.label)
    once = replace(measure, rows=lambda *_: rows)
    found = estimate(side.shop, once, period=side.period, alpha=alpha)
    return replace(found, measure=measure), rows


def _moments(rows: ir.Table) -> RatioMoments:
    return RatioMoments(**_one_row(sums(rows)))


def _both(ours: ir.Table, theirs: ir.Table) -> CrossMoments:
    """Multiply what the customers of both sides bring to each."""
    theirs = _beside(theirs, ours).select("customer_id", y_before=_.y, x_before=_.x)
    rows = ours.inner_join(theirs, "customer_id")
    products = rows.aggregate(
        n=rows.count(),
        yy=sum_of_products(rows.y, rows.y_before),
        yx=sum_of_products(rows.y, rows.x_before),
        xy=sum_of_products(rows.x, rows.y_before),
        xx=sum_of_products(rows.x, rows.x_before),
    )
    return CrossMoments(**_one_row(products))


def _beside(rows: ir.Table, other: ir.Table) -> ir.Table:
    """Bring rows into the engine of another table: two snapshots may have been opened apart."""
    con = other.get_backend()
    if rows.get_backend() is con:
        return rows
    schema = rows.schema().to_pyarrow()
    return put(pa.Table.from_batches(stream(rows), schema=schema), con=con)


def _one_row(table: ir.Table) -> dict[str, int]:
    return {str(name): int(value) for name, value in collect(table).iloc[0].items()}
