"""Shops for the tests of this room: tables by hand or at random, as a snapshot would hold them."""

from __future__ import annotations

import datetime as dt
from types import SimpleNamespace

import ibis
import numpy as np
import pandas as pd
import pyarrow as pa

from retention_lab.tables import clocks

ZONE = "Europe/London"
COLUMNS = {
    "customers": ("customer_id", "signed_up_at", "country"),
    "orders": ("order_id", "customer_id", "ordered_at", "amount"),
    "subscriptions": ("customer_id", "started_at", "cancelled_at", "cancel_reason"),
    "events": ("customer_id", "event", "occurred_at"),
    "tickets": ("ticket_id", "customer_id", "opened_at", "first_response_at"),
}
KNOWN = {  # the time by which a row is known, and those of its fields that are known later
    "customers": ("signed_up_at", ()),
    "orders": ("ordered_at", ()),
    "subscriptions": ("started_at", ("cancelled_at",)),
    "events": ("occurred_at", ()),
    "tickets": ("opened_at", ("first_response_at",)),
}


def known(rows, as_of, zone=ZONE):
    """Cut frames at the end of a local day, as a snapshot does."""
    end, cut = pd.Timestamp(clocks.end_of_day(as_of, zone)), {}
    for name, frame in rows.items():
        time, later = KNOWN[name]
        part = frame[frame[time] < end].copy()
        for column in later:
            part[column] = part[column].where(part[column] < end)
        if name == "subscriptions":
            part["cancel_reason"] = part["cancel_reason"].where(part["cancelled_at"].notna())
        cut[name] = part.reset_index(drop=True)
    return cut


def local_date(times, zone=ZONE):
    """Business-local dates of naive UTC times, by pandas."""
    return pd.to_datetime(times).dt.tz_localize("UTC").dt.tz_convert(zone).dt.date


def shop(rows, as_of, zone=ZONE):
    """A snapshot, as far as this room looks at it, of frames (or lists of rows) by table."""
    frames = {name: frame_of(name, table) for name, table in rows.items()}
    if "customers" not in frames:
        ids = sorted({one for frame in frames.values() for one in frame["customer_id"]})
        frames["customers"] = frame_of("customers", [(one, "2020-01-01", None) for one in ids])
    tables = {}
    for name, frame in known(frames, as_of, zone).items():
        time = KNOWN[name][0]
        dated = frame.assign(**{time.removesuffix("_at") + "_on": local_date(frame[time], zone)})
        tables[name] = ibis.memtable(pa.table({key: _array(dated[key]) for key in dated}))
    first = min((t for t in ("orders", "subscriptions") if t in frames), default=None)
    began = local_date(frames[first][KNOWN[first][0]], zone).min() if first else as_of
    return SimpleNamespace(as_of=as_of, zone=zone, records_from=began, tables=tables, **tables)


def frame_of(name, rows):
    """A frame of rows by position, its times parsed."""
    frame = pd.DataFrame(rows, columns=list(COLUMNS[name]) if isinstance(rows, list) else None)
    times = [column for column in frame if column.endswith("_at")]
    return frame.assign(**{time: pd.to_datetime(frame[time], format="ISO8601") for time in times})


def _array(column):
    if column.name.endswith("_at"):
        return pa.array(column, pa.timestamp("us"))
    if column.name.endswith("_on"):
        return pa.array(column.tolist(), pa.date32())
    if column.name == "amount":
        return pa.array(column, pa.int64())
    return pa.array([None if pd.isna(value) else str(value) for value in column], pa.string())


def drawn(seed, *, customers=25, start=dt.date(2024, 1, 10), span=160):
    """Draw all five tables, with ties, returns, second subscriptions and unanswered tickets."""
    rng, zero = np.random.default_rng(seed), pd.Timestamp(start)
    rows = {name: [] for name in COLUMNS}

    def at(low=0.0, high=float(span)):
        # Half of the times are midnights, so that equal times and whole days happen.
        days = rng.uniform(low, high)
        whole = rng.random() < 0.5
        return (zero + pd.Timedelta(days=np.floor(days) if whole else days)).floor("s")

    for number in range(customers):
        who, joined = f"c{number}", at(high=span / 2)
        rows["customers"].append((who, joined, [None, "UK", "FR", "DE"][rng.integers(4)]))
        since = (joined - zero).days
        for _ in range(rng.integers(0, 5)):
            day = at(since)
            rows["orders"] += [(f"o{len(rows['orders'])}", who, day, int(rng.integers(1, 99)))]
        for started in sorted({joined, *(at(since) for _ in range(rng.integers(0, 2)))}):
            ended = started + rng.choice([0, 1, 1]) * pd.Timedelta(days=rng.exponential(80))
            reason = [None, "voluntary", "involuntary"][rng.integers(3)]
            row = (who, started, ended.floor("s"), reason)
            rows["subscriptions"].append(
                row if rng.random() < 0.7 else (who, started, pd.NaT, None)
            )
        for event in ("onboarded", "onboarded", "activated"):
            if rng.random() < 0.6:
                rows["events"].append((who, event, joined if rng.random() < 0.1 else at()))
        for _ in range(rng.integers(0, 4)):
            opened = at()
            waited = pd.Timedelta(hours=rng.choice([0, 24, rng.exponential(40), 999]))
            answered = pd.NaT if waited == pd.Timedelta(hours=999) else (opened + waited).floor("s")
            rows["tickets"].append((f"t{len(rows['tickets'])}", who, opened, answered))
    return {name: frame_of(name, table) for name, table in rows.items()}
