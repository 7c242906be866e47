"""Count the pairs that a score puts in the right order, without looking at every pair."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from retention_lab.survival.censoring import Floats

Ranks = NDArray[np.intp]


@dataclass(frozen=True, kw_only=True)
class Pairs:
    """Weight of the partners of every row, as the `first` or as the `second` of a pair.

    `agreeing` are those where the first has the higher score; equal scores count one half.
    """

    first_agreeing: Floats
    first_all: Floats
    second_agreeing: Floats
    second_all: Floats


def pairs(score: Floats, *, order: Ranks, first: Floats, second: Floats) -> Pairs:
    """Pair every row with those of higher `order`, in n log n steps a level of halving.

    `first` and `second` are the weights with which a row counts in either place, zero where it does
    not. Two rows of different order differ first in one binary digit of it, counted from the top:
    for every digit, those with a 0 are paired with those with a 1 among the rows that share the
    digits above, each by a cumulative sum over the ranks of the score.
    """
    rank = np.unique(score, return_inverse=True)[1]
    found = np.zeros((4, len(score)))
    for digit in range(int(order.max()).bit_length()):
        right = (order >> digit) & 1 == 1
        block = (order >> (digit + 1)) * (rank.max() + 1)
        by_cell = np.argsort(block + rank, kind="stable")
        found[:, by_cell] += (
            _halves(
                (block + rank)[by_cell],
                np.searchsorted(block[by_cell], block[by_cell], side="left"),
                np.searchsorted(block[by_cell], block[by_cell], side="right"),
                np.where(right, 0, first)[by_cell],
                np.where(right, second, 0)[by_cell],
            )
            * np.where(right, [[0], [0], [1], [1]], [[1], [1], [0], [0]])[:, by_cell]
        )
    return Pairs(
        first_agreeing=found[0],
        first_all=found[1],
        second_agreeing=found[2],
        second_all=found[3],
    )


def _halves(cell: Ranks, start: Ranks, end: Ranks, left: Floats, right: Floats) -> Floats:
    """Partners of sorted rows within their block: scores below, and all; above, and all."""
    low, high = np.searchsorted(cell, cell, side="left"), np.searchsorted(cell, cell, side="right")
    lefts, rights = (np.concatenate([[0.0], np.cumsum(side)]) for side in (left, right))
    below = (rights[low] + rights[high]) / 2 - rights[start]
    above = lefts[end] - (lefts[low] + lefts[high]) / 2
    return np.stack([below, rights[end] - rights[start], above, lefts[end] - lefts[start]])
