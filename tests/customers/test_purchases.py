"""Customer-days and the two clocks."""

from __future__ import annotations

import datetime as dt

import ibis
import pyarrow as pa
import pytest

from retention_lab.checks import BadData
from retention_lab.customers.purchases import (
    calendar_days_between,
    customer_days,
    elapsed_days_between,
    first_days,
)
from retention_lab.tables.engine import collect

from .orders import oracle_days, order_table, random_rows

AS_OF = dt.date(2023, 12, 31)


def test_orders_of_one_day_are_one_purchase_and_their_amounts_add_up():
    orders = order_table([("a", "2023-01-01", 3), ("a", "2023-01-01", 4), ("b", "2023-01-01", 5)])
    days = collect(customer_days(orders, as_of=AS_OF)).sort_values("customer_id")
    assert days[["customer_id", "orders", "revenue"]].to_numpy().tolist() == [
        ["a", 2, 7],
        ["b", 1, 5],
    ]


def test_days_after_as_of_are_left_out_and_as_of_itself_is_kept():
    orders = order_table([("a", "2023-12-31", 3), ("a", "2024-01-01", 4)])
    assert collect(customer_days(orders, as_of=AS_OF))["revenue"].tolist() == [3]


def test_days_and_first_days_agree_with_pandas():
    rows = random_rows(1)
    days = customer_days(order_table(rows), as_of=AS_OF)
    expected = oracle_days(rows, AS_OF)
    key = ["customer_id", "day"]
    got = collect(days).sort_values(key)[[*key, "orders", "revenue"]]
    assert got.to_numpy().tolist() == expected[[*key, "orders", "revenue"]].to_numpy().tolist()
    first = collect(first_days(days)).set_index("customer_id")["first_day"]
    assert first.to_dict() == expected.groupby("customer_id")["first"].first().to_dict()


def test_a_missing_column_is_named():
    with pytest.raises(BadData, match="ordered_on"):
        customer_days(order_table([]).drop("ordered_on"), as_of=AS_OF)


def test_clocks_agree_with_python_on_both_sides_of_midnight_and_of_1970():
    texts = [
        ("2024-03-01T23:45", "2024-03-02T00:01"),
        ("2024-02-28T08:00", "2024-03-01T07:59:59"),
        ("2024-02-28T08:00", "2024-03-01T08:00"),
        ("1969-12-30T12:00", "1970-01-02T11:00"),
    ]
    pairs = [tuple(map(dt.datetime.fromisoformat, pair)) for pair in texts]
    starts, ends = zip(*pairs, strict=True)
    table = ibis.memtable(pa.table({"start": pa.array(starts), "end": pa.array(ends)}))
    got = collect(
        table.select(
            calendar=calendar_days_between(table["start"].date(), table["end"].date()),
            elapsed=elapsed_days_between(table["start"], table["end"]),
        )
    )
    assert got["calendar"].tolist() == [(end.date() - start.date()).days for start, end in pairs]
    assert got["elapsed"].tolist() == [(end - start).days for start, end in pairs]
