"""Cells of a table of moves: what is shown tells of no few, even along rows and columns at once."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import Bounds, LinearConstraint, milp

from retention_lab.record import SMALL
from retention_lab.record.moves import hidden_flows, hidden_moves, squared
from retention_lab.record.small import covered, few

from ..customers import moved  # noqa: TID252  one maker of standings


def drawn(seed, *, side):
    """A random table: many stay, and moves of all sizes."""
    rng = np.random.default_rng(seed)
    moves = (rng.random((side, side)) < 0.8) * rng.choice([3, 9, 12, 60, 400], (side, side))
    return moves + np.diag(rng.integers(50, 2_000, side))


def ranges(counts, hidden):
    """What each hidden few may be, for somebody who knows all totals and which cells are few."""
    places = np.argwhere(hidden)
    sums = np.array(
        [places[:, axis] == line for axis in (0, 1) for line in range(len(counts))], dtype=float
    )
    small = few(counts[hidden])
    known = LinearConstraint(sums, sums @ counts[hidden], sums @ counts[hidden])
    bounds = Bounds(np.where(small, 1, 0), np.where(small, SMALL - 1, counts.sum()))
    for place in np.flatnonzero(small):
        target = np.eye(len(places))[place]
        yield tuple(
            side * milp(side * target, constraints=known, bounds=bounds, integrality=1).fun
            for side in (1, -1)
        )


@pytest.mark.parametrize("seed", [0, 3, 4, 7])
@pytest.mark.parametrize("side", [3, 5])
def test_no_few_can_be_worked_out_from_rows_and_columns_together(seed, side):
    counts = drawn(seed, side=side)
    hidden = hidden_moves(counts)
    assert hidden[few(counts)].all()
    if hidden.any() and not hidden.all():
        assert all(least < most for least, most in ranges(counts, hidden))


def test_row_is_hidden_whose_few_rows_and_columns_tell_together_though_each_covers_it():
    counts = drawn(8, side=4)
    lines = few(counts)
    for _ in range(4):
        for table, masks in ((counts, lines), (counts.T, lines.T)):
            masks[:] = [covered(one, hidden=mask) for one, mask in zip(table, masks, strict=True)]
    assert any(least >= most for least, most in ranges(counts, lines))
    hidden = hidden_moves(counts)
    assert not lines[2].all()
    assert hidden[2].all()
    assert not hidden.all()


def test_everything_is_hidden_where_hidden_rows_still_tell():
    assert hidden_moves(drawn(9, side=4)).all()


def test_a_large_table_is_shown_whole():
    assert not hidden_moves(squared(moved.moves())).any()


def test_a_few_who_rose_hide_what_would_tell_of_them():
    # With nobody new, those in each cohort now are known, and with them who came into it.
    counts = np.array([[5_000, 4, 300], [0, 900, 120], [0, 80, 2_000]])
    hidden = hidden_moves(counts)
    assert hidden[0, 1]
    assert hidden[0].sum() == 2
    assert hidden[:, 1].sum() >= 2
    assert not hidden[:, 0].any()


def test_a_group_of_a_few_is_hidden_with_all_its_moves():
    hidden = hidden_moves(np.array([[5_000, 40, 300], [0, 2, 5], [0, 80, 2_000]]))
    assert hidden[1].all()


def test_flows_hide_what_the_table_of_moves_hides():
    for seed in range(3):
        counts = drawn(seed, side=3)
        flows, moves = moved.flows(counts, counts // 2), moved.moves(counts)
        hidden, unlucky = hidden_flows(flows, moves)
        assert (hidden >= hidden_moves(counts).diagonal()).all()
        assert (unlucky >= hidden).all()


def test_an_empty_group_has_nothing_to_say():
    counts = moved.COUNTS.copy()
    counts[1] = 0
    hidden, unlucky = hidden_flows(moved.flows(counts, counts), moved.moves(counts))
    assert hidden.tolist() == [False, True, False]
    assert unlucky.all()
