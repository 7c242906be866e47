"""What is marked of each assigned customer: milestone, outcome, past and messages.

Each table of the shop is gone through once, and collapsed to a row per customer at most.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Literal

import ibis
import ibis.expr.types as ir
from ibis import _

from retention_lab.churn.endpoints import end_of
from retention_lab.customers.purchases import elapsed_days_between
from retention_lab.experiments import following, milestones
from retention_lab.experiments.plan import Plan
from retention_lab.tables import clocks, engine
from retention_lab.tables.snapshot import Snapshot

Part = Literal["milestone", "outcome", "before", "messages"]
Columns = dict[str, ir.Value]

SETTLED = dt.timedelta(days=7)  # by then a message has been sent, if it ever will be


@dataclass(frozen=True, kw_only=True)
class Marking:
    """What the tables of a shop tell of `people`, the assigned customers of a plan.

    One method of a pair finds a row, with `_whose`, of each customer of whom a table tells
    something; the other makes the columns of all customers, beside whom such rows stand.
    """

    shop: Snapshot
    plan: Plan
    people: ir.Table

    def milestones(self) -> ir.Table:
        """Find when customers first reached the milestone: `_milestone_at`."""
        reached = milestones.first_reached(self.shop, self.plan.milestone)
        return reached.select(_whose="customer_id", _milestone_at="reached_at")

    def at_milestone(self, found: ir.Table) -> Columns:
        """Tell whose time zero is not the milestone, and who was assigned before it."""
        zero = found.time_zero.fill_null(found.assigned_at)  # from when on they are followed
        at_zero = (found["_milestone_at"] == zero).fill_null(False)
        return {"off": ~at_zero, "early": (found.assigned_at < found.time_zero).fill_null(False)}

    def endings(self) -> ir.Table:
        """Find the events of the endpoint, as `following.endings`."""
        return following.endings(self.shop, self.people, endpoint=self.plan.endpoint)

    def followed(self, found: ir.Table) -> Columns:
        """Tell how long everybody was followed, and whose outcome came too early."""
        told = following.timed(found, self.shop, endpoint=self.plan.endpoint)
        waited = elapsed_days_between(found.reached_at, found.assigned_at)
        first = told["known"] & told["event_observed"] & (told["day"] <= waited)
        begin = found.reached_at - ibis.interval(days=self.plan.endpoint.day)
        reaching = begin >= ibis.timestamp(clock(self.shop).first.isoformat())
        return {
            **told,
            "left_out": ~told["known"],
            "outcome_first": first,
            "reaching": reaching,
            "earlier": reaching & found["_earlier"].fill_null(False),
        }

    def messages(self) -> ir.Table:
        """Find who was sent what the own arm is sent, since time zero, or what another one is."""
        own = {
            arm.name: {arm.message, self.plan.name} if arm.message else set()
            for arm in self.plan.arms
        }
        every = {self.plan.name}.union(*own.values())
        messages = self.shop.messages.filter(_is_one_of(self.shop.messages, every))
        whose = self.people.select("arm", _whose="customer_id", _zero="reached_at")
        joined = messages.inner_join(whose, messages.customer_id == whose["_whose"])
        since = joined.filter(joined.sent_at >= joined["_zero"])
        sent = _of_arm(since, own)
        found = {
            "_sent": sent.any(),
            "_wrong": _of_arm(since, {arm: every - names for arm, names in own.items()}).any(),
        }
        # Of a shop that is told of no delivery at all, none is missing.
        if len(engine.collect(self.shop.messages.filter(_.delivered_at.notnull()).limit(1))):
            found["_delivered"] = (sent & since.delivered_at.notnull()).any()
        return since.group_by("_whose").agg(**found)

    def messaged(self, found: ir.Table) -> Columns:
        """Tell what those were sent who were assigned long enough ago."""
        due = found.assigned_at + ibis.interval(days=SETTLED.days) <= end_of(self.shop)
        told = [name for name in ("sent", "wrong", "delivered") if f"_{name}" in found.columns]
        return {"due": due, **{name: due & found[f"_{name}"].fill_null(False) for name in told}}


def clock(shop: Snapshot) -> clocks.Clock:
    """Give the shop's local days, over all that it knows."""
    first, last = (clocks.end_of_day(day, shop.zone) for day in (shop.records_from, shop.as_of))
    return clocks.Clock(zone=shop.zone, first=first, last=last)


def _is_one_of(messages: ir.Table, names: Collection[str | None]) -> ir.BooleanValue:
    """Say whether a message's campaign or stage is one of these names."""
    some = sorted(map(str, names))
    return (messages.campaign.isin(some) | messages.stage.isin(some)).fill_null(False)


def _of_arm(messages: ir.Table, names: Mapping[str, Collection[str | None]]) -> ir.BooleanValue:
    """Say whether a message bears one of the names of the customer's arm."""
    fits = [(messages.arm == arm) & _is_one_of(messages, some) for arm, some in names.items()]
    return ibis.or_(*fits)


# For some parts of the checks: what finds it, and what tells it.
MARKS: tuple[
    tuple[tuple[Part, ...], Callable[[Marking], ir.Table], Callable[[Marking, ir.Table], Columns]],
    ...,
] = (
    (("milestone",), Marking.milestones, Marking.at_milestone),
    (("outcome", "before"), Marking.endings, Marking.followed),
    (("messages",), Marking.messages, Marking.messaged),
)
