"""The one door out of the query engine: a small table, or a stream for what cannot be collapsed."""

from __future__ import annotations

import os
import re
import sys
import tempfile
import uuid
import warnings
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

import ibis
import ibis.expr.types as ir
import pandas as pd
import pyarrow as pa
from ibis.backends import BaseBackend

from retention_lab.checks import BadData, BadParameter

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

INT64 = range(-(2**63), 2**63)


def collect(expr: ibis.Table, *, max_rows: int = 100_000) -> pd.DataFrame:
    """Fetch a collapsed table, with the same dtypes from every engine.

    Parameters
    ----------
    expr
        Any Ibis table; the order of rows is the engine's, so sort where it matters.
    max_rows
        The most rows that may leave the engine; more means that something was not collapsed.

    Returns
    -------
    DataFrame
        Dates and timestamps are ``datetime64[ns]``, whole numbers ``int64`` (``Int64`` where
        values are missing), truth values ``bool`` (``boolean``), other numbers ``float64``, text
        ``object``. Whole decimals that do not fit into 64 bits, such as sums of squares, stay exact
        as Python integers in an ``object`` column.

    Raises
    ------
    BadData
        If there are more than `max_rows` rows.
    """
    table = expr.limit(max_rows + 1).to_pyarrow()
    if table.num_rows > max_rows:
        raise BadData(
            f"A table of columns {', '.join(table.column_names)} has more than {max_rows:,} rows, "
            "too many to collect. Group it further inside the engine, or read it with stream()."
        )
    return pd.DataFrame({name: _series(table[name]) for name in table.column_names})


def put(rows: pa.Table, *, con: BaseBackend) -> ibis.Table:
    """Hand rows that Python has read to the engine."""
    name = ibis.util.gen_name("rows")
    if con.name == "duckdb":
        return con.create_table(name, rows, temp=True)
    _session().createDataFrame(rows).createOrReplaceTempView(name)
    return con.table(name)


def keep(expr: ibis.Table, *, where: str) -> ir.CachedTable:
    """Compute a table now and keep it in the engine, for as long as an expression refers to it.

    Selects stay nested: fused into one, a column would be computed again wherever it is used.

    Raises
    ------
    BadData
        If the engine cannot compute it; `where` says which part of a source file asked for it.
    """
    duckdb = expr.get_backend().name == "duckdb"
    fused, ibis.options.sql.fuse_selects = ibis.options.sql.fuse_selects, False
    try:
        return expr.cache() if duckdb else _checkpointed(expr)
    except Exception as error:  # each engine has exceptions of its own
        raise BadData(f"{where}: the rows cannot be read: {why(error)}") from error
    finally:
        ibis.options.sql.fuse_selects = fused


def _checkpointed(expr: ibis.Table) -> ir.CachedTable:
    """Compute on Spark now and forget how: it would read a growing plan longer than run it."""
    con, session, name = expr.get_backend(), _session(), ibis.util.gen_name("kept")
    session.sql(con.compile(expr)).localCheckpoint().createTempView(name)
    kept = con.table(name).cache()
    session.catalog.dropTempView(name)
    return kept


def why(error: Exception) -> str:
    """Tell in a sentence why an engine could not read or compute something, and what to do."""
    text = re.split("Possible|LINE 1|SQLSTATE", " ".join(str(error).split()))[0]
    # What DuckDB quotes of a file could be anything.
    found = re.sub(r"Original Line:.*?(Expected Number|$)", r"\1", text)[:200].strip().rstrip(".")
    if "not latin-1 encoded" in text:
        return "it is no Latin-1 text. Say `encoding: cp1252`, which Windows writes."
    if "charmap" in text:
        return "it is no cp1252 text, as its `encoding` says. Export it again as UTF-8."
    if re.search("invalid unicode|can't decode|malformed input", text, re.IGNORECASE):
        return (
            "it is not UTF-8 text. Say `encoding: latin-1` beside its `path` (`cp1252` if Excel on "
            "Windows wrote it), or export it again."
        )
    if "sniffing" in text:
        return "its lines have different numbers of cells, or another `delimiter` divides them."
    if re.search("convert|cast", found, re.IGNORECASE):
        return f"{found}. Use try_cast in the `sql` of the column, or mend the value."
    return f"{found}. Mend the file, or the setting that names it."


