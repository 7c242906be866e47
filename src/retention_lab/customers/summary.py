"""The purchase summary: what segments and models of customer value know of each customer.

All amounts are of one currency, as a source has one; days are calendar days in the shop's zone.
"""

from __future__ import annotations

import datetime as dt

import ibis
import ibis.expr.types as ir
import pandas as pd
from ibis import _

from retention_lab import checks
from retention_lab.checks import BadData
from retention_lab.customers.purchases import calendar_days_between, customer_days
from retention_lab.tables.engine import collect

PATTERNS = 2_000_000  # distinct rows of three small numbers: 64 MB


def purchases(
    orders: ibis.Table,
    returns: ibis.Table | None = None,
    *,
    as_of: dt.date,
    within: int | None = None,
) -> ir.Table:
    """Summarise the purchases of each customer as of a day, in one expression.

    Parameters
    ----------
    orders
        As `customer_days` takes them; the orders of one day are one purchase.
    returns
        Columns `customer_id`, `returned_on` (business-local date), `amount` (int64, minor units).
    as_of
        Last day that may be known; what is sent back later is not taken off yet.
    within
        How many days up to and with `as_of` the columns of that name look at; all of them if None.

    Returns
    -------
    Table
        One row per customer who bought by `as_of`; whoever did not is no row.
        `customer_id`; `first_day` (date of the first purchase), `frequency` (repeat purchases),
        `recency` (days from the first purchase to the last), `T` (days from the first purchase to
        `as_of`), `last_days` (days since the last purchase), `purchases` (`frequency` + 1);
        `revenue` (int64, minor units, less what was sent back by `as_of`; may be zero or negative),
        `repeat_revenue` (int64, minor units, of the repeat purchases when they were made: divide by
        `frequency` for their mean), `gap` (mean days between purchases; null with a single one);
        `purchases_within` and `revenue_within` (as `purchases` and `revenue`, of the last `within`
        days alone; 0 where there were none, below 0 where only something was sent back).

    Raises
    ------
    BadParameter
        If `within` is less than a day.
    BadData
        If a column is missing.
    """
    return of_days(customer_days(orders, as_of=as_of), returns, as_of=as_of, within=within)


def of_days(
    days: ibis.Table,
    returns: ibis.Table | None = None,
    *,
    as_of: dt.date,
    within: int | None = None,
) -> ir.Table:
    """Summarise as `purchases` does, from `customer_days` of this day or of a later one."""
    days = days.filter(_.day <= as_of)
    recent = _window(days.day, as_of, within)
    people = days.group_by("customer_id").agg(
        first_day=_.day.min(),
        last_day=_.day.max(),
        purchases=_.count(),
        revenue=_.revenue.sum(),
        first_revenue=_.revenue.argmin(_.day),
        purchases_within=_.count(where=recent),
        revenue_within=_.revenue.sum(where=recent).fill_null(0),
    )
    recency = calendar_days_between(people.first_day, people.last_day)
    frequency, end = people.purchases - 1, ibis.literal(as_of)
    summary = people.select(
        "customer_id",
        "first_day",
        frequency=frequency,
        recency=recency,
        T=calendar_days_between(people.first_day, end),
        last_days=calendar_days_between(people.last_day, end),
        purchases=people.purchases,
        revenue=people.revenue,
        repeat_revenue=people.revenue - people.first_revenue,
        gap=recency / frequency.nullif(0),
        purchases_within=people.purchases_within,
        revenue_within=people.revenue_within,
    )
    return summary if returns is None else _less(summary, returns, as_of, within)


def patterns(summary: ir.Table) -> pd.DataFrame:
    """Count the customers of each distinct history, all that models of purchases need.

    Returns
    -------
    DataFrame
        `frequency`, `recency`, `T` (int64) as `purchases` tells them, sorted by them, and `weight`
        (customers).

    Raises
    ------
    BadData
        If nobody has bought.
    """
    names = ["frequency", "recency", "T"]
    counted = collect(summary.group_by(names).agg(weight=_.count()), max_rows=PATTERNS)
    if counted.empty:
        raise BadData("Nobody has bought by then, so there is no history to learn from.")
    return counted.sort_values(names, ignore_index=True)


def _window(day: ir.DateColumn, as_of: dt.date, within: int | None) -> ir.BooleanValue | None:
    """Whether a day that is known is one of the last `within`; None where all of them are."""
    if within is None:
        return None
    return day > as_of - dt.timedelta(days=int(checks.at_least("within", within, 1)))


def _less(summary: ir.Table, returns: ibis.Table, as_of: dt.date, within: int | None) -> ir.Table:
    """Take off what was sent back by `as_of`, whenever it had been bought."""
    checks.columns("returns", returns.columns, ["customer_id", "returned_on", "amount"])
    known = returns.filter(_.returned_on <= as_of)
    recent = _window(known.returned_on, as_of, within)
    sent = known.group_by("customer_id").agg(
        sent_back=_.amount.sum(), sent_within=_.amount.sum(where=recent)
    )
    joined = summary.left_join(sent, "customer_id").mutate(
        revenue=_.revenue - _.sent_back.fill_null(0),
        revenue_within=_.revenue_within - _.sent_within.fill_null(0),
    )
    return joined.select(summary.columns)
