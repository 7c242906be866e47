"""What the purchase models know of a customer: repeat purchases, the last of them, and age."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from retention_lab import checks
from retention_lab.checks import BadData
from retention_lab.inference.btyd.maximum import Floats


@dataclass(frozen=True, kw_only=True, eq=False)
class Histories:
    """Distinct purchase histories: arrays of equal length, in one unit of time.

    `x` repeat purchases, the last one `t_x` after the first purchase, which is `T` ago; `weight`
    customers have this history.
    """

    x: Floats
    t_x: Floats
    T: Floats
    weight: Floats

    @property
    def customers(self) -> float:
        """How many customers there are."""
        return float(self.weight.sum())

    def where(self, rows: NDArray[np.bool_] | slice) -> Histories:
        """Some of the histories."""
        return Histories(
            x=self.x[rows], t_x=self.t_x[rows], T=self.T[rows], weight=self.weight[rows]
        )

    def kinds(self) -> tuple[Histories, NDArray[np.int64]]:
        """Histories by count and age alone, and which of them each history has.

        Those who have not stopped do not differ otherwise, and there are far fewer of them. A kind
        has the weight of all its histories and the latest purchase that it can have.
        """
        keys, place = np.unique(self.x + 1j * self.T, return_inverse=True)
        x, age = keys.real.copy(), keys.imag.copy()
        weight = np.bincount(place, self.weight).astype("float64")
        return Histories(x=x, t_x=age, T=age, weight=weight), place


def read(patterns: pd.DataFrame) -> Histories:
    """Check purchase histories.

    Parameters
    ----------
    patterns
        Columns `frequency` (repeat purchases, same-day orders merged), `recency` (time from the
        first purchase to the last), `T` (time since the first purchase) and, if there are several
        customers to a row, `weight`.

    Raises
    ------
    BadData
        Nobody; a missing column or value; counts that are no whole numbers; a last purchase after
        the end, or one without (or before) a repeat purchase.
    """
    checks.columns("patterns", patterns.columns, ["frequency", "recency", "T"])
    weight = patterns["weight"] if "weight" in patterns else pd.Series(1.0, patterns.index)
    columns = patterns[["frequency", "recency", "T"]].assign(weight=weight)
    table: Floats = columns.to_numpy("float64", na_value=np.nan)
    x, t_x, age, counts = np.ascontiguousarray(table.T)
    if not counts.any():
        raise BadData(
            "patterns has no customers, so there is nothing to learn from. Take a later day."
        )
    _refuse(np.asarray(~np.isfinite(table).all(axis=1)), "a value that is missing or endless")
    _refuse((x < 0) | (x % 1 > 0), "a frequency that is no count")
    _refuse(counts < 0, "a negative weight")
    _refuse((t_x < 0) | (t_x > age), "a recency below 0 or above T")
    _refuse((x > 0) != (t_x > 0), "a recency that does not fit its frequency: both 0 or neither")
    return Histories(x=x, t_x=t_x, T=age, weight=counts)


def _refuse(bad: NDArray[np.bool_], what: str) -> None:
    if bad.any():
        raise BadData(
            f"patterns has {what}, first in row {int(np.argmax(bad)) + 1}. Count purchase days by "
            "one clock, as customers.summary does, or leave out the rows that cannot be."
        )
