"""Kinds of customers, told apart by what was known of them with their first order at the latest.

Nothing that a customer did later is a dimension: whoever comes back often would then make a group
of its own, and explain that people come back.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

import ibis
import ibis.expr.types as ir
import pandas as pd
from ibis import _

from retention_lab import checks
from retention_lab.inference.decomposition import MOMENTS, PAIRS
from retention_lab.tables.contracts import CONTRACTS
from retention_lab.tables.engine import collect
from retention_lab.tables.snapshot import Snapshot

FIRST_COUPON, FIRST_FAMILY = "first_coupon", "first_family"
REST, UNKNOWN, EVERYBODY = "all others", "unknown", "all customers"
VALUES = 5  # of a dimension that keep their name, the largest ones
LEAST = checks.smallest_cell(os.environ)  # customers of a group that is shown
_RANKED = 1_000  # values of a dimension that are ranked, the commonest of each side


def dimensions(shop: Snapshot) -> list[str]:
    """Name what customers of a shop can be told apart by.

    Attributes of customers, which do not change; `first_coupon` (was there a coupon or a discount
    on the first order: "yes" or "no") and `first_family` (product family of its dearest line), if
    the shop has such data.
    """
    orders, found = shop.orders, _attributes(shop)
    if {"coupon", "discount"} <= set(orders.columns) and _any(orders, _HAS_COUPON):
        found.append(FIRST_COUPON)
    if "order_lines" in shop.tables and _any(shop.order_lines, ~_.product_family.isnull()):  # noqa: PD003  an Ibis column
        found.append(FIRST_FAMILY)
    return found


def with_dimensions(rows: ir.Table, shop: Snapshot, by: Sequence[str]) -> ir.Table:
    """Add to rows of customers the text columns ``in_<dimension>``; a missing one is "unknown"."""
    known = shop.customers.select(
        "customer_id", **{_column(name): _[name] for name in by if name in _attributes(shop)}
    )
    parts = [known]
    parts += [_first_coupons(shop)] if FIRST_COUPON in by else []
    parts += [_first_families(shop)] if FIRST_FAMILY in by else []
    for part in parts:
        # By another name, as engines differ in what they call the second of two equal columns.
        keyed = part.rename(_whose="customer_id")
        rows = rows.left_join(keyed, rows.customer_id == keyed["_whose"]).drop("_whose")
    return rows.mutate(**{_column(name): _[_column(name)].fill_null(UNKNOWN) for name in by})


def largest(sides: Sequence[ir.Table], name: str) -> list[str]:
    """Name the `VALUES` values of a dimension that most customers of all sides have."""
    column = _column(name)
    counts = [
        collect(
            side.filter(side[column] != UNKNOWN)
            .group_by(value=side[column])
            .agg(n=_.count())
            .order_by(_.n.desc(), _.value)
            .limit(_RANKED)
        )
        for side in sides
    ]
    every = pd.concat(counts).groupby("value")["n"].sum()  # by the alphabet
    ranked = every.sort_values(ascending=False, kind="stable")
    return [str(value) for value in ranked.index[:VALUES]]


def grouped(side: ir.Table, kept: Mapping[str, Sequence[str]]) -> ir.Table:
    """Add `group`: the values of the dimensions of `kept`; each but those it lists is "all others".

    One dimension gives "social", two give "channel = social, country = UK".
    """
    if not kept:
        return side.mutate(group=ibis.literal(EVERYBODY))
    parts = []
    for name, values in kept.items():
        value = side[_column(name)]
        named = value.isin([*values, UNKNOWN]).ifelse(value, REST)
        parts.append(named if len(kept) == 1 else ibis.literal(f"{name} = ") + named)
    return side.mutate(group=ibis.literal(", ").join(parts))


def merging(sides: Sequence[pd.DataFrame]) -> dict[str, str]:
    """Say under which name each group is shown, so that nothing small is.

    `sides` are sums by `group`. A group that has fewer than `LEAST` customers on a side, though not
    none, goes to all others, and so does one with y but no x. As long as that is true of all others
    too, the smallest group joins them. Equal numbers go by the alphabet.
    """
    tables = [side.set_index("group")[["n", "y", "x"]].astype("object") for side in sides]
    sizes = pd.concat(tables)["n"].groupby(level=0).sum()
    ranked = sorted(sizes.index.drop(REST, errors="ignore"), key=lambda name: (sizes[name], name))
    rest = {name for name in ranked if _cannot_be_shown(tables, {name})}
    kept = [name for name in ranked if name not in rest]
    while kept and _cannot_be_shown(tables, {REST, *rest}):
        rest.add(kept.pop(0))
    return {str(name): REST if name in rest else str(name) for name in sizes.index}


def shown(sums: pd.DataFrame, names: Mapping[str, str]) -> pd.DataFrame:
    """Add up sums by `group` under the names by which they are shown."""
    columns = [name for name in (*MOMENTS, *PAIRS) if name in sums.columns]
    exact = sums.astype(dict.fromkeys(columns, "object"))
    by_name = exact.assign(group=exact["group"].map(names)).groupby("group", as_index=False)
    return by_name[list(dict.fromkeys(columns))].sum()


def _cannot_be_shown(tables: Sequence[pd.DataFrame], names: set[str]) -> bool:
    """Say whether groups taken together are too few on a side, or have no rate there."""
    sums = [table[table.index.isin(names)].sum() for table in tables]
    return any(0 < s["n"] < LEAST or (s["x"] <= 0 and s["y"] != 0) for s in sums)


def _column(name: str) -> str:
    return f"in_{name}"


def _attributes(shop: Snapshot) -> list[str]:
    contract = CONTRACTS["customers"]
    own = {*(column.name for column in contract.columns), contract.day}
    schema = shop.customers.schema().items()
    return [name for name, kind in schema if name not in own and kind.is_string()]


_HAS_COUPON = ~_.coupon.isnull() | (_.discount.fill_null(0) > 0)  # noqa: PD003  an Ibis column


def _any(table: ir.Table, condition: ibis.Deferred) -> bool:
    return not collect(table.filter(condition).limit(1).select(there=1)).empty


def _first_orders(shop: Snapshot) -> ir.Table:
    """What each customer ordered on the first day: one purchase, whatever the number of orders."""
    first = shop.orders.mutate(first_on=_.ordered_on.min().over(group_by="customer_id"))
    return first.filter(_.ordered_on == _.first_on)


def _first_coupons(shop: Snapshot) -> ir.Table:
    used = _first_orders(shop).group_by("customer_id").agg(used=_HAS_COUPON.any())
    return used.select("customer_id", **{_column(FIRST_COUPON): _.used.ifelse("yes", "no")})


def _first_families(shop: Snapshot) -> ir.Table:
    first = _first_orders(shop).select("customer_id", "order_id")
    lines = shop.order_lines.select(
        "line", family=_.product_family, price=_.quantity * _.unit_price, of_order=_.order_id
    )
    bought = first.inner_join(lines, first.order_id == lines.of_order)
    order = [bought.price.desc(), bought.of_order, bought.line]
    dearest = bought.mutate(nth=ibis.row_number().over(group_by="customer_id", order_by=order))
    return dearest.filter(_.nth == 0).select("customer_id", **{_column(FIRST_FAMILY): _.family})
