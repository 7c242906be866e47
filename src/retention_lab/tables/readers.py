"""Opening the places that a source file names, as Ibis tables of raw columns.

Nothing is parsed or guessed here: CSV columns all arrive as text, as types come from the contracts.
"""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from zipfile import BadZipFile

import ibis
import ibis.expr.types as ir
import pyarrow as pa
from ibis.backends import BaseBackend
from pyarrow.parquet import read_table

from retention_lab import checks
from retention_lab.tables import copies, engine
from retention_lab.tables.location import Location, Lookup, expand, paths
from retention_lab.tables.memory import Frame
from retention_lab.tables.source import Source

_BLOCK = 1 << 20
_JAVA = {"latin-1": "ISO-8859-1", "cp1252": "windows-1252"}


def read(location: Location, *, source: Source, con: BaseBackend) -> Iterator[ir.Table]:
    """Yield one raw table per file (or one for a database table or a frame).

    Raises
    ------
    BadParameter
        When a file, table or environment variable is missing, or a column that the location adds
        is there already.
    BadData
        When a file is there but cannot be read as what it claims to be.
    """
    for rows in _opened(location, source=source, con=con):
        if location.label is None:
            yield rows
        else:
            copies.refuse_own("label", rows.columns, location)
            yield rows.mutate(label=ibis.literal(location.label))


def _opened(location: Location, *, source: Source, con: BaseBackend) -> Iterator[ir.Table]:
    if location.kind == "connection":
        yield _connected(location, source=source, con=con)
        return
    if isinstance(location, Frame):
        yield engine.put(location.rows, con=con)
        return
    readers: Mapping[str, Callable[[Path, Location, BaseBackend], ir.Table]] = {
        "csv": _csv,
        "parquet": _parquet,
        "xlsx": _xlsx,
        "lines": _lines,
        "duckdb": _duckdb,
    }
    for path in paths(location, file=source.file):
        try:
            if location.number_as is None:
                yield readers[location.kind](path, location, con)
            else:
                # An engine of its own: that of a shop is faster without an order of rows.
                rows = partial(readers[location.kind], path, location, ibis.duckdb.connect())
                copy = copies.numbered(path, location, rows)
                duckdb = con.name == "duckdb"  # Spark may run where no copy of ours is
                yield con.read_parquet(copy) if duckdb else engine.put(read_table(copy), con=con)
        except checks.Refusal:
            raise
        except Exception as error:  # each engine has its own exceptions for what it cannot read
            where = f"{path.name} ({source.file})"
            raise checks.BadData(
                f"{where} cannot be read as {location.kind}: {engine.why(error)}"
            ) from error


def _csv(path: Path, location: Location, con: BaseBackend) -> ir.Table:
    if path.stat().st_size == 0:
        raise checks.BadData(f"{path.name} is empty: not even a header line. Export it again.")
    if con.name == "duckdb":
        windows = location.encoding == "cp1252"
        return con.read_csv(
            str(copies.as_utf8(path, location.encoding) if windows else path),
            all_varchar=True,
            header=True,
            delim=location.delimiter,
            quote='"',
            escape='"',
            encoding="utf-8" if windows else location.encoding,
            skip=location.skip,
            strict_mode=True,
            comment="",  # order numbers may begin with #; the rows would vanish without a word
        )
    if location.skip:
        raise checks.BadParameter(f"{path.name}: on Spark a CSV file must begin with its header.")
    _refuse_other_encoding(path, location.encoding)
    return con.read_csv(
        str(path),
        inferSchema=False,
        header=True,
        sep=location.delimiter,
        quote='"',
        escape='"',
        encoding=_JAVA.get(location.encoding, location.encoding),
        multiLine=True,
        mode="FAILFAST",
    )


def _refuse_other_encoding(path: Path, encoding: str) -> None:
    """Read a file to its end as text: Spark would replace what does not fit, without a word."""
    with path.open(encoding=encoding) as lines:
        while lines.read(_BLOCK):
            pass


def _lines(path: Path, location: Location, con: BaseBackend) -> ir.Table:
    """Read a fixed-width file: one text column `line`, to be cut by SQL expressions."""
    lines = path.read_text(encoding=location.encoding).splitlines()[location.skip :]
    return engine.put(pa.table({"line": [line for line in lines if line.strip()]}), con=con)


def _parquet(path: Path, _: Location, con: BaseBackend) -> ir.Table:
    return con.read_parquet(str(path))


