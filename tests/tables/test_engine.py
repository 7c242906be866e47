"""One door out of the engine: dtypes, streams, and what is kept."""

from __future__ import annotations

import datetime as dt
import tempfile
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest

from retention_lab.checks import BadData
from retention_lab.tables import engine

from .shops import CON

QUERY = """
select 1::bigint as whole, 2::hugeint as huge, 1.5::double as number, true as truth, 'a' as words,
    date '2025-01-01' as day, timestamp '2025-01-01 10:00:00' as moment,
    12.50::decimal(10, 2) as money, 18446744073709551616::hugeint as squares
union all
select 2, 3, 2.5, false, 'b', date '2025-01-02', timestamp '2025-01-02 10:00:00', 1.25, 1
"""


def test_columns_leave_with_one_dtype_for_each_kind():
    found = engine.collect(CON.sql(QUERY).order_by("whole"))
    assert found.dtypes.astype(str).to_dict() == {
        "whole": "int64", "huge": "int64", "number": "float64", "truth": "bool", "words": "object",
        "day": "datetime64[ns]", "moment": "datetime64[ns]", "money": "float64",
        "squares": "object",
    }  # fmt: skip
    assert found["squares"].tolist() == [2**64, 1]
    assert found["day"].tolist() == [pd.Timestamp("2025-01-01"), pd.Timestamp("2025-01-02")]


def test_missing_values_have_dtypes_of_their_own():
    kinds = ("bigint", "boolean", "double", "text", "date", "hugeint")
    kinds = ("bigint", "boolean", "double", "text", "date", "hugeint")
    nothing = ", ".join(f"null::{kind} as {kind}" for kind in kinds)
    found = engine.collect(CON.sql(f"select {nothing}"))
    assert found.dtypes.astype(str).to_dict() == {
        "bigint": "Int64", "boolean": "boolean", "double": "float64", "text": "object",
        "date": "datetime64[ns]", "hugeint": "Int64",
    }  # fmt: skip


def test_stream_gives_all_rows_in_batches_of_the_declared_types():
    table = CON.sql("select range as i, (range * 2)::hugeint as j from range(2500)")
    batches = list(engine.stream(table, chunk_rows=1000))
    assert sum(batch.num_rows for batch in batches) == 2500
    assert max(batch.num_rows for batch in batches) <= 1000
    assert {batch.schema for batch in batches} == {table.schema().to_pyarrow()}
    assert list(engine.stream(table.limit(0))) == []


def test_kept_table_lives_as_long_as_something_refers_to_it():
    kept = engine.keep(CON.sql("select 1 as i"), where="here")
    name = kept.get_name()
    refers = kept.mutate(j=kept.i + 1)
    del kept
    assert engine.collect(refers)["j"].tolist() == [2]
    del refers
    assert name not in CON.list_tables()


def test_what_the_engine_cannot_compute_is_refused_with_its_place():
    failing = CON.sql("select cast(word as int) as i from (values ('7'), ('seven')) t(word)")
    with pytest.raises(BadData, match=r"^here: the rows cannot be read: .*'seven'.* Use try_cast"):
        engine.keep(failing, where="here")


def test_rows_of_python_are_put_into_the_engine():
    rows = pa.table({"i": [1, 2], "on": [dt.date(2025, 1, 1)] * 2})
    assert engine.collect(engine.put(rows, con=CON))["i"].tolist() == [1, 2]


def test_engine_thinks_in_utc_and_spills_into_the_temporary_folder():
    [(zone, folder)] = CON.raw_sql(
        "select current_setting('TimeZone'), current_setting('temp_directory')"
    ).fetchall()
    assert zone == "UTC"
    assert Path(folder).parent == Path(tempfile.gettempdir())


def test_engine_shows_no_progress_as_a_page_can_hold_no_widget():
    [(shown,)] = (
        engine.connect().raw_sql("select current_setting('enable_progress_bar')").fetchall()
    )
    assert not shown
