"""From the raw files of one table to parsed rows: every value typed, nothing judged and nothing dropped.

Columns that begin with an underscore travel with a row for `judging` and never reach a snapshot.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce

import ibis
import ibis.expr.types as ir
from ibis.backends import BaseBackend

from retention_lab import checks
from retention_lab.tables import expressions, parsing, readers
from retention_lab.tables.contracts import CONTRACTS, Column, Contract, TableName, reasons
from retention_lab.tables.source import ColumnMap, Rule, Source, TableMap

OVERLAP = "stands in two files"
DUPLICATE = "repeats a key"


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What mapping one table needs to know: the contract, the map and the order in which reasons apply."""

    contract: Contract
    table: TableMap
    source: Source

    @property
    def where(self) -> str:
        """The place in the source file that messages name."""
        return self.source.line(self.contract.name)

    @property
    def allowed(self) -> list[str]:
        """Reasons for which the source file leaves rows out, in order; the first that fits counts."""
        named = [rule if isinstance(rule, str) else rule.reason for rule in self.table.leave_out]
        return [OVERLAP, DUPLICATE, *named]

    @property
    def broken(self) -> list[str]:
        """Ways to break the contract that the source file has not said to leave out: any such row is refused."""
        return [reason for reason in reasons(self.contract, self.table.columns) if reason not in self.allowed]

    @property
    def all_reasons(self) -> list[str]:
        """Every reason a row may carry; its place in this list is what `_reason` holds."""
        return [*self.allowed, *self.broken]

    @property
    def rules(self) -> list[Rule]:
        """The rules that the source file words itself, to leave out or only to count."""
        return [*(rule for rule in self.table.leave_out if isinstance(rule, Rule)), *self.table.count_only]

    @property
    def attributes(self) -> tuple[str, ...]:
        """Names of the descriptive columns that the source adds to the contract's."""
        return tuple(self.table.attributes)


def plan(name: TableName, source: Source) -> Plan:
    """Look up what is needed to map one table, refusing a `leave_out` reason that the contract does not know."""
    made = Plan(contract=CONTRACTS[name], table=source.tables[name], source=source)
    built_in = reasons(made.contract, made.table.columns)
    named = [rule for rule in made.table.leave_out if isinstance(rule, str)]
    checks.known(f"leave_out of {made.where}", "built-in reason", named, built_in)
    return made


def parsed_rows(made: Plan, *, con: BaseBackend) -> ir.Table:
    """Read and parse all files of one table, and keep the result in the engine.

    Returns the contract's columns (money and counts as unrounded float64, times naive and as written) and attributes; beside them
    `_file` (int64), `_utc_<time>` (did an offset already make it UTC), `_raw_<column>` (the text that did not parse) and
    `_rule_<i>`. It is kept because engines repeat an inlined expression for each comparison that uses it.

    Raises
    ------
    BadParameter
        When a mapped column or expression does not fit the files.
    BadData
        When a file cannot be read.
    """
    tables = [raw for place in made.table.rows for raw in readers.read(place, source=made.source, con=con)]
    parts = [_parsed(raw, made).mutate(_file=ibis.literal(i, "int64")) for i, raw in enumerate(tables)]
    return reduce(lambda one, other: one.union(other), parts).cache()


def _parsed(raw: ir.Table, made: Plan) -> ir.Table:
    """Parse one file."""
    raw = _with_missing(raw, made.table.missing_as)
    if made.table.only is not None:
        raw = expressions.add(raw, {"_only": made.table.only}, where=made.where)
        raw = raw.filter(raw._only.fill_null(False)).drop("_only")
    sql = {f"_sql_{name}": column.sql for name, column in _mapped(made) if column.sql is not None}
    rules = {f"_rule_{i}": rule.where for i, rule in enumerate(made.rules)}
    raw = expressions.add(raw, {**sql, **rules}, where=made.where)
    values = _absent(made)
    for name, mapped in _mapped(made):
        values |= _typed(_cell(raw, name, mapped, made), made.contract.column(name), mapped, made)
    return raw.select(**values, **{name: raw[name].fill_null(False) for name in rules})


def _mapped(made: Plan) -> Iterator[tuple[str, ColumnMap]]:
    yield from made.table.columns.items()
    yield from made.table.attributes.items()


def _with_missing(raw: ir.Table, words: Sequence[str]) -> ir.Table:
    texts = [name for name, kind in raw.schema().items() if kind.is_string()] if words else []
    return raw.mutate(**{name: raw[name].nullif(word) for name in texts for word in words}) if texts else raw


def _cell(raw: ir.Table, name: str, mapped: ColumnMap, made: Plan) -> ir.Value:
    """Find the raw value of a canonical column."""
    if mapped.sql is not None:
        return raw[f"_sql_{name}"]
    if mapped.lookup is not None:
        column = mapped.lookup.column
        checks.known(f"{made.where}, columns.{name}", "raw column", [column], _public(raw))
        return _looked_up(raw[column], readers.lookup(mapped.lookup, source=made.source))
    checks.known(f"{made.where}, columns.{name}", "raw column", [mapped.column or ""], _public(raw))
    return raw[mapped.column]


def _public(raw: ir.Table) -> list[str]:
    return [name for name in raw.columns if not name.startswith(("_sql_", "_rule_"))]


def _looked_up(raw: ir.Value, meanings: Mapping[str, str]) -> ir.StringValue:
    return parsing.text(raw).substitute(dict(meanings), else_=ibis.null("string"))


def _typed(cell: ir.Value, column: Column, mapped: ColumnMap, made: Plan) -> dict[str, ir.Value]:
    """Parse one cell by its kind, and keep the text of what may not parse."""
    words = parsing.text(cell, missing_as=made.table.missing_as)
    name = column.name
    if column.kind == "text":
        return {name: words, f"_raw_{name}": ibis.null("string")}
    raw = words if cell.type().is_string() else ibis.null("string")
    if column.kind == "time":
        read = parsing.time(cell, formats=mapped.format, where=f"{made.where}, columns.{name}")
        return {name: read.value, f"_utc_{name}": read.is_utc, f"_raw_{name}": raw}
    number = parsing.number(cell)
    if cell.type().is_floating():  # NaN and infinity are no text, but they are something that stood there
        raw = ibis.ifelse(number.isnull() & cell.notnull(), cell.cast("string"), raw)
    return {name: number, f"_raw_{name}": raw}


def _absent(made: Plan) -> dict[str, ir.Value]:
    """Give the contract's columns that the source does not have, as missing values of the right type."""
    types = {"text": "string", "time": "timestamp", "money": "float64", "whole": "float64"}
    absent = [c for c in made.contract.columns if c.name not in made.table.columns and not c.only_if_mapped]
    return {column.name: ibis.null(types[column.kind]) for column in absent}
