"""Shops in memory, for tests of what looks at a whole snapshot."""

from __future__ import annotations

import pandas as pd

from retention_lab.tables import snapshot
from retention_lab.tables.frames import source_of


def shop_of(rows, returns=None, *, as_of, currency="GBP"):
    """Snapshot of orders, and perhaps returns, from (customer, ISO day, amount in minor units)."""
    frames = {"orders": _frame(rows, "order_id", "ordered_at")}
    if returns is not None:
        frames["returns"] = _frame(returns, "return_id", "returned_at")
    source = source_of(frames, name="Shop", time_zone="UTC", currency=currency, settings={})
    return snapshot.take(source, as_of=as_of)


def _frame(rows, key, time):
    frame = pd.DataFrame(rows).set_axis(["customer_id", time, "amount"], axis=1)
    frame[time] = pd.to_datetime(frame[time]) + pd.Timedelta(hours=12)
    frame["amount"] /= 100
    frame[key] = [str(place) for place in range(len(frame))]
    return frame
