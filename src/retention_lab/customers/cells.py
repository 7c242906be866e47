"""Customers counted by cohort and period: what triangles are made of, small enough for memory."""

from __future__ import annotations

import datetime as dt
from typing import Literal

import ibis
import ibis.expr.types as ir
import pandas as pd
from ibis import _

from retention_lab import checks
from retention_lab.customers.purchases import calendar_days_between
from retention_lab.tables.engine import collect

CalendarPeriod = Literal["week", "month"]

CELLS = 1_000_000  # at most: ten years on a clock of one day are half of that
COUNTS = ["active", "last_seen", "revenue"]


def by_calendar(orders: ibis.Table, *, as_of: dt.date, period: CalendarPeriod) -> ibis.Table:
    """Add the `cohort` of the first purchase to orders, and the `period` of each since then.

    Rows are orders: `customer_id`, `day`, `revenue`, `first_day`, `cohort`, `period`, `last_period`
    (of the customer's last purchase).
    """
    rows, unit = _with_ends(orders, as_of), "M" if period == "month" else "W"
    cohort = rows.first_day.truncate(unit)

    def since(day: ir.DateValue) -> ir.IntegerValue:
        now = day.truncate(unit)
        months = (now.year() - cohort.year()) * 12 + now.month() - cohort.month()
        number = months if period == "month" else calendar_days_between(cohort, now) // 7
        return number.cast("int64")

    return rows.mutate(cohort=cohort, period=since(rows.day), last_period=since(rows.last_day))


def by_own_clock(orders: ibis.Table, *, as_of: dt.date, window_days: int) -> ibis.Table:
    """Add the same where a period is a window of days since each customer's own first purchase."""
    rows = _with_ends(orders, as_of)
    first = rows.first_day
    return rows.mutate(
        cohort=first.truncate("M"),
        period=calendar_days_between(first, rows.day) // window_days,
        last_period=calendar_days_between(first, rows.last_day) // window_days,
    )


def collapse(rows: ibis.Table, *, kinds: ibis.Table | None = None) -> pd.DataFrame:
    """Count customers by cohort and period: active in it, and `last_seen` (never active later).

    Parameters
    ----------
    rows
        What `by_calendar` or `by_own_clock` gave.
    kinds
        One row per customer: `customer_id` and text columns to count by besides; who is not in it
        counts with missing ones.

    Returns
    -------
    DataFrame
        One row per `cohort`, `period` and kind in which anybody was active: `active`, `last_seen`,
        `revenue` (minor units). Sums over kinds are what counting without them gives.

    Raises
    ------
    BadData
        If there are more than `CELLS` rows.
    """
    keys = ["customer_id", "cohort", "period", "last_period"]
    visits = rows.group_by(keys).agg(revenue=_.revenue.sum())
    visits = visits.mutate(is_last=_.period == _.last_period)
    by = ["cohort", "period"]
    if kinds is not None:
        keyed = kinds.rename(_whose="customer_id")
        visits = visits.left_join(keyed, visits.customer_id == keyed["_whose"])
        by += [name for name in kinds.columns if name != "customer_id"]
    sums = visits.group_by(by).agg(
        active=_.count(), last_seen=_.is_last.sum(), revenue=_.revenue.sum()
    )
    return collect(sums, max_rows=CELLS)


def _with_ends(orders: ibis.Table, as_of: dt.date) -> ibis.Table:
    """Add the first and the last day of each customer: a join is faster than windows are."""
    checks.columns("orders", orders.columns, ["customer_id", "ordered_on", "amount"])
    known = orders.filter(_.ordered_on <= as_of)
    known = known.select("customer_id", day=_.ordered_on, revenue=_.amount)
    ends = known.group_by(_whose=_.customer_id).agg(first_day=_.day.min(), last_day=_.day.max())
    return known.join(ends, known.customer_id == ends["_whose"]).drop("_whose")
