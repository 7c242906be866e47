"""What a Cox model is fitted to: rows (start, stop], and their places among the events.

A cell is a day with an event within a stratum. Row i is at risk in the cells ``first[i]`` up to,
not including, ``after[i]``, so sums over risk sets are running sums over cells.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Places = NDArray[np.int64]
Ties = Literal["efron", "breslow"]


@dataclass(frozen=True, kw_only=True)
class Cells:
    """The days with events, stratum by stratum, in order of time within each."""

    strata: pd.Index  # labels; a stratum is called by its place here
    moments: Floats  # distinct days with an event in any stratum
    keys: Places  # one per cell: stratum and place among the moments, as one number in order
    entered: Floats  # first day that anybody of a stratum is at risk after
    followed: Floats  # last day that anybody of a stratum is followed to

    @property
    def stratum(self) -> Places:
        """Stratum of each cell."""
        return self.keys // self._width

    @property
    def day(self) -> Floats:
        """Day of each cell."""
        return self.moments[self.keys % self._width - 1]

    @cached_property
    def bounds(self) -> Places:
        """First cell of each stratum, and the number of cells."""
        return np.searchsorted(self.keys, np.arange(len(self.strata) + 1) * self._width)

    @property
    def _width(self) -> int:
        return len(self.moments) + 1

    def after(self, stratum: Places, day: Floats) -> Places:
        """First cell of a stratum that lies after a day; the next stratum's where none does."""
        place = np.searchsorted(self.moments, day, side="right")
        return np.searchsorted(self.keys, stratum * self._width + place, side="right")


@dataclass(frozen=True, kw_only=True, repr=False)
class Rows:
    """Checked rows, in the order of their stops within each stratum.

    Covariates are centred and scaled, so that no unit matters to the numbers.
    """

    names: tuple[str, ...]
    order: Places  # place of each row as it was given
    x: Floats  # rows x columns, mean 0 and standard deviation 1, column after column in memory
    centre: Floats
    scale: Floats
    weights: Floats
    event: NDArray[np.bool_]
    cells: Cells
    first: Places
    after: Places
    ties: Ties
    cluster: Places | None

    @cached_property
    def happened(self) -> Places:
        """Rows with an event."""
        return np.flatnonzero(self.event)

    @cached_property
    def cell(self) -> Places:
        """Cell of each row with an event."""
        return self.after[self.happened] - 1

    @cached_property
    def tied(self) -> Places:
        """Events of each cell."""
        return self.at_event(self.weights).astype("int64")

    @cached_property
    def lost(self) -> Floats:
        """Share of the tied events that left before each event, cell by cell; 0 with Breslow."""
        ends = self.tied.cumsum()
        if self.ties == "breslow":
            return np.zeros(ends[-1])
        before = np.arange(ends[-1]) - np.repeat(ends - self.tied, self.tied)
        return before / np.repeat(self.tied, self.tied)

    @cached_property
    def _last(self) -> Places:
        """Last cell of each row; one beyond all cells for rows never at risk in any."""
        return np.where(self.first < self.after, self.after - 1, len(self.cells.keys))

    @cached_property
    def _late(self) -> Places:
        """Rows that come to be at risk after the first cell of their stratum."""
        opening = np.zeros(len(self.cells.keys) + 1, dtype=bool)
        opening[self.cells.bounds] = True
        return np.flatnonzero((self.first < self.after) & ~opening[self.first])

    def at_risk(self, values: Floats) -> Floats:
        """Sum of a value per row over the rows at risk in each cell."""
        count = len(self.cells.keys)
        sums = np.bincount(self._last, values, count + 1)[:count]
        if len(self._late):
            sums -= np.bincount(self.first[self._late] - 1, values[self._late], count)
        # Summed from the last day on, the few who are followed longest keep all their digits.
        bounds = self.cells.bounds
        parts = [sums[low:high][::-1].cumsum()[::-1] for low, high in pairwise(bounds)]
        return np.concatenate(parts)

    def at_event(self, values: Floats) -> Floats:
        """Sum of a value per row over the rows with their event in each cell."""
        sums = np.bincount(self.cell, values[self.happened], len(self.cells.keys))
        return np.asarray(sums, dtype="float64")

    def through(self, values: Floats) -> Floats:
        """Sum of values per cell (the last axis) over the cells that each row is at risk in."""
        return between(values, self.first, self.after)


def between(values: Floats, first: Places, after: Places) -> Floats:
    """Sum values per cell (the last axis) from the first cell up to, not including, `after`."""
    running = np.concatenate([np.zeros((*values.shape[:-1], 1)), values.cumsum(axis=-1)], axis=-1)
    summed: Floats = running[..., after] - running[..., first]
    return summed
