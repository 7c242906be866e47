"""Claims of what the lab records and says for one question: the numbers, word for word."""

from __future__ import annotations

import types

import pandas as pd
import pytest

from retention_lab.inference.proportions import proportion
from retention_lab.record import Ledger, asked
from retention_lab.wording import asked as sentences


def means(share=0.25, size=40, cohorts=3):
    """Return weighted means of one period."""
    return pd.DataFrame({"period": [1], "cohorts": [cohorts], "size": [size], "share": [share]})


def test_mean_is_the_share_of_all_customers_of_complete_cohorts():
    ledger = Ledger()
    asked.mean(ledger, means())
    claim, exact = ledger["mean"], proportion(10, 40)
    assert (claim.value, claim.low, claim.high) == (exact.value, exact.low, exact.high)
    assert sentences.mean_of_cohorts(ledger, unit="Calendar month") == (
        "About 25 in 100 of all 40 customers (25.0\N{NO-BREAK SPACE}%, 14.2 to 40.2) of 3 complete "
        "cohorts bought in the first calendar month after that of their first purchase."
    )


@pytest.mark.parametrize("frame", [means(size=9), means(share=None), means().iloc[:0]])
def test_mean_of_few_or_of_nobody_is_not_recorded(frame):
    ledger = Ledger()
    asked.mean(ledger, frame)
    assert sentences.mean_of_cohorts(ledger, unit="Calendar month") == (
        "The first calendar month is not over yet for 10 customers of one cohort."
    )


def test_groups_are_told_with_intervals_and_no_word_of_effect():
    ledger = Ledger()
    asked.mean(ledger, means(), name="UK", group="UK")
    asked.mean(ledger, means(0.5, 20), name="France", group="France")
    said = sentences.mean_by_group(
        ledger.claims(), by="home_country", unit="30-day window", few=["Malta"]
    )
    assert said.replace("\N{NO-BREAK SPACE}", " ") == (
        "Bought in the first 30-day window after that of their first purchase, by home country: "
        "UK 25.0 % (14.2 to 40.2); France 50.0 % (29.9 to 70.1). Groups differ in who is in them, "
        "so a difference between them is not the effect of anything done for them. Not drawn, with "
        "fewer than 10 customers: Malta."
    )


def test_best_customers_are_counted_and_few_of_them_not_shown():
    frame = pd.DataFrame(
        {"top_share": [0.1, 0.2], "customers": [9, 18], "of": 90, "share": [0.4, 0.62]}
    )
    ledger = Ledger()
    asked.concentration(ledger, frame)
    assert sentences.concentration(ledger).replace("\N{NO-BREAK SPACE}", " ") == (
        "The best 20 % of customers (18) brought 62.0 % of all revenue."
    )


def months(*customers):
    """Months that are over, with so many customers each, and of them so many new ones."""
    every, new = zip(*customers, strict=True)
    return pd.DataFrame(
        {
            "month": pd.date_range("2023-01-01", periods=len(every), freq="MS"),
            "revenue_new": 3_000,
            "revenue_returning": 1_000,
            "customers": every,
            "customers_new": new,
            "complete": True,
        }
    )


@pytest.mark.parametrize(
    ("frame", "recorded"),
    [
        (months((40, 40), (40, 20)), ["revenue", "returning_share"]),
        (months((40, 40), (40, 31)), ["revenue"]),
        (months((40, 40), (40, 9)), []),
        (months((40, 40), (9, 9)), []),
        # The second smallest would give the smallest back.
        (months((40, 40), (9, 9), (12, 12)), []),
    ],
    ids=["both are many", "few return", "few are new", "few in all", "beside a few"],
)
def test_month_is_told_as_far_as_it_tells_of_no_few(frame, recorded):
    shop = types.SimpleNamespace(minor_per_unit=100, currency="GBP")
    ledger = Ledger()
    asked.last_month(ledger, frame, shop)
    assert [claim.name for claim in ledger.claims()] == recorded
    said = sentences.last_month(ledger)
    assert ("of that" in said.lower()) == (len(recorded) == 2)
    assert recorded or said == (
        "No month is over yet, or the last would tell of fewer than 10 customers."
    )


def test_gaps_are_told_with_those_that_are_still_open():
    grid = pd.DataFrame({"day": [10, 20, 30], "events": [6, 6, 0], "censored": [0, 0, 8]})
    ledger = Ledger()
    asked.gaps(ledger, grid)
    # 20 gaps: 14 open after day 10, 8 after day 20, so half have ended by day 20; of the 12 that
    # ended, the sixth took 10 days and the seventh 20.
    assert ledger["median_gap"].value == 20
    assert ledger["median_closed_gap"].value == 15
    assert "Among the 12 gaps that ended, the median is 15 days" in sentences.gaps(ledger)
    few = Ledger()
    asked.gaps(few, grid.assign(events=[6, 3, 0]))
    assert sentences.gaps(few).startswith("Fewer than 10 times")
