"""The newest month that can be judged, and the one before."""

from __future__ import annotations

import datetime as dt

import pandas as pd
import pytest

from retention_lab.checks import BadData
from retention_lab.customers import cohorts
from retention_lab.customers.newest import Cohort, Newest, newest_complete, next_complete
from retention_lab.inference.proportions import difference, proportion

from .orders import oracle_days, order_table, random_rows


def months(*rows):
    frame = pd.DataFrame(rows, columns=["cohort", "customers", "returned", "complete"])
    return frame.assign(cohort=pd.to_datetime(frame["cohort"]))


def test_newest_complete_month_stands_beside_the_month_before():
    found = newest_complete(
        months(
            ("2025-11-01", 50, 5, True),
            ("2025-12-01", 200, 60, True),
            ("2026-01-01", 100, 40, True),
            ("2026-02-01", 90, 9, False),
        )
    )
    assert found.cohort == Cohort(month=dt.date(2026, 1, 1), customers=100, returned=40)
    assert found.before == Cohort(month=dt.date(2025, 12, 1), customers=200, returned=60)
    assert found.cohort.share == proportion(40, 100)
    assert found.change == difference(40, 100, 60, 200)
    assert found.change.value == pytest.approx(0.1)


def test_a_month_without_customers_is_not_jumped_over():
    found = newest_complete(months(("2025-10-01", 50, 5, True), ("2026-01-01", 100, 40, True)))
    assert found.before is None
    with pytest.raises(BadData, match="no complete month before January 2026"):
        _ = found.change


def test_order_of_the_rows_does_not_matter():
    rows = [("2026-02-01", 7, 1, False), ("2026-01-01", 100, 40, True), ("2025-12-01", 9, 3, True)]
    assert newest_complete(months(*rows)) == newest_complete(months(*reversed(rows)))
    assert next_complete(months(*rows)) == next_complete(months(*reversed(rows)))


def test_nothing_complete_yet_is_an_answer():
    young = months(("2026-01-01", 100, 40, False), ("2026-02-01", 1, 0, False))
    assert newest_complete(young) is None
    assert next_complete(young) == dt.date(2026, 1, 1)


def test_no_month_comes_next_where_nobody_has_joined_since():
    assert next_complete(months(("2026-01-01", 100, 40, True))) is None


@pytest.mark.parametrize("function", [newest_complete, next_complete])
def test_a_missing_column_is_refused(function):
    with pytest.raises(BadData, match="returned lacks the column"):
        function(months(("2026-01-01", 100, 40, True)).drop(columns="complete"))


@pytest.mark.parametrize("seed", range(2))
def test_newest_of_random_orders_agrees_with_pandas(seed):
    rows, as_of, days = random_rows(seed, customers=400), dt.date(2023, 12, 15), 60
    visits = oracle_days(rows, as_of)
    first = visits.drop_duplicates("customer_id").set_index("customer_id")["first"]
    waited = (visits["day"] - visits["first"]).dt.days
    back = set(visits.loc[waited.between(1, days), "customer_id"])
    # Of those who joined in September and October, all have had 60 days by 15 December only in the
    # first.
    september = set(first.index[first.dt.to_period("M") == "2023-09"])
    august = set(first.index[first.dt.to_period("M") == "2023-08"])
    returned = cohorts.returned(order_table(rows), as_of=as_of, days=days)
    assert newest_complete(returned) == Newest(
        cohort=Cohort(
            month=dt.date(2023, 9, 1),
            customers=len(september),
            returned=len(september & back),
        ),
        before=Cohort(
            month=dt.date(2023, 8, 1), customers=len(august), returned=len(august & back)
        ),
    )
    assert next_complete(returned) == dt.date(2023, 10, 1)
