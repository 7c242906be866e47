"""Rows of units followed, as a spreadsheet would hold them, for the tests of survival kernels."""

from __future__ import annotations

import numpy as np
import pandas as pd


def random_units(n=400, seed=1, *, last=30, late=False):
    """Tied whole days with groups, strata and causes; `late` adds days of coming later."""
    rng = np.random.default_rng(seed)
    group = rng.choice(["a", "b", "c"], n, p=[0.5, 0.3, 0.2])
    leaves = rng.geometric(np.where(group == "a", 0.04, 0.07))
    seen = rng.integers(1, last, n)
    rows = pd.DataFrame(
        {
            "durations": np.minimum(leaves, seen),
            "event_observed": leaves <= seen,
            "group": group,
            "stratum": rng.choice(["x", "y"], n),
            "cause": rng.choice(["voluntary", "involuntary"], n),
            "weights": rng.integers(1, 4, n),
        }
    )
    return rows.assign(entry=rng.integers(0, rows["durations"])) if late else rows


def repeated(rows):
    """Each row as often as its weight says."""
    return rows.loc[rows.index.repeat(rows["weights"])].drop(columns="weights")
