"""Shares of customers, and differences between two of them, with intervals that hold at 0 and 1."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import ndtri

from retention_lab import checks
from retention_lab.checks import BadData
from retention_lab.inference.interval import Interval

Whole = NDArray[np.int64]
Floats = NDArray[np.float64]
Counts = Sequence[int] | Whole | pd.Series


def wilson(count: Counts, n: Counts, *, alpha: float = 0.05) -> pd.DataFrame:
    """Shares `count` / `n` with their Wilson score intervals, one row per pair.

    Parameters
    ----------
    count, n
        How many did it, and of how many; whole numbers of equal length, ``0 <= count <= n``.
    alpha
        One minus the confidence level.

    Returns
    -------
    DataFrame
        Columns `share`, `low`, `high`, all between 0 and 1; the index is that of `count` if it is a
        Series.

    Raises
    ------
    BadData
        If a share is of no customers, or a count does not lie between 0 and its `n`.

    References
    ----------
    Wilson (1927), Journal of the American Statistical Association 22, 209-212. Statsmodels has it,
    too, and takes a second to import, which each notebook would wait for.
    """
    checks.share("alpha", alpha)
    index = count.index if isinstance(count, pd.Series) else None
    did, of = np.asarray(count, dtype="int64"), np.asarray(n, dtype="int64")
    _refuse_impossible(did, of)
    share, low, high = _scored(did, of, alpha)
    return pd.DataFrame({"share": share, "low": low, "high": high}, index=index)


def proportion(count: int, n: int, *, alpha: float = 0.05) -> Interval:
    """One share `count` / `n` with its Wilson score interval; raises as `wilson` does."""
    row = wilson([count], [n], alpha=alpha).iloc[0]
    return Interval(value=float(row["share"]), low=float(row["low"]), high=float(row["high"]))


def difference(count_1: int, n_1: int, count_0: int, n_0: int, *, alpha: float = 0.05) -> Interval:
    """Share of group 1 minus share of group 0, with Newcombe's hybrid score interval.

    All three numbers are differences of shares: 0.02 is two percentage points.

    Raises
    ------
    BadData
        As `wilson` does, for either group.

    References
    ----------
    Newcombe (1998), Statistics in Medicine 17, 873-890, method 10.
    """
    checks.share("alpha", alpha)
    did, of = np.array([count_1, count_0]), np.array([n_1, n_0])
    _refuse_impossible(did, of)
    share, low, high = _scored(did, of, alpha)
    down = np.hypot(share[0] - low[0], high[1] - share[1])
    up = np.hypot(high[0] - share[0], share[1] - low[1])
    value = float(share[0] - share[1])
    return Interval(value=value, low=value - float(down), high=value + float(up))


def _scored(did: Whole, of: Whole, alpha: float) -> tuple[Floats, Floats, Floats]:
    """Shares with the ends of their Wilson intervals."""
    share, z = did / of, ndtri(1 - alpha / 2)
    middle = share + z**2 / (2 * of)
    reach = z * np.sqrt(share * (1 - share) / of + (z / (2 * of)) ** 2)
    low, high = ((middle + side) / (1 + z**2 / of) for side in (-reach, reach))
    # Rounding can put a bound 1e-17 on the wrong side of a share of 0 or 1.
    return share, np.clip(low, 0, share), np.clip(high, share, 1)


def _refuse_impossible(count: Whole, n: Whole) -> None:
    if (n < 1).any():
        raise BadData("A share of no customers cannot be computed: n must be at least 1.")
    if (count < 0).any() or (count > n).any():
        raise BadData("A count must lie between 0 and the number of customers it is a share of.")
