"""From the raw files of one table to parsed rows: every value typed, none judged or dropped.

Columns that begin with an underscore travel with a row for `judging` and never reach a snapshot.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import reduce

import ibis
import ibis.expr.types as ir
import pyarrow as pa
from ibis.backends import BaseBackend

from retention_lab import checks
from retention_lab.tables import engine, expressions, parsing, readers
from retention_lab.tables.contracts import (
    CONTRACTS,
    DUPLICATE,
    NO_ORDER,
    OVERLAP,
    Column,
    Contract,
    TableName,
    reasons,
)
from retention_lab.tables.location import Lookup, paths
from retention_lab.tables.source import Source
from retention_lab.tables.tablemap import ColumnMap, Rule, TableMap

_TYPES = {"text": "string", "time": "timestamp(6)", "money": "float64", "whole": "float64"} | {
    "truth": "boolean"
}


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What mapping one table needs: its contract, its map and the order in which reasons apply."""

    contract: Contract
    table: TableMap
    source: Source

    @property
    def where(self) -> str:
        """The place in the source file that messages name."""
        return self.source.line(self.contract.name)

    @property
    def files(self) -> int:
        """How many files, tables of databases or frames the rows come from."""
        found = [
            1 if place.path is None else len(paths(place, file=self.source.file))
            for place in self.table.rows
        ]
        return sum(found)

    @property
    def allowed(self) -> list[str]:
        """Reasons for which rows are left out, in order; the first that fits counts."""
        return [OVERLAP, DUPLICATE, NO_ORDER, *(rule.reason for rule in self.table.leave_out)]

    @property
    def broken(self) -> list[str]:
        """Ways to break the contract on which the source file has not decided: refused."""
        known = reasons(self.contract, self.table.columns)
        return [reason for reason in known if reason not in self.allowed]

    @property
    def all_reasons(self) -> list[str]:
        """Every reason a row may carry; its place in this list is what `_reason` holds."""
        return [*self.allowed, *self.broken]

    @property
    def countable(self) -> list[str]:
        """Every reason and counting rule; its place in this list is its bit in `_fits`."""
        return [*self.all_reasons, *(rule.reason for rule in self.table.count_only)]

    @property
    def rules(self) -> list[Rule]:
        """The rules that the source file words itself, to leave out or only to count."""
        own = [rule for rule in self.table.leave_out if rule.where is not None]
        return [*own, *self.table.count_only]

    @property
    def mapped(self) -> Iterator[tuple[str, ColumnMap]]:
        """Canonical columns and attributes that the source has, with where they come from."""
        yield from self.table.columns.items()
        yield from self.table.attributes.items()


def plan(name: TableName, source: Source) -> Plan:
    """Gather what is needed to map one table."""
    return Plan(contract=CONTRACTS[name], table=source.tables[name], source=source)


def parsed_rows(made: Plan, *, con: BaseBackend) -> ir.CachedTable:
    """Read and parse all files of one table, and keep the result in the engine.

    Returns the contract's columns (money and counts as unrounded float64, times naive and as
    written) and attributes; beside them `_file` (int64), `_utc_<time>` (did an offset already make
    it UTC), `_raw_<column>` (the text that did not parse) and `_rule_<i>`. It is kept because
    engines repeat an inlined expression for each comparison that uses it.

    Raises
    ------
    BadParameter
        When a mapped column or expression does not fit the files.
    BadData
        When a file cannot be read.
    """
    raw = (
        one for place in made.table.rows for one in readers.read(place, source=made.source, con=con)
    )
    parts = [
        _parsed(one, made, con=con).mutate(_file=ibis.literal(i, "int64"))
        for i, one in enumerate(raw)
    ]
    return engine.keep(reduce(ir.Table.union, parts), where=made.where)


