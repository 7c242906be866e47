"""What a snapshot is called: a cheap fingerprint of where it came from, and an order-free hash of what it holds."""

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
from retention_lab.tables.contracts import VERSION, Contract
from retention_lab.tables.source import Source


@ibis.udf.scalar.builtin
def md5_number_lower(text: str) -> ibis.dtype("uint64"):  # type: ignore[valid-type, empty-body]
    """Half of the MD5 of a text as a number (a function of DuckDB)."""


@dataclass(frozen=True, kw_only=True)
class Written:
    """One table of a snapshot: how many rows, and the sum of their hashes, whatever their order."""

    rows: int
    hash: str


def source_key(source: Source, as_of: dt.date) -> str | None:
    """Return a key that changes when a file, the source file, the contracts or the mapping code changes.

    None where the source reads a database table without a `fingerprint` query: then only reading can tell.
    """
    parts = [source.model_dump_json(), str(VERSION), str(as_of), _code()]
    for _, location in sources.locations(source):
        found = readers.fingerprint(location, source=source)
        if not found:
            return None
        parts += found
    return _sha(*parts)


def write(table: ir.Table, contract: Contract, folder: Path) -> Written:
    """Write a table sorted by its key as Parquet, and hash what was written."""
    path = folder / f"{contract.name}.parquet"
    ordered = table.order_by([*contract.key, *(name for name in table.columns if name not in contract.key)])
    if table.get_backend().name == "duckdb":
        table.get_backend().to_parquet(ordered, str(path), compression="zstd")
    else:
        schema = ordered.schema().to_pyarrow()
        with pq.ParquetWriter(path, schema, compression="zstd") as writer:
            for batch in engine.stream(ordered):
                writer.write_batch(batch)
    return _hashed(path)


def _hashed(path: Path) -> Written:
    """Hash with DuckDB whichever engine made the file, so that the same content has the same name everywhere."""
    table = engine.connect().read_parquet(str(path))
    cells = [table[name].cast("string").fill_null("\x1d") for name in sorted(table.columns)]
    row = md5_number_lower(ibis.literal("\x1f").join(cells))
    total = engine.collect(table.aggregate(rows=table.count(), total=row.cast("decimal(38, 0)").sum())).iloc[0]
    rows = int(total["rows"])
    return Written(rows=rows, hash=_sha(*sorted(table.columns), str(rows), str(total["total"])))


def combined(tables: Mapping[str, Written], source: Source, as_of: dt.date) -> str:
    """Return the name of a whole snapshot: its tables, its date, clock and money, and the contract's version."""
    parts = [f"{name} {written.hash}" for name, written in sorted(tables.items())]
    return _sha(*parts, source.name, str(as_of), source.zone, source.currency, str(VERSION))


def _code() -> str:
    """Hash the code that makes snapshots: a snapshot of older code is not reused."""
    files = sorted(resources.files("retention_lab.tables").iterdir(), key=lambda file: file.name)
    return _sha(*(file.read_text(encoding="utf-8") for file in files if file.name.endswith(".py")))


def _sha(*parts: str) -> str:
    return hashlib.sha256("\x1e".join(parts).encode()).hexdigest()
