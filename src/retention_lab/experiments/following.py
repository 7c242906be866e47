"""How long customers were followed from a milestone to the endpoint of a test, or without it.

Durations are elapsed days of 24 hours, as in `churn.endpoints`: an event happens on day
``floor(days) + 1``, who has had none is censored on day ``floor(days)`` of the end of the as-of
day.
"""

from __future__ import annotations

import ibis
import ibis.expr.types as ir
import pandas as pd
from ibis import _

from retention_lab import checks
from retention_lab.churn import grids
from retention_lab.churn.endpoints import end_of
from retention_lab.customers.purchases import elapsed_days_between
from retention_lab.experiments.terms import Endpoint
from retention_lab.tables.snapshot import Snapshot


def followed(shop: Snapshot, people: ir.Table, *, endpoint: Endpoint) -> ir.Table:
    """Follow customers from time zero, their milestone, to the event.

    *retained*: the event is that the last of the subscriptions that were active at time zero was
    cancelled; of customers without one nothing is known. *returned*: it is the first order later
    than time zero; where an order is itself time zero, on a later local day, as orders of one day
    are one purchase.

    Parameters
    ----------
    people
        One row per customer: `customer_id`, `reached_at` (naive UTC), `reached_on` (local day),
        none after the shop's day, and any other columns. It is read twice: keep what took long.

    Returns
    -------
    Table
        The same rows with `day` (whole days), `event_observed` (truth value) and `known` (truth
        value: False where the endpoint says nothing of the customer).

    Raises
    ------
    BadData
        If a column is missing, or the shop lacks subscriptions or orders.
    """
    checks.columns("people", people.columns, ["customer_id", "reached_at", "reached_on"])
    match endpoint.kind:
        case "retained":
            found = _cancelled(shop.subscriptions, people)
        case "returned":
            found = _returned(shop.orders, people)
    # By another name, as engines differ in what they call the second of two equal columns.
    named = found.rename(_whose="customer_id")
    joined = people.left_join(named, people.customer_id == named["_whose"])
    known = joined["_whose"].notnull() | (endpoint.kind == "returned")  # noqa: PD004  Ibis
    until = joined["_until"].fill_null(end_of(shop))
    event = joined["_until"].notnull()  # noqa: PD004  Ibis
    whole = elapsed_days_between(joined.reached_at, until)
    timed = joined.mutate(day=whole + event.cast("int64"), event_observed=event, known=known)
    return timed.select(*people.columns, "day", "event_observed", "known")


def grid(rows: ir.Table, *by: str) -> pd.DataFrame:
    """Count the events and censorings of `followed` customers who are known, by columns and day.

    Returns
    -------
    DataFrame
        As `churn.grids.by`, whose errors it raises: `by`, `day`, `events`, `censored`.
    """
    return grids.by(rows.filter(_.known).mutate(cause=ibis.null("string")), *by)


def _cancelled(subscriptions: ir.Table, people: ir.Table) -> ir.Table:
    """When the last subscription that was active at time zero ended; null while one has not."""
    begun = _theirs(subscriptions, people).filter(_.started_at <= _.reached_at)
    active = begun.filter(_.cancelled_at.fill_null(_.reached_at) >= _.reached_at)
    spans = active.group_by("customer_id").agg(
        last_at=_.cancelled_at.max(), ended=_.cancelled_at.count(), begun=_.count()
    )
    until = (spans.ended == spans.begun).ifelse(spans.last_at, ibis.null())
    return spans.select("customer_id", _until=until)


def _returned(orders: ir.Table, people: ir.Table) -> ir.Table:
    """When customers first ordered after time zero; null where they have not."""
    since = _theirs(orders, people).filter(_.ordered_at >= _.reached_at)
    later, another_day = since.ordered_at > since.reached_at, since.ordered_on > since.reached_on
    first = since.group_by("customer_id").agg(
        bought=(~later).sum(),
        next_at=since.ordered_at.min(where=later),
        next_day_at=since.ordered_at.min(where=another_day),
    )
    until = (first.bought > 0).ifelse(first.next_day_at, first.next_at)
    return first.select("customer_id", _until=until)


def _theirs(rows: ir.Table, people: ir.Table) -> ir.Table:
    """Rows of the people, each with its time zero."""
    zero = people.select(_whose="customer_id", reached_at="reached_at", reached_on="reached_on")
    return rows.inner_join(zero, rows.customer_id == zero["_whose"])
