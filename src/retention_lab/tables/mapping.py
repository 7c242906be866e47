"""From raw rows to one canonical table, with a reason on every row that is left out.

The result of `map_rows` keeps all rows: the canonical columns, and beside them a `Row` column set (`_file`, `_reason`, ...) that
`quality` counts and refuses by. Only rows without a reason go on into the snapshot.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce

import ibis
import ibis.expr.types as ir
from ibis.backends import BaseBackend

from retention_lab import checks
from retention_lab.tables import expressions, parsing, readers
from retention_lab.tables.clocks import to_utc
from retention_lab.tables.contracts import CONTRACTS, Column, Contract, TableName, reasons
from retention_lab.tables.engine import collect
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


def map_rows(made: Plan, *, con: BaseBackend, cutoff: dt.datetime) -> ir.Table:
    """Read, parse and judge the rows of one table; nothing is dropped yet.

    Returns a cached table: the canonical columns and attributes, `_money` (int64 minor units of the row, for the counts),
    `_later` (known only at or after `cutoff`), `_reason` (index into `made.all_reasons`, missing when the row is used),
    `_flag_<i>` (does reason i fit, first or not), `_count_<i>` (does the i-th `count_only` rule fit) and `_example` (the raw
    value that did not parse).

    Raises
    ------
    BadParameter
        When a mapped column or expression does not fit the files.
    BadData
        When a file cannot be read.
    """
    tables = [raw for place in made.table.rows for raw in readers.read(place, source=made.source, con=con)]
    parts = [_parsed(raw, made).mutate(_file=ibis.literal(i, "int64")) for i, raw in enumerate(tables)]
    # Parsed once and kept: engines repeat an inlined expression for each comparison that a change of clocks needs.
    rows = _in_utc(reduce(lambda one, other: one.union(other), parts).cache(), made)
    if len(parts) > 1 and made.table.overlap == "count_once":
        rows = _mark_overlap(rows, made)
    time = rows[made.contract.time] if made.contract.time in rows.columns else ibis.null("timestamp")
    flags = [rows[f"_flag_{i}"] for i in range(len(made.all_reasons))]
    rows = rows.mutate(
        _later=(time >= ibis.timestamp(cutoff.isoformat())).fill_null(False),
        _reason=ibis.cases(*((flag, ibis.literal(i, "int64")) for i, flag in enumerate(flags))),
    )
    return _mark_duplicates(rows, made).cache()


def _parsed(raw: ir.Table, made: Plan) -> ir.Table:
    """Parse one file: all canonical columns of the plan, and a truth value for every reason but overlap."""
    raw = _with_missing(raw, made.table.missing_as)
    sql = {f"_sql_{name}": column.sql for name, column in _mapped(made) if column.sql is not None}
    rules = {f"_rule_{i}": rule.where for i, rule in enumerate(made.rules)}
    if made.table.only is not None:
        raw = expressions.add(raw, {"_only": made.table.only}, where=made.where)
        raw = raw.filter(raw._only.fill_null(False)).drop("_only")
    raw = expressions.add(raw, {**sql, **rules}, where=made.where)
    values: dict[str, ir.Value] = {}
    bad: dict[str, ir.BooleanValue] = {}
    examples: list[tuple[ir.BooleanValue, ir.Value]] = []
    for name, mapped in _mapped(made):
        column, cell = made.contract.column(name), _cell(raw, name, mapped, made)
        found, problems = _typed(cell, column, mapped, made)
        values |= found
        bad |= problems
        examples += [(problem, cell.cast("string")) for problem in problems.values()]
    for i, rule in enumerate(made.rules):
        bad[rule.reason] = raw[f"_rule_{i}"].fill_null(False)
    values |= _missing_columns(made)
    none = ibis.literal(False)
    flags = {f"_flag_{i}": bad.get(reason, none) for i, reason in enumerate(made.all_reasons)}
    counts = {f"_count_{i}": bad[rule.reason] for i, rule in enumerate(made.table.count_only)}
    money = _row_money(values, made)
    values |= {name: _rounded(value, made.contract.column(name), made) for name, value in values.items()}
    example = ibis.cases(*examples) if examples else ibis.null("string")
    return raw.select(**values, **flags, **counts, _money=money, _example=example)


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


def _typed(
    cell: ir.Value, column: Column, mapped: ColumnMap, made: Plan
) -> tuple[dict[str, ir.Value], dict[str, ir.BooleanValue]]:
    """Parse one cell by its kind; money and counts stay unrounded so that limits judge what was written."""
    present = parsing.text(cell, missing_as=made.table.missing_as).notnull()
    problems = {f"missing {column.name}": ~present}
    if column.kind == "text":
        return {column.name: parsing.text(cell, missing_as=made.table.missing_as)}, problems
    if column.kind == "time":
        read = parsing.time(cell, formats=mapped.format, where=f"{made.where}, columns.{column.name}")
        problems[f"unparseable {column.name}"] = present & read.value.isnull()
        return {column.name: read.value, f"_utc_{column.name}": read.is_utc}, problems
    parsed = parsing.number(cell)
    fraction = (parsed.value != parsed.value.floor()).fill_null(False) if column.kind == "whole" else False
    problems[f"not a number: {column.name}"] = parsed.bad | fraction
    if column.above is not None:
        problems[f"non-positive {column.name}"] = (parsed.value <= column.above).fill_null(False)
    if column.least is not None:
        problems[f"negative {column.name}"] = (parsed.value < column.least).fill_null(False)
    return {column.name: parsed.value}, problems


def _missing_columns(made: Plan) -> dict[str, ir.Value]:
    """Add the contract's columns that the source does not have, as missing values of the right type."""
    types = {"text": "string", "time": "timestamp", "money": "float64", "whole": "float64"}
    absent = [c for c in made.contract.columns if c.name not in made.table.columns and not c.only_if_mapped]
    return {column.name: ibis.null(types[column.kind]) for column in absent}


