"""From judged rows to canonical tables: adding up parts and deriving what a shop does not keep."""

from __future__ import annotations

from collections.abc import Mapping

import ibis
import ibis.expr.types as ir
import pandas as pd

from retention_lab import checks
from retention_lab.tables import engine
from retention_lab.tables.contracts import CONTRACTS, Contract, TableName
from retention_lab.tables.mapping import Plan
from retention_lab.tables.source import Source

EXAMPLES = 3
_TYPES = {"text": "string", "time": "timestamp(6)", "money": "int64", "whole": "int64"}


def used_rows(rows: ir.Table, made: Plan) -> ir.Table:
    """Keep the rows in use, as canonical columns; parts of one key are added up if so mapped."""
    used = rows.filter(~rows._later & rows._reason.isnull())  # noqa: PD003  not pandas
    used = used.select(*(name for name in used.columns if not name.startswith("_")))
    adds_up = made.table.duplicates == "add_up"
    return add_up(used, made.contract, where=made.where) if adds_up else used


def add_up(parts: ir.Table, contract: Contract, *, where: str) -> ir.Table:
    """Sum the money of all rows of one key; the least of every other column stands for the whole.

    So times are the earliest.

    Raises
    ------
    BadData
        When the parts of one key name two customers.
    """
    key = list(contract.key)
    names = parts.group_by(key).aggregate(a=parts.customer_id.min(), b=parts.customer_id.max())
    torn = engine.collect(names.filter(names.a != names.b).order_by(key).limit(EXAMPLES))
    if len(torn):
        raise checks.BadData(
            f"{contract.name}: one {'+'.join(key)} names two customers, for example "
            f"{listed(torn[key])}. Leave one out with a rule under leave_out in {where}."
        )
    money = [column.name for column in contract.columns if column.kind == "money"]
    rest = [name for name in parts.columns if name not in (*key, *money)]
    sums = {name: parts[name].sum().cast("int64") for name in money}
    return parts.group_by(key).aggregate(**sums, **{name: parts[name].min() for name in rest})


def listed(examples: pd.DataFrame) -> str:
    """Word a few rows for a message: `order_id 'A17', amount '-5.0'; order_id ...`."""
    rows = examples.astype(object).to_dict(orient="records")
    return "; ".join(", ".join(f"{k} {str(v)!r}" for k, v in row.items()) for row in rows)


def complete(tables: Mapping[TableName, ir.Table], source: Source) -> dict[TableName, ir.Table]:
    """Derive what the source does not keep: orders from lines, line numbers, and customers.

    Raises
    ------
    BadData
        When one order names two customers.
    """
    made = dict(tables)
    if "order_lines" in made and "orders" not in made:
        derived = _orders_from_lines(made["order_lines"], source)
        made["orders"] = engine.keep(derived, where=source.line("order_lines"))
    if "customers" not in made:
        made["customers"] = _customers(made)
    if "order_lines" in made:
        made["order_lines"] = _numbered(made["order_lines"])
    return {name: _in_order(table, CONTRACTS[name]) for name, table in made.items()}


def _orders_from_lines(lines: ir.Table, source: Source) -> ir.Table:
    """Derive orders: one per order_id, its amount the sum of quantity times unit price."""
    contract = CONTRACTS["orders"]
    parts = lines.select(
        *(c.name for c in contract.columns if c.name in lines.columns),
        contract.day,
        *source.tables["order_lines"].attributes,
        amount=lines.quantity * lines.unit_price,
        **{
            c.name: ibis.null(_TYPES[c.kind])
            for c in contract.columns
            if c.name not in (*lines.columns, "amount")
        },
    )
    return add_up(parts, contract, where=source.line("order_lines"))


def _customers(tables: Mapping[TableName, ir.Table]) -> ir.Table:
    """Derive customers: signed up with their first order or subscription, described by these."""
    names: tuple[TableName, ...] = ("orders", "subscriptions")
    found = [_first(tables[name], CONTRACTS[name]) for name in names if name in tables]
    customers = found[0] if len(found) == 1 else _both(*found)
    return customers.mutate(referred_by=ibis.null("string"))


def _first(rows: ir.Table, contract: Contract) -> ir.Table:
    """The first row of each customer: when it was, and its attributes."""
    plain = {*(column.name for column in contract.columns), contract.day}
    order = [rows[contract.time], *(rows[name] for name in contract.key)]
    numbered = rows.mutate(_nth=ibis.row_number().over(group_by="customer_id", order_by=order))
    first = numbered.filter(numbered._nth == 0)
    return first.select(
        "customer_id",
        *(name for name in rows.columns if name not in plain),
        signed_up_at=first[contract.time],
        signed_up_on=first[contract.day],
    )


def _both(orders: ir.Table, subscriptions: ir.Table) -> ir.Table:
    """Put first rows together: the earlier time; what both describe, as the order does."""
    joined = orders.outer_join(subscriptions, "customer_id", rname="{name} too")
    found = {name: joined[name] for name in joined.columns if not name.endswith(" too")}
    for name in (name for name in found if f"{name} too" in joined.columns):
        other = joined[f"{name} too"]
        one = joined[name].coalesce(other)
        dated = name.startswith("signed_up_")
        found[name] = ibis.least(one, other.coalesce(one)) if dated else one
    return joined.select(**found)


def _numbered(lines: ir.Table) -> ir.Table:
    """Number the lines of an order from 1 where the source does not.

    Equal lines take either number: they cannot be told apart.
    """
    rest = [lines[name] for name in ("product_id", "quantity", "unit_price", "product_family")]
    nth = ibis.row_number().over(group_by="order_id", order_by=rest) + 1
    return lines.mutate(line=lines.line.coalesce(nth.cast("int64")))


def _in_order(table: ir.Table, contract: Contract) -> ir.Table:
    """Select the contract's columns in its order, then the date, then attributes by name."""
    names = [column.name for column in contract.columns if not column.only_if_mapped]
    if contract.name == "order_lines":  # when and by whom is told by the order
        return table.select(*names)
    extra = sorted(set(table.columns) - {*names, contract.day})
    return table.select(*names, contract.day, *extra)
