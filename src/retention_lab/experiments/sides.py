"""Both sides of the known outcomes, row by row: what is added up, and what it is of.

Each function takes a window and gives `Sides`. Those that rest on the same rows share them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import ibis
import ibis.expr.types as ir
from ibis import _

from retention_lab.checks import BadData
from retention_lab.experiments.windows import BEFORE, Window
from retention_lab.tables import engine

VISIT = "visit"  # the name of the event
_SATISFIED = 4  # of 5


@dataclass(frozen=True, kw_only=True, eq=False)
class Sides:
    """Rows with `customer_id`, the keys of the window and `_before`, and what each row adds.

    `y` and, for a ratio, `x` are whole numbers (money in minor units); of a mean x is 1 for
    everybody. With `once`, a customer counts 1 however many rows there are.
    """

    rows: ir.Table
    y: ibis.Deferred | ir.IntegerScalar
    x: ibis.Deferred | ir.IntegerScalar | None = None
    once: bool = False


_ONE = ibis.literal(1)


def did(response: str, *, time: str = "") -> Callable[[Window], Sides]:
    """Whoever did it at least once, by any message."""

    def sides(window: Window) -> Sides:
        messages = window.table("messages", time=time)
        return Sides(rows=messages.filter(messages[response].notnull()), y=_ONE, once=True)

    return sides


def visited(window: Window) -> Sides:
    """Whoever has an event named visit; refused with BadData where the shop has none at all."""
    if engine.collect(window.shop.events.filter(_.event == VISIT).limit(1)).empty:
        raise BadData(
            f"Visits cannot be told: {window.shop.name} has no events named {VISIT}. Map them in "
            "the source file."
        )
    return Sides(rows=window.table("events").filter(_.event == VISIT), y=_ONE, once=True)


def _traded(window: Window) -> ir.Table:
    """Customer-days with an order, and returns where these are known: one pass for all money."""
    keys = ["customer_id", *window.keys, BEFORE]
    days = window.table("orders").group_by(*keys, "ordered_on").agg(sold=_.amount.sum())
    nothing = ibis.literal(0, "int64")
    bought = days.select(*keys, days=nothing + 1, sold=_.sold.cast("int64"), back=nothing)
    if "returns" not in window.shop.tables:
        return bought
    back = window.table("returns").select(*keys, days=nothing, sold=nothing, back="amount")
    return bought.union(back)


def orders(window: Window) -> Sides:
    """Days with an order."""
    return Sides(rows=_traded(window), y=_.days)


def order_value(window: Window) -> Sides:
    """Revenue, of days with an order."""
    return Sides(rows=_traded(window), y=_.sold, x=_.days)


def net(window: Window) -> Sides:
    """Revenue less returns, where these are known."""
    return Sides(rows=_traded(window), y=_.sold - _.back)


def sent_back(window: Window) -> Sides:
    """Amounts returned, of amounts ordered."""
    return Sides(rows=_traded(window), y=_.back, x=_.sold)


def contacts(window: Window) -> Sides:
    """Tickets opened."""
    return Sides(rows=window.table("tickets"), y=_ONE)


def satisfied(window: Window) -> Sides:
    """Good answers about support, of all answers."""
    answered = window.table("tickets").filter(_.csat.notnull())
    return Sides(rows=answered, y=(_.csat >= _SATISFIED).cast("int64"), x=_ONE)
