"""How one canonical table is mapped, and whether that fits its contract."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, model_validator

from retention_lab import checks
from retention_lab.tables.contracts import (
    CONTRACTS,
    DUPLICATE,
    NO_ORDER,
    OVERLAP,
    USED,
    Column,
    Contract,
    NumberStyle,
    TableName,
    reasons,
)
from retention_lab.tables.location import Location, Lookup, Strict


def _path_only(value: object) -> object:
    return {"path": value} if isinstance(value, str) else value


def _column_only(value: object) -> object:
    return {"column": value} if isinstance(value, str) else value


def _reason_only(value: object) -> object:
    return {"reason": value} if isinstance(value, str) else value


def _one_or_many(value: object) -> object:
    return [value] if isinstance(value, str | dict) else value


class ColumnMap(Strict):
    """How a canonical column is found: a raw column, an SQL expression over them, or a lookup."""

    column: str | None = None
    sql: str | None = None
    lookup: Lookup | None = None
    format: Annotated[tuple[str, ...], BeforeValidator(_one_or_many)] = ()
    number: NumberStyle | None = None

    @model_validator(mode="after")
    def _one_way(self) -> ColumnMap:
        if sum(way is not None for way in (self.column, self.sql, self.lookup)) != 1:
            raise ValueError("give one of `column`, `sql`, `lookup`")
        return self


class Rule(Strict):
    """Rows to leave out or to count, with the reason that a report shows.

    Without `where` the reason is one of those that the contract knows.
    """

    reason: str
    where: str | None = None


Place = Annotated[Location, BeforeValidator(_path_only)]
Mapped = Annotated[ColumnMap, BeforeValidator(_column_only)]
Reason = Annotated[Rule, BeforeValidator(_reason_only)]


class TableMap(Strict):
    """One canonical table: where its rows are, or which table it is derived from."""

    rows: Annotated[tuple[Place, ...], BeforeValidator(_one_or_many)] = ()
    derive_from: Literal["order_lines", "orders"] | None = None
    only: str | None = None  # which rows of the files are of this table; others are not counted
    overlap: Literal["count_once", "keep"] = "count_once"
    missing_as: tuple[str, ...] = ()
    columns: dict[str, Mapped] = Field(default_factory=dict)
    attributes: dict[str, Mapped] = Field(default_factory=dict)
    # At most twenty each: all reasons of a row have to fit into the bits of one number.
    leave_out: Annotated[tuple[Reason, ...], Field(max_length=20)] = ()
    count_only: Annotated[tuple[Rule, ...], Field(max_length=20)] = ()
    duplicates: Literal["refuse", "keep_first", "keep_last", "add_up"] = "refuse"

    @model_validator(mode="after")
    def _is_whole(self) -> TableMap:
        if bool(self.rows) == bool(self.derive_from):
            raise ValueError("give either `rows` or `derive_from`")
        if any(rule.where is None for rule in self.count_only):
            raise ValueError("each rule under `count_only` needs `where`")
        return self


def check_table(contract: Contract, table: TableMap) -> None:
    """Refuse a map that its contract does not allow.

    Raises
    ------
    ValueError
        With the setting that does not fit.
    """
    where = f"tables.{contract.name}"
    checks.known(where, "column", table.columns, [column.name for column in contract.columns])
    _check_attributes(contract, table)
    needed = [c.name for c in contract.columns if c.required and not c.only_if_mapped]
    missing = [column for column in needed if column not in table.columns]
    if table.rows and missing:
        raise ValueError(f"{where}.columns lacks {', '.join(missing)}")
    for known, time in ((c.name, c.known_with) for c in contract.columns if c.known_with):
        if known in table.columns and time not in table.columns:
            raise ValueError(f"{where}.columns: {known} needs {time}, with which it became known")
    _check_spelling(contract, table)
    _check_reasons(contract, table)
    _check_duplicates(contract, table)


def _check_attributes(contract: Contract, table: TableMap) -> None:
    where = f"tables.{contract.name}"
    if table.attributes and not contract.takes_attributes:
        raise ValueError(f"{where} takes no attributes; put them under customers or orders")
    for name in table.attributes:
        if not is_free_name(name, contract=contract):
            raise ValueError(f"{where}.attributes: {name!r} must be a plain new name, like country")


def is_free_name(name: str, *, contract: Contract) -> bool:
    """Tell whether an attribute of a table may have a name: a plain one that means nothing else.

    A customer's `plan` or `campaign` does not meet that of a subscription or of a message.
    """
    own = ("subscriptions", "tickets", "consents", "messages", "assignments")
    contracts = [
        one for one in CONTRACTS.values() if one.name not in own or one.name == contract.name
    ]
    taken = {each for one in contracts for each in (one.day, *(c.name for c in one.columns))}
    return name not in taken and re.fullmatch("[A-Za-z][A-Za-z0-9_]*", name) is not None


def _check_spelling(contract: Contract, table: TableMap) -> None:
    """Refuse a `format` of what is no time, and a `number` of what is none."""
    where = f"tables.{contract.name}"
    described = {f"{where}.columns.{n}": (c, contract.column(n)) for n, c in table.columns.items()}
    described |= {
        f"{where}.attributes.{n}": (c, Column(name=n)) for n, c in table.attributes.items()
    }
    for place, (mapped, column) in described.items():
        if mapped.format and column.kind != "time":
            raise ValueError(f"{place} is no time and takes no `format`")
        if mapped.number and column.kind not in ("money", "whole"):
            raise ValueError(f"{place} is no number and takes no `number`")


def _check_reasons(contract: Contract, table: TableMap) -> None:
    built_in = reasons(contract, table.columns)
    where = f"tables.{contract.name}.leave_out"
    plain = [rule.reason for rule in table.leave_out if rule.where is None]
    checks.known(where, "reason without `where` called", plain, built_in)
    names = [OVERLAP, DUPLICATE, NO_ORDER, USED]
    for rule in (*table.leave_out, *table.count_only):
        if rule.reason in names or (rule.where is not None and rule.reason in built_in):
            raise ValueError(f"{where}: the reason {rule.reason!r} is taken; word it differently")
        names.append(rule.reason)


def _check_duplicates(contract: Contract, table: TableMap) -> None:
    if table.duplicates == "refuse":
        return
    where = f"tables.{contract.name}"
    if not contract.key or not set(contract.key) <= set(table.columns):
        key = " and ".join(contract.key) or "a key, which this table has not"
        raise ValueError(f"{where}: `duplicates: {table.duplicates}` needs {key} under `columns`")
    if table.duplicates == "add_up" and not contract.adds_up:
        raise ValueError(f"{where}: only parts of orders and of returns can be added up")


def check_derived(tables: dict[TableName, TableMap]) -> None:
    """Refuse tables that are derived from what cannot give them.

    Raises
    ------
    ValueError
        With the table and what it lacks.
    """
    lines = tables.get("order_lines")
    if "orders" not in tables and ("subscriptions" not in tables or lines is not None):
        raise ValueError(
            "`tables` needs orders or subscriptions; where there are only lines, say "
            "`orders: {derive_from: order_lines}`"
        )
    for name, table in tables.items():
        fits: dict[TableName, str] = {"orders": "order_lines"}
        fits |= {"customers": "orders"} if "orders" in tables else {}
        if table.derive_from is not None and fits.get(name) != table.derive_from:
            raise ValueError(f"tables.{name} cannot be derived from {table.derive_from}")
    if "orders" not in tables:
        return
    if tables["orders"].rows:
        if lines is not None and lines.attributes:
            raise ValueError("tables.order_lines: put its attributes under orders or customers")
    elif lines is None or not {"customer_id", "ordered_at"} <= set(lines.columns):
        raise ValueError(
            "tables.orders is derived from order_lines, which then need customer_id and ordered_at"
        )
