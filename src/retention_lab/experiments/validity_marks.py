"""What is marked of each assigned customer, part by part: milestone, outcome, past and messages."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Mapping
from typing import Literal

import ibis
import ibis.expr.types as ir
from ibis import _

from retention_lab.churn.endpoints import end_of
from retention_lab.customers.purchases import elapsed_days_between
from retention_lab.experiments import following, milestones
from retention_lab.experiments.plan import Plan
from retention_lab.tables import clocks
from retention_lab.tables.snapshot import Snapshot

Part = Literal["milestone", "outcome", "before", "messages"]

SETTLED = dt.timedelta(days=7)  # by then a message has been sent, if it ever will be


def _at_milestone(people: ir.Table, shop: Snapshot, plan: Plan) -> ir.Table:
    reached = milestones.first_reached(shop, plan.milestone)
    moments = reached.select(_whose="customer_id", _at="reached_at")
    joined = people.left_join(moments, people.customer_id == moments["_whose"])
    zero = joined.time_zero.fill_null(joined.assigned_at)  # from when on they are followed
    at_zero = (joined["_at"] == zero).fill_null(False)
    early = (joined.assigned_at < joined.time_zero).fill_null(False)
    return joined.mutate(off=~at_zero, early=early).drop("_whose", "_at")


def _followed(people: ir.Table, shop: Snapshot, plan: Plan) -> ir.Table:
    told = following.followed(shop, people, endpoint=plan.endpoint)
    waited = elapsed_days_between(told.reached_at, told.assigned_at)
    first = told.event_observed & (told.day <= waited)
    return told.mutate(left_out=~told.known, outcome_first=told.known & first)


def _before(people: ir.Table, shop: Snapshot, plan: Plan) -> ir.Table:
    """Who had the outcome before time zero, within as many days as the endpoint counts after it."""
    if plan.endpoint.kind == "returned":
        happened = shop.orders.select(_whose="customer_id", _at="ordered_at")
    else:
        happened = shop.subscriptions.select(_whose="customer_id", _at="cancelled_at")
    begin = people.time_zero - ibis.interval(days=plan.endpoint.day)
    records = ibis.timestamp(clocks.end_of_day(shop.records_from, shop.zone).isoformat())
    span = people.mutate(_begin=begin, reaching=(begin >= records).fill_null(False))
    theirs = span.inner_join(happened, span.customer_id == happened["_whose"])
    earlier = theirs.filter(
        (theirs["_at"] >= theirs["_begin"]) & (theirs["_at"] < theirs.time_zero)
    )
    marked = _marked(span, earlier, "earlier")
    return marked.mutate(earlier=marked.earlier & marked.reaching).drop("_begin")


def _messaged(people: ir.Table, shop: Snapshot, plan: Plan) -> ir.Table:
    """Who was sent what the own arm is sent, and who what another one is."""
    own = {arm.name: {arm.message, plan.name} if arm.message else set() for arm in plan.arms}
    every = {plan.name}.union(*own.values())
    messages = shop.messages.rename(_whose="customer_id")
    theirs = people.inner_join(messages, people.customer_id == messages["_whose"])
    since = theirs.filter(theirs.sent_at >= theirs.time_zero)
    found = {
        "sent": _named(since, own),
        "wrong": _named(since, {arm: every - names for arm, names in own.items()}),
    }
    if "delivered_at" in messages.columns:
        found["delivered"] = found["sent"].filter(_.delivered_at.notnull())
    due = people.assigned_at + ibis.interval(days=SETTLED.days) <= end_of(shop)
    marked = people.mutate(due=due)
    for name, rows in found.items():
        told = _marked(marked, rows, name)
        marked = told.mutate(**{name: told[name] & told.due})
    return marked


def _named(messages: ir.Table, names: Mapping[str, Collection[str | None]]) -> ir.Table:
    """Keep messages whose campaign or stage is one of the names of the customer's arm."""
    told = [messages[name] for name in ("campaign", "stage") if name in messages.columns]
    fits = [
        (messages.arm == arm) & column.isin(sorted(map(str, some)))
        for arm, some in names.items()
        for column in told
        if some
    ]
    return messages.filter(ibis.or_(*fits))


def _marked(people: ir.Table, rows: ir.Table, name: str) -> ir.Table:
    """Say of each whether there is a row of theirs."""
    some = rows.select(_whose="customer_id").distinct().mutate(_one=ibis.literal(True))
    joined = people.left_join(some, people.customer_id == some["_whose"])
    return joined.mutate(**{name: joined["_one"].fill_null(False)}).drop("_whose", "_one")


def clock(shop: Snapshot) -> clocks.Clock:
    """Give the shop's local days, over all that it knows."""
    first, last = (clocks.end_of_day(day, shop.zone) for day in (shop.records_from, shop.as_of))
    return clocks.Clock(zone=shop.zone, first=first, last=last)


PARTS: Mapping[Part, Callable[[ir.Table, Snapshot, Plan], ir.Table]] = {
    "milestone": _at_milestone,
    "outcome": _followed,
    "before": _before,
    "messages": _messaged,
}
