"""The sentences of moves, cut lines and reviews, word for word."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest

from retention_lab.customers.rfm import Cuts
from retention_lab.wording import Instead
from retention_lab.wording import moved as said

from ..customers import moved  # noqa: TID252  one maker of standings
from ..customers.moved import COUNTS, made, slipping  # noqa: TID252

KNOWN = {"segments_customers"}  # all that these sentences ask of a ledger


def read(text):
    """Give a sentence plain spaces and apostrophes."""
    return text.translate({0xA0: " ", 0x2019: "'", 0x201C: '"', 0x201D: '"'})


def test_moves_stand_beside_those_by_new_lines_and_by_luck():
    sentence = read(said.segments_moved(*made(review=moved.review())))
    assert sentence == (
        "With the same cut lines on both days, 560 of the 8,460 customers of 31 August 2026 "
        "changed cohort. Lines drawn anew today would move 340 to another named segment, only "
        'because they were redrawn. Of 170 moves of long-standing customers out of "high-value '
        'repeat" or into it, about 85 (72 to 98) are out of it by luck alone; 90 were.'
    )
    unmoved = read(said.segments_moved(*made(review=moved.review(moving=0))))
    assert "would move nobody to another" in unmoved
    assert said.segments_moved(*made(then=None)) == ""


def test_nobody_who_moved_is_said_so():
    still = COUNTS * np.eye(3, dtype="int64")
    assert ", none of the 7,900 customers" in said.segments_moved(*made(counts=still, long=still))


def test_moves_of_a_few_are_not_counted():
    counts = COUNTS.copy()
    counts[1, 2] = 4
    sentence = said.segments_moved(*made(counts=counts, long=slipping(4, 80)))
    assert sentence == "How many changed cohort would tell of fewer than 10 customers."


def test_lines_are_listed_in_days_purchases_and_money():
    table = said.segments_lines(KNOWN, moved.standing())
    assert list(table.columns) == [f"Score {score}" for score in range(1, 6)]
    assert table.loc["Days since the last purchase"].tolist() == [
        *("121 or more", "91 to 120", "61 to 90", "31 to 60", "0 to 30"),
    ]
    assert table.loc["Days with a purchase in the last 365 days"].tolist() == [
        *("0 to 1", "nobody", "2 to 3", "4 to 6", "7 or more"),
    ]
    assert table.loc["Spent less returns (GBP) in the last 365 days"].tolist() == [
        *("under £19.50", "£19.50 to under £50.00", "nobody", "£50.00 to under £1,500"),
        "£1,500 or more",
    ]


def test_single_numbers_and_lines_at_nought_are_written_plainly():
    cuts = moved.CUTS.model_dump() | {"frequency": {"all": (0, 1, 2, 3)}}
    lines = moved.lines(cuts=Cuts(**cuts))
    table = said.segments_lines(KNOWN, moved.standing(thresholds=lines))
    assert table.loc["Days with a purchase in the last 365 days"].tolist() == [
        *("nobody", "0", "1", "2", "3 or more"),
    ]


def test_nested_lines_are_listed_by_the_scores_before_them():
    recency = {str(score): (1, 2, 3, 4) for score in range(1, 6)}
    cuts = Cuts(**(moved.CUTS.model_dump() | {"frequency": recency}))
    table = said.segments_lines(
        KNOWN, moved.standing(thresholds=moved.lines(cuts=cuts, method="nested"))
    )
    assert len(table) == 7
    assert "Days with a purchase in the last 365 days, where recency is 5" in table.index


def test_frozen_lines_name_their_owner_and_the_day_of_their_review():
    assert said.segments_lines_read(moved.standing()) == (
        "The cut lines are frozen since 1 January 2026, so that each score had about as many of "
        "those who bought as ties allow. Insights answers for them and reviews them by 31 March "
        "2027."
    )


def test_lines_of_a_few_customers_are_not_shown():
    assert said.segments_lines(set(), moved.standing()) == Instead("")


def test_lines_from_after_the_day_of_a_page_are_said_to_be_so():
    late = moved.lines(as_of=moved.AS_OF + dt.timedelta(days=1))
    sentence = said.segments_lines_read(moved.standing(thresholds=late))
    assert "which could not have known them" in sentence


@pytest.mark.parametrize(("due", "passed"), [(moved.AS_OF, False), (moved.THEN, True)])
def test_review_that_is_overdue_is_said_so(due, passed):
    lines = moved.lines(review_by=due, method="fixed")
    sentence = said.segments_lines_read(moved.standing(thresholds=lines))
    overdue = f"**Their review was due by {due.day} {due:%B %Y}; ask Insights whether they"
    assert (overdue in sentence) == passed
    assert "as somebody wrote them down" in sentence


def test_lines_that_nobody_froze_are_said_so():
    lines = moved.lines(as_of=moved.THEN, review_by=dt.date(2020, 1, 1))
    assert said.segments_lines_read(moved.standing(frozen=False, thresholds=lines)) == (
        "No cut lines are frozen. These are drawn of the customers of 31 August 2026, so that each "
        "score had about as many of those who bought as ties allow; the next page draws others, "
        "unless you freeze some with `retention-lab cuts SOURCE`."
    )


def test_review_says_how_far_customers_drifted_and_what_the_index_means():
    assert read(said.segments_review(moved.review())) == (
        "How far the scores of today's customers lie from those of the day of the lines: recency "
        "0.004 (no more than chance); frequency 0.120 (drifting); monetary 0.300 (far off). This "
        "stability index is 0 where each score has the same share of customers on both days; below "
        "0.1 is called steady, from 0.25 on a reason to draw new lines. It does not say whether "
        "the change is good. Lines drawn of today's customers would put 340 customers of 9,000 "
        "into another named segment."
    )
    assert "monetary 0.050 (more than chance, but steady)" in said.segments_review(
        moved.review(index=(0.004, 0.12, 0.05))
    )


@pytest.mark.parametrize(
    ("moving", "words"),
    [(0, "nobody of 9,000"), (3, "fewer than 10 customers of 9,000"), (8_998, "nearly everybody")],
)
def test_review_tells_of_no_few(moving, words):
    assert words in said.segments_review(moved.review(moving=moving))


def test_no_review_is_no_sentence():
    assert said.segments_review(None) == ""
    assert said.segments_review(moved.review(customers=5, moving=0)) == ""
