"""A small shop with a test, its tables straight in the engine, as it is known on each day."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd

from retention_lab.experiments.plan import Plan
from retention_lab.experiments.readout import readout

from .trial import Bare, put

FROM, ENTRY, DAY, BASELINE = dt.date(2026, 3, 2), 28, 14, 0.4
ARMS = [{"name": "control", "share": 0.5}, {"name": "mail", "share": 0.5, "message": "m"}]
FIELDS = {
    "name": "hello",
    "title": "Hello",
    "owner": "CRM",
    "hypothesis": "It brings customers back.",
    "milestone": "joined",
    "channel": "email",
    "starts": FROM,
    "ends": FROM + dt.timedelta(days=ENTRY - 1),
    "arms": ARMS,
    "endpoint": {"kind": "returned", "day": DAY},
    "primary": {"alpha": 0.2, "smallest_effect": 0.12},
    "looks": {"days": [ENTRY, ENTRY + DAY]},
    "assumptions": {"entry_per_day": 12, "baseline": BASELINE},
}
MINUTES = 24 * 60
AT = {"customers": "signed_up", "orders": "ordered"}
AT |= {"events": "occurred", "assignments": "assigned"}


def plan_of(**more):
    return Plan.model_validate(FIELDS | more)


def day_of(number):
    """The date of a day of the test."""
    return FROM + dt.timedelta(days=number - 1)


def drawn(rng, *, customers, shares=(BASELINE, BASELINE)):
    """Customers who enter over the days, of whom such a share of either arm returns by the day."""
    arm = rng.integers(0, 2, customers)
    entry = rng.integers(0, ENTRY * MINUTES, customers)
    pace = -np.log1p(-np.array(shares))[arm] / DAY / MINUTES
    return pd.DataFrame(
        {
            "customer_id": [f"c{number}" for number in range(customers)],
            "arm": np.array(["control", "mail"])[arm],
            "zero": pd.Timestamp(FROM) + pd.to_timedelta(entry, unit="m"),
            # Within the minute, so that nobody returns at time zero.
            "delay": pd.to_timedelta(
                np.floor(rng.standard_exponential(customers) / pace) + 0.5, unit="m"
            ),
        }
    )


def frames(people, **columns):
    """The tables of a shop with these customers, their first orders after time zero, one other."""
    ids, zero = people["customer_id"], people["zero"]
    orders = pd.DataFrame({"customer_id": ids, "ordered_at": zero + people["delay"]})
    orders.loc[len(orders)] = ["another", pd.Timestamp(FROM) - pd.Timedelta(days=30)]
    log = {"customer_id": ids, "arm": people["arm"], "stratum": "", "time_zero": zero}
    log |= {"assigned_at": zero, "experiment": "hello", "plan_digest": ""}
    about = {"customer_id": ids, "signed_up_at": zero, **columns}
    return {
        "customers": pd.DataFrame(about),
        "orders": orders.assign(order_id=range(len(orders)), amount=3_000),
        "events": pd.DataFrame({"customer_id": ids, "occurred_at": zero, "event": "joined"}),
        "assignments": pd.DataFrame(log),
    }


def shop_of(tables, *, as_of, con):
    """The shop as it is known at the end of a day."""
    end = pd.Timestamp(as_of) + pd.Timedelta(days=1)
    made = {}
    for name, rows in tables.items():
        known = rows[rows[f"{AT[name]}_at"] < end]
        made[name] = put(known.assign(**{f"{AT[name]}_on": known[f"{AT[name]}_at"].dt.date}), con)
    about = {"name": "Shop", "zone": "UTC", "as_of": as_of, "currency": "GBP", "simulated": True}
    records = dt.date(2026, 1, 1)
    return Bare(**about, minor_per_unit=100, records_from=records, tables=made)


def read(tables, plan, day, *, state, con):
    """Read the test on a day of it, counted from 1."""

    def at(*, as_of):
        return shop_of(tables, as_of=as_of, con=con)

    return readout(at(as_of=day_of(day)), plan, state=state, at=at)