def _duckdb(path: Path, location: Location, con: BaseBackend) -> ir.Table:
    """Attach a DuckDB file, once however many tables come from it; another engine gets a copy."""
    remote, catalogue = con, "file_" + hashlib.sha256(str(path).encode()).hexdigest()[:12]
    if con.name != "duckdb":
        remote = ibis.duckdb.connect()
    if catalogue not in remote.list_catalogs():
        remote.attach(str(path), name=catalogue, read_only=True)
    tables = remote.list_tables(database=(catalogue, "main"))
    checks.known(path.name, "table", [location.table or ""], tables)
    table = remote.table(location.table, database=(catalogue, "main"))
    return table if remote is con else engine.put(table.to_pyarrow(), con=con)


def _xlsx(path: Path, location: Location, con: BaseBackend) -> ir.Table:
    import openpyxl  # noqa: PLC0415  only a spreadsheet needs it
    from openpyxl.utils.exceptions import InvalidFileException  # noqa: PLC0415

    try:
        book = openpyxl.load_workbook(path, read_only=True, data_only=True)
    except (BadZipFile, InvalidFileException, KeyError) as error:
        raise checks.BadData(
            f"{path.name} is no readable .xlsx workbook. Save it again from the spreadsheet."
        ) from error
    try:
        name = location.sheet or book.sheetnames[0]
        checks.known(path.name, "sheet", [name], book.sheetnames)
        rows = list(book[name].iter_rows(values_only=True))[location.skip :]
    finally:
        book.close()
    if not rows:
        raise checks.BadData(f"{path.name} has an empty sheet. Name another with `sheet:`.")
    filled = [row for row in rows[1:] if any(value is not None for value in row)]
    columns = {str(name): i for i, name in enumerate(rows[0]) if name is not None}
    cells = {name: _cells([row[i] for row in filled]) for name, i in columns.items()}
    return engine.put(pa.table(cells), con=con)


def _cells(values: Sequence[object]) -> pa.Array:
    """Keep a column of dates as times and one of numbers as numbers; a mixed one becomes text."""
    try:
        cells = pa.array(values)
    except (pa.ArrowInvalid, pa.ArrowTypeError):
        cells = pa.array([None if value is None else str(value) for value in values])
    return cells.cast(pa.string()) if pa.types.is_null(cells.type) else cells


def _connected(location: Location, *, source: Source, con: BaseBackend) -> ir.Table:
    """Copy the table of another database into the engine."""
    remote = _remote(location, source=source)
    try:
        table = remote.table(location.table)
        if con.name != "duckdb":
            return engine.put(table.to_pyarrow(), con=con)
        name = ibis.util.gen_name("remote")
        con.create_table(name, schema=table.schema(), temp=True)
        for batch in engine.stream(table):
            con.insert(name, pa.Table.from_batches([batch]))
        return con.table(name)
    except Exception as error:  # drivers differ
        kind = type(error).__name__
    finally:
        remote.disconnect()
    raise checks.BadData(
        f"{source.file}: {location.shown} cannot be read ({kind}). Check the table's name."
    )  # outside of the handler, as the driver's own text may quote the address


def _remote(location: Location, *, source: Source) -> BaseBackend:
    address = expand(location.connection or "", file=source.file)
    try:
        return ibis.connect(address)
    except Exception as error:  # as above
        kind = type(error).__name__
    raise checks.BadData(
        f"{source.file}: {location.shown} cannot be opened ({kind}). Check the address, that its "
        "driver is installed, and the network."
    )


def answer(query: str, location: Location, *, source: Source) -> str:
    """Return what a database says to the `fingerprint` query of a location, as text.

    Raises
    ------
    BadData
        When the database cannot be opened, or refuses the query.
    """
    remote = _remote(location, source=source)
    try:
        return f"{location.table} {remote.sql(query).to_pyarrow().to_pylist()}"
    except Exception as error:  # as above
        kind = type(error).__name__
    finally:
        remote.disconnect()
    raise checks.BadData(
        f"{source.file}: the `fingerprint` query of {location.shown} failed ({kind})."
    )


def lookup(wanted: Lookup, *, source: Source) -> dict[str, str]:
    """Read a two-column CSV file, its header left out, as a mapping from raw value to meaning.

    Raises
    ------
    BadParameter
        When the file is missing.
    BadData
        When a line has not two values, or a raw value stands twice with different meanings.
    """
    meanings: dict[str, str] = {}
    for path in paths(Location(path=wanted.file), file=source.file):
        try:
            text = path.read_text(encoding="utf-8-sig")
        except UnicodeDecodeError as error:
            raise checks.BadData(
                f"{path.name} is not UTF-8 text. Save it again as such."
            ) from error
        for row in list(csv.reader(text.splitlines()))[1:]:
            cells = [cell.strip() for cell in row]
            if len(cells) != 2 or meanings.setdefault(*cells) != cells[1]:
                line = ",".join(row)
                raise checks.BadData(
                    f"{path.name}: the line {line!r} must be one new value and its meaning."
                )
    return meanings
