"""What is said of cohorts and of how customers came, word for word."""

from __future__ import annotations

import re
from dataclasses import replace

import pandas as pd
import pytest

from retention_lab.customers.acquisition import Acquired, Gap
from retention_lab.inference.interval import Interval
from retention_lab.survival.logrank import LogRank
from retention_lab.wording import acquisition as words

DIFFER = LogRank(statistic=9.0, degrees_of_freedom=1, p_value=0.003, groups=pd.DataFrame())
SHARES = pd.DataFrame(
    {
        "group": ["web", "shop"],
        "customers": [400, 300],
        "share": [0.32, 0.19],
        "low": [0.27, 0.15],
        "high": [0.37, 0.24],
    }
)
GAP = Gap(high="web", low="shop", points=Interval(value=0.13, low=0.04, high=0.22))
CLEAR = Acquired(
    by="acquisition_channel",
    days=90,
    grids={},
    shares=SHARES,
    gap=GAP,
    differ=DIFFER,
    p_value=0.006,
    why="",
)
CHANCE = replace(CLEAR, by="country", p_value=0.4)
MISSING = replace(
    CLEAR, by="first_family", differ=None, p_value=None, why="only one group has 10 customers"
)
FORBIDDEN = re.compile(r"significant|\bp\b|hazard|driver|log-rank|\bnan\b", re.IGNORECASE)


def read(text):
    """Give a sentence plain spaces and apostrophes."""
    assert not FORBIDDEN.search(text)
    assert "  " not in text
    return text.translate({0xA0: " ", 0x2019: "'", 0x201C: '"', 0x201D: '"'})


def drawn(*cells):
    """The data table of a revenue triangle."""
    columns = ["cohort", "size", "period", "mean", "low", "high"]
    return pd.DataFrame([*cells], columns=columns)


def test_the_newest_two_cohorts_are_compared_by_the_same_month():
    table = drawn(
        ("May 2026", 90, 3, 50.0, 45.0, 55.0),
        ("Jun 2026", 80, 3, 60.0, 56.0, 64.0),
        ("Jun 2026", 80, 4, 66.0, 61.0, 71.0),
        ("Jul 2026", 70, 3, 48.0, 45.0, 51.0),
        ("Jul 2026", 70, 4, None, None, None),
    )
    # Of independent means: -12 with arms of 5 on both sides, by Pythagoras of 3 and 4.
    assert read(words.revenue_triangle(table, currency="GBP")) == (
        "By the end of 3 calendar months after the month of their first purchase, the 70 customers "
        "who first bought in July 2026 had brought £48.00 each on average (£45.00 to £51.00), "
        "those of June 2026 £60.00 (£56.00 to £64.00); that is £12.00 lower (£7.00 to £17.00 "
        "lower). Everybody who first bought in the month counts, also those who never came back; "
        "what was sent back is not taken off. Hatched cells are incomplete and excluded; the last "
        "column rests on 1 cohort."
    )


def test_a_difference_whose_range_holds_zero_may_be_chance():
    table = drawn(("Jun 2026", 80, 1, 60.0, 56.0, 64.0), ("Jul 2026", 70, 1, 59.0, 56.0, 62.0))
    text = read(words.revenue_triangle(table, currency="GBP"))
    assert "the difference may be chance (£6.00 lower to £4.00 higher)" in text
    assert "By the end of 1 calendar month after" in text


def test_one_cohort_stands_alone_and_none_says_nothing():
    text = words.revenue_triangle(drawn(("Jul 2026", 70, 0, 9.0, 8.0, 10.0)), currency="GBP")
    assert read(text).startswith(
        "By the end of the month of their first purchase, the 70 customers who first bought in "
        "July 2026 had brought £9.00 each on average (£8.00 to £10.00). Everybody"
    )
    assert words.revenue_triangle(pd.DataFrame(), currency="GBP") == ""


def returned(*cohorts):
    columns = ["cohort", "customers", "returned", "complete"]
    frame = pd.DataFrame([*cohorts], columns=columns)
    return frame.assign(cohort=pd.to_datetime(frame["cohort"]))


def test_the_newest_complete_month_stands_beside_the_one_before():
    frame = returned(
        ("2026-07-01", 1000, 300, True),
        ("2026-08-01", 1000, 260, True),
        ("2026-09-01", 900, 90, False),
    )
    # Newcombe's interval of 260 and 300 of 1,000 by statsmodels: -0.0791 to -0.0007.
    assert read(words.first_repeat(frame, days=30)) == (
        "Of 1,000 customers who first bought in August 2026, 260, about 26 in 100 (26.0 %, 23.4 to "
        "28.8), bought again within 30 days. July 2026's figure was 30.0 %, so this is 4.0 points "
        "lower (plausibly 0.1 to 7.9 lower). Newer customers have had less time; compare only "
        "complete months."
    )


@pytest.mark.parametrize(
    ("frame", "begins"),
    [
        (returned(("2026-09-01", 90, 9, False)), "No month of new customers has been followed"),
        (returned(("2026-09-01", 9, 3, True)), "Fewer than 10 customers first bought in"),
        (returned(("2026-09-01", 90, 3, True)), "Of 90 customers who first bought in September"),
    ],
)
def test_a_month_that_cannot_be_shown_is_a_sentence(frame, begins):
    text = read(words.first_repeat(frame, days=30))
    assert text.startswith(begins)
    assert "%" not in text


def test_the_attribute_beyond_chance_is_named_with_its_widest_gap():
    assert read(words.acquired([CLEAR, CHANCE, MISSING])) == (
        "How soon customers come back differs by acquisition channel, more than chance gives "
        "(2 attributes compared, which is allowed for); by country it may be chance. By "
        "acquisition channel, the furthest apart within 90 days are about 32 in 100 customers of "
        'acquisition channel "web" (32.0 %, 27.0 to 37.0) and about 19 in 100 customers of '
        'acquisition channel "shop" (19.0 %, 15.0 to 24.0): 13.0 points (4.0 to 22.0). Not '
        "compared by product family of the first order: only one group has 10 customers. "
        f"{words.DIFFER}"
    )


def test_a_widest_gap_that_holds_zero_may_be_chance():
    gap = replace(GAP, points=Interval(value=0.13, low=-0.02, high=0.28))
    text = read(words.acquired([replace(CLEAR, gap=gap)]))
    assert "13.0 points (-2.0 to 28.0), which may be chance." in text
    assert "points" not in words.acquired([replace(CLEAR, gap=None)])


def test_nothing_beyond_chance_names_no_group():
    text = read(words.acquired([CHANCE, replace(CHANCE, by="first_coupon")]))
    assert text == (
        "How soon customers come back differs no more than chance may give, compared by country "
        "and by coupon or discount on the first order: read nothing into the order of the lines. "
        f"{words.DIFFER}"
    )


def test_nothing_to_compare_is_said():
    assert words.acquired([]) == words.NO_ATTRIBUTE
    assert words.acquired([MISSING]) == (
        "Not compared by product family of the first order: only one group has 10 customers."
    )


def test_what_somebody_named_is_no_markup():
    shares = SHARES.assign(group=["*web*", "shop"])
    text = words.acquired([replace(CLEAR, shares=shares, gap=replace(GAP, high="*web*"))])
    assert "\\*web\\*" in text