def _in_utc(rows: ir.Table, made: Plan) -> ir.Table:
    """Move wall times to UTC, then flag rows in which something ends before it begins."""
    flagged = [name for name in rows.columns if name.startswith("_utc_")]
    zone = made.source.time_zone
    moved = {
        name.removeprefix("_utc_"): ibis.ifelse(
            rows[name], rows[name.removeprefix("_utc_")], to_utc(rows[name.removeprefix("_utc_")], zone)
        )
        for name in flagged
    }
    rows = rows.mutate(**moved).drop(*flagged)
    disordered = {
        f"_flag_{made.all_reasons.index(f'{later} before {earlier}')}": (rows[later] < rows[earlier]).fill_null(False)
        for earlier, later in made.contract.ordered
    }
    return rows.mutate(**disordered)


def _row_money(values: Mapping[str, ir.Value], made: Plan) -> ir.IntegerValue:
    """What a row is worth in minor units, for the counts: its amount, or quantity times price; 0 where unknown."""
    digits = _digits(made)
    if "quantity" in values:
        worth = parsing.whole(values["quantity"]) * parsing.minor_units(values["unit_price"], digits=digits)
    elif "amount" in values:
        worth = parsing.minor_units(values["amount"], digits=digits)
    else:
        return ibis.literal(0, "int64")
    return worth.fill_null(0)


def _rounded(value: ir.Value, column: Column, made: Plan) -> ir.Value:
    if column.kind == "money":
        return parsing.minor_units(value, digits=_digits(made))
    return parsing.whole(value) if column.kind == "whole" else value


def _digits(made: Plan) -> int:
    return 0 if made.source.money == "minor_units" else parsing.minor_digits(made.source.currency)


def _mark_overlap(rows: ir.Table, made: Plan) -> ir.Table:
    """Flag a row that an earlier file holds too; rows that repeat inside one file are compared one to one.

    Only the stretch of time that two files share is compared: that is what keeps long histories cheap.
    """
    same = [name for name in rows.columns if not name.startswith("_")]
    shared = _shared_time(rows, made.contract.time)
    inside = rows.filter(shared)
    nth = ibis.row_number().over(group_by=["_file", *same], order_by="_file")
    numbered = inside.mutate(_nth=nth)
    first = numbered._file.min().over(group_by=["_nth", *same])
    marked = numbered.mutate(_flag_0=numbered._file > first).drop("_nth")
    return marked.union(rows.filter(~shared))


def _shared_time(rows: ir.Table, time: str) -> ir.BooleanValue:
    """Say of each row whether its time lies within the span of another file than its own; missing times always do."""
    if time not in rows.columns:
        return ibis.literal(True)
    spans = collect(rows.group_by(file=rows._file).aggregate(first=rows[time].min(), last=rows[time].max())).dropna()
    within = [
        (rows._file != int(span.file)) & rows[time].between(ibis.timestamp(span.first), ibis.timestamp(span.last))
        for span in spans.itertuples()
    ]
    return ibis.or_(rows[time].isnull(), *(inside.fill_null(False) for inside in within))


def _mark_duplicates(rows: ir.Table, made: Plan) -> ir.Table:
    """Give all but the first or last used row of a key the reason `DUPLICATE`, where the source file asks for it."""
    if made.table.duplicates not in ("keep_first", "keep_last"):
        return rows
    used = rows._reason.isnull() & ~rows._later
    time = rows[made.contract.time]
    first = time if made.table.duplicates == "keep_first" else time.desc()
    others = [rows[name] for name in rows.columns if not name.startswith("_")]
    nth = ibis.row_number().over(group_by=[*made.contract.key, used], order_by=[first, *others])
    duplicate = ibis.literal(made.all_reasons.index(DUPLICATE), "int64")
    return rows.mutate(_reason=ibis.ifelse(used & (nth > 0), duplicate, rows._reason))
