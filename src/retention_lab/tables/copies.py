"""Copies of files as an engine can read them, each made once however often it is read."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Collection
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import ibis.expr.types as ir
import pyarrow as pa
from pyarrow import parquet

from retention_lab import checks
from retention_lab.tables.fingerprint import stamp
from retention_lab.tables.location import Location

_BLOCK = 1 << 20


@cache
def _scratch() -> TemporaryDirectory[str]:
    """A folder that goes with the process."""
    return TemporaryDirectory(prefix="retention-lab-")


def _copied(path: Path, write: Callable[[Path], None], *, how: str = "") -> Path:
    """Return the copy of a file as it is now, written where it is not there yet."""
    name = hashlib.sha256(f"{stamp(path)} {how}".encode()).hexdigest()
    copy = Path(_scratch().name) / name
    if not copy.exists():
        partial = copy.with_suffix(".partial")
        write(partial)
        partial.rename(copy)
    return copy


def as_utf8(path: Path, encoding: str) -> Path:
    """Copy a text file as UTF-8: DuckDB knows no cp1252."""

    def write(to: Path) -> None:
        with (
            path.open(encoding=encoding, newline="") as text,
            to.open("w", encoding="utf-8", newline="") as written,
        ):
            shutil.copyfileobj(text, written, _BLOCK)

    return _copied(path, write)


def numbered(path: Path, location: Location, read_rows: Callable[[], ir.Table]) -> Path:
    """Copy the rows of a file as Parquet, with their numbers from 1 as the location names them.

    Parameters
    ----------
    read_rows
        Reads the file, in an engine that keeps the order of rows.

    Raises
    ------
    BadParameter
        If the file has a column of that name.
    """
    name = str(location.number_as)

    def write(to: Path) -> None:
        rows = read_rows().to_pyarrow()
        refuse_own(name, rows.column_names, location)
        numbers = pa.array(range(1, len(rows) + 1), pa.int64())
        parquet.write_table(rows.append_column(name, numbers), to)

    return _copied(path, write, how=location.model_dump_json(exclude={"label"}))


def refuse_own(added: str, columns: Collection[str], location: Location) -> None:
    """Refuse to add a column that a file has.

    Raises
    ------
    BadParameter
        If `columns` has the name that is `added`.
    """
    if added in columns:
        raise checks.BadParameter(
            f"{location.shown} has a column {added!r} already, so none of that name can be added."
        )
