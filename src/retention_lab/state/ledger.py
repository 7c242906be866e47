"""A ledger: rows that are only ever added, each once, by whoever writes and however it ends."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from io import BytesIO
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO

from retention_lab import checks
from retention_lab.state import about, files
from retention_lab.state.about import Known

Row = Mapping[str, Any]

_KEY = "#"
_text = json.JSONEncoder(ensure_ascii=False, allow_nan=False).encode  # made once, not per row
_DIGEST = slice(len(f'{{"{_KEY}": "'), len(f'{{"{_KEY}": "') + 32)


@dataclass(frozen=True, kw_only=True)
class Ledger:
    """Rows of JSON values under a name in a state, one for each value of their `key`."""

    folder: Path
    name: str
    key: tuple[str, ...]

    def append(self, rows: Iterable[Row]) -> int:
        """Add the rows whose key is not there yet: all of them or, whatever happens, none.

        Of several rows of one key the first stays. The old rows are read, not written again, and of
        each only its beginning: about a second for a million of them.

        Returns
        -------
        int
            How many were new.

        Raises
        ------
        BadParameter
            When the disk refuses; the ledger is then as it was.
        BadData
            When a row lacks its key or is no JSON, or the ledger is damaged.
        """
        lines: dict[bytes, bytes] = {}
        for row in rows:
            line = self._line(row)
            lines.setdefault(line[_DIGEST], line)
        with files.locked(self.folder):
            state = about.read(self.folder)
            about.mend(self.folder, state)
            known = state.ledgers.get(self.name, Known(key=self.key))
            for line in self._lines(self._open(known), known):
                lines.pop(line[_DIGEST], None)
            if lines:
                longer = self._extend(known, list(lines.values()))
                about.write(self.folder, state.knowing(self.name, longer))
        return len(lines)

    def rows(self) -> Iterator[dict[str, Any]]:
        """Yield the rows, oldest first; raises BadData when the ledger is damaged."""
        with files.locked(self.folder):
            state = about.read(self.folder)
            about.mend(self.folder, state)
            known = state.ledgers.get(self.name, Known(key=self.key))
            file = self._open(known)
        return map(self._row, self._lines(file, known))

    def without(self, which: Callable[[Row], bool]) -> int:
        """Take out the rows of which something is true, and return how many they were.

        The one way in which a ledger ever gets shorter: a person asked to be forgotten.
        """
        with files.locked(self.folder):
            state = about.read(self.folder)
            about.mend(self.folder, state)
            known = state.ledgers.get(self.name, Known(key=self.key))
            fewer = self._shorter(known, which)
            if fewer.rows < known.rows:
                about.write(self.folder, state.knowing(self.name, fewer))
                files.settle(self._file)
        return known.rows - fewer.rows

    @property
    def _file(self) -> Path:
        return about.ledger_file(self.folder, self.name)

    def _line(self, row: Row) -> bytes:
        """Write a row behind the digest of its key, which is then found without reading the row."""
        try:
            key = json.dumps([row[name] for name in self.key]).encode()
            digest = hashlib.blake2b(key, digest_size=16).hexdigest()
            if _KEY in row:
                raise ValueError(f"{_KEY!r} is no name for a column")
            text = _text({_KEY: digest, **row})
        except KeyError as error:
            raise checks.BadData(
                f"A row for the ledger {self.name} lacks {error.args[0]!r}; its key is "
                f"{', '.join(self.key)}. Give every row all of it."
            ) from error
        except (TypeError, ValueError) as error:
            raise checks.BadData(
                f"A row for the ledger {self.name} is no JSON ({error}). Give texts, numbers, "
                "truth values and None; a day as text."
            ) from error
        return text.encode() + b"\n"

    def _extend(self, known: Known, lines: list[bytes]) -> Known:
        """Write lines behind what is known; nothing is known of them yet."""
        files.make(self._file.parent)
        with open(self._file, "ab", opener=files.private) as file:
            try:
                file.truncate(known.bytes)  # a first batch that a crash cut off is not known
                file.writelines(lines)
                files.to_disk(file)
            except OSError:
                file.truncate(known.bytes)
                raise
        files.folder_to_disk(self._file.parent)
        size = known.bytes + sum(map(len, lines))
        rows, tail = known.rows + len(lines), files.tail(self._file, size)
        return replace(known, rows=rows, bytes=size, tail=tail)

    def _shorter(self, known: Known, which: Callable[[Row], bool]) -> Known:
        """Prepare the file without some rows, where there are any."""
        lines = self._lines(self._open(known), known)
        kept = [line for line in lines if not which(self._row(line))]
        if len(kept) == known.rows:
            return known
        files.prepare(self._file, kept)
        fresh, size = files.new_name(self._file), sum(map(len, kept))
        return replace(known, rows=len(kept), bytes=size, tail=files.tail(fresh, size))

    def _open(self, known: Known) -> BinaryIO:
        return self._file.open("rb") if known.rows else BytesIO()

    def _lines(self, file: BinaryIO, known: Known) -> Iterator[bytes]:
        with file:
            yield from islice(file, known.rows)

    def _row(self, line: bytes) -> dict[str, Any]:
        try:
            row: dict[str, Any] = json.loads(line.decode())  # of bytes it would guess the encoding
            del row[_KEY]
        except (ValueError, LookupError, TypeError) as error:
            raise checks.BadData(
                f"{self._file} is damaged: it has the line {line[:40]!r}. {about.REMEDY}"
            ) from error
        return row
