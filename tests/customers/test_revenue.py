"""Revenue by month and its concentration."""

from __future__ import annotations

import datetime as dt
import math

import pandas as pd
import pytest

from retention_lab.checks import BadData, BadParameter
from retention_lab.customers.revenue import monthly_revenue, revenue_concentration

from .orders import oracle_days, order_table, random_rows

AS_OF = dt.date(2023, 11, 15)


@pytest.mark.parametrize("seed", range(2))
def test_monthly_revenue_agrees_with_pandas(seed):
    rows = random_rows(seed)
    days = oracle_days(rows, AS_OF)
    month = days["day"].dt.to_period("M").dt.start_time
    is_new = month == days["first"].dt.to_period("M").dt.start_time
    got = monthly_revenue(order_table(rows), as_of=AS_OF).set_index("month")
    new = days["revenue"].where(is_new, 0).groupby(month).sum()
    assert got["revenue_new"].tolist() == new.tolist()
    whole = got["revenue_new"] + got["revenue_returning"]
    assert whole.tolist() == days.groupby(month)["revenue"].sum().tolist()
    assert got["orders"].tolist() == days.groupby(month).size().tolist()
    assert got["customers"].tolist() == days.groupby(month)["customer_id"].nunique().tolist()
    first = days["customer_id"].where(is_new).groupby(month).nunique()
    assert got["customers_new"].tolist() == first.tolist()


def test_months_without_a_purchase_are_zero_and_the_month_in_progress_is_marked():
    orders = order_table([("a", "2023-08-20", 5), ("a", "2023-08-25", 2), ("a", "2023-10-01", 7)])
    got = monthly_revenue(orders, as_of=AS_OF)
    assert got["month"].dt.month.tolist() == [8, 9, 10, 11]
    assert got["revenue_new"].tolist() == [7, 0, 0, 0]
    assert got["revenue_returning"].tolist() == [0, 0, 7, 0]
    assert got["complete"].tolist() == [True, True, True, False]


def test_concentration_agrees_with_sorting_customers():
    rows = random_rows(6)
    spent = oracle_days(rows, AS_OF).groupby("customer_id")["revenue"].sum().sort_values()
    got = revenue_concentration(order_table(rows), as_of=AS_OF, top_shares=[0.05, 0.1, 0.5])
    counts = [math.ceil(len(spent) * percent / 100) for percent in (5, 10, 50)]
    assert got["customers"].tolist() == counts
    assert got["revenue"].tolist() == [spent.tail(count).sum() for count in counts]
    assert got["share"].tolist() == pytest.approx((got["revenue"] / spent.sum()).tolist())


def test_seven_percent_of_a_hundred_customers_are_seven():
    orders = order_table([(f"c{n}", "2023-01-01", 1) for n in range(100)])
    got = revenue_concentration(orders, as_of=AS_OF, top_shares=[0.07])
    assert got.to_numpy().tolist() == [[0.07, 7, 100, 7, 0.07]]


def test_revenue_of_nobody_or_of_nothing_is_refused():
    with pytest.raises(BadData, match="no revenue"):
        monthly_revenue(order_table([]), as_of=AS_OF)
    for rows in ([], [("a", "2023-01-01", 0)]):
        with pytest.raises(BadData, match="no revenue"):
            revenue_concentration(order_table(rows), as_of=AS_OF)


def test_a_top_share_is_a_share():
    with pytest.raises(BadParameter, match=r"pass 0\.2"):
        revenue_concentration(order_table([("a", "2023-01-01", 1)]), as_of=AS_OF, top_shares=[20])


def test_rows_after_as_of_change_nothing():
    rows = random_rows(2)
    early = rows[rows["ordered_on"] <= AS_OF.isoformat()]
    for function in (monthly_revenue, revenue_concentration):
        late, cut = (
            function(order_table(rows), as_of=AS_OF),
            function(order_table(early), as_of=AS_OF),
        )
        pd.testing.assert_frame_equal(late, cut)
