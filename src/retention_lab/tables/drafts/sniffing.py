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
    """One file: where its rows are, and cells of its head and tail as text, by column.

    `kinds` says of each column whether it holds times, numbers or text; `typed` names those that
    are no text in the file.
    """

    path: Path
    place: Location
    columns: tuple[str, ...]
    cells: Mapping[str, Sequence[str]]
    kinds: Mapping[str, Kind]
    typed: frozenset[str]

    @property
    def name(self) -> str:
        """The file's name, as messages tell it."""
        return self.path.name


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
        return _looked(path, place, opened(path, place, con=con))
    place, rows = _csv(path)
    if not rows:
        raise checks.BadData(f"{path.name} has a header, but no row below it. Export it again.")
    table = opened(path, place, con=con)
    width = len(table.columns)
    whole = [row for row in rows if len(row) == width]
    return _looked(path, place, table, cells=list(zip(*whole, strict=True)))


def opened(path: Path, place: Location, *, con: BaseBackend) -> ir.Table:
    """Open one file as a table of raw columns."""
    beside = Source.model_construct(name=path.name, file=path.parent / path.name)
    return next(readers.read(place, source=beside, con=con))


def _looked(
    path: Path, place: Location, table: ir.Table, *, cells: Sequence[Sequence[str]] | None = None
) -> Layout:
    schema = table.schema()
    if cells is None:
        frame = engine.collect(table.limit(_ROWS))
        cells = [frame[name].dropna().astype(str).tolist() for name in table.columns]
    texts = {
        name: [cell.strip() for cell in column if cell.strip()]
        for name, column in zip(table.columns, cells or [()] * len(schema), strict=True)
    }
    typed = {name for name, kind in schema.items() if not kind.is_string()}
    kinds: dict[str, Kind] = {}
    for name, kind in schema.items():
        if kind.is_temporal():
            kinds[name] = "time"
        elif kind.is_numeric() and not kind.is_boolean():
            kinds[name] = "number"
        else:
            kinds[name] = _kind(texts[name])
    return Layout(
        path=path, place=place, columns=tuple(table.columns), cells=texts, kinds=kinds,
        typed=frozenset(typed),
    )  # fmt: skip


def _kind(cells: Sequence[str]) -> Kind:
    for kind, pattern in (("time", _DATED), ("number", _NUMERIC)):
        if cells and sum(bool(pattern.fullmatch(cell)) for cell in cells) > _MOSTLY * len(cells):
            return kind  # type: ignore[return-value]
    return "text"


def _csv(path: Path) -> tuple[Location, list[list[str]]]:
    """Find encoding, delimiter and header of a text file; return it with rows of head and tail."""
    head, tail = _ends(path)
    encoding = _encoding(head, tail, name=path.name)
    text = _decoded(head, encoding)
    # The last line of the head may be cut, as may the first of the tail.
    whole = len(head) < _HEAD
    text = text if whole else text[: text.rfind("\n") + 1]
    delimiter = _delimiter(text, name=path.name)
    rows, skip = _below_preface(text, delimiter, name=path.name)
    names, rows = rows[0], rows[1:]
    _refuse_no_header(names, name=path.name)
    last = [] if whole else _rows(_decoded(tail, encoding).partition("\n")[2], delimiter)
    rows = [row for row in rows + last if row]
    _refuse_ragged_end(rows, names, name=path.name)
    settings: dict[str, object] = {"delimiter": delimiter, "encoding": encoding, "skip": skip}
    usual = {"delimiter": ",", "encoding": "utf-8", "skip": 0}
    said = {key: value for key, value in settings.items() if value != usual[key]}
    place = Location.model_validate({"path": path.name, **said})
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


def _delimiter(text: str, *, name: str) -> str:
    """Choose what cuts most lines into equally many cells, the first of them into names."""

    def fit(delimiter: str) -> tuple[bool, bool, int]:
        rows = [row for row in _rows(text, delimiter) if row]
        widths = Counter(len(row) for row in rows)
        width, lines = widths.most_common(1)[0] if widths else (1, 0)
        first = next((row for row in rows if len(row) == width), [])
        even = width > 1 and 2 * lines > len(rows)
        return even, not any(map(_is_data, first)), width

    best = max(_DELIMITERS, key=fit)
    if not fit(best)[0]:
        raise checks.BadData(
            f"{name} is not divided into columns by comma, semicolon, tab or |. Export it as CSV "
            "with a header line; a file of fixed widths needs a source file: see data/README.md."
        )
    return best


def _below_preface(text: str, delimiter: str, *, name: str) -> tuple[list[list[str]], int]:
    """Return the rows from the header on, and how many lines stand above it."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    rows, ends = [], [0]
    for row in reader:
        rows.append(row)
        ends.append(reader.line_num)
    width = Counter(len(row) for row in rows if row).most_common(1)[0][0]
    for i, row in enumerate(rows):
        # Spreadsheets fill lines above the table with empty cells.
        if len(row) == width and 2 * sum(bool(cell.strip()) for cell in row) > width:
            return rows[i:], ends[i]
    raise checks.BadData(f"{name} has no header line. Put the names of the columns above the data.")


def _is_data(cell: str) -> bool:
    return re.fullmatch(r"[-+]?[\d.,]+|.+@.+\..+|" + _DATED.pattern, cell.strip()) is not None


def _refuse_no_header(names: Sequence[str], *, name: str) -> None:
    for cell in names:
        if _is_data(cell):
            raise checks.BadData(
                f"{name} has no header line: its first line holds {cell!r}, which is data. Put a "
                "line with the names of the columns above it."
            )


def _refuse_ragged_end(rows: Sequence[Sequence[str]], names: Sequence[str], *, name: str) -> None:
    if rows and len(rows[-1]) != len(names):
        raise checks.BadData(
            f"The last line of {name} begins with {rows[-1][0]!r} and has {len(rows[-1])} cells, "
            f"the header has {len(names)}. Delete that line if it is a total, else export again."
        )
