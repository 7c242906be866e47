"""Customers of two arms with entry over time, a row each, and what is counted of them."""

from __future__ import annotations

from dataclasses import dataclass, field

import ibis
import numpy as np
import pandas as pd

from retention_lab.experiments.plan import Plan

FIELDS = {
    "name": "check_in",
    "title": "Check-in",
    "owner": "Lifecycle Marketing",
    "hypothesis": "A check-in keeps more customers.",
    "milestone": "onboarding_completed",
    "channel": "email",
    "arms": [{"name": "control", "share": 0.5}, {"name": "check-in", "share": 0.5, "message": "m"}],
    "starts": "2026-12-01",
    "ends": "2027-03-30",
    "endpoint": {"kind": "retained", "day": 13},
    "primary": {"smallest_effect": 0.03},
    "assumptions": {"entry_per_day": 100, "baseline": 0.6},
}


def plan(**changed):
    return Plan.model_validate({**FIELDS, **changed})


@dataclass
class Rows:
    """Stands for `validity_tables.Marked`: its customers are a frame, a row each."""

    rows: pd.DataFrame
    missing: dict = field(default_factory=dict)

    @property
    def people(self):
        return ibis.memtable(self.rows.assign(stranger=False))

    def grid(self, *by):
        known = self.rows[self.rows["known"]]
        events = known["event_observed"].astype("int64")
        counted = known.assign(events=events, censored=1 - events)
        keys = ["arm", *by, "day"]
        return counted.groupby(keys, as_index=False)[["events", "censored"]].sum()


def customers(rng, n, *, ratio=1.0, share=0.5, pace=0.03):
    """A test in days: everybody cancels at a pace, those at risk four times as fast as the others.

    Whom the message reaches, 7 in 10, cancels `ratio` times as fast.
    """
    treated, risky = rng.random(n) < share, rng.random(n) < 0.4
    reached = treated & (rng.random(n) < 0.7)
    rate = pace * np.where(risky, 2.0, 0.5) * np.where(reached, ratio, 1.0)
    lasts, followed = rng.exponential(1 / rate), rng.integers(8, 26, n)
    return pd.DataFrame(
        {
            "customer_id": [f"c{number}" for number in range(n)],
            "arm": np.where(treated, "check-in", "control"),
            "stratum": np.where(risky, "risky", "calm"),
            "tier": np.where(risky, "risky", "calm"),
            "household": [f"h{number}" for number in rng.integers(0, n // 3, n)],
            "day": np.where(lasts < followed, np.floor(lasts) + 1, followed).astype("int64"),
            "event_observed": lasts < followed,
            "known": True,
            "due": True,
            "delivered": reached,
        }
    )
