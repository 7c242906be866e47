"""A test whose customers belong to segments, as the engine hands it over: counts by day."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pandas as pd

CONTROL, SENT = "control", "check-in"


def planned(*segments, kind="retained", day=90, arms=(CONTROL, SENT), cluster=None):
    return SimpleNamespace(
        segments=segments,
        cluster=cluster,
        arms=[SimpleNamespace(name=arm) for arm in arms],
        endpoint=SimpleNamespace(day=day, kind=kind),
    )


def customers(rng, n, *, shares, effects=None, arms=(CONTROL, SENT)):
    """Rows of customers who come over time: rates of leaving differ by `effects` of a country."""
    arm = rng.choice(arms, n)
    country = rng.choice([*shares], n, p=[*shares.values()])
    ratio = pd.Series(country).map(effects or {}).fillna(1.0).to_numpy()
    leaves = np.ceil(rng.exponential(100 / np.where(arm == CONTROL, 1.0, ratio))).astype(int)
    seen = rng.integers(30, 150, n)
    return pd.DataFrame(
        {
            "arm": arm,
            "country": country,
            "day": np.minimum(leaves, seen),
            "event": leaves <= seen,
        }
    )


def marked(rows):
    """Stand in for `validity_tables.Marked`."""

    def grid(*by):
        counted = rows.groupby(["arm", *by, "day"])["event"].agg(["sum", "count"]).reset_index()
        return counted.assign(events=counted["sum"], censored=counted["count"] - counted["sum"])[
            ["arm", *by, "day", "events", "censored"]
        ]

    return SimpleNamespace(grid=grid)
