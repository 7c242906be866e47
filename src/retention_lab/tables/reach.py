"""How far a shop is known: by its orders, or without any by when subscriptions began and ended."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import TYPE_CHECKING

import ibis.expr.types as ir

from retention_lab import checks
from retention_lab.tables.clocks import FIRST_YEAR, LAST_YEAR, Clock
from retention_lab.tables.contracts import TableName
from retention_lab.tables.source import Source

if TYPE_CHECKING:
    from retention_lab.tables.quality import Counts

_ANY_TIME = (dt.datetime(FIRST_YEAR, 1, 1), dt.datetime(LAST_YEAR, 12, 31))  # noqa: DTZ001  naive


def days(tables: Mapping[TableName, ir.Table], *, zone: str) -> ir.Table:
    """Give the business-local days that tell how far canonical tables reach: one column, `day`.

    There is a row for each order; where there are none, one for each beginning and each end of a
    subscription.
    """
    if "orders" in tables:
        return tables["orders"].select(day="ordered_on")
    return of_subscriptions(tables["subscriptions"], zone=zone)


def of_subscriptions(subscriptions: ir.Table, *, zone: str) -> ir.Table:
    """Give the business-local days on which subscriptions began and ended: one column, `day`."""
    clock = Clock(zone=zone, first=_ANY_TIME[0], last=_ANY_TIME[1])
    ended = subscriptions.filter(subscriptions.cancelled_at.notnull())
    began = subscriptions.select(day="started_on")
    return began.union(ended.select(day=clock.local_date(ended.cancelled_at)))


def refuse_silence(source: Source, as_of: dt.date, counts: Mapping[TableName, Counts]) -> None:
    """Refuse a day that the main table does not reach: it would be read as customers who left.

    Raises
    ------
    BadData
        When it does not, when there is no order (or subscription) by then, or no customer.
    """
    main = counts[source.main]
    one = "subscription" if source.main == "subscriptions" else "order"
    idle = "none began or ended" if source.main == "subscriptions" else "nothing was sold"
    last = source.complete_to or main.last
    if last is None or (not main.used and as_of >= last):
        raise checks.BadData(f"{source.file}: no {one} remains. {source.why_left_out}")
    if as_of > last:
        raise checks.BadData(
            f"{source.name} is complete to {last} only, so nothing can be said as of {as_of}. Use "
            f"{source.option('as-of', last)}, or {source.setting('complete_to', as_of)} if {idle} "
            "since."
        )
    if not main.used:
        raise checks.BadData(f"{source.name} has no {one} by {as_of}. Use a later day.")
    if "customers" in counts and not counts["customers"].used:
        raise checks.BadData(f"{source.file}: {one}s are left by {as_of}, but no customer.")
