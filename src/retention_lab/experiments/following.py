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
        none after the shop's day, and any other columns but those of orders and subscriptions.

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
            found = _cancelled(shop, people)
        case "returned":
            found = _returned(shop.orders, people)
    happened = found["_until"].notnull()  # noqa: PD004  Ibis
    whole = elapsed_days_between(found.reached_at, found["_until"].fill_null(end_of(shop)))
    timed = found.mutate(day=whole + happened.cast("int64"), event_observed=happened)
    return timed.select(*people.columns, "day", "event_observed", "known")


def grid(rows: ir.Table, *by: str) -> pd.DataFrame:
    """Count the events and censorings of `followed` customers who are known, by columns and day.

    Returns
    -------
    DataFrame
        As `churn.grids.by`, whose errors it raises: `by`, `day`, `events`, `censored`.
    """
    return grids.by(rows.filter(_.known).mutate(cause=ibis.null("string")), *by)


def _cancelled(shop: Snapshot, people: ir.Table) -> ir.Table:
    """When the last subscription that was active at time zero ended; null while one has not."""
    spans = shop.subscriptions.select("started_at", "cancelled_at", _whose="customer_id")
    # Each side of a condition is of one table alone: else engines compare every row with every row.
    spans = spans.mutate(_left_at=spans.cancelled_at.fill_null(end_of(shop)))
    began = [people.customer_id == spans["_whose"], spans.started_at <= people.reached_at]
    active = people.left_join(spans, [*began, spans["_left_at"] >= people.reached_at])
    each = active.group_by(people.columns).agg(
        last_at=_.cancelled_at.max(), ended=_.cancelled_at.count(), begun=_.started_at.count()
    )
    until = (each.ended == each.begun).ifelse(each.last_at, ibis.null())
    return each.mutate(_until=until, known=each.begun > 0)


def _returned(orders: ir.Table, people: ir.Table) -> ir.Table:
    """When customers first ordered after time zero; null where they have not."""
    bought = orders.select("ordered_at", "ordered_on", _whose="customer_id")
    since = [people.customer_id == bought["_whose"], bought.ordered_at >= people.reached_at]
    both = people.left_join(bought, since)
    later, another_day = both.ordered_at > both.reached_at, both.ordered_on > both.reached_on
    each = both.group_by(people.columns).agg(
        at_zero=(~later).sum(),
        next_at=both.ordered_at.min(where=later),
        next_day_at=both.ordered_at.min(where=another_day),
    )
    until = (each.at_zero > 0).ifelse(each.next_day_at, each.next_at)
    return each.mutate(_until=until, known=True)