def stream(expr: ibis.Table, *, chunk_rows: int = 100_000) -> Iterator[pa.RecordBatch]:
    """Yield the rows in Arrow batches of at most `chunk_rows`, with the types `expr` declares."""
    schema = expr.schema().to_pyarrow()
    batches = expr.to_pyarrow_batches(chunk_size=chunk_rows)
    with warnings.catch_warnings():  # Ibis 12 uses DuckDB's old name for this method, only here
        warnings.filterwarnings("ignore", r"fetch_record_batch\(\)", DeprecationWarning)
        first = next(batches, None)
    if first is not None:
        yield first.cast(schema)  # DuckDB sends sums of int64 as wide decimals, whatever declared
        for batch in batches:
            yield batch.cast(schema)


def _series(column: pa.ChunkedArray) -> pd.Series:
    kind, missing = column.type, column.null_count > 0
    if pa.types.is_date(kind) or pa.types.is_timestamp(kind):
        return pd.Series(column.cast(pa.timestamp("ns")).to_pandas())
    if pa.types.is_decimal(kind):
        return _decimals(column.to_pylist(), whole=kind.scale == 0)
    if pa.types.is_integer(kind):
        integers = column.to_pandas(integer_object_nulls=True)
        return pd.Series(integers, dtype="Int64" if missing else "int64")
    if pa.types.is_boolean(kind):
        return pd.Series(column.to_pandas(), dtype="boolean" if missing else "bool")
    if pa.types.is_floating(kind):
        return pd.Series(column.to_pandas(), dtype="float64")
    return pd.Series(column.to_pandas())


def _decimals(values: list[Decimal | None], *, whole: bool) -> pd.Series:
    if not whole:
        floats = [None if value is None else float(value) for value in values]
        return pd.Series(floats, dtype="float64")
    integers = [None if value is None else int(value) for value in values]
    if any(value is not None and value not in INT64 for value in integers):
        return pd.Series(integers, dtype="object")
    return pd.Series(integers, dtype="Int64" if None in integers else "int64")


def connect(name: str = "duckdb") -> BaseBackend:
    """Open the query engine: an embedded DuckDB, or the running (or local) Spark session.

    DuckDB may use `RETENTION_LAB_MEMORY` (default 1GB) before it works on disk, in the folder for
    temporary files. Both engines think in UTC.

    Raises
    ------
    BadParameter
        When the engine is neither, or Spark is not installed.
    """
    if name == "duckdb":
        return _duckdb(os.environ.get("RETENTION_LAB_MEMORY", "1GB"))
    if name == "spark":
        return ibis.pyspark.connect(_session())
    raise BadParameter(f"There is no engine {name!r}. It is duckdb or spark.")


def _session() -> SparkSession:
    try:
        from pyspark.sql import SparkSession
    except ImportError as error:
        raise BadParameter(
            "The engine spark needs its extra: pip install 'retention-lab[spark]', and Java 17."
        ) from error
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    return SparkSession.builder.config("spark.sql.session.timeZone", "UTC").getOrCreate()


def _duckdb(memory: str) -> BaseBackend:
    # A folder of its own, as two databases must not share one; made when needed, gone with it.
    folder = Path(tempfile.gettempdir()) / f"retention-lab-{uuid.uuid4().hex}"
    try:
        con = ibis.duckdb.connect(memory_limit=memory, temp_directory=str(folder))
    except Exception as error:  # DuckDB's exceptions have no common public parent
        raise BadParameter(
            f"RETENTION_LAB_MEMORY must be a size such as 4GB, got {memory!r}."
        ) from error
    con.raw_sql("SET TimeZone = 'UTC'")
    con.raw_sql("SET preserve_insertion_order = false")
    con.raw_sql("SET enable_progress_bar = false")  # in a notebook a widget, which no page can hold
    return con
