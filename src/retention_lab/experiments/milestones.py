"""When each customer first reached a milestone: an event, some days of silence, or a purchase.

The first time counts: whoever reached it long ago and again today is not new at it.
"""

from __future__ import annotations

import datetime as dt

import ibis
import ibis.expr.types as ir
from ibis import _

from retention_lab import checks
from retention_lab.experiments.terms import Derived
from retention_lab.tables import clocks, engine
from retention_lab.tables.snapshot import Snapshot


def named(milestone: str | Derived) -> str:
    """Name a milestone for a sentence: an event, `60 days of silence`, `the first purchase`."""
    return str(milestone)


def first_reached(
    shop: Snapshot, milestone: str | Derived, *, since: dt.datetime | None = None
) -> ir.Table:
    """Find when customers first reached a milestone, by the end of the shop's day.

    Days of silence are over that many times 24 hours after a purchase that no other followed by
    then. The n-th purchase is the first order of the n-th local day with one.

    Parameters
    ----------
    since
        Naive UTC: only who first reached it from then on, worked out now. Of a large shop that is
        much less to look at.

    Returns
    -------
    Table
        `customer_id`, `reached_at` (naive UTC) and `reached_on`, a local day.

    Raises
    ------
    BadParameter
        If there is no such event.
    BadData
        If the shop has no events, or no orders to derive it from.
    """
    first = (
        _passed(shop, milestone, since)
        .group_by("customer_id")
        .agg(reached_at=_.reached_at.min(), reached_on=_.reached_on.min())
    )
    if since is None:
        return first
    return engine.keep(first.filter(_.reached_at >= since), where="the milestone")


def _passed(shop: Snapshot, milestone: str | Derived, since: dt.datetime | None) -> ir.Table:
    """All times at a milestone of those who may first have reached it `since` a moment."""
    end = clocks.end_of_day(shop.as_of, shop.zone)
    if isinstance(milestone, str):
        events = _events(shop, milestone)
        return events if since is None else _of_those_with_one(events, "reached_at", since, end)
    pause = dt.timedelta(days=milestone.silent_days or 0)
    orders = shop.orders.select("customer_id", "ordered_at", "ordered_on")
    if since is not None:
        orders = _of_those_with_one(orders, "ordered_at", since - pause, end - pause)
    if milestone.purchase is not None:
        return _purchases(orders, milestone.purchase)
    return _silences(shop, orders, pause)


def _of_those_with_one(rows: ir.Table, time: str, begin: dt.datetime, end: dt.datetime) -> ir.Table:
    """Rows of customers with one from `begin` to, but without, `end`: a large shop has few."""
    lately = rows.filter((rows[time] >= begin) & (rows[time] < end))
    few = engine.keep(lately.select("customer_id").distinct(), where="the milestone")
    return rows.semi_join(few, "customer_id")


def _events(shop: Snapshot, event: str) -> ir.Table:
    events = engine.collect(shop.events.select("event").distinct())["event"]
    checks.known(f"The table events of {shop.name}", "event", [event], sorted(events))
    reached = shop.events.filter(_.event == event)
    return reached.select("customer_id", reached_at="occurred_at", reached_on="occurred_on")


def _purchases(orders: ir.Table, number: int) -> ir.Table:
    days = orders.group_by("customer_id", reached_on=_.ordered_on).agg(
        reached_at=_.ordered_at.min()
    )
    place = ibis.row_number().over(group_by="customer_id", order_by=days.reached_on)
    return days.filter(place == number - 1)


def _silences(shop: Snapshot, orders: ir.Table, pause: dt.timedelta) -> ir.Table:
    end = clocks.end_of_day(shop.as_of, shop.zone)
    clock = clocks.Clock(
        zone=shop.zone, first=clocks.end_of_day(shop.records_from, shop.zone), last=end
    )
    following = orders.ordered_at.lead().over(group_by="customer_id", order_by=orders.ordered_at)
    silent = orders.select(
        "customer_id",
        reached_at=orders.ordered_at + ibis.interval(days=pause.days),
        followed_at=following.fill_null(ibis.timestamp(end.isoformat())),
    ).filter(_.reached_at < _.followed_at)
    return silent.mutate(reached_on=clock.local_date(_.reached_at)).drop("followed_at")
