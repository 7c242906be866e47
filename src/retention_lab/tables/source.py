"""A source file: the YAML that maps a shop's real tables to the canonical ones, validated before a row is read.

Only `path`, `connection` and `lookup.file` take `${NAME}` or `${NAME:-default}` from the environment. What such a variable held is never
printed: messages and manifests show the text as it stands in the file.
"""

from __future__ import annotations

import datetime as dt
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, field_validator, model_validator

from retention_lab import checks
from retention_lab.tables import clocks
from retention_lab.tables.contracts import CONTRACTS, TableName

Format = Literal["csv", "parquet", "xlsx", "lines", "duckdb"]
_HINT = "Paths start from the source file's folder; a bucket must be mounted, it is not read directly."
_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}")


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


def _path_only(value: object) -> object:
    return {"path": value} if isinstance(value, str) else value


def _column_only(value: object) -> object:
    return {"column": value} if isinstance(value, str) else value


def _one_or_many(value: object) -> object:
    return [value] if isinstance(value, str | dict) else value


class Location(_Strict):
    """Where rows are: a file (`path`, perhaps with `*`), or a table behind a `connection` string that Ibis can open."""

    path: str | None = None
    format: Format | None = None
    delimiter: str = ","
    encoding: str = "utf-8"
    skip: Annotated[int, Field(ge=0)] = 0
    sheet: str | None = None
    connection: str | None = None
    table: str | None = None
    fingerprint: str | None = None  # a query whose answer changes when the table does

    @model_validator(mode="after")
    def _one_place(self) -> Location:
        if (self.path is None) == (self.connection is None):
            raise ValueError("give either `path` or `connection`")
        if self.connection is not None and self.table is None:
            raise ValueError("`connection` needs `table`")
        if self.kind == "duckdb" and self.table is None:
            raise ValueError("a DuckDB file needs `table`")
        return self

    @property
    def kind(self) -> Format | Literal["connection"]:
        """How the rows are stored, told by `format` or by the ending of the path."""
        if self.connection is not None:
            return "connection"
        endings: dict[str, Format] = {
            ".parquet": "parquet", ".xlsx": "xlsx", ".duckdb": "duckdb", ".db": "duckdb",
        }  # fmt: skip
        return self.format or endings.get(Path(self.path or "").suffix.lower(), "csv")

    @property
    def shown(self) -> str:
        """The location as the file spells it: variables unexpanded, so that no secret can be printed."""
        if self.path is not None:
            return self.path
        connection = re.sub(r"://[^@/]*@", "://***@", self.connection or "")
        return f"table {self.table!r} through {connection}"


class Lookup(_Strict):
    """A CSV file of two columns, from a raw value to what it means."""

    file: str
    column: str


class ColumnMap(_Strict):
    """How one canonical column is found: a raw column, an SQL expression over raw columns, or a lookup."""

    column: str | None = None
    sql: str | None = None
    lookup: Lookup | None = None
    format: Annotated[tuple[str, ...], BeforeValidator(_one_or_many)] = ()

    @model_validator(mode="after")
    def _one_way(self) -> ColumnMap:
        if sum(way is not None for way in (self.column, self.sql, self.lookup)) != 1:
            raise ValueError("give one of `column`, `sql`, `lookup`")
        return self


class Rule(_Strict):
    """Rows to leave out (or only to count), with the reason that the report shows."""

    reason: str
    where: str


class TableMap(_Strict):
    """One canonical table: where its rows are, or which table it is derived from."""

    rows: Annotated[tuple[Annotated[Location, BeforeValidator(_path_only)], ...], BeforeValidator(_one_or_many)] = ()
    derive_from: Literal["order_lines", "orders"] | None = None
    only: str | None = None  # which rows of the files are rows of this table; the others are not counted
    overlap: Literal["count_once", "keep"] = "count_once"
    missing_as: tuple[str, ...] = ()
    columns: dict[str, Annotated[ColumnMap, BeforeValidator(_column_only)]] = {}
    attributes: dict[str, Annotated[ColumnMap, BeforeValidator(_column_only)]] = {}
    leave_out: tuple[str | Rule, ...] = ()
    count_only: tuple[Rule, ...] = ()
    duplicates: Literal["refuse", "keep_first", "keep_last", "add_up"] = "refuse"

    @model_validator(mode="after")
    def _has_rows(self) -> TableMap:
        if bool(self.rows) == bool(self.derive_from):
            raise ValueError("give either `rows` or `derive_from`")
        return self


class ControlTotal(_Strict):
    """What another system (Finance) counted for a table between two local dates, both included."""

    table: TableName
    first: dt.date
    last: dt.date
    rows: int | None = None
    amount: float | None = None
    tolerance: Annotated[float, Field(ge=0, lt=1)] = 0.0


