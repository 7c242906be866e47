"""Orders for the tests of this room: by hand, at random, and an oracle's table of customer-days."""

from __future__ import annotations

import datetime as dt

import ibis
import numpy as np
import pandas as pd
import pyarrow as pa

START = dt.date(2023, 1, 1)


def order_table(rows):
    """Ibis orders from (customer, ISO day, amount) triples or a frame with those three columns."""
    frame = pd.DataFrame(rows, columns=["customer_id", "ordered_on", "amount"])
    return ibis.memtable(
        pa.table(
            {
                "customer_id": pa.array(frame["customer_id"].astype(str), pa.string()),
                "ordered_on": pa.array(pd.to_datetime(frame["ordered_on"]).dt.date, pa.date32()),
                "amount": pa.array(frame["amount"], pa.int64()),
            }
        )
    )


def random_rows(seed, *, customers=120, span_days=400):
    """Draw orders of customers who start at any time and differ in how often they come back."""
    rng = np.random.default_rng(seed)
    rows = []
    for customer in range(customers):
        start, count = rng.integers(0, span_days), 1 + rng.poisson(rng.exponential(1.5))
        for day in start + np.concatenate([[0], rng.integers(0, span_days, count - 1)]):
            if day < span_days:
                when = START + dt.timedelta(days=int(day))
                rows.append((f"c{customer}", when.isoformat(), int(rng.integers(0, 20_000))))
    return pd.DataFrame(rows, columns=["customer_id", "ordered_on", "amount"])


def oracle_days(rows, as_of):
    """Merge to customer-days by pandas, with each customer's first day."""
    frame = rows.assign(day=pd.to_datetime(rows["ordered_on"]))
    known = frame[frame["day"] <= pd.Timestamp(as_of)]
    days = known.groupby(["customer_id", "day"], as_index=False).agg(
        orders=("amount", "size"), revenue=("amount", "sum")
    )
    return days.assign(first=days.groupby("customer_id")["day"].transform("min"))
