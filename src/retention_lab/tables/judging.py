"""A reason on every row that is left out: the first that fits, in the order of the source file.

All rows stay: `quality` counts them and refuses what nobody has decided on; only rows without a reason reach a snapshot.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import ibis
import ibis.expr.types as ir
from ibis.backends import BaseBackend

from retention_lab.tables import parsing
from retention_lab.tables.clocks import Clock
from retention_lab.tables.contracts import Column
from retention_lab.tables.engine import collect
from retention_lab.tables.mapping import DUPLICATE, OVERLAP, Plan, parsed_rows


def judged_rows(made: Plan, *, con: BaseBackend, cutoff: dt.datetime) -> ir.Table:
    """Read the rows of one table and give each its reason.

    Returns a cached table: the canonical columns and attributes, the business-local date of the contract's time, `_money` (int64 minor units of the row, for the counts),
    `_later` (known only at or after `cutoff`), `_reason` (index into `made.all_reasons`, missing when the row is used),
    `_flag_<i>` (does reason i fit, first or not), `_rule_<i>` (does the source file's i-th rule fit) and `_raw_<column>` (what
    stood where a value did not parse).

    Raises
    ------
    BadParameter
        When a mapped column or expression does not fit the files.
    BadData
        When a file cannot be read.
    """
    parsed = parsed_rows(made, con=con)
    first, last = _span(parsed, made)
    rows = _in_utc(parsed, Clock(zone=made.source.time_zone, first=first, last=last))
    flags = dict(_problems(rows, made)) | _rules(rows, made)
    none = ibis.literal(False)
    rows = rows.mutate(**{f"_flag_{i}": flags.get(reason, none) for i, reason in enumerate(made.all_reasons)})
    if len(made.table.rows) > 1 and made.table.overlap == "count_once":
        rows = _mark_overlap(rows, made)
    time = rows[made.contract.time] if made.contract.time in rows.columns else ibis.null("timestamp")
    reasons = ((rows[f"_flag_{i}"], ibis.literal(i, "int64")) for i in range(len(made.all_reasons)))
    days = Clock(zone=made.source.zone, first=first, last=last).local_date(time)
    rows = rows.mutate(
        **({made.contract.day: days} if made.contract.time in rows.columns else {}),
        _later=(time >= ibis.timestamp(cutoff.isoformat())).fill_null(False),
        _reason=ibis.cases(*reasons),
        _money=_money(rows, made),
        **{column.name: _rounded(rows[column.name], column, made) for column in _numbers(rows, made)},
    )
    return _mark_duplicates(rows, made).cache()


def _span(rows: ir.Table, made: Plan) -> tuple[dt.datetime, dt.datetime]:
    """Return the earliest and latest time that stands anywhere in the rows; any day where there is none."""
    names = [c.name for c in made.contract.columns if c.kind == "time" and c.name in made.table.columns]
    some = dt.datetime(2000, 1, 1)  # noqa: DTZ001  all times in here are naive UTC or naive local
    if not names:
        return some, some
    lows, highs = ([getattr(rows[name], end)() for name in names] for end in ("min", "max"))
    one = rows.aggregate(**{f"low_{i}": low for i, low in enumerate(lows)}, **{f"high_{i}": high for i, high in enumerate(highs)})
    found = collect(one).iloc[0].dropna()
    return (found.min().to_pydatetime(), found.max().to_pydatetime()) if len(found) else (some, some)


def _in_utc(rows: ir.Table, clock: Clock) -> ir.Table:
    """Move wall times to UTC; a stated offset has already done so."""
    names = [name.removeprefix("_utc_") for name in rows.columns if name.startswith("_utc_")]
    moved = {name: ibis.ifelse(rows[f"_utc_{name}"], rows[name], clock.to_utc(rows[name])) for name in names}
    return rows.mutate(**moved).drop(*(f"_utc_{name}" for name in names))


def _problems(rows: ir.Table, made: Plan) -> Iterator[tuple[str, ir.BooleanValue]]:
    """Yield every way in which a row can break the contract; limits judge numbers as written, before rounding."""
    for column in (made.contract.column(name) for name in made.table.columns):
        value, raw = rows[column.name], rows[f"_raw_{column.name}"]
        yield f"missing {column.name}", value.isnull() & raw.isnull()
        unread = value.isnull() & raw.notnull()
        yield f"unparseable {column.name}", unread
        fraction = (value != value.floor()).fill_null(False) if column.kind == "whole" else ibis.literal(False)
        yield f"not a number: {column.name}", unread | fraction
        if column.above is not None:
            yield f"non-positive {column.name}", (value <= column.above).fill_null(False)
        if column.least is not None:
            yield f"negative {column.name}", (value < column.least).fill_null(False)
    for earlier, later in made.contract.ordered:
        yield f"{later} before {earlier}", (rows[later] < rows[earlier]).fill_null(False)


def _rules(rows: ir.Table, made: Plan) -> dict[str, ir.BooleanValue]:
    return {rule.reason: rows[f"_rule_{i}"] for i, rule in enumerate(made.rules)}


def _numbers(rows: ir.Table, made: Plan) -> list[Column]:
    return [c for c in made.contract.columns if c.kind in ("money", "whole") and c.name in rows.columns]


def _rounded(value: ir.Value, column: Column, made: Plan) -> ir.IntegerValue:
    if column.kind == "whole":
        return parsing.whole(value)
    digits = 0 if made.source.money == "minor_units" else parsing.minor_digits(made.source.currency)
    return parsing.minor_units(value, digits=digits)


def _money(rows: ir.Table, made: Plan) -> ir.IntegerValue:
    """What a row is worth in minor units, for the counts: its amount, or quantity times price; 0 where unknown."""
    worth = {column.name: _rounded(rows[column.name], column, made) for column in _numbers(rows, made)}
    if "quantity" in worth:
        return (worth["quantity"] * worth["unit_price"]).fill_null(0)
    return worth["amount"].fill_null(0) if "amount" in worth else ibis.literal(0, "int64")


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