class Source(_Strict):
    """A shop: its names, clock and money, and the map of its tables."""

    name: str
    about: str = ""
    simulated: bool = False
    time_zone: str
    business_time_zone: str | None = None
    currency: Annotated[str, Field(pattern="^[A-Z]{3}$")]
    engine: Literal["duckdb", "spark"] = "duckdb"
    money: Literal["major_units", "minor_units"] = "major_units"
    complete_to: dt.date | None = None
    tables: dict[TableName, TableMap]
    control_totals: tuple[ControlTotal, ...] = ()
    file: Path = Field(default=Path("source.yml"), exclude=True)

    @field_validator("time_zone", "business_time_zone")
    @classmethod
    def _is_zone(cls, name: str | None) -> str | None:
        return name if name is None else clocks.zone(name).key

    @model_validator(mode="after")
    def _columns_are_known(self) -> Source:
        for name, table in self.tables.items():
            _check_columns(name, table)
        if "orders" not in self.tables:
            raise ValueError("`tables` needs orders; where there are only lines, say `orders: {derive_from: order_lines}`")
        return self

    @property
    def zone(self) -> str:
        """The business time zone: what a calendar day means in every report."""
        return self.business_time_zone or self.time_zone

    def line(self, table: str) -> str:
        """Name the place in the file that a message speaks of."""
        return f"{self.file} under tables.{table}"


def _check_columns(name: TableName, table: TableMap) -> None:
    contract = CONTRACTS[name]
    names = [column.name for column in contract.columns]
    checks.known(f"tables.{name}", "column", table.columns, names)
    if table.attributes and not contract.takes_attributes:
        raise ValueError(f"tables.{name} takes no attributes; put them under customers or orders")
    odd = [attribute for attribute in table.attributes if attribute in names or not attribute.isidentifier()]
    if odd:
        raise ValueError(f"tables.{name}.attributes: {odd[0]!r} must be a plain new name, such as country")
    needed = [column.name for column in contract.columns if column.required and not column.only_if_mapped]
    missing = [column for column in needed if column not in table.columns]
    if table.rows and missing:
        raise ValueError(f"tables.{name}.columns lacks {', '.join(missing)}")


def load(path: str | Path) -> Source:
    """Read and validate a source file.

    Raises
    ------
    BadParameter
        When the file is missing, is no YAML, or says something that the model does not know; the sentence names the place.
    """
    file = Path(path)
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise checks.BadParameter(f"The source file {file} cannot be read: {_cause(error)}.") from error
    return parse(text, file=file)


def find(path: str | Path) -> Path:
    """Find a file by a path relative to here or to a folder above: a notebook starts in its own folder, a runner does not."""
    wanted = Path(path)
    here = Path.cwd()
    places = [wanted] if wanted.is_absolute() else [folder / wanted for folder in (here, *here.parents)]
    found = next((place for place in places if place.exists()), wanted)
    return found.relative_to(here) if found.is_relative_to(here) else found


def parse(text: str, *, file: Path) -> Source:
    """Validate the text of a source file; messages name `file`, and relative paths start from its folder."""
    fields = read_yaml(text, file=file)
    try:
        return Source.model_validate({**fields, "file": file})
    except ValidationError as error:
        raise checks.BadParameter(f"{file}: {first_problem(error)}") from error


def read_yaml(text: str, *, file: Path) -> dict[str, Any]:
    """Return the mapping at the top of a YAML file, or say on which line it breaks."""
    try:
        fields = yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f" near line {mark.line + 1}" if mark else ""
        raise checks.BadParameter(f"{file} is not valid YAML{where}: check its indentation and quotes.") from error
    if not isinstance(fields, dict):
        raise checks.BadParameter(f"{file} must be a mapping such as `name: ...`, but holds {type(fields).__name__}.")
    return fields


def first_problem(error: ValidationError) -> str:
    """Word the first thing that pydantic found, with its place and the nearest known name."""
    problem = error.errors()[0]
    place = ".".join(str(part) for part in problem["loc"])
    if problem["type"] == "extra_forbidden":
        model = _model_at(problem["loc"])
        near = checks.did_you_mean(str(problem["loc"][-1]), model.model_fields) if model else ""
        return f"{place} is not a setting.{near}"
    message = problem["msg"].removeprefix("Value error, ").removeprefix("Assertion failed, ").rstrip(".")
    if problem["type"] == "missing":
        return f"{place} is missing."
    shown = "" if isinstance(problem["input"], dict | BaseModel) or not place else f", got {problem['input']!r}"
    return f"{place + ': ' if place else ''}{message}{shown}."


def _model_at(place: tuple[int | str, ...]) -> type[BaseModel] | None:
    parts = [part for part in place if isinstance(part, str)]
    if len(parts) == 1:
        return Source
    by_parent: dict[str, type[BaseModel]] = {
        "rows": Location, "columns": ColumnMap, "attributes": ColumnMap, "control_totals": ControlTotal,
    }  # fmt: skip
    return by_parent.get(parts[2] if len(parts) > 3 else "", TableMap if parts[0] == "tables" else ControlTotal)


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
            raise checks.BadParameter(f"{file} uses ${{{name}}}, but that environment variable is not set.")
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
        raise checks.BadParameter(f"{file} names {location.shown}, but {(missing or [path])[0]} is no file. {_HINT}")
    return found


def locations(source: Source) -> Iterator[tuple[str, Location]]:
    """Yield every place that the source reads, with the table it feeds."""
    for name, table in source.tables.items():
        for location in table.rows:
            yield name, location


def _cause(error: Exception) -> str:
    if isinstance(error, FileNotFoundError):
        return "there is no such file"
    return str(getattr(error, "strerror", None) or "it is not UTF-8 text")
