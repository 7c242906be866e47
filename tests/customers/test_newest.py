"""The newest month that can be judged, and the one before."""

from __future__ import annotations

import datetime as dt

import pandas as pd
import pytest

from retention_lab.checks import BadData
from retention_lab.customers import cohorts
from retention_lab.customers.newest import (
    Cohort,
    Newest,
    newest_complete,
    next_complete,
    well_followed,
)
from retention_lab.customers.repurchase import first_repeat_grid
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


def test_an_estimate_that_rests_on_few_is_withdrawn_and_an_observation_is_not():
    returned = months(*((f"2026-0{n}-01", 20, 4, n == 1) for n in (1, 2, 3, 4))).assign(
        method=["observed", "estimated", "estimated", "too early"],
        share=pd.array([0.2, 0.2, 0.2, None], dtype="Float64"),
        low=pd.array([0.1, 0.1, 0.1, None], dtype="Float64"),
        high=pd.array([0.3, 0.3, 0.3, None], dtype="Float64"),
    )
    # Of February nine have waited for 30 days; of March ten, who were not seen on any later day.
    grid = pd.DataFrame(
        [
            ("2026-01-01", 40, 1, 0),
            ("2026-02-01", 29, 4, 7),
            ("2026-02-01", 30, 1, 3),
            ("2026-02-01", 35, 0, 5),
            ("2026-03-01", 5, 0, 10),
            ("2026-03-01", 30, 2, 8),
        ],
        columns=["cohort", "day", "events", "censored"],
    )
    grid["cohort"] = pd.to_datetime(grid["cohort"])
    judged = well_followed(returned, grid, days=30, least=10)
    assert judged["method"].tolist() == ["observed", "too early", "estimated", "too early"]
    for column in ("share", "low", "high"):
        assert judged[column].isna().tolist() == [False, True, False, True]
        assert judged[column].dtype == "Float64"
    assert returned["share"].notna().sum() == 3  # what was given is left as it was


def test_nothing_is_withdrawn_of_months_that_many_have_lived_through():
    rows, as_of, days = random_rows(1, customers=4_000), dt.date(2023, 12, 15), 60
    orders = order_table(rows)
    returned = cohorts.returned(orders, as_of=as_of, days=days)
    grid = first_repeat_grid(orders, as_of=as_of)
    assert "estimated" in set(returned["method"])
    pd.testing.assert_frame_equal(well_followed(returned, grid, days=days, least=10), returned)


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
