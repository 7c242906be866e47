"""A source file: the YAML that maps a shop's real tables to the canonical ones.

All of it is validated before a row is read. Its settings are described in `data/README.md`.
"""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, ValidationError, field_validator, model_validator

from retention_lab import checks
from retention_lab.tables import clocks
from retention_lab.tables.contracts import CONTRACTS, TableName
from retention_lab.tables.location import Location, Lookup, Strict
from retention_lab.tables.settings import first_problem, read_yaml
from retention_lab.tables.tablemap import TableMap, check_derived, check_table

__all__ = [
    "ControlTotal",
    "Source",
    "find",
    "first_problem",
    "load",
    "locations",
    "lookups",
    "parse",
    "read_yaml",
]


def _known_tables(value: object) -> object:
    if isinstance(value, dict):
        checks.known("tables", "table", map(str, value), CONTRACTS)
    return value


class ControlTotal(Strict):
    """What another system (Finance) counted for a table between two local dates, both included."""

    table: Literal[
        "customers",
        "orders",
        "returns",
        "events",
        "subscriptions",
        "tickets",
        "consents",
        "messages",
        "assignments",
    ]
    first: dt.date
    last: dt.date
    rows: int | None = None
    amount: float | None = None  # in major units
    tolerance: Annotated[float, Field(ge=0, lt=1)] = 0.0

    @model_validator(mode="after")
    def _says_something(self) -> ControlTotal:
        if self.first > self.last:
            raise ValueError(f"`first` {self.first} is after `last` {self.last}")
        if self.rows is None and self.amount is None:
            raise ValueError("give `rows`, `amount` or both")
        if self.amount is not None and self.table not in ("orders", "returns"):
            raise ValueError(f"{self.table} have no amount")
        return self


class Source(Strict):
    """A shop: its names, clock and money, and the map of its tables."""

    name: str
    about: str = ""
    simulated: bool = False
    time_zone: str
    business_time_zone: str | None = None
    currency: str
    engine: Literal["duckdb", "spark"] = "duckdb"
    money: Literal["major_units", "minor_units"] = "major_units"
    complete_to: dt.date | None = None
    tables: Annotated[dict[TableName, TableMap], BeforeValidator(_known_tables)]
    control_totals: tuple[ControlTotal, ...] = ()
    file: Path = Field(default=Path("source.yml"), exclude=True)

    @field_validator("time_zone", "business_time_zone")
    @classmethod
    def _is_zone(cls, name: str | None) -> str | None:
        return name if name is None else clocks.zone(name).key

    @field_validator("currency")
    @classmethod
    def _is_currency(cls, code: str) -> str:
        if not re.fullmatch("[A-Z]{3}", code):
            raise ValueError(f"a currency is three capital letters such as GBP, got {code!r}")
        return code

    @model_validator(mode="after")
    def _fits_the_contracts(self) -> Source:
        for name, table in self.tables.items():
            check_table(CONTRACTS[name], table)
        check_derived(self.tables)
        there = {*self.tables, "customers"}
        checks.known("tables", "table", [total.table for total in self.control_totals], there)
        return self

    @property
    def zone(self) -> str:
        """The business time zone: what a calendar day means in every report."""
        return self.business_time_zone or self.time_zone

    @property
    def main(self) -> TableName:
        """The mapped table that tells how far the shop is known."""
        order: tuple[TableName, ...] = ("orders", "order_lines", "subscriptions")
        return next(name for name in order if name in self.tables and self.tables[name].rows)

    def line(self, table: str) -> str:
        """Name the place in the file that a message speaks of."""
        return f"{self.file} under tables.{table}"

    def setting(self, name: str, value: object, *, table: str = "") -> str:
        """Write a setting, of the shop or of a table, as it would stand in the file."""
        shown = json.dumps(value) if isinstance(value, list) else value
        return f"`{name}: {shown}` in {self.line(table) if table else self.file}"

    def option(self, name: str, value: object) -> str:
        """Write an option of the command line."""
        return f"--{name} {value}"

    @property
    def why_left_out(self) -> str:
        """Where to see why rows were left out."""
        return f"`retention-lab check {self.file}` tells why rows were left out."

    def time_hint(self, column: str) -> str:
        """How times are read, and what to do where they are not."""
        return (
            f"A time is ISO 8601 unless columns.{column} says otherwise: `format: '%d/%m/%Y'` "
            "where the day comes first, `'%m/%d/%Y'` where the month does (a day above 12 tells "
            "which). "
        )


def load(path: str | Path) -> Source:
    """Read and validate a source file.

    Raises
    ------
    BadParameter
        When it cannot be read, is no YAML, or a setting does not fit.
    """
    file = Path(path)
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise checks.BadParameter(
            f"The source file {file} cannot be read: {_cause(error)}."
        ) from error
    return parse(text, file=file)


def find(path: str | Path) -> Path:
    """Look for a relative path here and in the folders above.

    A notebook starts in its own folder, a runner does not.
    """
    wanted, here = Path(path), Path.cwd()
    above = [wanted] if wanted.is_absolute() else [up / wanted for up in (here, *here.parents)]
    found = next((place for place in above if place.exists()), wanted)
    return found.relative_to(here) if found.is_relative_to(here) else found


def parse(text: str, *, file: Path) -> Source:
    """Validate the text of a source file; relative paths in it start from the folder of `file`.

    Raises
    ------
    BadParameter
        As `load` does; the message names `file`.
    """
    fields = read_yaml(text, file=file)
    try:
        return Source.model_validate({**fields, "file": file})
    except ValidationError as error:
        problem = first_problem(error, model=Source)
    raise checks.BadParameter(f"{file}: {problem}")  # outside: the cause would quote secrets


def locations(source: Source) -> Iterator[Location]:
    """Yield every place that the source reads rows from."""
    for table in source.tables.values():
        yield from table.rows


def lookups(source: Source) -> Iterator[Lookup]:
    """Yield every lookup that the source uses."""
    for table in source.tables.values():
        for column in (*table.columns.values(), *table.attributes.values()):
            if column.lookup is not None:
                yield column.lookup


def _cause(error: Exception) -> str:
    if isinstance(error, FileNotFoundError):
        return "there is no such file"
    return str(getattr(error, "strerror", None) or "it is not UTF-8 text")
