"""The door out of the engine."""

from __future__ import annotations

import datetime as dt

import ibis
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from retention_lab.checks import BadData
from retention_lab.tables.engine import collect, stream


def table(**columns):
    return ibis.memtable(pa.table(columns))


@pytest.mark.parametrize(
    ("values", "full", "missing"),
    [
        (pa.array([dt.date(2024, 1, 2)]), "datetime64[ns]", "datetime64[ns]"),
        (pa.array([0], pa.timestamp("us")), "datetime64[ns]", "datetime64[ns]"),
        (pa.array([3], pa.int32()), "int64", "Int64"),
        (pa.array([True]), "bool", "boolean"),
        (pa.array([1.5], pa.float32()), "float64", "float64"),
        (pa.array(["a"]), "object", "object"),
    ],
)
def test_collect_gives_each_kind_one_dtype(values, full, missing):
    assert collect(table(x=values))["x"].dtype == full
    null = pa.nulls(1, values.type)
    assert collect(table(x=pa.chunked_array([values, null])))["x"].dtype == missing


def test_collect_keeps_sums_of_squares_exact_beyond_64_bits():
    big = table(x=pa.array([10**15 + 1, 1]))
    square = big["x"].cast("decimal(19, 0)") * big["x"].cast("decimal(18, 0)")
    got = collect(big.agg(total=square.sum().cast("decimal(38, 0)"), small=big["x"].sum()))
    assert got["total"].item() == (10**15 + 1) ** 2 + 1
    assert got["small"].dtype == "int64"


def test_collect_gives_small_whole_decimals_as_int64_and_fractions_as_float():
    numbers = table(x=pa.array([7, 8]))["x"]
    whole = numbers.cast("decimal(20, 0)").name("whole")
    part = numbers.cast("decimal(20, 2)").name("part")
    got = collect(numbers.as_table().select(whole, part))
    assert got.dtypes.astype(str).tolist() == ["int64", "float64"]


def test_collect_refuses_a_table_that_nobody_collapsed():
    rows = table(x=pa.array(range(11)))
    assert len(collect(rows, max_rows=11)) == 11
    with pytest.raises(BadData, match="more than 10 rows"):
        collect(rows, max_rows=10)


def test_stream_yields_every_row_in_small_batches_of_the_declared_types():
    rows = table(x=pa.array(range(5000)))
    batches = list(stream(rows.group_by("x").agg(total=rows["x"].sum()), chunk_rows=2048))
    assert sum(batch.num_rows for batch in batches) == 5000
    assert max(batch.num_rows for batch in batches) <= 2048
    assert {batch.schema.field("total").type for batch in batches} == {pa.int64()}
    assert sum(pc.sum(batch["total"]).as_py() for batch in batches) == sum(range(5000))


def test_stream_of_no_rows_is_empty():
    rows = table(x=pa.array([1]))
    assert sum(batch.num_rows for batch in stream(rows.filter(rows["x"] > 1))) == 0
