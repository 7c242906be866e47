"""Made-up buyers for the tests of rising interest: rates that differ, some stop, some rise."""

from __future__ import annotations

import numpy as np
import pandas as pd

from retention_lab.customers.rising import Rising


def buyers(  # noqa: PLR0913  each is a way in which shops differ
    rng, n, *, within=30, rate=(2.0, 20.0), stop=None, shape=1.0, rises=0.0, times=5.0
):
    """Draw histories of at least `within` days and the purchases of as many days after.

    Rates are Gamma(*rate); after each purchase (the first included) customers stop with a chance of
    Beta(*stop). Gaps are Gamma of a `shape`: 1 is without memory, less is clumpy. A share `rises`
    buys so many `times` as often in the last days: column `rises`.
    """
    age = rng.integers(within, 500, (n, 1))
    rates = rng.gamma(rate[0], 1 / rate[1], (n, 1))
    up = rng.random((n, 1)) < rises
    days = rng.gamma(shape, 1 / shape, (n, 600)).cumsum(axis=1) / rates
    # Who rises lives so many days in one, once the last days begin.
    days = np.where(up & (days > age), age + (days - age) / times, days)
    most = np.full((n, 1), np.inf)
    if stop is not None:
        chance = rng.beta(*stop, (n, 1))
        most = np.floor(np.log(rng.random((n, 1))) / np.log1p(-chance))
    whole = np.ceil(days)  # purchases of one day are one
    bought = (np.arange(600) < most) & (np.diff(whole, axis=1, prepend=0) > 0)
    before, after = bought & (whole <= age), bought & (whole > age) & (whole <= age + within)
    return pd.DataFrame(
        {
            "frequency": before.sum(axis=1),
            "recency": np.where(before, whole, 0).max(axis=1).astype("int64"),
            "T": age[:, 0],
            "recent": after.sum(axis=1),
            "weight": 1,
            "rises": up[:, 0],
        }
    )


def rising_of(*, customers, alerts, by_chance=None, season=1.0, why=""):
    """What was found of rising interest, from its counts by days with a purchase: 0, 1, ..."""
    counts = pd.DataFrame(
        {
            "bought": range(len(customers)),
            "customers": customers,
            "alerts": alerts,
            "by_chance": np.asarray(customers if by_chance is None else by_chance, "float64"),
        }
    )
    return Rising(
        customers=sum(customers),
        within=30,
        false_alerts=0.1,
        patterns=pd.DataFrame(),
        counts=counts,
        tested=sum(customers),
        alerts=sum(alerts),
        season=season,
        why=why,
    )
