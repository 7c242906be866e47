"""Purchase summaries for the tests of scores and segments."""

from __future__ import annotations

import ibis
import numpy as np
import pyarrow as pa


def summary_table(last_days, purchases, revenue):
    """Ibis summary of customers c000, c001, ... from three lists; revenue in minor units.

    All that they ever bought is within the days that are scored.
    """
    names = [f"c{place:07}" for place in range(len(last_days))]
    within = {"purchases_within": purchases, "revenue_within": revenue}
    whole = {"last_days": last_days, "purchases": purchases, **within}
    columns = {name: pa.array(np.asarray(values, "int64")) for name, values in whole.items()}
    return ibis.memtable(pa.table({"customer_id": pa.array(names, pa.string()), **columns}))


def drawn(seed, *, customers=400):
    """Draw three lists with many ties, a few of the revenues at or below zero."""
    rng = np.random.default_rng(seed)
    purchases = rng.geometric(0.6, customers)
    revenue = purchases * rng.integers(-300, 9_000, customers)
    return rng.integers(0, 60, customers), purchases, revenue
