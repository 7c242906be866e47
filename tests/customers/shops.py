"""Shops in memory, for tests of what looks at a whole snapshot."""

from __future__ import annotations

import datetime as dt
import functools

import pandas as pd

from retention_lab.tables import snapshot
from retention_lab.tables.frames import source_of

from .orders import random_rows

AS_OF = dt.date(2025, 2, 1)
EDGE = [(name, day, 500) for name in ("new", "old") for day in ("2023-11-05", "2025-01-30")]
EDGE[2] = ("old", "2023-11-04", 500)  # 90 and 365 days before: the last day of long standing
ROWS = [*random_rows(1, customers=300, span_days=800).itertuples(index=False, name=None), *EDGE]
BACK = [("c1", "2025-01-15", 700), ("c2", "2024-02-10", 900), ("c3", "2022-12-01", 100)]


@functools.cache
def random_shop():
    """Snapshot of two years of random orders, with a few returns; made once for all tests."""
    return shop_of(ROWS, BACK, as_of=AS_OF)


def shop_of(rows, returns=None, *, as_of, currency="GBP"):
    """Snapshot of orders, and perhaps returns, from (customer, ISO day, amount in minor units)."""
    frames = {"orders": _frame(rows, "order_id", "ordered_at")}
    if returns is not None:
        frames["returns"] = _frame(returns, "return_id", "returned_at")
    settings = {"complete_to": str(as_of)}
    source = source_of(frames, name="Shop", time_zone="UTC", currency=currency, settings=settings)
    return snapshot.take(source, as_of=as_of)


def _frame(rows, key, time):
    frame = pd.DataFrame(rows).set_axis(["customer_id", time, "amount"], axis=1)
    frame[time] = pd.to_datetime(frame[time]) + pd.Timedelta(hours=12)
    frame["amount"] /= 100
    frame[key] = [str(place) for place in range(len(frame))]
    return frame
