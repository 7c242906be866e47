"""A ledger: rows that are only ever added, each once, by whoever writes and however it ends."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO

from retention_lab import checks
from retention_lab.state import about, files
from retention_lab.state.about import Known

Row = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Ledger:
    """Rows of JSON values under a name in a state, one for each value of their `key`."""

    folder: Path
    name: str
    key: tuple[str, ...]

    def append(self, rows: Iterable[Row]) -> int:
        """Add the rows whose key is not there yet: all of them or, whatever happens, none.

        Of several rows of one key the first stays. The old rows are read, not written again: about
        2 s for a million rows, whatever is added.

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
        lines: dict[str, bytes] = {}
        for row in rows:
            lines.setdefault(self._of(row), self._line(row))
        with files.locked(self.folder):
            state = about.read(self.folder)
            about.mend(self.folder, state)
            known = state.ledgers.get(self.name, Known(key=self.key))
            for row in self._read(known):
                lines.pop(self._of(row), None)
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
            lines = self._open(known)
        return self._parsed(lines, known)

    def without(self, column: str, value: str) -> int:
        """Take out the rows in which a column has that value, and return how many they were.

        The one way in which a ledger ever gets shorter: a person asked to be forgotten.
        """
        with files.locked(self.folder):
            state = about.read(self.folder)
            about.mend(self.folder, state)
            known = state.ledgers.get(self.name, Known(key=self.key))
            fewer = self._shorter(known, column, value)
            if fewer.rows < known.rows:
                about.write(self.folder, state.knowing(self.name, fewer))
                files.settle(self._file)
        return known.rows - fewer.rows

    @property
    def _file(self) -> Path:
        return about.ledger_file(self.folder, self.name)

    def _of(self, row: Row) -> str:
        try:
            return json.dumps([row[name] for name in self.key])
        except KeyError as error:
            raise checks.BadData(
                f"A row for the ledger {self.name} lacks {error.args[0]!r}; its key is "
                f"{', '.join(self.key)}. Give every row all of it."
            ) from error

    def _line(self, row: Row) -> bytes:
        try:
            return json.dumps(dict(row), ensure_ascii=False, allow_nan=False).encode() + b"\n"
        except (TypeError, ValueError) as error:
            raise checks.BadData(
                f"A row for the ledger {self.name} is no JSON ({error}). Give texts, numbers, "
                "truth values and None; a day as text."
            ) from error

    def _extend(self, known: Known, lines: list[bytes]) -> Known:
        """Write lines behind what is known; nothing is known of them yet."""
        files.make(self._file.parent)
        with open(self._file, "ab", opener=files.private) as file:
            try:
                file.writelines(lines)
                files.to_disk(file)
            except OSError:
                file.truncate(known.bytes)
                raise
        files.folder_to_disk(self._file.parent)
        size = known.bytes + sum(map(len, lines))
        rows, tail = known.rows + len(lines), files.tail(self._file, size)
        return replace(known, rows=rows, bytes=size, tail=tail)

    def _shorter(self, known: Known, column: str, value: str) -> Known:
        """Prepare the file without some rows, where there are any."""
        kept = [self._line(row) for row in self._read(known) if str(row.get(column)) != value]
        if len(kept) == known.rows:
            return known
        files.prepare(self._file, kept)
        fresh, size = files.new_name(self._file), sum(map(len, kept))
        return replace(known, rows=len(kept), bytes=size, tail=files.tail(fresh, size))

    def _read(self, known: Known) -> Iterator[dict[str, Any]]:
        return self._parsed(self._open(known), known)

    def _open(self, known: Known) -> BinaryIO | None:
        return self._file.open("rb") if known.rows else None

    def _parsed(self, file: BinaryIO | None, known: Known) -> Iterator[dict[str, Any]]:
        if file is None:
            return
        with file:
            for number in range(1, known.rows + 1):
                try:
                    row = json.loads(file.readline())
                except ValueError as error:
                    raise checks.BadData(
                        f"Line {number:,} of {self._file} is damaged. {about.REMEDY}"
                    ) from error
                yield row
