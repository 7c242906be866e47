"""The two ways in: a source file, or frames."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from retention_lab.lab.lab import Lab
from retention_lab.tables import source as sources
from retention_lab.tables.contracts import TableName
from retention_lab.tables.frames import source_of
from retention_lab.tables.source import Source


def open(  # noqa: A001  read as retention_lab.open
    source: Source | str | Path,
    *,
    as_of: dt.date | str | None = None,
    where: str = "",
    time_zone: str | None = None,
) -> Lab:
    """Open a shop by its source file; its snapshot is taken, or used again if there is one.

    Parameters
    ----------
    source
        The path of the source file, looked for here and in the folders above.
    as_of
        The last day to know; default the day to which the source is complete.
    where
        An SQL condition over customers, such as ``country = 'UK'``; empty for all.
    time_zone
        What a calendar day means; default the source's.

    Raises
    ------
    BadParameter
        When the source, the day or the condition is not understood.
    BadData
        When the data break a contract, or do not reach the day.

    Example::

        lab = retention_lab.open("data/sources/demo.yml", as_of="2026-11-29")
        lab.overview()
    """
    loaded = source if isinstance(source, Source) else sources.load(sources.find(source))
    return Lab(loaded, as_of=as_of, where=where, time_zone=time_zone)


def from_frames(  # noqa: PLR0913  a frame a table, so that tab completion lists them
    *,
    orders: object = None,
    order_lines: object = None,
    customers: object = None,
    returns: object = None,
    events: object = None,
    subscriptions: object = None,
    tickets: object = None,
    consents: object = None,
    messages: object = None,
    assignments: object = None,
    as_of: dt.date | str | None = None,
    currency: str = "XXX",
    time_zone: str = "UTC",
    name: str = "Your shop",
    where: str = "",
    settings: Mapping[str, Any] | None = None,
) -> Lab:
    """Open a shop that is in memory: pandas, Polars or Arrow tables. No file is written.

    Parameters
    ----------
    orders, order_lines, customers, returns, events, subscriptions, tickets, consents, messages
        Tables with the canonical column names: orders have `order_id`, `customer_id`, `ordered_at`
        and `amount`, subscriptions `customer_id`, `started_at` and `cancelled_at`; `data/README.md`
        lists all. One of the two is enough. Orders are derived from order lines where those are all
        there is, customers from orders and subscriptions. Further columns of text become attributes
        to split by; `check()` names those that are not used.
    assignments
        A table of the same kind: who was assigned to which arm of a test.
    as_of
        The last day to know; default the day of the last order, or where there are none the last
        day on which a subscription began or ended.
    currency
        Three capital letters, such as GBP; XXX is none.
    time_zone
        Of times without an offset, and of calendar days.
    name
        What answers call the shop.
    where
        An SQL condition over customers, such as ``country = 'UK'``; empty for all.
    settings
        What a source file could say besides, for example
        ``{"orders": {"leave_out": ["missing customer_id"], "duplicates": "keep_last"}}``.

    Raises
    ------
    BadParameter
        When a column is missing or misspelt, or a setting does not fit.
    BadData
        When the data break a contract, or do not reach the day.

    Example::

        lab = retention_lab.from_frames(orders=df, as_of="2026-11-29", currency="GBP")
        lab.returned(days=90)
    """
    frames: dict[TableName, object] = {
        "orders": orders,
        "order_lines": order_lines,
        "customers": customers,
        "returns": returns,
        "events": events,
        "subscriptions": subscriptions,
        "tickets": tickets,
        "consents": consents,
        "messages": messages,
        "assignments": assignments,
    }
    source = source_of(
        frames, name=name, time_zone=time_zone, currency=currency, settings=settings or {}
    )
    return Lab(source, as_of=as_of, where=where)
