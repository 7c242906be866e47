"""Which counts may be shown, seen from the side of somebody who tries to work out the others."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from retention_lab import checks
from retention_lab.checks import BadParameter
from retention_lab.record import small

KS = st.sampled_from([2, 3, 5, 10])
SIZES = st.lists(st.integers(0, 14), min_size=1, max_size=4)


def could_be(text, whole):
    """Every number that a cell may stand for, for somebody who reads it."""
    if text == f"<{small.SMALL}":
        return [each for each in range(small.SMALL) if each or small.SMALL == 2]
    if text == small.HIDDEN:
        return [0, *range(small.SMALL, whole + 1)]
    return [text]


def worked_out(shown, total, wholes=None):
    """The numbers that each part can be: those with which the others can fill up the total."""
    tops = wholes if wholes is not None else [total] * len(shown)
    options = [set(could_be(text, top)) for text, top in zip(shown, tops, strict=True)]
    found = []
    for place, own in enumerate(options):
        rests = {total}
        for other in options[:place] + options[place + 1 :]:
            rests = {rest - each for rest in rests for each in other if each <= rest}
        found.append(own & rests)
    return found


@given(SIZES, KS)
@example([3, 8], 10)
@example([9, 9, 40], 10)
@example([1, 10, 30], 10)  # ten is the least that a dash can be, so the few would be one
@example([0, 1], 2)
def test_nobody_works_out_a_hidden_part_from_the_total(parts, k):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(small, "SMALL", k)
        hidden = small.covered(parts)
        assert all(hide or not small.few(part) for part, hide in zip(parts, hidden, strict=True))
        if hidden.all() and small.gives_away(parts):
            return  # the total is not shown either
        shown = small.cells(parts, hidden)
        found = worked_out(shown, sum(parts))
        for hide, numbers in zip(hidden, found, strict=True):
            assert not hide or len(numbers) >= 2, (shown, sum(parts))
        left = sum(part for part, hide in zip(parts, hidden, strict=True) if hide)
        assert not hidden.any() or not small.few(left)


@given(st.lists(st.tuples(st.integers(0, 12), st.integers(0, 8)), min_size=1, max_size=3), KS)
@example([(3, 40), (20, 20), (30, 10)], 10)
def test_nobody_works_out_a_hidden_part_from_its_own_whole_either(pairs, k):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(small, "SMALL", k)
        parts, wholes = [part for part, _ in pairs], [part + rest for part, rest in pairs]
        hidden = small.covered(parts, wholes=wholes)
        for (part, rest), hide in zip(pairs, hidden, strict=True):
            assert hide or not (small.few(part) or small.few(rest))
        assume(not hidden.all())
        found = worked_out(small.cells(parts, hidden), sum(parts), wholes)
        assert all(len(numbers) >= 2 for hide, numbers in zip(hidden, found, strict=True) if hide)


@given(SIZES, KS)
def test_total_that_gives_away_what_is_hidden_is_found(parts, k):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(small, "SMALL", k)
        shown = small.cells(parts, [True] * len(parts))
        pinned = any(len(numbers) < 2 for numbers in worked_out(shown, sum(parts)))
        assert small.gives_away(parts) or not pinned


def test_no_more_is_hidden_than_needs_be():
    assert small.covered([40, 0, 50, 10]).tolist() == [False] * 4
    assert small.covered([40, 3, 50, 30]).tolist() == [False, True, False, True]
    assert small.covered([40, 3, 8, 50]).tolist() == [False, True, True, False]
    assert small.covered([40, 3, 4, 50]).tolist() == [True, True, True, False]  # seven are few
    assert small.covered([40, 3, 50], unknown=[False, False, True]).tolist() == [False, True, True]


def test_part_that_leaves_a_few_of_its_whole_is_hidden_too():
    assert small.splits([3, 37, 0, 40, 20], 40).tolist() == [True, True, False, False, False]
    assert small.of_share(0.925, 40)
    assert not small.of_share(0.5, 40)
    assert not small.of_share(0.0, 40)


@given(st.lists(st.integers(0, 40), min_size=1, max_size=12).map(sorted), KS)
def test_no_step_between_kept_places_is_a_few(falling, k):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(small, "SMALL", k)
        counts = np.array(falling[::-1])
        kept = small.apart(counts, counts // 2)
        assert kept[0]
        for chain in (counts, counts // 2):
            assert not small.few(-np.diff(chain[kept])).any()


def test_cells_say_which_are_few_and_which_only_cover_them():
    assert small.cells([40, 3, 12, 0], [False, True, True, False]) == [40, "<10", small.HIDDEN, 0]


def test_with_two_as_the_smallest_cell_none_and_one_look_alike():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(small, "SMALL", 2)
        assert small.few([0, 1, 2]).tolist() == [True, True, False]
        assert small.cells([0, 1], [True, True]) == ["<2", "<2"]


@pytest.mark.parametrize(("text", "k"), [("", 10), ("2", 2), (" 25 ", 25), ("100", 100)])
def test_smallest_cell_is_that_of_the_environment(text, k):
    assert checks.smallest_cell({checks.SMALLEST_CELL: text}) == k
    assert checks.smallest_cell({}) == 10


def test_kinds_of_customers_are_as_large_as_all_else_that_is_shown():
    script = "from retention_lab import record; from retention_lab.customers import groups; "
    script += "print(record.SMALL, groups.LEAST)"
    environment = {**os.environ, checks.SMALLEST_CELL: "25"}
    told = subprocess.check_output([sys.executable, "-c", script], env=environment, text=True)
    assert told.split() == ["25", "25"]


@pytest.mark.parametrize("text", ["1", "0", "101", "-5", "ten", "10.5", "1e1", "\u0665"])
def test_smallest_cell_that_is_none_is_refused(text):
    with pytest.raises(BadParameter, match="RETENTION_LAB_SMALLEST_CELL must be a whole number"):
        checks.smallest_cell({checks.SMALLEST_CELL: text})
