"""Shops with a past, by hand or drawn: tables as a snapshot holds them, cut at a day."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pandas as pd
import pyarrow as pa

from retention_lab.tables import clocks, engine
from retention_lab.tables.snapshot import Snapshot

ZONE = "Europe/London"
COLUMNS = {  # the time by which a row is known comes second
    "customers": ["customer_id", "signed_up_at", "country"],
    "orders": ["customer_id", "ordered_at"],
    "subscriptions": ["customer_id", "started_at", "cancelled_at"],
    "events": ["customer_id", "occurred_at", "event"],
    "consents": ["customer_id", "valid_from_at", "channel", "granted"],
    "messages": ["customer_id", "sent_at", "delivered_at", "channel"],
}
LATER = ("cancelled_at", "delivered_at")  # emptied in a shop that is older


@cache
def duckdb():
    return engine.connect()


def shop_of(as_of, **tables):
    """A shop of rows by table, as known at the end of a day."""
    end, made = pd.Timestamp(clocks.end_of_day(as_of, ZONE)), {}
    if "customers" not in tables:
        ids = {row[0] for rows in tables.values() for row in rows}
        tables["customers"] = [(who, pd.Timestamp("2000-01-01"), "UK") for who in sorted(ids)]
    for name, rows in tables.items():
        frame = pd.DataFrame(rows, columns=COLUMNS[name])
        frame = frame.astype({one: "datetime64[us]" for one in frame if one.endswith("_at")})
        time = COLUMNS[name][1]
        frame = frame[frame[time] < end].assign(
            **{one: frame[one].where(frame[one] < end) for one in LATER if one in frame}
        )
        frame[time.replace("_at", "_on")] = [local(at) for at in frame[time]]
        frame = frame.rename(columns={"valid_from_at": "valid_from"})
        made[name] = engine.put(pa.Table.from_pandas(frame, preserve_index=False), con=duckdb())
    about = dict.fromkeys(("left_out", "fits", "controls"), pd.DataFrame())
    return Snapshot(
        name="Shop", simulated=True, as_of=as_of, zone=ZONE, currency="GBP", content_hash="",
        records_from=as_of, complete_to=as_of, folder=Path(), where="", rows={}, tables=made,
        **about,
    )  # fmt: skip


def local(at):
    return at.tz_localize("UTC").tz_convert(ZONE).date()
