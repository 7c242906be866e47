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
from retention_lab.tables import clocks
from retention_lab.tables.snapshot import Snapshot

_NEVER = ibis.timestamp(f"{clocks.LAST_YEAR + 1}-12-31")  # later than any time of a shop


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
    theirs = endings(shop, people, endpoint=endpoint)
    found = people.left_join(theirs, people.customer_id == theirs["_whose"])
    return found.select(*people.columns, **timed(found, shop, endpoint=endpoint))


def endings(shop: Snapshot, people: ir.Table, *, endpoint: Endpoint) -> ir.Table:
    """Find when the event came to those of whom the endpoint's table says anything.

    Returns
    -------
    Table
        One row per customer: `_whose`, `_until` (of the event; missing where there was none),
        `_known` and `_earlier` (truth value: it came in as many days before time zero as the
        endpoint counts after it).

    Raises
    ------
    BadData
        If the shop lacks subscriptions or orders.
    """
    whose = people.select(_whose="customer_id", _zero="reached_at", _zero_on="reached_on")
    begin = whose["_zero"] - ibis.interval(days=endpoint.day)
    whose = whose.mutate(_begin=begin)
    match endpoint.kind:
        case "retained":
            return _cancelled(shop.subscriptions, whose)
        case "returned":
            return _returned(shop.orders, whose)


def timed(found: ir.Table, shop: Snapshot, *, endpoint: Endpoint) -> dict[str, ir.Value]:
    """Say of customers beside their `endings` the `day`, `event_observed` and `known`."""
    happened = found["_until"].notnull()  # noqa: PD004  Ibis
    whole = elapsed_days_between(found.reached_at, found["_until"].fill_null(end_of(shop)))
    return {
        "day": whole + happened.cast("int64"),
        "event_observed": happened,
        # Whoever has not ordered has not returned; whoever has no subscription cannot cancel it.
        "known": found["_known"].fill_null(endpoint.kind == "returned"),
    }


def grid(rows: ir.Table, *by: str) -> pd.DataFrame:
    """Count the events and censorings of `followed` customers who are known, by columns and day.

    Returns
    -------
    DataFrame
        As `churn.grids.by`, whose errors it raises: `by`, `day`, `events`, `censored`.
    """
    return grids.by(rows.filter(_.known).mutate(cause=ibis.null("string")), *by)


def _cancelled(spans: ir.Table, whose: ir.Table) -> ir.Table:
    """When the last subscription that was active at time zero ended; null while one has not."""
    rows = spans.inner_join(whose, spans.customer_id == whose["_whose"])
    zero, left = rows["_zero"], rows.cancelled_at
    until = left.fill_null(_NEVER)
    # Two totals, not one for each question: they are most of what this costs.
    each = rows.group_by("_whose").agg(
        last_at=until.max(where=(rows.started_at <= zero) & (until >= zero)),
        before=((left >= rows["_begin"]) & (left < zero)).any(),
    )
    return each.select(
        "_whose",
        _until=(each.last_at < _NEVER).ifelse(each.last_at, ibis.null()),
        _known=each.last_at.notnull(),  # noqa: PD004  Ibis
        _earlier=each.before,
    )


def _returned(orders: ir.Table, whose: ir.Table) -> ir.Table:
    """When customers first ordered after time zero; null where they have not."""
    joined = orders.inner_join(whose, orders.customer_id == whose["_whose"])
    rows = joined.filter(joined.ordered_at >= joined["_begin"])
    at, zero = rows.ordered_at, rows["_zero"]
    each = rows.group_by("_whose").agg(
        at_zero=(at == zero).any(),
        next_at=at.min(where=at > zero),
        next_day_at=at.min(where=(at > zero) & (rows.ordered_on > rows["_zero_on"])),
        before=(at < zero).any(),
    )
    until = each.at_zero.ifelse(each.next_day_at, each.next_at)
    return each.select("_whose", _until=until, _known=True, _earlier=each.before)
