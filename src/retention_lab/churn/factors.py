"""What may go with staying, as states that change with time and are known when they begin.

A factor of the playbook becomes *spans*: from when to when a customer is in which state. A state
depends on nothing that comes after its span begins, so reading it at any moment is no foresight.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

import ibis
import ibis.expr.types as ir
from ibis import _
from pydantic import ValidationError

from retention_lab import checks
from retention_lab.churn import endpoints
from retention_lab.customers.groups import REST
from retention_lab.tables.engine import collect
from retention_lab.tables.playbook import (
    Attribute,
    Factor,
    Milestone,
    Purchases,
    Recency,
    Support,
    Tenure,
)
from retention_lab.tables.snapshot import Snapshot

SECONDS_AN_HOUR = 3_600
LEVELS = 10  # values of an attribute that keep their name, the most common ones


def states(factor: Factor) -> tuple[str, ...]:
    """Words of the states of a factor, the reference first; of an attribute the data tell them."""
    return factor.states


def usable(shop: Snapshot, factors: Sequence[Factor], *, timed: bool) -> tuple[Factor, ...]:
    """Keep the factors that the shop has data for.

    Where attributes are named and none of them is there, such as those of a playbook that nobody
    has edited yet, the shop's own take their place. `timed` is for episodes: there time itself is
    the clock, and days since something are left out.
    """
    kept = [factor for factor in factors if _has(shop, factor)]
    named = any(isinstance(factor, Attribute) for factor in factors)
    if named and not any(isinstance(factor, Attribute) for factor in kept):
        kept += _own(shop, taken={factor.name for factor in factors})
    return tuple(one for one in kept if not (timed and isinstance(one, Recency | Tenure)))


def _own(shop: Snapshot, *, taken: set[str]) -> list[Factor]:
    """Make factors of the attributes that a shop has, where their names may be those of factors."""
    made: list[Factor] = []
    for column in endpoints.attributes(shop):
        label = column.replace("_", " ").capitalize()
        with suppress(ValidationError):
            made.append(Attribute(name=column, label=label, column=column))
    return [factor for factor in made if factor.name not in taken]


def _has(shop: Snapshot, factor: Factor) -> bool:
    match factor:
        case Attribute():
            return factor.column in endpoints.attributes(shop)
        case Milestone():
            return "events" in shop.tables
        case Support():
            return "tickets" in shop.tables
        case Purchases() | Recency():
            return "orders" in shop.tables
        case Tenure():
            return True


def spans(shop: Snapshot, factor: Milestone | Support | Purchases | Recency) -> ir.Table:
    """From when to when each customer is in which state.

    Returns
    -------
    Table
        `customer_id`, `from_at`, `to_at` (naive UTC; the last one ends with the as-of day), `state`
        (int64, a position in `states`). Before the first span the state is 0. The spans of a
        recency begin with a purchase and end with the next; their state is 0.
    """
    match factor:
        case Milestone():
            changes = _reached(shop, factor)
        case Support():
            changes = _asked(shop, factor)
        case Purchases():
            changes = _bought(shop, factor)
        case Recency():
            changes = endpoints.purchases(shop).mutate(state=ibis.literal(0, "int64"))
    order = [changes.at, changes.state]  # of one second the last counts, such as a prompt answer
    following = changes.at.lead().over(group_by="customer_id", order_by=order)
    return changes.select(
        "customer_id",
        "state",
        from_at=changes.at,
        to_at=following.fill_null(endpoints.end_of(shop)),
    )


def steps(value: ir.Value, bounds: Sequence[int] | Sequence[ir.Value]) -> ir.IntegerValue:
    """Count how many of the bounds a number or a time has reached."""
    counted = ibis.literal(0, "int64")
    for bound in bounds:
        counted += (value >= bound).cast("int64")
    return counted


def worded(rows: ir.Table, factors: Sequence[Factor]) -> ir.Table:
    """Give positions in `states` their words, in the columns of the factors that have states."""
    words = {factor.name: list(enumerate(states(factor))) for factor in factors if states(factor)}
    return rows.mutate(
        **{
            name: ibis.cases(*((rows[name] == place, word) for place, word in pairs))
            for name, pairs in words.items()
        }
    )


def described(rows: ir.Table, shop: Snapshot, factors: Sequence[Factor]) -> ir.Table:
    """Add the attributes among the factors to rows of spells, under the names of the factors.

    All but the `LEVELS` most common values are "all others".

    Raises
    ------
    BadData
        If customers have no such attribute.
    """
    found = {one.name: one.column for one in factors if isinstance(one, Attribute)}
    checks.columns("customers", endpoints.attributes(shop), found.values())
    return rows.mutate(
        **{
            name: rows[column].isin(_most_common(shop, column)).ifelse(rows[column], REST)
            for name, column in found.items()
        }
    )


def _most_common(shop: Snapshot, column: str) -> list[str]:
    values = shop.customers.group_by(value=_[column].fill_null(endpoints.UNKNOWN))
    ranked = values.agg(n=_.count()).order_by(_.n.desc(), _.value).limit(LEVELS)
    return [str(value) for value in collect(ranked)["value"]]


def _reached(shop: Snapshot, factor: Milestone) -> ir.Table:
    events = shop.events.filter(_.event == factor.event)
    return events.group_by("customer_id").agg(
        at=_.occurred_at.min(), state=ibis.literal(1, "int64")
    )


def _asked(shop: Snapshot, factor: Support) -> ir.Table:
    """The latest ticket counts: from its opening it waits, from its answer on it is answered."""
    order = [shop.tickets.opened_at, shop.tickets.ticket_id]
    tickets = shop.tickets.mutate(
        next_at=_.opened_at.lead().over(group_by="customer_id", order_by=order)
    )
    opened = tickets.select("customer_id", at=_.opened_at, state=ibis.literal(1, "int64"))
    in_time = tickets.filter(
        _.first_response_at < _.next_at.fill_null(endpoints.end_of(shop))  # else of no interest
    )
    waited = _seconds(in_time.first_response_at) - _seconds(in_time.opened_at)
    prompt = waited <= factor.hours * SECONDS_AN_HOUR
    answered = in_time.select(
        "customer_id", at=_.first_response_at, state=prompt.ifelse(2, 3).cast("int64")
    )
    return _changing(opened.union(answered))


def _bought(shop: Snapshot, factor: Purchases) -> ir.Table:
    """A purchase adds one when it is made, and takes it back when its days are over."""
    made = endpoints.purchases(shop).select("customer_id", "at", change=ibis.literal(1, "int64"))
    over = made.mutate(at=_.at + ibis.interval(days=factor.within), change=-_.change)
    both = made.union(over.filter(_.at < endpoints.end_of(shop)))
    moments = both.group_by("customer_id", "at").agg(change=_.change.sum())
    so_far = ibis.cumulative_window(group_by="customer_id", order_by="at")
    running = moments.mutate(within=_.change.sum().over(so_far))
    return _changing(running.select("customer_id", "at", state=steps(running.within, factor.cuts)))


def _changing(changes: ir.Table) -> ir.Table:
    """Leave out what changes nothing, so that no episode is cut in vain."""
    order = [changes.at, changes.state]
    before = changes.state.lag().over(group_by="customer_id", order_by=order)
    kept = changes.mutate(before=before.fill_null(0)).filter(_.state != _.before)
    return kept.drop("before")


def _seconds(time: ir.TimestampValue) -> ir.IntegerValue:
    return time.truncate("s").epoch_seconds()
