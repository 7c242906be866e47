"""Which cells of a table of moves can be shown, so that none tells of a few customers.

A move is one from a group of the earlier day to a group of the later. How many were in each group
is shown, and how many left it; so a table of moves has totals along both of its sides.
"""

from __future__ import annotations

import functools

import numpy as np
import pandas as pd
import scipy

from retention_lab.record.small import SMALL, Counts, Mask, covered, few, splits


def squared(moves: pd.DataFrame) -> Counts:
    """Lay the customers of `customers.migration.moves` out: a row per group before, in order."""
    side = len(moves["before"].unique())
    return moves["customers"].to_numpy(dtype="int64").reshape(side, side)


def hidden_flows(flows: pd.DataFrame, moves: pd.DataFrame) -> tuple[Mask, Mask]:
    """Say of each group whether to hide how many left it, and whether what luck would do of it.

    Both frames are of `customers.migration`, by the same groups. What cannot be said is hidden.
    """
    counts = squared(moves)
    stayed, there = counts.diagonal(), counts.sum(axis=1)
    hidden = hidden_moves(counts).diagonal() | (there == 0)
    newer = [splits(flows["left_long"], there - stayed)]
    newer += [splits(flows["came_long"], counts.sum(axis=0) - stayed)]
    either = flows["left_long"] + flows["came_long"]
    return hidden, hidden | np.any(newer, axis=0) | flows["by_chance"].isna() | (either == 0)


def hidden_moves(counts: Counts) -> Mask:
    """Say which cells of a square table of moves to hide, so that no few can be worked out.

    The totals of its rows are known, and those of its columns wherever nobody is new, so both are
    covered. Where all of them together still leave a single number for a few, its row is hidden;
    where that does not help, everything is.

    References
    ----------
    Hundepool et al. (2012), Statistical Disclosure Control, s. 4.3: the audit of a table by the
    least and the greatest value that linear programs find for each hidden cell.
    """
    return _hidden(counts.tobytes(), len(counts)).copy()


@functools.lru_cache(maxsize=8)  # a page and a picture ask the same, and programs take their time
def _hidden(table: bytes, side: int) -> Mask:
    counts = np.frombuffer(table, dtype="int64").reshape(side, side)
    rows, columns = (covered(counts.sum(axis=axis)) for axis in (1, 0))
    hidden = few(counts) | rows[:, None] | columns
    while True:
        before = hidden.copy()
        for lines, masks in ((counts, hidden), (counts.T, hidden.T)):
            masks[:] = [covered(line, hidden=mask) for line, mask in zip(lines, masks, strict=True)]
        if (hidden == before).all():
            told = _told(counts, hidden)
            hidden[told] = True
            if (hidden == before).all():
                return hidden | bool(told)


def _told(counts: Counts, hidden: Mask) -> list[int]:
    """Return the rows in which a few that is hidden can only be one number."""
    cells, side = np.argwhere(hidden), len(counts)
    lines = np.zeros((2 * side, len(cells)))
    lines[cells[:, 0], range(len(cells))] = lines[side + cells[:, 1], range(len(cells))] = 1
    values = counts[hidden]
    small = few(values)
    least = np.where(small, 1 - few(0), np.minimum(values, SMALL))
    most = np.where(small, SMALL - 1, counts.sum())
    known = {"A_eq": lines, "b_eq": lines @ values, "bounds": np.c_[least, most]}
    told = []
    for place in np.flatnonzero(small):
        cell = np.eye(len(cells))[place]
        # The extremes of such a system are whole numbers.
        ends = (scipy.optimize.linprog(way, **known).fun for way in (cell, -cell))
        if sum(ends) > -0.5:
            told.append(int(cells[place, 0]))
    return told
