"""What a snapshot is called: where it came from, cheaply, and an order-free hash of its content."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

import ibis
import ibis.expr.types as ir
import pyarrow.parquet as pq

from retention_lab.tables import engine, readers
from retention_lab.tables import source as sources
from retention_lab.tables.contracts import VERSION, Contract, TableName
from retention_lab.tables.location import Location, paths
from retention_lab.tables.source import Source

# These make a shop, write its source file, or ask something of a snapshot: none makes one, nor do
# `drafts`.
_OTHERS = {
    *("simulator.py", "truth.py", "annotations.py", "period.py", "population.py", "saved.py"),
    *("saving.py", "metrics.py", "aggregates.py", "ibis_expressions.py"),
}


@ibis.udf.scalar.builtin  # type: ignore[untyped-decorator]
def md5_number_lower(text: str) -> ibis.dtype("uint64"):  # type: ignore[valid-type]
    """Half of the MD5 of a text as a number (a function of DuckDB)."""


@dataclass(frozen=True, kw_only=True)
class Written:
    """One table of a snapshot: its rows, and the sum of their hashes, whatever their order."""

    rows: int
    hash: str


def source_key(source: Source, as_of: dt.date | None) -> str | None:
    """Return what changes when a file, the source file, the contracts or this room's code does.

    None where the source reads a database table without a `fingerprint` query: then only reading
    can tell.
    """
    parts = [source.model_dump_json(), str(VERSION), str(as_of), _code()]
    for location in sources.locations(source):
        found = readers.fingerprint(location, source=source)
        if not found:
            return None
        parts += found
    for lookup in sources.lookups(source):
        parts += map(readers.stamp, paths(Location(path=lookup.file), file=source.file))
    return sha(*parts)


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


def _code() -> str:
    """Hash the code that makes snapshots: a snapshot of older code is not reused."""
    room = {file.name: file for file in resources.files("retention_lab.tables").iterdir()}
    names = sorted(name for name in room if name.endswith(".py") and name not in _OTHERS)
    return sha(*(room[name].read_text(encoding="utf-8") for name in names))


def sha(*parts: str) -> str:
    """Return the SHA-256 of some texts in order."""
    return hashlib.sha256("\x1e".join(parts).encode()).hexdigest()
