"""What is in a file that somebody exported: how it is written, and what its columns look like.

Only facts, and only from the head and the tail of a file: one of many gigabytes is not read whole
to find out what divides its cells.
"""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import ibis.expr.types as ir
from ibis.backends import BaseBackend
from ibis.expr.datatypes import DataType

from retention_lab import checks
from retention_lab.tables import engine, parsing, readers
from retention_lab.tables.location import Encoding, Location
from retention_lab.tables.source import Source

Kind = Literal["time", "number", "text"]

_HEAD, _TAIL = 1 << 20, 1 << 16
_ROWS = 2_000
_DELIMITERS = ",;\t|"
_ENDINGS = (".csv", ".parquet", ".tsv", ".txt", ".xlsx")
_DATED = re.compile(
    r"\d{1,4}[./-](\d{1,2}|[A-Za-z]{3})[./-]\d{1,4}([ T,].*)?|(19|20)\d{6}"
    r"|\d{1,2} [A-Za-z]{3} \d{4}.*|[A-Za-z]{3} \d{1,2},? \d{4}.*"
)
# Around a number only a currency may stand: K00730 is somebody's number, not an amount.
_SIGNS = "|".join(
    re.escape(sign) for code, signs in parsing.SYMBOLS.items() for sign in (code, *signs)
)
_AROUND = rf"[-+\u2212( )\u00a0\u202f]*({_SIGNS})?[-+\u2212( )\u00a0\u202f]*"
_NUMERIC = re.compile(rf"{_AROUND}\d[\d.,'\u2019 \u00a0\u2009\u202f]*{_AROUND}", re.IGNORECASE)
_AGAIN = "Export it again as UTF-8 (in Excel: Save as, CSV UTF-8)."
_MOSTLY = 0.8  # of the cells: totals, blanks and a few slips are no reason to call it otherwise


