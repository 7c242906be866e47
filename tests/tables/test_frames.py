"""Claims of frames as a source: by names alone, in memory alone, worded for who hands them in."""

from __future__ import annotations

import pandas as pd
import pyarrow as pa
import pytest

from retention_lab.checks import BadParameter
from retention_lab.tables import frames, snapshot
from retention_lab.tables import source as sources

from .shops import ORDER_COLUMNS, shop

ORDERS = pd.DataFrame(
    {
        "order_id": [1, 2],
        "customer_id": ["ann", "bob"],
        "ordered_at": pd.to_datetime(["2025-01-05", "2025-03-01"]),
        "amount": [10.0, 20.5],
    }
)


def source(orders=ORDERS, /, settings=None, **others):
    """Make a source of frames."""
    about = {"name": "Shop", "time_zone": "UTC", "currency": "GBP"}
    return frames.source_of({"orders": orders, **others}, **about, settings=settings or {})


def test_columns_are_mapped_by_their_names_and_text_becomes_attributes():
    made = source(ORDERS.assign(country="UK", vip=True, age=40)).tables["orders"]
    assert {name: mapped.column for name, mapped in made.columns.items()} == ORDER_COLUMNS
    assert sorted(made.attributes) == ["country", "vip"]


def test_only_used_columns_are_handed_to_the_engine_unless_a_rule_could_name_others():
    frame = ORDERS.assign(age=40, tags=[["a"], ["b"]])
    (bare,) = source(frame).tables["orders"].rows
    (ruled,) = source(frame, settings={"orders": {"only": "age > 3"}}).tables["orders"].rows
    assert bare.rows.column_names == list(ORDER_COLUMNS)
    assert ruled.rows.column_names == [*ORDER_COLUMNS, "age"]  # a list is no plain value


def test_categories_of_any_type_are_read_as_what_they_stand_for():
    codes = pa.array([7, 8]).dictionary_encode()
    words = pa.array(["UK", None]).dictionary_encode()
    table = pa.Table.from_pandas(ORDERS).set_column(1, "customer_id", codes)
    taken = snapshot.take(source(table.append_column("country", words)))
    rows = taken.orders.order_by("order_id").execute()
    assert rows["customer_id"].tolist() == ["7", "8"]
    assert rows["country"].tolist() == ["UK", None]


def test_source_file_cannot_name_a_frame(tmp_path):
    for place in ({"kind": "frame"}, {"rows": "orders"}, {"format": "frame", "path": "a.csv"}):
        table = {"rows": place, "columns": dict(ORDER_COLUMNS)}
        with pytest.raises(BadParameter):
            shop(tmp_path, {"orders": table})


def test_rows_of_a_frame_are_in_no_text_of_its_source():
    made = source(ORDERS.assign(country="Narnia"))
    assert "Narnia" not in made.model_dump_json() + repr(made)


@pytest.mark.parametrize(
    ("name", "value", "table", "by_file", "by_frame"),
    [
        (
            "leave_out",
            ["missing amount"],
            "orders",
            '`leave_out: ["missing amount"]` in shop.yml under tables.orders',
            '`settings={"orders": {"leave_out": ["missing amount"]}}`',
        ),
        (
            "complete_to",
            "2025-03-01",
            "",
            "`complete_to: 2025-03-01` in shop.yml",
            '`settings={"complete_to": "2025-03-01"}`',
        ),
    ],
)
def test_setting_is_written_as_the_reader_would(name, value, table, by_file, by_frame):
    made = source()
    plain = sources.Source.model_construct(file="shop.yml")
    assert plain.setting(name, value, table=table) == by_file
    assert made.setting(name, value, table=table) == by_frame
    assert plain.option("as-of", "2025-03-01") == "--as-of 2025-03-01"
    assert made.option("as-of", "2025-03-01") == 'as_of="2025-03-01"'


@pytest.mark.parametrize(
    ("columns", "renamed"),
    [
        (
            ["Invoice", "Customer ID", "InvoiceDate", "Total"],
            '{"Invoice": "order_id", "Customer ID": "customer_id", "InvoiceDate": "ordered_at", '
            '"Total": "amount"}',
        ),
        (["order_id", "custmer_id", "ordered_at", "amount"], '{"custmer_id": "customer_id"}'),
        (["order_id", "x", "ordered_at", "amount"], '{"...": "customer_id"}'),
    ],
)
def test_missing_columns_come_with_the_line_that_renames_others(columns, renamed):
    with pytest.raises(BadParameter) as told:
        source(ORDERS.set_axis(columns, axis=1))
    assert f"df.rename(columns={renamed})" in str(told.value)