def _parsed(raw: ir.Table, made: Plan, *, con: BaseBackend) -> ir.Table:
    """Parse one file."""
    names = raw.columns
    raw = _with_missing(raw, made.table.missing_as)
    if made.table.only is not None:
        raw = expressions.add_conditions(raw, {"_only": made.table.only}, where=made.where)
        raw = raw.filter("_only").drop("_only")
    rules = {f"_rule_{i}": str(rule.where) for i, rule in enumerate(made.rules)}
    raw = expressions.add_conditions(raw, rules, where=made.where)
    sql = {f"_made_{name}": column.sql for name, column in made.mapped if column.sql is not None}
    raw = expressions.add(raw, sql, where=made.where)
    for name, mapped in made.mapped:
        wanted = mapped.column if mapped.lookup is None else mapped.lookup.column
        if wanted is not None:
            checks.known(f"{made.where}, columns.{name}", "raw column", [wanted], names)
        if mapped.lookup is not None:
            raw = _looked_up(raw, name, mapped.lookup, source=made.source, con=con)
    cells = {name: _cell(raw, name, mapped, made) for name, mapped in made.mapped}
    found = raw.select(**cells, **{name: raw[name] for name in rules})
    values = _absent(made)
    for name, mapped in made.mapped:
        values |= _typed(found[name], made.contract.column(name), mapped, made)
    return found.select(**values, **{name: found[name] for name in rules})


def _with_missing(raw: ir.Table, words: Sequence[str]) -> ir.Table:
    texts = [name for name, kind in raw.schema().items() if kind.is_string()]
    for word in words:
        raw = raw.mutate(**{name: raw[name].nullif(word) for name in texts})
    return raw


def _looked_up(
    raw: ir.Table, name: str, wanted: Lookup, *, source: Source, con: BaseBackend
) -> ir.Table:
    """Add what the raw values of a column mean; a value that the lookup lacks is missing."""
    meanings = readers.lookup(wanted, source=source)
    key, found = f"_key_{name}", f"_made_{name}"
    pairs = pa.table([list(meanings), list(meanings.values())], [key, found])
    text = pa.schema([(key, pa.string()), (found, pa.string())])
    keyed = raw.mutate(**{key: parsing.text(raw[wanted.column])})
    return keyed.left_join(engine.put(pairs.cast(text), con=con), key).drop(key, f"{key}_right")


def _cell(raw: ir.Table, name: str, mapped: ColumnMap, made: Plan) -> ir.Value:
    """Find the raw value of a canonical column; text is trimmed here, once for all its uses."""
    cell = raw[mapped.column if mapped.column is not None else f"_made_{name}"]
    plain = made.contract.column(name).kind == "text" or cell.type().is_string()
    return parsing.text(cell, missing_as=made.table.missing_as) if plain else cell


def _typed(cell: ir.Value, column: Column, mapped: ColumnMap, made: Plan) -> dict[str, ir.Value]:
    """Parse one cell by its kind, and keep the text of what does not parse."""
    name = column.name
    if column.kind == "text":
        return {name: cell.lower() if column.one_of else cell}
    # NaN is no text, but it is something that stood there.
    words = cell.cast("string") if cell.type().is_floating() else parsing.text(cell)
    if column.kind == "time":
        place = f"{made.where}, columns.{name}"
        value, is_utc = parsing.time(cell, formats=mapped.format, where=place)
        values = {name: value, f"_utc_{name}": is_utc}
    elif column.kind == "truth":
        value = parsing.truth(cell)
        values = {name: value}
    else:
        value = _number(cell, column, mapped, made)
        values = {name: value}
    return values | {f"_raw_{name}": ibis.ifelse(value.isnull(), words, ibis.null("string"))}


def _number(cell: ir.Value, column: Column, mapped: ColumnMap, made: Plan) -> ir.FloatingValue:
    if mapped.number is None:
        return parsing.number(cell)
    currency = made.source.currency if column.kind == "money" else None
    return parsing.styled_number(cell, style=mapped.number, currency=currency)


def _absent(made: Plan) -> dict[str, ir.Value]:
    """Give the contract's columns that the source does not have, as missing values."""
    columns = (c for c in made.contract.columns if c.name not in made.table.columns)
    return {c.name: ibis.null(_TYPES[c.kind]) for c in columns if not c.only_if_mapped}
