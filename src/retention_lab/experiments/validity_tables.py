"""What tells whether a test was run as planned, collapsed in the engine to three small tables.

Each customer counts once, in the arm of the first assignment; what came later is counted as a
repetition or a crossover. Nothing later than the shop's day is looked at.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Literal

import ibis
import ibis.expr.types as ir
import pandas as pd
import pyarrow as pa
from ibis import _

from retention_lab import checks
from retention_lab.checks import Refusal
from retention_lab.churn.endpoints import end_of
from retention_lab.customers.purchases import elapsed_days_between
from retention_lab.experiments import assignments, following, milestones
from retention_lab.experiments.plan import Plan
from retention_lab.state import State
from retention_lab.tables import clocks, engine
from retention_lab.tables.snapshot import Snapshot

Part = Literal["milestone", "outcome", "before", "messages"]

SETTLED = dt.timedelta(days=7)  # by then a message has been sent, if it ever will be
_TEXT, _TIME = pa.string(), pa.timestamp("us")
SCHEMA = pa.schema(
    {"customer_id": _TEXT, "arm": _TEXT, "stratum": _TEXT, "time_zero": _TIME, "assigned_at": _TIME}
)


@dataclass(frozen=True, kw_only=True, eq=False)
class Collapsed:
    """Counts of one test as of one day, the input of `validity.checks`.

    Parameters
    ----------
    sizes
        `enrolled_on` (local day of the first assignment), `stratum`, `arm`, `customers`; in order.
    arms
        One row per arm that occurs, in order: `arm`, and of its customers how many there are
        (`customers`), how many were assigned several times (`repeated`) and to several arms
        (`crossed`).

        Of *milestone*: `off` (time zero is not when the milestone was first reached), `early`
        (assigned before time zero). Of *outcome*: `left_out` (the endpoint says nothing of them),
        `outcome_first` (the event's day was over when they were assigned). Of *before*: `earlier`
        (had the outcome in as many days before time zero as the endpoint counts after it), of those
        `reaching`, whom the shop knows for so long. Of *messages*: `sent` (what their arm is sent,
        since time zero), `delivered` of that, `wrong` (what another arm is sent), all three of
        those `due`, who were assigned a week ago or longer.
    grid
        `week` (Monday of enrolment), `arm`, `day`, `events`, `censored`, as `following.grid`; of
        *outcome*, and empty without.
    missing
        Why the columns of one of these four are not there, in a sentence.
    """

    sizes: pd.DataFrame
    arms: pd.DataFrame
    grid: pd.DataFrame
    missing: Mapping[Part, str]


def logged(state: State, shop: Snapshot, plan: Plan) -> ir.Table:
    """Hand the log of assignments of a plan to the engine of the shop, as `collapsed` takes it.

    The moment of an assignment is the last second of the day that the run was as of.
    """
    rows = (
        {**row, "time_zero": dt.datetime.fromisoformat(row["reached_at"]), "assigned_at": at}
        for row in assignments.ledger(state).rows()
        if row["source"] == shop.name and row["experiment"] == plan.name
        for at in [_last_second(row["as_of"], shop.zone)]
    )
    batches = iter(lambda: [*islice(rows, 100_000)], [])
    table = pa.Table.from_batches(
        [pa.RecordBatch.from_pylist(batch, schema=SCHEMA) for batch in batches], schema=SCHEMA
    )
    return engine.put(table, con=shop.customers.get_backend())


def _last_second(day: str, zone: str) -> dt.datetime:
    return clocks.end_of_day(dt.date.fromisoformat(day), zone) - dt.timedelta(seconds=1)


def collapsed(shop: Snapshot, plan: Plan, assigned: ir.Table) -> Collapsed:
    """Count what the checks of a test's validity rest on.

    Parameters
    ----------
    assigned
        One row per assignment of this test: `customer_id`, `arm`, `stratum`, `time_zero` and
        `assigned_at` (naive UTC). Repetitions and arms that the plan does not know are counted.

    Raises
    ------
    BadData
        If a column is missing.
    """
    checks.columns("assigned", assigned.columns, SCHEMA.names)
    people: ir.Table = _first(shop, assigned)
    missing: dict[Part, str] = {}
    for part, add in _PARTS.items():
        try:
            # Kept each time, as the next part reads it several times.
            people = engine.keep(add(people, shop, plan), where="assignments")
        except Refusal as refusal:
            missing[part] = str(refusal)
    return _counted(people, missing)


def _counted(people: ir.Table, missing: Mapping[Part, str]) -> Collapsed:
    """Count customers by arm, and of each arm for how many each truth value holds."""
    told = {
        name: _[name].cast("int64").sum()
        for name, kind in people.schema().items()
        if kind.is_boolean() and name not in ("event_observed", "known")
    }
    sizes = people.group_by("enrolled_on", "stratum", "arm").agg(customers=_.count())
    grid = pd.DataFrame(columns=["week", "arm", "day", "events", "censored"])
    return Collapsed(
        sizes=_in_order(engine.collect(sizes), "enrolled_on", "stratum", "arm"),
        arms=_in_order(engine.collect(people.group_by("arm").agg(customers=_.count(), **told))),
        grid=grid if "outcome" in missing else following.grid(people, "week", "arm"),
        missing=missing,
    )


def _in_order(frame: pd.DataFrame, *by: str) -> pd.DataFrame:
    return frame.sort_values([*by] or "arm", ignore_index=True)


def _first(shop: Snapshot, assigned: ir.Table) -> ir.CachedTable:
    """One row per customer: the first assignment, and what is known of the others."""
    known = assigned.filter(_.assigned_at < end_of(shop)).select(*SCHEMA.names)
    named = known.mutate(arm=_.arm.fill_null(""), stratum=_.stratum.fill_null(""))
    own = ibis.window(group_by="customer_id")
    ordered = ibis.window(group_by="customer_id", order_by=["assigned_at", "arm"])
    marked = named.mutate(
        _place=ibis.row_number().over(ordered),
        repeated=_.customer_id.count().over(own) > 1,
        crossed=_.arm.min().over(own) != _.arm.max().over(own),
    )
    day = _clock(shop).local_date(marked.assigned_at)
    first = marked.filter(marked["_place"] == 0).mutate(enrolled_on=day, week=day.truncate("W"))
    return engine.keep(first.drop("_place"), where="assignments")


def _at_milestone(people: ir.Table, shop: Snapshot, plan: Plan) -> ir.Table:
    reached = milestones.first_reached(shop, plan.milestone)
    moments = reached.select(_whose="customer_id", _at="reached_at")
    joined = people.left_join(moments, people.customer_id == moments["_whose"])
    at_zero = (joined["_at"] == joined.time_zero).fill_null(False)
    early = (joined.assigned_at < joined.time_zero).fill_null(False)
    return joined.mutate(off=~at_zero, early=early).drop("_whose", "_at")


def _followed(people: ir.Table, shop: Snapshot, plan: Plan) -> ir.Table:
    # Whoever was assigned before time zero, or has none, is followed from the assignment: so that
    # nobody is lost here, whom another check tells of.
    zero = ibis.least(people.time_zero.fill_null(people.assigned_at), people.assigned_at)
    since = people.mutate(reached_at=zero, reached_on=_clock(shop).local_date(zero))
    told = following.followed(shop, since, endpoint=plan.endpoint)
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
        found["delivered"] = found["sent"].filter(_.delivered_at.notnull())  # noqa: PD004  Ibis
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


def _clock(shop: Snapshot) -> clocks.Clock:
    first, last = (clocks.end_of_day(day, shop.zone) for day in (shop.records_from, shop.as_of))
    return clocks.Clock(zone=shop.zone, first=first, last=last)


_PARTS: Mapping[Part, Callable[[ir.Table, Snapshot, Plan], ir.Table]] = {
    "milestone": _at_milestone,
    "outcome": _followed,
    "before": _before,
    "messages": _messaged,
}
