"""Who reached the milestone of a plan, when, and what the shop's tables say against enrolling them.

The first time counts: whoever reached it long ago and again today is not new at it.
"""

from __future__ import annotations

import datetime as dt

import ibis
import ibis.expr.types as ir
import pyarrow as pa
from ibis import _

from retention_lab import checks
from retention_lab.churn.listing import consenting
from retention_lab.experiments.plan import Plan
from retention_lab.tables import clocks, engine, population, saved
from retention_lab.tables.snapshot import Snapshot

STRATUM = " / "  # between the attributes of a stratum
UNKNOWN = "unknown"


def milestones(shop: Snapshot, plan: Plan) -> ir.CachedTable:
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
        If the shop has no events.
    """
    events = engine.collect(shop.events.select("event").distinct())["event"]
    checks.known(f"The table events of {shop.name}", "event", [plan.milestone], sorted(events))
    reached = shop.events.filter(_.event == plan.milestone)
    begin = clocks.end_of_day(plan.starts, shop.zone) - dt.timedelta(hours=plan.window_hours)
    late = reached.filter(_.occurred_at >= begin).group_by("customer_id")
    first = late.agg(reached_at=_.occurred_at.min(), reached_on=_.occurred_on.min())
    kept = engine.keep(first, where="events")
    # Only of them is it asked who had been there before: the shop may have millions of others.
    before = reached.filter(_.occurred_at < begin).semi_join(kept, "customer_id")
    return engine.keep(kept.anti_join(before, "customer_id"), where="events")


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


def arrivals(fresh: ir.Table, shop: Snapshot, plan: Plan) -> pa.Table:
    """Say of those at the milestone what tells whether they may be enrolled.

    Returns
    -------
    Table
        `customer_id`, `reached_at`, `reached_on`, `stratum` and three truth values: `meant` (the
        plan is about them), `consents`, and `written_to` within the days of rest. In order of
        arrival.

    Raises
    ------
    BadParameter
        If an attribute, the condition or the channel is not understood.
    BadData
        If there are no consents, or the condition fits nobody.
    """
    where = f"cohort('{plan.where}')" if plan.where in saved.names() else plan.where
    marks = {
        "meant": population.chosen(shop, where),
        "consents": consenting(shop, plan.channel, among=fresh),
        "written_to": _written_to(shop, plan),
    }
    people = _in_strata(fresh, shop, plan)
    for name, ids in marks.items():
        people = _marked(people, ids.semi_join(fresh, "customer_id"), name)
    columns = ("customer_id", "reached_at", "reached_on", "stratum", *marks)
    batches = [*engine.stream(people.select(*columns))]
    table = pa.Table.from_batches(batches, schema=people.select(*columns).schema().to_pyarrow())
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


def _written_to(shop: Snapshot, plan: Plan) -> ir.Table:
    """Customers who were sent a message within the days of rest; nobody where none are known."""
    if "messages" not in shop.tables:
        return shop.customers.select("customer_id").limit(0)
    begin = clocks.end_of_day(shop.as_of, shop.zone) - dt.timedelta(days=plan.rest_days)
    recent = shop.messages.filter(shop.messages.sent_at >= begin)
    return recent.select("customer_id").distinct()


def _marked(people: ir.Table, ids: ir.Table, name: str) -> ir.Table:
    marks = ids.select("customer_id", **{name: ibis.literal(True)})
    joined = people.left_join(marks, "customer_id").drop("customer_id_right")
    return joined.mutate(**{name: joined[name].fill_null(False)})
