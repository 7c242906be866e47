"""A finished test, its tables put straight into the engine, and what each customer did in it."""

from __future__ import annotations

import datetime as dt
from functools import cache
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pyarrow as pa

from retention_lab.experiments.plan import Plan
from retention_lab.tables import engine
from retention_lab.tables.snapshot import Snapshot

DAYS, AS_OF = 30, dt.date(2025, 6, 30)
ZERO, DAY = pd.Timestamp("2025-05-01 10:00:00"), pd.Timedelta(days=1)
PLAN = {
    "name": "check_in",
    "title": "Check-in",
    "owner": "CRM",
    "hypothesis": "It helps.",
    "milestone": "onboarded",
    "channel": "email",
    "arms": [{"name": "control", "share": 0.5}, {"name": "hello", "share": 0.5, "message": "hi"}],
    "starts": "2025-05-01",
    "ends": "2025-05-31",
    "endpoint": {"kind": "returned", "day": DAYS},
    "primary": {"smallest_effect": 0.03},
    "assumptions": {"entry_per_day": 50},
}


class Bare(SimpleNamespace):
    """As much of a snapshot as is looked at."""

    __getattr__ = Snapshot.__getattr__


def plan_of(*rails, **more):
    """The plan with guardrails of metric, margin and better, and other settings."""
    names = ("metric", "margin", "better")
    said = [dict(zip(names, rail, strict=True)) for rail in rails]
    return Plan.model_validate({**PLAN, "guardrails": said, **more})


def put(rows, con):
    """A frame as a table of the engine, its times without nanoseconds."""
    table = pa.Table.from_pandas(rows, preserve_index=False)
    kinds = {pa.null(): pa.string(), pa.timestamp("ns"): pa.timestamp("us")}
    fields = [field.with_type(kinds.get(field.type, field.type)) for field in table.schema]
    return engine.put(table.cast(pa.schema(fields)), con=con)


def shop_of(people, *, records_from=dt.date(2025, 1, 1), **tables):
    """A shop of frames of tables, and its people, in one engine."""
    con = engine.connect()
    for at in ("ordered", "occurred"):
        for name, rows in tables.items():
            if f"{at}_at" in rows:
                tables[name] = rows.assign(**{f"{at}_on": rows[f"{at}_at"].dt.date})
    made = {name: put(rows, con) for name, rows in tables.items()}
    about = {"name": "Shop", "zone": "UTC", "as_of": AS_OF, "currency": "GBP"}
    shop = Bare(**about, minor_per_unit=100, records_from=records_from, tables=made)
    return shop, put(people, con)


@cache
def frames(customers=200):
    """People of two arms in households of one to three, who order, and unsubscribe."""
    rng = np.random.default_rng(20261123)
    ids = np.array([f"c{number}" for number in range(customers)])
    zeros = ZERO + pd.to_timedelta(rng.integers(0, 24 * 25, customers), unit="h")
    people = pd.DataFrame(
        {
            "customer_id": ids,
            "arm": np.where(rng.random(customers) < 0.6, "control", "hello"),
            "reached_at": zeros,
            "household": [f"h{number // 2}" for number in range(customers)],
        }
    )
    people.loc[people.index[-20:], "household"] = "unknown"
    taste = np.repeat(np.arange(customers), rng.poisson(rng.gamma(2, 1.5, customers)))
    moved = pd.to_timedelta(rng.integers(-24 * 35, 24 * 35, len(taste)), unit="h")
    orders = pd.DataFrame({"customer_id": ids[taste], "ordered_at": zeros[taste] + moved})
    orders["amount"] = rng.integers(1, 20_000, len(taste))
    sent = pd.DataFrame({"customer_id": ids[::2], "sent_at": zeros[::2]})
    gone = sent["sent_at"] + pd.to_timedelta(rng.integers(1, 24 * 40, len(sent)), unit="h")
    sent["unsubscribed_at"] = gone.where(rng.random(len(sent)) < 0.3)
    return {"people": people, "orders": orders, "messages": sent}


def by_hand():
    """What each customer ordered in the days after time zero and in those before, in pandas."""
    made = frames()
    both = made["orders"].merge(made["people"], on="customer_id")
    since = both["ordered_at"] - both["reached_at"]
    times = {"": (since > 0 * DAY) & (since < DAYS * DAY)}
    times["_before"] = (since > -DAYS * DAY) & (since < 0 * DAY)
    found = made["people"].set_index("customer_id")
    for when, inside in times.items():
        rows = both[inside].assign(day=both["ordered_at"].dt.date)
        each = rows.groupby("customer_id").agg(net=("amount", "sum"), days=("day", "nunique"))
        found = found.join(each.add_suffix(when))
    gone = made["messages"].set_index("customer_id")["unsubscribed_at"]
    found["gone"] = ((gone - found["reached_at"]) < DAYS * DAY).astype(int)
    seen = found["reached_at"] + DAYS * DAY <= pd.Timestamp("2025-07-01")
    assert seen.all()
    return found.fillna(0)
