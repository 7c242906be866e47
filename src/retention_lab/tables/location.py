"""Where rows are: files and database tables, as a source file names them.

Only `path`, `connection` and `lookup.file` take `${NAME}` or `${NAME:-default}` from the
environment. A connection is never printed: messages show its kind, or the name of its variable.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Annotated, Literal, get_args

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from retention_lab import checks

Format = Literal["csv", "parquet", "xlsx", "lines", "duckdb"]
Kind = Literal[Format, "connection", "frame"]

_ENDINGS: dict[str, Format] = {
    ".parquet": "parquet",
    ".xlsx": "xlsx",
    ".duckdb": "duckdb",
    ".db": "duckdb",
}
_SETTINGS: dict[Kind, set[str]] = {
    "csv": {"delimiter", "encoding", "skip"},
    "parquet": set(),
    "xlsx": {"sheet", "skip"},
    "lines": {"encoding", "skip"},
    "duckdb": {"table"},
    "connection": {"table", "fingerprint"},
}
# What every engine reads without an extension of its own.
Encoding = Literal["utf-8", "latin-1", "cp1252", "utf-16"]
_HINT = "Paths start from the source file's folder; a bucket must be mounted, as it is not read."
_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}")


def _readable(name: object) -> object:
    if isinstance(name, str) and name not in get_args(Encoding):
        raise ValueError(
            f"must be 'utf-8', 'latin-1', 'cp1252' (Windows) or 'utf-16', got {name!r}. Export the "
            "file again as UTF-8 (in Excel: CSV UTF-8)"
        )
    return name


class Strict(BaseModel):
    """Settings that cannot be changed and know no other names."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Location(Strict):
    """A file (`path`, perhaps with `*` in its name), or a `table` behind a `connection` string."""

    path: str | None = None
    format: Format | None = None
    delimiter: str = ","
    encoding: Annotated[Encoding, BeforeValidator(_readable)] = "utf-8"
    skip: Annotated[int, Field(ge=0)] = 0
    sheet: str | None = None
    connection: Annotated[str | None, Field(repr=False)] = None
    table: str | None = None
    fingerprint: str | None = None  # a query whose answer changes when the table does
    number_as: str | None = None  # a column for which row of its file each is, from 1
    label: str | None = None  # what the column `label` says of all rows of this place

    @model_validator(mode="after")
    def _one_place(self) -> Location:
        if self.kind == "frame":
            return self
        if (self.path is None) == (self.connection is None):
            raise ValueError("give either `path` or `connection`")
        if self.kind in ("connection", "duckdb") and self.table is None:
            raise ValueError("a database needs `table`")
        allowed = {"path", "format", "connection", "label", *_SETTINGS[self.kind]}
        allowed |= {"number_as"} if self.path is not None else set()
        idle = sorted(self.model_fields_set - allowed)
        if idle:
            raise ValueError(f"`{idle[0]}` says nothing about rows of the kind {self.kind}")
        return self

    @property
    def kind(self) -> Kind:
        """How the rows are stored, told by `format` or by the ending of the path."""
        if self.connection is not None:
            return "connection"
        return self.format or _ENDINGS.get(Path(self.path or "").suffix.lower(), "csv")

    @property
    def shown(self) -> str:
        """The location as messages may tell it: no secret and no value of a variable."""
        if self.path is not None:
            return self.path
        variable = _VARIABLE.match(self.connection or "")
        kind, found, _ = (self.connection or "").partition("://")
        address = (
            f"${{{variable[1]}}}" if variable else f"{kind}://..." if found else "a connection"
        )
        return f"table {self.table!r} through {address}"


class Lookup(Strict):
    """A CSV file of two columns, from a raw value to what it means."""

    file: str
    column: str


def expand(text: str, *, file: Path) -> str:
    """Replace `${NAME}` and `${NAME:-default}` from the environment.

    Raises
    ------
    BadParameter
        When a variable without a default is not set; its name is told, never a value.
    """

    def value(match: re.Match[str]) -> str:
        name, default = match.groups()
        found = os.environ.get(name, default)
        if found is None:
            raise checks.BadParameter(
                f"{file} uses ${{{name}}}, but that environment variable is not set."
            )
        return found

    return _VARIABLE.sub(value, text)


def paths(location: Location, *, file: Path) -> list[Path]:
    """Return the files that a location names, sorted; a pattern may name several.

    Raises
    ------
    BadParameter
        When there is no such file.
    """
    path = file.parent / expand(location.path or "", file=file)
    found = sorted(path.parent.glob(path.name)) if "*" in path.name else [path]
    missing = [item for item in found if not item.is_file()]
    if missing or not found:
        raise checks.BadParameter(
            f"{file} names {location.shown}, but {(missing or [path])[0]} is no file. {_HINT}"
        )
    return found