@dataclass(frozen=True, kw_only=True)
class Layout:
    """One file, opened: where its rows are, and cells of its head and tail as text, by column.

    `kinds` says of each column whether it holds times, numbers or text.
    """

    path: Path
    place: Location
    table: ir.Table
    cells: Mapping[str, Sequence[str]]
    kinds: Mapping[str, Kind]

    @property
    def name(self) -> str:
        """The file's name, as messages tell it."""
        return self.path.name

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns in the order of the file."""
        return tuple(self.table.columns)

    def is_text(self, name: str) -> bool:
        """Tell whether a column is text in the file."""
        return bool(self.table[name].type().is_string())


def look(path: Path, *, con: BaseBackend) -> Layout:
    """Find out how a file is written and which columns it has.

    Raises
    ------
    BadParameter
        When there is no such file, or it is of a kind that is not read.
    BadData
        When it is empty, has no header, or is no table.
    """
    if not path.is_file():
        raise checks.BadParameter(f"There is no file {path}.")
    ending = path.suffix.lower()
    if ending not in _ENDINGS:
        raise checks.BadParameter(
            f"{path.name} ends in {ending or 'nothing'}; `start` reads {', '.join(_ENDINGS)}. "
            "Export it as one of these."
        )
    if path.stat().st_size == 0:
        raise checks.BadData(f"{path.name} is empty: not even a header line. Export it again.")
    if ending in (".parquet", ".xlsx"):
        place = Location(path=path.name)
        table = _opened(path, place, con=con)
        frame = engine.collect(table.limit(_ROWS))
        columns = [frame[name].dropna().astype(str).tolist() for name in table.columns]
    else:
        place, rows = _csv(path)
        table = _opened(path, place, con=con)
        whole = [row for row in rows if len(row) == len(table.columns)]
        columns = list(zip(*whole, strict=True)) or [()] * len(table.columns)
    cells = {
        name: [cell.strip() for cell in column if cell.strip()]
        for name, column in zip(table.columns, columns, strict=True)
    }
    kinds = {name: _kind(kind, cells[name]) for name, kind in table.schema().items()}
    return Layout(path=path, place=place, table=table, cells=cells, kinds=kinds)


def _opened(path: Path, place: Location, *, con: BaseBackend) -> ir.Table:
    beside = Source.model_construct(name=path.name, file=path.parent / path.name)
    return next(readers.read(place, source=beside, con=con))


def _kind(stored: DataType, cells: Sequence[str]) -> Kind:
    def mostly(pattern: re.Pattern[str]) -> bool:
        return sum(bool(pattern.fullmatch(cell)) for cell in cells) > _MOSTLY * len(cells)

    is_number = stored.is_numeric() and not stored.is_boolean()
    if stored.is_temporal() or (not is_number and mostly(_DATED)):
        return "time"
    return "number" if is_number or mostly(_NUMERIC) else "text"


def _csv(path: Path) -> tuple[Location, list[list[str]]]:
    """Find encoding, delimiter and header of a text file; return it with rows of head and tail."""
    head, tail = _ends(path)
    encoding = _encoding(head, tail, name=path.name)
    text = _decoded(head, encoding)
    # The last line of the head may be cut, as may the first of the tail.
    whole = len(head) < _HEAD
    text = text if whole else text[: text.rfind("\n") + 1]
    delimiter, width = _divided(text, name=path.name)
    (names, *rows), skip = _below_preface(text, delimiter, width, name=path.name)
    rows += [] if whole else _rows(_decoded(tail, encoding).partition("\n")[2], delimiter)
    rows = [row for row in rows if row]
    _refuse(names, rows, name=path.name)
    place = Location(path=path.name, delimiter=delimiter, encoding=encoding, skip=skip)
    return place, rows if len(rows) <= 2 * _ROWS else rows[:_ROWS] + rows[-_ROWS:]


def _ends(path: Path) -> tuple[bytes, bytes]:
    with path.open("rb") as file:
        head = file.read(_HEAD)
        file.seek(max(0, path.stat().st_size - _TAIL) // 2 * 2)  # even: UTF-16 is read in pairs
        return head, file.read()


def _encoding(head: bytes, tail: bytes, *, name: str) -> Encoding:
    if head.startswith(b"\xfe\xff"):
        raise checks.BadData(f"{name} is UTF-16 text in an order that is not read. {_AGAIN}")
    if head.startswith(b"\xff\xfe") or head[1:200:2].count(0) > 50:
        return "utf-16"
    if b"\0" in head:
        raise checks.BadData(f"{name} is no text file. Export the table as CSV.")
    try:
        head[: head.rfind(b"\n") + 1 or None].decode("utf-8")
        tail[tail.find(b"\n") + 1 :].decode("utf-8")
    except UnicodeDecodeError:
        return _of_one_byte(head + tail, name=name)
    return "utf-8"


def _of_one_byte(part: bytes, *, name: str) -> Encoding:
    """Tell Latin-1 from what Windows makes of it: euro signs and quotes where it has no letters."""
    try:
        part.decode("cp1252")
    except UnicodeDecodeError:
        raise checks.BadData(
            f"{name} is written in another encoding than UTF-8, UTF-16, Latin-1 or that of Windows "
            f"(cp1252). {_AGAIN}"
        ) from None
    # The middle of a large file is not seen, and what is read as cp1252 may be Latin-1, too.
    return "cp1252" if re.search(rb"[\x80-\x9f]", part) or len(part) > _HEAD else "latin-1"


def _decoded(part: bytes, encoding: Encoding) -> str:
    codec = {"utf-8": "utf-8-sig", "utf-16": "utf-16"}.get(encoding, encoding)
    if encoding == "utf-16" and not part.startswith(b"\xff\xfe"):
        codec = "utf-16-le"
    return part.decode(codec, errors="ignore")


def _rows(text: str, delimiter: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))


def _divided(text: str, *, name: str) -> tuple[str, int]:
    """Choose what cuts most lines into equally many cells, the first of them into names."""

    def fit(delimiter: str) -> tuple[bool, bool, int]:
        rows = [row for row in _rows(text, delimiter) if row]
        [(width, lines)] = Counter(map(len, rows)).most_common(1) or [(1, 0)]
        first = next((row for row in rows if len(row) == width), [])
        even = width > 1 and 2 * lines > len(rows)
        return even, not any(map(_is_data, first)), width

    (even, _, width), delimiter = max(
        ((fit(one), one) for one in _DELIMITERS), key=lambda found: found[0]
    )
    if not even:
        raise checks.BadData(
            f"{name} is not divided into columns by comma, semicolon, tab or |. Export it as CSV "
            "with a header line; a file of fixed widths needs a source file: see data/README.md."
        )
    return delimiter, width


def _below_preface(
    text: str, delimiter: str, width: int, *, name: str
) -> tuple[list[list[str]], int]:
    """Return the rows from the header on, and how many lines stand above it."""
    reader, above = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter), 0
    for row in reader:
        # Spreadsheets fill lines above the table with empty cells.
        if len(row) == width and 2 * sum(bool(cell.strip()) for cell in row) > width:
            return [row, *reader], above
        above = reader.line_num
    raise checks.BadData(f"{name} has no header line. Put the names of the columns above the data.")


def _is_data(cell: str) -> bool:
    return re.fullmatch(r"[-+]?[\d.,]+|.+@.+\..+|" + _DATED.pattern, cell.strip()) is not None


def _refuse(names: Sequence[str], rows: Sequence[Sequence[str]], *, name: str) -> None:
    data = next(filter(_is_data, names), None)
    if data is not None:
        raise checks.BadData(
            f"{name} has no header line: its first line holds {data!r}, which is data. Put a "
            "line with the names of the columns above it."
        )
    if not rows:
        raise checks.BadData(f"{name} has a header, but no row below it. Export it again.")
    if len(rows[-1]) != len(names):
        raise checks.BadData(
            f"The last line of {name} begins with {rows[-1][0]!r} and has {len(rows[-1])} cells, "
            f"the header has {len(names)}. Delete that line if it is a total, else export again."
        )
