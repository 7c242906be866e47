"""What a snapshot is called: an order-free hash of its content."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import ibis
import ibis.expr.types as ir
import pyarrow.parquet as pq

from retention_lab.tables import engine
from retention_lab.tables.contracts import VERSION, Contract, TableName
from retention_lab.tables.fingerprint import sha
from retention_lab.tables.source import Source


@ibis.udf.scalar.builtin  # type: ignore[untyped-decorator]
def md5_number_lower(text: str) -> ibis.dtype("uint64"):  # type: ignore[valid-type]
    """Half of the MD5 of a text as a number (a function of DuckDB)."""


@dataclass(frozen=True, kw_only=True)
class Written:
    """One table of a snapshot: its rows, and the sum of their hashes, whatever their order."""

    rows: int
    hash: str


def write(table: ir.Table, contract: Contract, folder: Path) -> Written:
    """Write a table sorted by its key as Parquet, and hash what was written."""
    path = folder / f"{contract.name}.parquet"
    ordered = table.order_by(list(contract.key or table.columns))
    if table.get_backend().name == "duckdb":
        table.get_backend().to_parquet(ordered, str(path), compression="zstd")
    else:
        schema = ordered.schema().to_pyarrow()
        with pq.ParquetWriter(path, schema, compression="zstd") as writer:
            for batch in engine.stream(ordered):
                writer.write_batch(batch)
    # Hashed with DuckDB whichever engine made the file: equal content has one name everywhere.
    return hashed(engine.connect().read_parquet(str(path)))


def hashed(table: ir.Table) -> Written:
    """Count and hash the rows of a table that DuckDB holds."""
    cells = [table[name].cast("string").fill_null("\x1d") for name in sorted(table.columns)]
    row = md5_number_lower(ibis.literal("\x1f").join(cells))
    sums = table.aggregate(rows=table.count(), total=row.cast("decimal(38, 0)").sum())
    total = engine.collect(sums).iloc[0]
    rows = int(total["rows"])
    return Written(rows=rows, hash=sha(*sorted(table.columns), str(rows), str(total["total"])))


def combined(tables: Mapping[TableName, Written], source: Source, as_of: dt.date) -> str:
    """Return the hash of a whole snapshot: tables, date, clock, money and contract version."""
    parts = [f"{name} {written.hash}" for name, written in sorted(tables.items())]
    return sha(*parts, source.name, str(as_of), source.zone, source.currency, str(VERSION))
