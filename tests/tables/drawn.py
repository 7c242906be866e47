"""A shop drawn at random, as a snapshot and as frames, and metrics in a line."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

from retention_lab.tables import engine
from retention_lab.tables.metrics import Metric
from retention_lab.tables.period import Period
from retention_lab.tables.snapshot import Snapshot

from .shops import CON

FROM, AS_OF = dt.date(2025, 1, 1), dt.date(2025, 6, 29)
DAYS = (AS_OF - FROM).days + 1  # 180: two periods of 90
LAST = Period(first=dt.date(2025, 4, 1), last=AS_OF)  # the last 90
TIMES = {"orders": "ordered", "returns": "returned", "events": "occurred", "customers": "signed_up"}


def frames(seed=1, *, customers=80, orders=400):
    """Draw the tables; a third of the orders has a coupon, a quarter is returned in part."""
    rng = np.random.default_rng(seed)
    pick = rng.integers(0, customers, orders)
    day = np.sort(rng.integers(0, DAYS, orders))
    placed = pd.DataFrame(
        {
            "order_id": [f"o{n}" for n in range(orders)],
            "customer_id": [f"c{n}" for n in pick],
            "ordered_at": pd.Timestamp(FROM) + pd.to_timedelta(day, unit="D"),
            "amount": rng.integers(100, 20_000, orders),
            "discount": np.where(rng.random(orders) < 0.5, rng.integers(0, 9, orders), -1),
            "coupon": np.where(rng.random(orders) < 1 / 3, "SUMMER", None),
            "country": np.where(pick % 2 == 0, "UK", "IE"),
        }
    )
    placed["discount"] = placed["discount"].astype("Int64").replace(-1, pd.NA)
    back = placed.sample(orders // 4, random_state=seed)
    returned = pd.DataFrame(
        {
            "return_id": [f"r{n}" for n in range(len(back))],
            "order_id": back["order_id"].to_numpy(),
            "customer_id": back["customer_id"].to_numpy(),
            "returned_at": (back["ordered_at"] + pd.Timedelta(days=9)).to_numpy(),
            "amount": (back["amount"] // 2).to_numpy(),
        }
    )
    lines = placed.loc[placed.index.repeat(2), ["order_id"]].assign(
        line=np.tile([1, 2], orders),
        quantity=rng.integers(1, 5, 2 * orders),
        unit_price=rng.integers(1, 999, 2 * orders),
    )
    events = returned[["customer_id"]].assign(
        event="visited", occurred_at=returned["returned_at"].to_numpy()
    )
    first = placed.groupby("customer_id", as_index=False)["ordered_at"].min()
    people = first.rename(columns={"ordered_at": "signed_up_at"})
    tables = {
        "customers": people,
        "orders": placed,
        "returns": returned[returned["returned_at"] <= pd.Timestamp(AS_OF)],
        "order_lines": lines,
        "events": events[events["occurred_at"] <= pd.Timestamp(AS_OF)],
    }
    for name, verb in TIMES.items():
        tables[name] = tables[name].assign(**{f"{verb}_on": tables[name][f"{verb}_at"].dt.date})
    return tables


def shop(tables, *, con=CON, **about):
    """Hand frames to the engine as a snapshot."""
    settings = {"as_of": AS_OF, "records_from": FROM, "currency": "GBP"} | about
    return Snapshot(
        name="Shop",
        simulated=False,
        zone="UTC",
        content_hash="",
        complete_to=settings["as_of"],
        folder=Path(),
        where="",
        rows={},
        left_out=pd.DataFrame(),
        fits=pd.DataFrame(),
        controls=pd.DataFrame(),
        tables={
            name: engine.put(pa.Table.from_pandas(rows, preserve_index=False), con=con)
            for name, rows in tables.items()
        },
        **settings,
    )


def metric(sql="", **settings):
    """Give a share that Finance owns, unless it is said otherwise."""
    about = {
        "name": "mine",
        "label": "My metric",
        "unit": "share",
        "better": "lower",
        "owner": "Finance",
        "review_by": dt.date(2027, 3, 31),
    }
    return Metric(**(about | {"sql": sql} | settings))
