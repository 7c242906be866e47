"""Made-up rows for the tests of Cox models."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest


@pytest.fixture(scope="session")
def made():
    """Return a maker of rows: `start`, `stop`, `event` and the covariates `a`, `b`, with ties."""

    def make(n=300, *, seed=7, days=40):
        rng = np.random.default_rng(seed)
        a, b = rng.integers(0, 2, n), rng.normal(size=n).round(1)
        time = rng.exponential(days / 2 * np.exp(-0.5 * a + 0.3 * b))
        end = rng.uniform(1, days, n)
        stop = np.floor(np.minimum(time, end)) + 1
        frame = {
            "start": np.floor(rng.uniform(0, 0.9, n) * stop),
            "stop": stop,
            "event": time <= end,
            "a": a,
            "b": b,
            "plan": rng.choice(["basic", "family", "solo"], n),
            "who": rng.integers(0, n // 3, n),
            "count": rng.integers(1, 5, n),
        }
        return pd.DataFrame(frame)

    return make
