"""What is recorded of who customers are and how they move, and what is not."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from retention_lab.record import SMALL, Ledger, segments
from retention_lab.record.segments import REVENUE, SHARE, SIZE, best, named

from ..customers import moved  # noqa: TID252  one maker of standings
from ..customers.moved import COUNTS, LONG, rule  # noqa: TID252

BEST = "high-value repeat"
LUCK = ("segments_left_long", "segments_came_long", "segments_by_chance")


def ledger_of(*, counts=COUNTS, long=LONG, sizes=None, review=None, **fields):
    ledger = Ledger()
    frames = moved.flows(counts, long), moved.moves(counts)
    segments.record(
        ledger,
        moved.standing(**fields),
        moved.sizes() if sizes is None else sizes,
        frames[0],
        moves=frames[1],
        review=review,
    )
    return ledger


def names(ledger):
    return {claim.name for claim in ledger.claims()}


def changed(table, **cells):
    """A table with other cells: `a01=3` is row 0, column 1."""
    copy = table.copy()
    for place, value in cells.items():
        copy[int(place[1]), int(place[2])] = value
    return copy


def test_each_cohort_has_its_size_and_its_shares():
    ledger = ledger_of()
    size, share = ledger[named(SIZE, BEST)], ledger[named(SHARE, BEST)]
    assert (size.value, size.n) == (1_060, 9_000)  # 60 + 900 + 80 and 20 new ones
    assert share.value == pytest.approx(1_060 / 9_000)
    assert share.low < share.value < share.high
    assert share.key
    assert not ledger[named(SHARE, "one-time")].key
    assert ledger[named(REVENUE, BEST)].value == pytest.approx(0.48)
    assert ledger["segments_customers"].value == 9_000
    assert ledger["segments_purchases"].value == 2 * 9_000


def test_who_slipped_is_told_of_the_best_cohort_beside_luck():
    ledger = ledger_of()
    assert (ledger["segments_left"].value, ledger["segments_left"].n) == (120, 1_020)
    assert ledger["segments_slipped"].value == pytest.approx(120 / 1_020)
    assert ledger["segments_slipped"].period == "2026-09-01/2026-11-29"
    left, came, chance = (ledger[name] for name in LUCK)
    assert (left.value, came.value, chance.n) == (90, 80, 170)
    # A fair coin tossed 170 times: 85 and 1.96 times 6.52, the root of 170 / 4, on both sides.
    assert (chance.value, chance.low, chance.high) == (85, 72, 98)
    assert (ledger["segments_moved"].value, ledger["segments_moved"].n) == (560, 8_460)


def test_the_best_cohort_is_the_first_that_asks_for_the_highest_value():
    every = rule("rest")
    assert best([rule("a", monetary=(3, 5)), rule("b", monetary=(5, 5)), every]).name == "b"
    assert best([rule("a", monetary=(4, 4)), rule("b", monetary=(4, 5)), every]).name == "a"
    assert best([rule("spree", bought="once", monetary=(5, 5)), every]) is None
    assert best([rule("recent", recency=(4, 5)), every]) is None
    assert best(moved.RULES.cohorts).name == BEST


def test_a_cohort_of_another_name_is_recorded_by_it():
    rules = moved.rules(rule("once", bought="once"), rule("Gold", monetary=(4, 5)), rule("rest"))
    gold = ["once", "Gold", "rest"]
    ledger = Ledger()
    frames = moved.flows(names=gold), moved.moves(names=gold)
    sizes = moved.sizes(names=gold)
    segments.record(ledger, moved.standing(rules=rules), sizes, frames[0], moves=frames[1])
    assert ledger["segments_left"].label == "Gold: slipped within 90 days"
    assert ledger[named(SHARE, "Gold")].key


def test_bought_once_is_recorded_where_cohorts_tell_it():
    assert ledger_of()["segments_once"].value == pytest.approx(5_400 / 9_000)
    mixed = moved.rules(rule("a", monetary=(4, 5)), rule("b", frequency=(2, 5)), rule("c"))
    ledger = Ledger()
    sizes = moved.sizes(names=["a", "b", "c"])
    segments.record(ledger, moved.standing(rules=mixed), sizes, None, moves=None)
    assert "segments_once" not in ledger


def test_a_small_cohort_is_not_recorded_nor_left_over_by_the_others():
    ledger = ledger_of(sizes=moved.sizes([5_000, SMALL - 1, 400]))
    found = names(ledger)
    assert named(SIZE, "one-time") in found
    for cohort in (BEST, "mid-value repeat"):
        assert not found & {named(what, cohort) for what in (SIZE, SHARE, REVENUE)}


def test_nothing_is_recorded_of_a_few_customers():
    assert not names(ledger_of(sizes=moved.sizes([3, 3, 3])))


def test_revenue_of_a_few_purchases_or_that_is_no_part_of_a_whole_is_not_recorded():
    few = names(ledger_of(sizes=moved.sizes(purchases=[3, 4_000, 2_000])))
    assert named(REVENUE, "one-time") not in few
    assert named(REVENUE, "mid-value repeat") not in few  # or the total would tell
    for revenue in ((0, 0, 0), (-600, 100, 200), (-100, 1_100, 0)):
        found = names(ledger_of(sizes=moved.sizes(revenue=revenue)))
        assert named(REVENUE, BEST) not in found
        assert named(SIZE, BEST) in found


def test_nobody_who_bought_is_recorded_as_nought():
    nobody = moved.sizes(purchases=[0, 0, 0], revenue=(0, 0, 0))
    assert ledger_of(sizes=nobody)["segments_purchases"].value == 0


@pytest.mark.parametrize(
    "counts",
    [
        changed(COUNTS, a12=SMALL - 1),  # a few left
        changed(COUNTS, a11=SMALL - 1),  # a few stayed
        changed(COUNTS, a01=3, a21=5),  # a few came
        changed(COUNTS, a11=5, a12=4),  # a few were there
        changed(COUNTS, a11=0, a12=0),  # nobody was
    ],
)
def test_who_slipped_is_not_recorded_where_it_would_tell_of_a_few(counts):
    found = names(ledger_of(counts=counts, long=np.minimum(counts, LONG)))
    assert not found & {"segments_left", "segments_slipped", *LUCK}


def test_nobody_who_slipped_is_recorded_as_nought():
    ledger = ledger_of(counts=changed(COUNTS, a12=0), long=changed(LONG, a12=0))
    assert ledger["segments_left"].value == 0


@pytest.mark.parametrize(
    "long", [changed(LONG, a12=115), changed(LONG, a12=4), changed(LONG, a01=58, a21=78)]
)
def test_luck_is_not_recorded_where_it_would_tell_of_a_few(long):
    found = names(ledger_of(long=long))
    assert "segments_left" in found
    assert not found & {*LUCK}


def test_no_earlier_day_leaves_moves_out():
    ledger = Ledger()
    segments.record(ledger, moved.standing(then=None), moved.sizes(), None, moves=None)
    assert named(SIZE, BEST) in ledger
    assert not names(ledger) & {"segments_moved", "segments_left", *LUCK}


def test_who_would_move_under_new_lines_is_recorded_unless_few():
    assert ledger_of(review=moved.review())["segments_redrawn"].value == 340
    assert ledger_of(review=moved.review(moving=0))["segments_redrawn"].value == 0
    for moving in (SMALL - 1, 9_000 - 3):
        assert "segments_redrawn" not in ledger_of(review=moved.review(moving=moving))


def test_playbook_without_a_cohort_of_value_tells_of_nobody_slipping():
    rules = moved.rules(rule("once", bought="once"), rule("new", recency=(4, 5)), rule("rest"))
    ledger = Ledger()
    group = ["once", "new", "rest"]
    frames = moved.flows(names=group), moved.moves(names=group)
    sizes = moved.sizes(names=group)
    segments.record(ledger, moved.standing(rules=rules), sizes, frames[0], moves=frames[1])
    assert "segments_moved" in ledger
    assert "segments_left" not in ledger
    assert not any(claim.key for claim in ledger.claims())


def test_shares_that_are_missing_are_no_shares():
    sizes = moved.sizes().assign(revenue_share=pd.Series([pd.NA] * 3, dtype="Float64"))
    assert named(REVENUE, BEST) not in ledger_of(sizes=sizes)
