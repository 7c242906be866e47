"""A shop of customers who order, return, write to support and get messages, drawn at random."""

from __future__ import annotations

import datetime as dt
import functools

import numpy as np
import pandas as pd

from retention_lab.tables import snapshot
from retention_lab.tables.frames import source_of

AS_OF = dt.date(2025, 6, 30)
BEGIN = pd.Timestamp("2025-01-01")


@functools.cache
def frames(customers=80, rows=480):
    """Frames by table; times are whole hours, so that some lie on the edge of somebody's days."""
    rng = np.random.default_rng(5)
    ids = np.array([f"c{n}" for n in range(customers)])

    def who(n=rows):
        return rng.choice(ids, n)

    def at(n=rows, high=180):
        return BEGIN + pd.to_timedelta(rng.integers(0, 24 * high, n), unit="h")

    def later(times, share):
        after = times + pd.to_timedelta(rng.integers(0, 24 * 30, len(times)), unit="h")
        return after.where(rng.random(len(times)) < share)

    sent, opened = at(), at()
    made = {
        "events": pd.DataFrame(
            {"customer_id": ids, "event": "onboarded", "occurred_at": at(customers)}
        ),
        "orders": {"order_id": [f"o{n}" for n in range(rows)], "ordered_at": at()},
        "returns": {"return_id": [f"r{n}" for n in range(rows)], "returned_at": at()},
        "messages": {
            "message_id": [f"m{n}" for n in range(rows)],
            "sent_at": sent,
            **{f"{did}_at": later(sent, 0.2) for did in ("opened", "clicked", "converted")},
            "unsubscribed_at": later(sent, 0.05),
        },
        "tickets": {
            "ticket_id": [f"t{n}" for n in range(rows)],
            "opened_at": opened,
            "resolved_at": later(opened, 0.7),
        },
    }
    for name in ("orders", "returns"):
        made[name]["amount"] = rng.integers(1, 20_000, rows) / 100
    # Answers are known with the solution.
    answers = pd.Series(rng.integers(1, 6, rows), dtype="Int64")
    made["tickets"]["csat"] = answers.where(made["tickets"]["resolved_at"].notna())
    for name in ("orders", "returns", "messages", "tickets"):
        made[name] = pd.DataFrame({"customer_id": who(), **made[name]})
    return made


def shop_of(tables, *, as_of=AS_OF, currency="GBP"):
    """Snapshot of frames by table."""
    settings = {"complete_to": str(as_of)}
    source = source_of(tables, name="Shop", time_zone="UTC", currency=currency, settings=settings)
    return snapshot.take(source, as_of=as_of)


@functools.cache
def shop(as_of=AS_OF):
    """Snapshot of the frames as of a day."""
    return shop_of(frames(), as_of=as_of)
