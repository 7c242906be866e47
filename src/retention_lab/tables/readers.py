"""Opening the places a source file names, as Ibis tables of raw columns; nothing is parsed or guessed here.

CSV columns all arrive as text: types come from the contracts, never from a sniffer.
"""

from __future__ import annotations

import csv
import datetime as dt
import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from zipfile import BadZipFile

import ibis
import ibis.expr.types as ir
import openpyxl
import pyarrow as pa
from ibis.backends import BaseBackend
from openpyxl.utils.exceptions import InvalidFileException

from retention_lab import checks
from retention_lab.tables.source import Location, Lookup, Source, expand, paths

_BATCH = 100_000


def read(location: Location, *, source: Source, con: BaseBackend) -> Iterator[ir.Table]:
    """Yield one raw table per file (or one for a database table).

    Raises
    ------
    BadParameter
        When a file, table or environment variable is missing.
    BadData
        When a file is there but cannot be read as what it claims to be.
    """
    if location.kind == "connection":
        yield _connected(location, source=source, con=con)
        return
    readers: Mapping[str, Callable[[Path, Location, BaseBackend], ir.Table]] = {
        "csv": _csv, "parquet": _parquet, "xlsx": _xlsx, "lines": _lines, "duckdb": _duckdb,
    }  # fmt: skip
    for path in paths(location, file=source.file):
        try:
            yield readers[location.kind](path, location, con)
        except checks.Refusal:
            raise
        except Exception as error:  # every engine has its own exceptions for a file it cannot read
            raise checks.BadData(_unreadable(path, location, source, error)) from error


def _unreadable(path: Path, location: Location, source: Source, error: Exception) -> str:
    first = str(error).strip().split("\n")[0][:200]
    if location.kind == "csv" and any(word in first.lower() for word in ("unicode", "utf-8", "encoding")):
        return f"{path.name} is not {location.encoding} text; say `encoding: latin-1` beside its path in {source.file}."
    return f"{path.name} ({source.file}) cannot be read as {location.kind}: is it damaged, empty, or another format? ({first})"


def _csv(path: Path, location: Location, con: BaseBackend) -> ir.Table:
    if path.stat().st_size == 0:
        raise checks.BadData(f"{path.name} is empty: not even a header line. Export it again.")
    if con.name == "pyspark":
        return con.read_csv(str(path), sep=location.delimiter, header=True, encoding=location.encoding)
    return con.read_csv(
        str(path),
        all_varchar=True,
        header=True,
        delim=location.delimiter,
        encoding=location.encoding,
        skip=location.skip,
        strict_mode=True,
    )


def _lines(path: Path, location: Location, con: BaseBackend) -> ir.Table:
    """Read a fixed-width file: one text column `line`, to be cut by SQL expressions."""
    lines = path.read_text(encoding=location.encoding).splitlines()[location.skip :]
    return con.create_table(
        ibis.util.gen_name("lines"), pa.table({"line": [line for line in lines if line.strip()]}), temp=True
    )


def _parquet(path: Path, _: Location, con: BaseBackend) -> ir.Table:
    return con.read_parquet(str(path))


def _duckdb(path: Path, location: Location, con: BaseBackend) -> ir.Table:
    catalogue = ibis.util.gen_name("file")
    con.attach(str(path), name=catalogue, read_only=True)
    tables = con.list_tables(database=(catalogue, "main"))
    checks.known(path.name, "table", [location.table or ""], tables)
    return con.table(location.table, database=(catalogue, "main"))


def _xlsx(path: Path, location: Location, con: BaseBackend) -> ir.Table:
    try:
        book = openpyxl.load_workbook(path, read_only=True, data_only=True)
    except (BadZipFile, InvalidFileException, KeyError) as error:
        raise checks.BadData(f"{path.name} is no readable .xlsx workbook. Save it again from the spreadsheet.") from error
    try:
        checks.known(path.name, "sheet", [location.sheet or book.sheetnames[0]], book.sheetnames)
        rows = list(book[location.sheet or book.sheetnames[0]].iter_rows(values_only=True))[location.skip :]
    finally:
        book.close()
    if not rows:
        raise checks.BadData(f"{path.name} has an empty sheet. Name another with `sheet:`.")
    filled = [row for row in rows[1:] if any(value is not None for value in row)]
    table = {str(name): _cells([row[i] for row in filled]) for i, name in enumerate(rows[0]) if name is not None}
    return con.create_table(ibis.util.gen_name("sheet"), pa.table(table), temp=True)


def _cells(values: list[object]) -> pa.Array:
    """Keep a column of dates as times and one of numbers as numbers; anything mixed becomes text, to be parsed by contract."""
    seen = [value for value in values if value is not None]
    if seen and all(isinstance(value, dt.datetime) for value in seen):
        return pa.array(values, pa.timestamp("us"))
    if seen and all(isinstance(value, int | float) and not isinstance(value, bool) for value in seen):
        return pa.array([value if value is None else float(str(value)) for value in values], pa.float64())
    return pa.array([None if value is None else str(value) for value in values], pa.string())


def _connected(location: Location, *, source: Source, con: BaseBackend) -> ir.Table:
    """Copy the table of another database into the engine, in batches; its address never appears in a message."""
    try:
        remote = ibis.connect(expand(location.connection or "", file=source.file))
        table = remote.table(location.table)
        reader = pa.RecordBatchReader.from_batches(
            table.schema().to_pyarrow(), table.to_pyarrow_batches(chunk_size=_BATCH)
        )
        return con.create_table(ibis.util.gen_name("remote"), reader, temp=True)
    except checks.Refusal:
        raise
    except Exception as error:  # drivers differ; their text may quote the address, so only the kind of error is told
        raise checks.BadData(
            f"{source.file}: {location.shown} cannot be read ({type(error).__name__}). "
            "Check the address in the environment, the network and the table's name."
        ) from None


def fingerprint(location: Location, *, source: Source) -> list[str]:
    """Return what changes, cheaply, when the rows may have changed: path, size and time of a file, or the answer to a query.

    A database table without a `fingerprint` query gives nothing: it must be read again each time.
    """
    if location.connection is None:
        stats = ((path, path.stat()) for path in paths(location, file=source.file))
        return [f"{os.fspath(path.resolve())} {stat.st_size} {stat.st_mtime_ns}" for path, stat in stats]
    if location.fingerprint is None:
        return []
    try:
        remote = ibis.connect(expand(location.connection, file=source.file))
        return [f"{location.table} {remote.sql(location.fingerprint).to_pyarrow().to_pylist()}"]
    except Exception as error:  # as above: a driver's text may quote the address
        raise checks.BadData(
            f"{source.file}: the `fingerprint` query of {location.shown} failed ({type(error).__name__})."
        ) from None


def lookup(wanted: Lookup, *, source: Source) -> dict[str, str]:
    """Read a two-column CSV file, its header left out, as a mapping from raw value to meaning.

    Raises
    ------
    BadParameter
        When the file is missing.
    BadData
        When a line has not two values, or a raw value stands twice with different meanings.
    """
    [path] = paths(Location(path=wanted.file), file=source.file)
    meanings: dict[str, str] = {}
    with path.open(encoding="utf-8", newline="") as lines:
        for row in list(csv.reader(lines))[1:]:
            if len(row) != 2 or meanings.setdefault(row[0].strip(), row[1].strip()) != row[1].strip():
                raise checks.BadData(f"{path.name}: the line {','.join(row)!r} must be one new value and its meaning.")
    return meanings
