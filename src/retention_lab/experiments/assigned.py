"""Who was assigned to which arm of a test: by a table of the shop, or by the log of daily runs."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

import ibis.expr.types as ir
import pyarrow as pa
from ibis import _

from retention_lab.checks import BadData
from retention_lab.churn.endpoints import end_of
from retention_lab.experiments import assignments
from retention_lab.experiments.plan import Plan
from retention_lab.experiments.validity_tables import SCHEMA
from retention_lab.state import State
from retention_lab.tables import clocks, engine
from retention_lab.tables.snapshot import Snapshot

_SCHEMA = SCHEMA.append(pa.field("plan_digest", pa.string()))
_BATCH = 100_000


def assigned(shop: Snapshot, plan: Plan, *, state: State | None) -> ir.Table:
    """Find the assignments of a test that the shop's day knows, repetitions and all.

    A table of the shop that names the experiment counts alone; else the log does.

    Parameters
    ----------
    state
        Whose log counts; None where there is none.

    Returns
    -------
    Table
        The columns of `validity_tables.SCHEMA`, and `plan_digest`; missing where it is not known.

    Raises
    ------
    BadData
        If nobody has been assigned, or the log is damaged.
    """
    known = _.assigned_at < end_of(shop)
    for rows in _told(shop, plan, state):
        if len(engine.collect(rows.filter(known).limit(1))):
            return rows.filter(known)
    raise BadData(
        f"Nobody has been assigned to {plan.name} by {shop.as_of}. Map a table assignments that "
        "names this experiment, or run `retention-lab assign` every day of enrolment."
    )


def digests(rows: ir.Table, *, people: ir.Table) -> Mapping[str, int]:
    """Count customers by the digest of the plan by which they were assigned.

    Whose digest is not known counts under an empty text.

    Parameters
    ----------
    rows
        As `assigned` gives them.
    people
        As `validity_tables.Marked` has them.
    """
    named = rows.select("customer_id", plan_digest=rows.plan_digest.fill_null(""))
    # Only of these, hardly anybody, are rows told apart: of everybody that takes several times as
    # long as counting.
    again = people.filter(_.repeated).select(_whose="customer_id")
    of_them = named.customer_id == again["_whose"]
    once = named.anti_join(again, of_them)
    each = once.union(named.semi_join(again, of_them).distinct())
    found = engine.collect(each.group_by("plan_digest").agg(customers=_.count()))
    counts = zip(found["plan_digest"], found["customers"], strict=True)
    return {str(digest): int(customers) for digest, customers in sorted(counts)}


def _told(shop: Snapshot, plan: Plan, state: State | None) -> Iterator[ir.Table]:
    """Give the rows of the shop's table, then those of the log, worked out only when asked for."""
    if "assignments" in shop.tables:
        yield shop.assignments.filter(_.experiment == plan.name).select(*_SCHEMA.names)
    if state is not None:
        yield logged(state, shop, plan)


def logged(state: State, shop: Snapshot, plan: Plan) -> ir.Table:
    """Hand the log of assignments of a plan to the engine of the shop.

    The moment of an assignment is the last second of the day that the run was as of.
    """
    rows = (
        _row(row, shop.zone)
        for row in assignments.ledger(state).rows()
        if row["source"] == shop.name and row["experiment"] == plan.name
    )
    batches = iter(lambda: [*islice(rows, _BATCH)], [])
    table = pa.Table.from_batches(
        [pa.RecordBatch.from_pylist(batch, schema=_SCHEMA) for batch in batches], schema=_SCHEMA
    )
    return engine.put(table, con=shop.customers.get_backend())


def _row(row: Mapping[str, Any], zone: str) -> dict[str, Any]:
    end = clocks.end_of_day(dt.date.fromisoformat(row["as_of"]), zone)
    return {
        **row,
        "time_zero": dt.datetime.fromisoformat(row["reached_at"]),
        "assigned_at": end - dt.timedelta(seconds=1),
        "plan_digest": row["plan"],
    }
