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
    passed = _passed(shop, milestone, since)
    if since is None:
        return _first(passed)
    late = engine.keep(_first(passed.filter(_.reached_at >= since)), where="the milestone")
    # Only of them is it asked who had been there before: the shop may have millions of others.
    before = passed.filter(_.reached_at < since).semi_join(late, "customer_id")
    return engine.keep(late.anti_join(before, "customer_id"), where="the milestone")


def _first(passed: ir.Table) -> ir.Table:
    return passed.group_by("customer_id").agg(
        reached_at=_.reached_at.min(), reached_on=_.reached_on.min()
    )


def _passed(shop: Snapshot, milestone: str | Derived, since: dt.datetime | None) -> ir.Table:
    """All times at a milestone; of who bought nothing lately enough for `since`, perhaps none."""
    if isinstance(milestone, str):
        return _events(shop, milestone)
    pause = dt.timedelta(days=milestone.silent_days or 0)
    orders = shop.orders if since is None else _orders_of_the_late(shop, since - pause, pause)
    if milestone.purchase is not None:
        return _purchases(orders, milestone.purchase)
    return _silences(shop, orders, pause)


def _events(shop: Snapshot, event: str) -> ir.Table:
    events = engine.collect(shop.events.select("event").distinct())["event"]
    checks.known(f"The table events of {shop.name}", "event", [event], sorted(events))
    reached = shop.events.filter(_.event == event)
    return reached.select("customer_id", reached_at="occurred_at", reached_on="occurred_on")


def _orders_of_the_late(shop: Snapshot, begin: dt.datetime, pause: dt.timedelta) -> ir.Table:
    """All orders of those who ordered something from `begin` to a pause before the shop's end."""
    end = clocks.end_of_day(shop.as_of, shop.zone) - pause
    lately = shop.orders.filter((_.ordered_at >= begin) & (_.ordered_at < end))
    return shop.orders.semi_join(lately, "customer_id")


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
