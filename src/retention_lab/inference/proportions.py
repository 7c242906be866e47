"""Shares of customers, and differences between two of them, with intervals that hold at 0 and 1."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint

from retention_lab import checks
from retention_lab.checks import BadData
from retention_lab.inference.interval import Interval

Counts = Sequence[int] | NDArray[np.int64] | pd.Series


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
    Wilson (1927), Journal of the American Statistical Association 22, 209-212, as in statsmodels.
    """
    checks.share("alpha", alpha)
    index = count.index if isinstance(count, pd.Series) else None
    did, of = np.asarray(count, dtype="int64"), np.asarray(n, dtype="int64")
    _refuse_impossible(did, of)
    low, high = proportion_confint(did, of, alpha=alpha, method="wilson")
    share = did / of
    # Rounding can put a bound 1e-17 on the wrong side of a share of 0 or 1.
    low, high = np.clip(low, 0, share), np.clip(high, share, 1)
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
    Newcombe (1998), Statistics in Medicine 17, 873-890, method 10, as in statsmodels.
    """
    checks.share("alpha", alpha)
    _refuse_impossible(np.array([count_1, count_0]), np.array([n_1, n_0]))
    low, high = confint_proportions_2indep(
        count_1, n_1, count_0, n_0, method="newcomb", compare="diff", alpha=alpha
    )
    return Interval(value=count_1 / n_1 - count_0 / n_0, low=float(low), high=float(high))


def _refuse_impossible(count: NDArray[np.int64], n: NDArray[np.int64]) -> None:
    if (n < 1).any():
        raise BadData("A share of no customers cannot be computed: n must be at least 1.")
    if (count < 0).any() or (count > n).any():
        raise BadData("A count must lie between 0 and the number of customers it is a share of.")
