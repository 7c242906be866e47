"""The purchase summary: one row per customer, as known on a day."""

from __future__ import annotations

import datetime as dt

import ibis
import pandas as pd
import pyarrow as pa
import pytest

from retention_lab.checks import BadData, BadParameter
from retention_lab.customers.summary import patterns, purchases
from retention_lab.tables.engine import collect

from .orders import oracle_days, order_table, random_rows

AS_OF = dt.date(2023, 11, 15)


def return_table(rows):
    """Ibis returns from (customer, ISO day, amount) triples."""
    return order_table(rows).rename(returned_on="ordered_on")


def summary_of(rows, returns=None, *, as_of=AS_OF, within=None):
    """Collect a summary, by customer."""
    got = collect(purchases(order_table(rows), returns, as_of=as_of, within=within))
    return got.set_index("customer_id").sort_index()


@pytest.mark.parametrize("seed", range(3))
def test_summary_agrees_with_pandas(seed):
    rows = random_rows(seed)
    days = oracle_days(rows, AS_OF).sort_values(["customer_id", "day"])
    by = days.groupby("customer_id")
    first, last, end = by["day"].min(), by["day"].max(), pd.Timestamp(AS_OF)
    want = pd.DataFrame(
        {
            "first_day": first,
            "frequency": by.size() - 1,
            "recency": (last - first).dt.days,
            "T": (end - first).dt.days,
            "last_days": (end - last).dt.days,
            "purchases": by.size(),
            "revenue": by["revenue"].sum(),
            "repeat_revenue": by["revenue"].sum() - by["revenue"].first(),
        }
    )
    want["gap"] = (want["recency"] / want["frequency"]).where(want["frequency"] > 0)
    want = want.assign(purchases_within=want["purchases"], revenue_within=want["revenue"])
    got = summary_of(rows)
    pd.testing.assert_frame_equal(got, want, check_dtype=False)
    assert (got.drop(columns=["first_day", "gap"]).dtypes == "int64").all()


@pytest.mark.parametrize("within", [1, 90, 10_000])
def test_the_window_holds_its_days_and_no_other(within):
    rows = random_rows(3)
    end, start = pd.Timestamp(AS_OF), pd.Timestamp(AS_OF) - pd.Timedelta(days=within)
    days = oracle_days(rows, AS_OF)
    got = summary_of(rows, within=within)
    recent = days[(days["day"] > start) & (days["day"] <= end)].groupby("customer_id")
    for column, want in (("purchases", recent.size()), ("revenue", recent["revenue"].sum())):
        counted = want.reindex(got.index, fill_value=0)
        assert got[f"{column}_within"].tolist() == counted.tolist()
    everything = got.drop(columns=["purchases_within", "revenue_within"])
    pd.testing.assert_frame_equal(everything, summary_of(rows)[everything.columns])


def test_who_bought_nothing_within_has_none_and_may_have_sent_back_more():
    orders = [("a", "2023-01-01", 500), ("b", "2023-11-06", 500), ("c", "2023-11-05", 500)]
    back = return_table([("a", "2023-11-06", 90), ("b", "2023-11-05", 70), ("c", "2023-11-16", 9)])
    got = summary_of(orders, back, within=10)  # 6 to 15 November
    assert got["purchases_within"].to_dict() == {"a": 0, "b": 1, "c": 0}
    assert got["revenue_within"].to_dict() == {"a": -90, "b": 500, "c": 0}
    assert got["revenue"].to_dict() == {"a": 410, "b": 430, "c": 500}


def test_a_window_of_no_day_is_refused():
    with pytest.raises(BadParameter, match="within must be at least 1, got 0"):
        summary_of([], within=0)


def test_orders_of_one_day_are_one_purchase_and_its_revenue_the_sum():
    got = summary_of([("a", "2023-11-01", 5), ("a", "2023-11-01", 7), ("a", "2023-11-11", 3)])
    assert got.loc["a"].tolist()[1:] == [1, 10, 14, 4, 2, 15, 3, 10.0, 2, 15]


def test_returns_are_taken_off_at_their_own_time():
    orders = [("a", "2023-11-01", 500), ("b", "2023-11-01", 500)]
    back = return_table([("a", "2023-11-10", 100), ("a", "2023-11-15", 50), ("c", "2023-11-10", 9)])
    for day, revenue in ((9, 500), (10, 400), (15, 350)):
        got = summary_of(orders, back, as_of=dt.date(2023, 11, day))
        assert got["revenue"].to_dict() == {"a": revenue, "b": 500}
    assert got.columns.tolist() == summary_of(orders).columns.tolist()


def test_spend_may_be_zero_or_below_and_is_kept():
    back = return_table([("b", "2023-11-10", 700)])
    got = summary_of([("a", "2023-11-01", 0), ("b", "2023-11-01", 500)], back)
    assert got["revenue"].to_dict() == {"a": 0, "b": -200}
    assert got["repeat_revenue"].tolist() == [0, 0]


def test_a_purchase_on_the_day_itself_has_no_age_and_no_gap():
    got = summary_of([("a", AS_OF.isoformat(), 5)])
    assert got.drop(columns="gap").loc["a"].tolist()[1:] == [0, 0, 0, 0, 1, 5, 0, 1, 5]
    assert got["gap"].isna().all()


def test_a_hundred_thousand_orders_of_one_customer_are_as_many_purchases_as_days():
    days = pd.date_range("2023-01-01", AS_OF).strftime("%Y-%m-%d")
    rows = pd.DataFrame({"customer_id": "bot", "ordered_on": list(days) * 314, "amount": 10**12})
    assert len(rows) > 100_000
    got = summary_of(rows).loc["bot"]
    assert got["purchases"] == len(days)
    assert got["revenue"] == len(rows) * 10**12
    assert got["gap"] == 1


@pytest.mark.parametrize("seed", range(2))
def test_rows_after_as_of_change_nothing(seed):
    rows = random_rows(seed)
    early = rows[rows["ordered_on"] <= AS_OF.isoformat()]
    pd.testing.assert_frame_equal(summary_of(rows), summary_of(early))


def test_patterns_count_every_customer_once():
    rows = random_rows(4)
    summary = purchases(order_table(rows), as_of=AS_OF)
    want = collect(summary).groupby(["frequency", "recency", "T"]).size()
    got = patterns(summary)
    assert got.columns.tolist() == ["frequency", "recency", "T", "weight"]
    assert (got.dtypes == "int64").all()
    assert got.set_index(["frequency", "recency", "T"])["weight"].to_dict() == want.to_dict()


def test_a_shop_in_which_nobody_has_bought_has_an_empty_summary_and_no_patterns():
    summary = purchases(order_table([("a", "2024-01-01", 1)]), as_of=AS_OF)
    assert collect(summary).empty
    with pytest.raises(BadData, match="Nobody has bought"):
        patterns(summary)


def test_a_table_without_a_column_is_refused():
    table = ibis.memtable(pa.table({"customer_id": pa.array([], pa.string())}))
    with pytest.raises(BadData, match="orders lacks the column"):
        purchases(table, as_of=AS_OF)
    with pytest.raises(BadData, match="returns lacks the column"):
        purchases(order_table([]), table, as_of=AS_OF)
