"""What is recorded of customers who came back, and what is not."""

from __future__ import annotations

import datetime as dt

import pandas as pd
import pytest

from retention_lab.customers.kpis import RepeatPurchaseRate
from retention_lab.customers.newest import Cohort, Newest
from retention_lab.inference.proportions import difference, proportion
from retention_lab.record import SMALL, Ledger, comeback
from retention_lab.survival.daygrid import kaplan_meier, median_time, survival_at

AUGUST, JULY = dt.date(2026, 8, 1), dt.date(2026, 7, 1)


def newest_of(newest, before=None):
    month_before = None
    if before is not None:
        month_before = Cohort(month=JULY, customers=before[0], returned=before[1])
    cohort = Cohort(month=AUGUST, customers=newest[0], returned=newest[1])
    ledger = Ledger()
    comeback.newest(ledger, Newest(cohort=cohort, before=month_before), days=90)
    return ledger


def names(ledger):
    return {claim.name for claim in ledger.claims()}


def interval(claim):
    return claim.value, claim.low, claim.high


def test_newest_month_is_recorded_with_the_one_before_and_the_difference():
    ledger = newest_of((1000, 300), (800, 200))
    expected, change = proportion(300, 1000), difference(300, 1000, 200, 800)
    assert interval(ledger["returned"]) == (expected.value, expected.low, expected.high)
    assert interval(ledger["returned_change"]) == (change.value, change.low, change.high)
    assert ledger["returned_before"].value == 0.25
    assert ledger["returned_count"].value == 300
    assert ledger["returned"].n == 1000
    assert ledger["returned"].key
    assert not ledger["returned_before"].key
    assert ledger["returned_change"].unit == "points"
    assert ledger["returned_change"].about == "August 2026 against July 2026"


def test_newest_month_says_which_days_and_which_customers_it_describes():
    ledger = newest_of((1000, 300), (800, 200))
    assert ledger["returned"].period == "2026-08-01/2026-08-31"
    august = "first_ordered_on between date '2026-08-01' and date '2026-08-31'"
    assert ledger["returned"].population == august
    assert ledger["returned_count"].period == "2026-08-01/2026-08-31"
    assert ledger["returned_before"].period == "2026-07-01/2026-07-31"
    assert ledger["returned_change"].period == "2026-07-01/2026-08-31"


@pytest.mark.parametrize(
    ("newest", "before", "recorded"),
    [
        ((40, 20), None, {"returned", "returned_count"}),
        ((40, 20), (SMALL - 1, 0), {"returned", "returned_count"}),
        ((40, 20), (40, 3), {"returned", "returned_count"}),
        ((40, 0), (40, 3), {"returned", "returned_count"}),
        ((SMALL - 1, 0), (100, 50), set()),
        ((40, 3), (100, 50), set()),
        ((40, 37), (100, 50), set()),
    ],
)
def test_a_month_of_few_customers_is_not_recorded(newest, before, recorded):
    assert names(newest_of(newest, before)) == recorded


def test_nothing_is_recorded_of_no_month():
    ledger = Ledger()
    comeback.newest(ledger, None, days=90)
    assert ledger.claims() == []


@pytest.mark.parametrize(
    ("customers", "again", "recorded"),
    [(9, 0, False), (10, 0, True), (20, 10, True), (20, 9, False), (20, 11, False), (20, 20, True)],
)
def test_repeat_rate_is_recorded_where_it_tells_of_no_few(customers, again, recorded):
    ledger = Ledger()
    comeback.repeat(
        ledger,
        RepeatPurchaseRate(
            as_of=AUGUST,
            customers=customers,
            repeat_customers=again,
            share=proportion(again, customers),
        ),
    )
    assert ("repeat_rate" in ledger) is recorded


def repurchase_of(grid, *, days=90):
    ledger, curve = Ledger(), kaplan_meier(grid)
    comeback.repurchase(ledger, grid, curve, days=days)
    return ledger, curve


def grid_of(*rows):
    return pd.DataFrame(rows, columns=["day", "events", "censored"])


def test_share_who_bought_again_is_the_mirror_of_the_curve():
    ledger, curve = repurchase_of(grid_of((30, 40, 10), (60, 20, 20), (200, 0, 60)))
    at = survival_at(curve, [90]).iloc[0]
    expected = (1 - at["survival"], 1 - at["high"], 1 - at["low"])
    claim = ledger["bought_again_by"]
    assert interval(claim) == pytest.approx(expected)
    assert claim.low < claim.value < claim.high
    assert claim.n == 150
    assert claim.label == "Bought again within 90 days"


def test_share_who_bought_again_is_read_as_far_as_enough_customers_were_followed():
    ledger, _ = repurchase_of(grid_of((30, 15, 5), (60, 0, 20), (80, 1, SMALL - 2)))
    assert ledger["bought_again_by"].label == "Bought again within 60 days"
    ledger, _ = repurchase_of(grid_of((1, 15, 50), (80, 1, SMALL - 2)))
    assert ledger["bought_again_by"].label == "Bought again within 1 day"


def test_nothing_is_recorded_where_few_were_followed_for_a_day():
    ledger, _ = repurchase_of(grid_of((0, 0, 50), (5, 3, SMALL - 4)))
    assert ledger.claims() == []


def test_median_has_its_interval_where_both_ends_were_reached():
    grid = grid_of(*((day, 5, 0) for day in range(1, 41)))
    ledger, curve = repurchase_of(grid)
    median = median_time(curve)
    assert interval(ledger["median_days_again"]) == (median.days, median.low, median.high)
    assert ledger["median_days_completed"].value == 20.5


def test_median_without_an_upper_end_has_no_interval():
    ledger, curve = repurchase_of(grid_of((10, 52, 0), (200, 0, 48)))
    assert median_time(curve).high is None
    assert interval(ledger["median_days_again"]) == (10, None, None)


def test_median_among_few_who_were_followed_is_not_recorded():
    ledger, curve = repurchase_of(grid_of((10, 20, 75), (50, 5, 4)))
    assert median_time(curve).days == 50
    assert "median_days_again" not in ledger
    assert ledger["median_days_completed"].n == 25


def test_completed_median_of_few_is_not_recorded():
    ledger, _ = repurchase_of(grid_of((10, SMALL, 0), (200, 0, 48)))
    assert names(ledger) == {"bought_again_by", "median_days_completed"}
    ledger, _ = repurchase_of(grid_of((10, SMALL - 1, 0), (200, 0, 48)))
    assert names(ledger) == set()
