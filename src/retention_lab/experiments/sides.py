"""Both sides of the known outcomes, customer by customer: what is added up, and what it is of.

Each function takes a window and gives `customer_id`, `y` and, for a ratio, `x` (int64; money in
minor units) of customers for whom not both are 0.
"""

from __future__ import annotations

from collections.abc import Callable

import ibis
import ibis.expr.types as ir
from ibis import _

from retention_lab.checks import BadData
from retention_lab.customers.purchases import customer_days
from retention_lab.experiments.windows import Window
from retention_lab.tables import engine
from retention_lab.tables.contracts import TableName

VISIT = "visit"  # the name of the event
_SATISFIED = 4  # of 5


def _added(rows: ir.Table, **sides: ir.Value | ibis.Deferred) -> ir.Table:
    """Add up by customer, in 64 bits: the engine's own sums are wider."""
    whole = {name: value.cast("int64") for name, value in sides.items()}
    return rows.group_by("customer_id").aggregate(**whole)


def did(response: str, *, time: str = "") -> Callable[[Window], ir.Table]:
    """Whoever did it at least once, by any message."""

    def sides(window: Window) -> ir.Table:
        messages = window.table("messages", time=time)
        return _added(messages.filter(messages[response].notnull()), y=ibis.literal(1))

    return sides


def visited(window: Window) -> ir.Table:
    """Whoever has an event named visit; refused with BadData where the shop has none at all."""
    if engine.collect(window.shop.events.filter(_.event == VISIT).limit(1)).empty:
        raise BadData(
            f"Visits cannot be told: {window.shop.name} has no events named {VISIT}. Map them in "
            "the source file."
        )
    return _added(window.table("events").filter(_.event == VISIT), y=ibis.literal(1))


def _bought(window: Window) -> ir.Table:
    return customer_days(window.table("orders"), as_of=window.shop.as_of)


def orders(window: Window) -> ir.Table:
    """Days with an order."""
    return _added(_bought(window), y=_.count())


def order_value(window: Window) -> ir.Table:
    """Revenue, of days with an order."""
    return _added(_bought(window), y=_.revenue.sum(), x=_.count())


def _amounts(window: Window, name: TableName) -> ir.Table:
    return window.table(name).select("customer_id", "amount")


def net(window: Window) -> ir.Table:
    """Revenue less returns, where these are known."""
    amounts = _amounts(window, "orders")
    if "returns" in window.shop.tables:
        amounts = amounts.union(_amounts(window, "returns").mutate(amount=-_.amount))
    return _added(amounts, y=_.amount.sum())


def sent_back(window: Window) -> ir.Table:
    """Amounts returned, of amounts ordered."""
    nothing = ibis.literal(0, "int64")
    back = _amounts(window, "returns").select("customer_id", y="amount", x=nothing)
    sold = _amounts(window, "orders").select("customer_id", y=nothing, x="amount")
    return _added(back.union(sold), y=_.y.sum(), x=_.x.sum())


def contacts(window: Window) -> ir.Table:
    """Tickets opened."""
    return _added(window.table("tickets"), y=_.count())


def satisfied(window: Window) -> ir.Table:
    """Good answers about support, of all answers."""
    answered = window.table("tickets").filter(_.csat.notnull())
    return _added(answered, y=(answered.csat >= _SATISFIED).sum(), x=answered.count())
