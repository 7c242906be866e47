"""What counts as a purchase, and the two clocks that days are counted by.

A purchase is a customer's orders of one business-local day: same-day orders are merged, so that a
split basket is no second purchase.
"""

from __future__ import annotations

import datetime as dt

import ibis
import ibis.expr.types as ir
from ibis import _

from retention_lab import checks

SECONDS_A_DAY = 86_400


def customer_days(orders: ibis.Table, *, as_of: dt.date) -> ibis.Table:
    """Merge the orders of a customer on one day; later days than `as_of` are left out.

    Parameters
    ----------
    orders
        Columns `customer_id`, `ordered_on` (business-local date), `amount` (int64, minor units).
    as_of
        Last day that may be known.

    Returns
    -------
    Table
        One row per customer and day: `customer_id`, `day` (date), `orders` (merged that day),
        `revenue` (minor units).

    Raises
    ------
    BadData
        If a column is missing.
    """
    checks.columns("orders", orders.columns, ["customer_id", "ordered_on", "amount"])
    known = orders.filter(_.ordered_on <= as_of)
    return known.group_by("customer_id", day=_.ordered_on).agg(
        orders=_.count(), revenue=_.amount.sum()
    )


def first_days(days: ibis.Table) -> ibis.Table:
    """First day of each customer of `customer_days`: `customer_id`, `first_day`."""
    return days.group_by("customer_id").agg(first_day=_.day.min())


def calendar_days_between(start: ir.DateValue, end: ir.DateValue) -> ir.IntegerValue:
    """Whole days from one business-local date to another; 23:45 to 00:01 is one day."""
    return end.epoch_days() - start.epoch_days()


def elapsed_days_between(start: ir.TimestampValue, end: ir.TimestampValue) -> ir.IntegerValue:
    """Completed 24-hour days from one instant to a later one; 23:45 to 00:01 is none."""
    seconds = end.truncate("s").epoch_seconds() - start.truncate("s").epoch_seconds()
    return seconds // SECONDS_A_DAY
