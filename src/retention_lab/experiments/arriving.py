"""Who is new at the milestone of a plan, and what the shop's tables say against enrolling them."""

from __future__ import annotations

import datetime as dt
from functools import reduce

import ibis
import ibis.expr.types as ir
import pyarrow as pa
from ibis import _

from retention_lab import checks
from retention_lab.churn.listing import consenting
from retention_lab.experiments.following import followed
from retention_lab.experiments.milestones import first_reached
from retention_lab.experiments.plan import Plan
from retention_lab.tables import clocks, engine, population, saved
from retention_lab.tables.snapshot import Snapshot

STRATUM = " / "  # between the attributes of a stratum
UNKNOWN = "unknown"

_MARKS = ("meant", "can_tell", "consents", "written_to")
_COLUMNS = ("customer_id", "reached_at", "reached_on", "stratum", *_MARKS)


def milestones(shop: Snapshot, plan: Plan) -> ir.Table:
    """When customers first reached the milestone, of all whom a daily run could have enrolled.

    Returns
    -------
    Table
        `customer_id`, `reached_at` (naive UTC) and `reached_on`, a local day; from the window of
        the first day of enrolment on.

    Raises
    ------
    BadParameter
        If there is no such event.
    BadData
        If the shop has no events, or no orders to derive it from.
    """
    begin = clocks.end_of_day(plan.starts, shop.zone) - dt.timedelta(hours=plan.window_hours)
    return first_reached(shop, plan.milestone, since=begin)


def by_day(reached: ir.Table) -> dict[str, int]:
    """Count who reached the milestone by local day."""
    counts = engine.collect(reached.group_by("reached_on").agg(customers=_.count()))
    return {
        str(day.date()): int(n)
        for day, n in zip(counts["reached_on"], counts["customers"], strict=True)
    }


def within(reached: ir.Table, shop: Snapshot, plan: Plan) -> ir.CachedTable:
    """Keep who reached it in the last `window_hours` of the shop's day."""
    begin = clocks.end_of_day(shop.as_of, shop.zone) - dt.timedelta(hours=plan.window_hours)
    return engine.keep(reached.filter(reached.reached_at >= begin), where="events")


def eligible(people: ir.Table, shop: Snapshot, plan: Plan) -> ir.Table:
    """Say of customers whether a plan is `meant` for them, and whether each `consents`.

    A customer consents to the channels of all arms that send, or the arms would not be alike.

    Returns
    -------
    Table
        The rows of `people`, which has a `customer_id`, with the two truth values.

    Raises
    ------
    BadParameter
        If the condition or a channel is not understood.
    BadData
        If there are no consents, or the condition fits nobody.
    """
    where = f"cohort('{plan.where}')" if plan.where in saved.names() else plan.where
    agreed = [consenting(shop, channel, among=people) for channel in plan.channels]
    everywhere = reduce(lambda one, more: one.semi_join(more, "customer_id"), agreed)
    return _marked(_marked(people, population.chosen(shop, where), "meant"), everywhere, "consents")


def arrivals(fresh: ir.Table, shop: Snapshot, plan: Plan) -> pa.Table:
    """Say of those at the milestone what tells whether they may be enrolled.

    Returns
    -------
    Table
        `customer_id`, `reached_at`, `reached_on`, `stratum` and four truth values: `meant` (the
        plan is about them), `can_tell` (its endpoint says something of them), `consents`, and
        `written_to` within the days of rest. In order of arrival.

    Raises
    ------
    BadParameter
        If an attribute, the condition or the channel is not understood.
    BadData
        If there are no consents, or the condition fits nobody.
    """
    people = _in_strata(eligible(fresh, shop, plan), shop, plan)
    people = _marked(people, _with_something_to_tell(fresh, shop, plan), "can_tell")
    people = _marked(people, _written_to(shop, plan), "written_to")
    told = people.select(*_COLUMNS)
    table = pa.Table.from_batches([*engine.stream(told)], schema=told.schema().to_pyarrow())
    return table.sort_by([("reached_at", "ascending"), ("customer_id", "ascending")])


def _in_strata(fresh: ir.Table, shop: Snapshot, plan: Plan) -> ir.Table:
    """Name the stratum of each: the values of the plan's attributes."""
    checks.known(f"{shop.name}: customers", "attribute", plan.strata, shop.customers.columns)
    if not plan.strata:
        return fresh.mutate(stratum=ibis.literal(""))
    customers = shop.customers.semi_join(fresh, "customer_id")
    values = [customers[name].cast("string").fill_null(UNKNOWN) for name in plan.strata]
    known = customers.select("customer_id", stratum=ibis.literal(STRATUM).join(values))
    joined = fresh.left_join(known, "customer_id").drop("customer_id_right")
    return joined.mutate(stratum=joined.stratum.fill_null(UNKNOWN))


def _with_something_to_tell(fresh: ir.Table, shop: Snapshot, plan: Plan) -> ir.Table:
    """Customers of whom the endpoint says something; all where no table could tell."""
    if plan.endpoint.kind != "retained" or "subscriptions" not in shop.tables:
        return fresh
    return followed(shop, fresh, endpoint=plan.endpoint).filter(_.known)


def _written_to(shop: Snapshot, plan: Plan) -> ir.Table:
    """Customers who were sent a message within the days of rest; nobody where none are known."""
    if "messages" not in shop.tables:
        return shop.customers.select("customer_id").limit(0)
    begin = clocks.end_of_day(shop.as_of, shop.zone) - dt.timedelta(days=plan.rest_days)
    recent = shop.messages.filter(shop.messages.sent_at >= begin)
    return recent.select("customer_id").distinct()


def _marked(people: ir.Table, ids: ir.Table, name: str) -> ir.Table:
    ids = ids.semi_join(people, "customer_id")
    marks = ids.select("customer_id", **{name: ibis.literal(True)})
    joined = people.left_join(marks, "customer_id").drop("customer_id_right")
    return joined.mutate(**{name: joined[name].fill_null(False)})
