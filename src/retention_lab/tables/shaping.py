"""From mapped rows to the canonical tables of a snapshot: adding up parts, deriving what a shop does not keep, masking."""

from __future__ import annotations

import datetime as dt

import ibis
import ibis.expr.types as ir

from retention_lab import checks
from retention_lab.tables.contracts import CONTRACTS, Contract
from retention_lab.tables.engine import collect
from retention_lab.tables.mapping import Plan
from retention_lab.tables.source import Source


def used_rows(rows: ir.Table, made: Plan) -> ir.Table:
    """Keep the rows without a reason that were known in time, as canonical columns; parts of one key are added up."""
    kept = rows.filter(~rows._later & rows._reason.isnull())
    kept = kept.select(*(name for name in kept.columns if not name.startswith("_")))
    return add_up(kept, made.contract, where=made.where) if made.table.duplicates == "add_up" else kept


def add_up(parts: ir.Table, contract: Contract, *, where: str) -> ir.Table:
    """Sum the money of all rows of one key; the earliest time, and the one customer, stand for the whole.

    Raises
    ------
    BadData
        When the parts of one key name two customers.
    """
    key = list(contract.key)
    customers = parts.group_by(key).aggregate(n=parts.customer_id.nunique()).filter(lambda one: one.n > 1)
    torn = collect(customers.order_by(*key).limit(3))
    if len(torn):
        examples = ", ".join(repr("-".join(map(str, row[:-1]))) for row in torn.itertuples(index=False))
        raise checks.BadData(
            f"{contract.name}: one {'+'.join(key)} names two customers, for example {examples}. "
            f"Leave one out with a rule under leave_out in {where}."
        )
    sums = {
        name: parts[name].sum() if contract.column(name).kind == "money" else parts[name].min()
        for name in parts.columns
        if name not in key
    }
    return parts.group_by(key).aggregate(**sums).cast({c.name: "int64" for c in contract.columns if c.kind == "money"})


def orders_from_lines(lines: ir.Table, source: Source, *, attributes: tuple[str, ...]) -> ir.Table:
    """Derive orders: one per order_id, its amount the sum of quantity times unit price."""
    contract = CONTRACTS["orders"]
    parts = lines.select(
        "order_id",
        "customer_id",
        "ordered_at",
        "ordered_on",
        *attributes,
        amount=lines.quantity * lines.unit_price,
        **{c.name: ibis.null(_type(c.kind)) for c in contract.columns if not c.required},
    )
    return add_up(parts, contract, where=source.line("order_lines"))


def customers_from_orders(orders: ir.Table, *, attributes: tuple[str, ...]) -> ir.Table:
    """Derive customers: signed up with their first order, described by that order's attributes."""
    nth = ibis.row_number().over(group_by="customer_id", order_by=[orders.ordered_at, orders.order_id])
    numbered = orders.mutate(_nth=nth)
    first = numbered.filter(numbered._nth == 0)
    return first.select(
        "customer_id",
        *attributes,
        signed_up_at=first.ordered_at,
        signed_up_on=first.ordered_on,
        referred_by=ibis.null("string"),
    )


def numbered_lines(lines: ir.Table) -> ir.Table:
    """Number the lines of an order from 1 where the source does not; equal lines take either number."""
    rest = [lines[name] for name in ("product_id", "quantity", "unit_price", "product_family")]
    nth = ibis.row_number().over(group_by="order_id", order_by=rest) + 1
    return lines.mutate(line=lines.line.coalesce(nth.cast("int64")))


def finished(table: ir.Table, contract: Contract, *, cutoff: dt.datetime) -> ir.Table:
    """Empty what was not yet known inside known rows; columns in the contract's order, then the date, then attributes."""
    limit = ibis.timestamp(cutoff.isoformat())
    hidden = {
        c.name: ibis.ifelse(table[c.name] < limit, table[c.name], ibis.null("timestamp"))
        for c in contract.columns
        if c.later_known
    }
    listed = [c.name for c in contract.columns if not c.only_if_mapped]
    if contract.name == "order_lines":  # when and by whom is told by the order
        return table.select(*listed)
    extra = sorted(set(table.columns) - {*listed, contract.day})
    return table.mutate(**hidden).select(*listed, contract.day, *extra)


def _type(kind: str) -> str:
    return {"text": "string", "time": "timestamp"}.get(kind, "int64")


def complete(tables: dict[str, ir.Table], source: Source) -> dict[str, ir.Table]:
    """Derive what the source does not keep: orders from lines, customers from orders; lines follow their orders.

    Raises
    ------
    BadData
        When one order names two customers.
    """
    made = dict(tables)
    extra = tuple(source.tables["order_lines"].attributes) if "order_lines" in source.tables else ()
    if "orders" not in made:
        made["orders"] = orders_from_lines(made["order_lines"], source, attributes=extra).cache()
    if "customers" not in made:
        known = [*(c.name for c in CONTRACTS["orders"].columns), "ordered_on"]
        described = tuple(name for name in made["orders"].columns if name not in known)
        made["customers"] = customers_from_orders(made["orders"], attributes=described)
    if "order_lines" in made:
        lines = made["order_lines"]
        made["order_lines"] = numbered_lines(lines.semi_join(made["orders"], "order_id"))
    return made
