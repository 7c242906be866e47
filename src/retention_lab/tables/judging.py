"""A reason on every row that is left out: the first that fits, in the order of the source file.

All rows stay: `quality` counts them and refuses what nobody has decided on; only rows without a
reason reach a snapshot.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import ibis
import ibis.expr.types as ir
from ibis.backends import BaseBackend

from retention_lab.tables import engine, forgetting, parsing
from retention_lab.tables.clocks import Clock
from retention_lab.tables.contracts import DUPLICATE, NO_ORDER, OVERLAP, Column
from retention_lab.tables.mapping import Plan, parsed_rows


def judged_rows(
    made: Plan, *, con: BaseBackend, cutoff: dt.datetime, parsed: ir.Table | None = None
) -> ir.CachedTable:
    """Read the rows of one table, unless they are `parsed` already, and give each its reason.

    Returns a table kept in the engine: the canonical columns and attributes, the business-local
    date of the contract's time, `_money` (int64 minor units of the row, for the counts), `_later`
    (known only at or after `cutoff`), `_last` (the latest day that the row tells of, masked or
    not), `_reason` (index into `made.all_reasons`, missing when the
    row is used), `_fits` (bit i is set where reason i fits, first or not; then a bit for each rule
    under `count_only`) and `_raw_<column>` (what stood where a value did not parse).

    Raises
    ------
    BadParameter
        When a mapped column or expression does not fit the files.
    BadData
        When a file cannot be read.
    """
    if parsed is None:
        with parsed_rows(made, con=con) as found:
            return judged_rows(made, con=con, cutoff=cutoff, parsed=found)
    parsed = forgetting.without(parsed, made, con=con)
    first, last = _span(parsed, made)
    rows = _in_utc(parsed, Clock(zone=made.source.time_zone, first=first, last=last))
    rows = _masked(rows.mutate(_last=_last(rows, made)), made, cutoff)
    if made.files > 1 and made.table.overlap == "count_once":
        rows = _mark_overlap(rows, made)
    rows = _with_reasons(rows, made)
    rows = _measured(rows, made, Clock(zone=made.source.zone, first=first, last=last), cutoff)
    return engine.keep(_mark_duplicates(rows, made), where=made.where)


def follow_orders(lines: ir.Table, made: Plan, *, orders: ir.Table, later: ir.Table) -> ir.Table:
    """Date lines by their orders: as late as they are, and left out where there is none in use.

    `orders` are those in use, `later` the `order_id` of those known only at or after the cutoff.
    """
    used = orders.select("order_id", _used=ibis.literal(True))
    unknown = later.anti_join(orders, "order_id").distinct()
    late = unknown.select("order_id", _late=ibis.literal(True))
    joined = lines.left_join(used, "order_id").drop("order_id_right")
    joined = joined.left_join(late, "order_id").drop("order_id_right")
    dated = joined.mutate(_later=joined._later | joined._late.fill_null(False))
    lost = dated._used.isnull() & dated.order_id.notnull()
    return _add_reason(dated, made, NO_ORDER, fits=lost).drop("_used", "_late")


def _add_reason(rows: ir.Table, made: Plan, reason: str, *, fits: ir.BooleanValue) -> ir.Table:
    """Give a reason that is known late: it fits where it does, and counts where no other has."""
    index = made.all_reasons.index(reason)
    return rows.mutate(
        _fits=rows._fits + ibis.ifelse(fits, 2**index, 0).cast("int64"),
        _reason=rows._reason.coalesce(ibis.ifelse(fits, index, None).cast("int64")),
    )


def _span(rows: ir.Table, made: Plan) -> tuple[dt.datetime, dt.datetime]:
    """Return the earliest and latest time anywhere in the rows; any day where there is none."""
    times = [c.name for c in made.contract.columns if c.kind == "time" and c.name in rows.columns]
    lows = {f"low_{name}": rows[name].min() for name in times}
    highs = {f"high_{name}": rows[name].max() for name in times}
    found = engine.collect(rows.aggregate(rows=rows.count(), **lows, **highs)).iloc[0]
    moments = [
        found[name].to_pydatetime() for name in (*lows, *highs) if found[name] == found[name]
    ]
    some = dt.datetime(2000, 1, 1)  # noqa: DTZ001  all times in here are naive
    return min(moments, default=some), max(moments, default=some)


def _in_utc(rows: ir.Table, clock: Clock) -> ir.Table:
    """Move wall times to UTC; a stated offset has already done so."""
    names = [name.removeprefix("_utc_") for name in rows.columns if name.startswith("_utc_")]
    moved = {
        name: ibis.ifelse(rows[f"_utc_{name}"], rows[name], clock.to_utc(rows[name]))
        for name in names
    }
    return rows.mutate(**moved).drop(*(f"_utc_{name}" for name in names))


def _last(rows: ir.Table, made: Plan) -> ir.TimestampValue:
    """The time of each row, or its end: how far the whole source reaches, whatever is masked."""
    time, end = made.contract.time, made.contract.end
    if time not in rows.columns:
        return ibis.null("timestamp(6)")
    return ibis.greatest(rows[time], rows[end].coalesce(rows[time])) if end else rows[time]


def _masked(rows: ir.Table, made: Plan, cutoff: dt.datetime) -> ir.Table:
    """Empty what was not yet known inside known rows, before anything can be concluded from it.

    What has no time at all that tells when it became known counts as not known yet.
    """
    limit = ibis.timestamp(cutoff.isoformat())
    known = {c.name: c.name for c in made.contract.columns if c.later_known}
    for column in (c for c in made.contract.columns if c.known_with):
        raw = [name for name in (f"_raw_{column.name}",) if name in rows.columns]
        known |= dict.fromkeys([column.name, *raw], column.known_with)
    return rows.mutate(
        **{
            name: ibis.ifelse(rows[time] < limit, rows[name], ibis.null(rows[name].type()))
            for name, time in known.items()
        }
    )


def _problems(rows: ir.Table, made: Plan) -> Iterator[tuple[str, ir.BooleanValue]]:
    """Yield every way to break the contract; limits judge numbers as written, before rounding."""
    for column in (made.contract.column(name) for name in made.table.columns):
        value = rows[column.name]
        if column.one_of:
            yield f"unlisted {column.name}", (~value.isin(column.one_of)).fill_null(False)
        if column.kind == "text":
            yield f"missing {column.name}", value.isnull()
            continue
        raw = rows[f"_raw_{column.name}"]
        unread = value.isnull() & raw.notnull()
        yield f"missing {column.name}", value.isnull() & raw.isnull()
        yield f"unparseable {column.name}", unread
        if column.kind == "whole":
            unread = unread | (value != value.floor()).fill_null(False)
        yield f"not a number: {column.name}", unread
        yield f"not a truth value: {column.name}", unread
        if column.above is not None:
            yield f"non-positive {column.name}", (value <= column.above).fill_null(False)
        if column.least is not None:
            yield f"negative {column.name}", (value < column.least).fill_null(False)
    for earlier, later in made.contract.ordered:
        yield f"{later} before {earlier}", (rows[later] < rows[earlier]).fill_null(False)


def _with_reasons(rows: ir.Table, made: Plan) -> ir.Table:
    """Add `_reason` and `_fits`."""
    overlap = {OVERLAP: rows._overlap} if "_overlap" in rows.columns else {}
    rules = {rule.reason: rows[f"_rule_{i}"] for i, rule in enumerate(made.rules)}
    fits = dict(_problems(rows, made)) | overlap | rules
    bits = [bit for bit, reason in enumerate(made.countable) if reason in fits]
    flagged = rows.mutate(**{f"_flag_{bit}": fits[made.countable[bit]] for bit in bits})
    flags = {bit: flagged[f"_flag_{bit}"] for bit in bits}
    first = ibis.cases(*((flag, bit) for bit, flag in flags.items() if bit < len(made.all_reasons)))
    every = sum(flag.cast("int64") * 2**bit for bit, flag in flags.items())
    judged = flagged.mutate(_reason=first.cast("int64"), _fits=every)
    spent = ("_flag_", "_rule_", "_overlap")
    return judged.drop(*(name for name in judged.columns if name.startswith(spent)))


def _measured(rows: ir.Table, made: Plan, clock: Clock, cutoff: dt.datetime) -> ir.Table:
    """Round numbers to what the contract holds, and add date, lateness and worth of each row."""
    numbers = [c for c in made.contract.columns if c.kind in ("money", "whole")]
    rounded = {c.name: _rounded(rows[c.name], c, made) for c in numbers}
    dated: dict[str, ir.Value] = {"_later": ibis.literal(False)}
    if made.contract.time in rows.columns:
        time = rows[made.contract.time]
        known_later = (time >= ibis.timestamp(cutoff.isoformat())).fill_null(False)
        dated = {"_later": known_later, made.contract.day: clock.local_date(time)}
    last = clock.local_date(rows._last)
    return rows.mutate(**rounded, **dated, _last=last, _money=_money(rounded))


def _rounded(value: ir.Value, column: Column, made: Plan) -> ir.IntegerValue:
    if column.kind == "whole":
        return parsing.whole(value)
    digits = 0 if made.source.money == "minor_units" else parsing.minor_digits(made.source.currency)
    return parsing.minor_units(value, digits=digits)


def _money(rounded: dict[str, ir.IntegerValue]) -> ir.IntegerValue:
    """What a row is worth in minor units: its amount, or quantity times price; 0 where unknown."""
    if "quantity" in rounded:
        return (rounded["quantity"] * rounded["unit_price"]).fill_null(0)
    return rounded["amount"].fill_null(0) if "amount" in rounded else ibis.literal(0, "int64")


def _mark_overlap(rows: ir.Table, made: Plan) -> ir.Table:
    """Flag a row that an earlier file holds too; repeats inside files are matched one to one.

    Only the stretch of time that files share is compared: that keeps long histories cheap.
    """
    shared = _shared_time(rows, made.contract.time)
    same = [name for name in rows.columns if not name.startswith("_")]
    inside = rows.filter(shared)
    nth = ibis.row_number().over(group_by=["_file", *same], order_by="_file")
    numbered = inside.mutate(_nth=nth)
    first = numbered._file.min().over(group_by=["_nth", *same])
    marked = numbered.mutate(_overlap=numbered._file > first).drop("_nth")
    return marked.union(rows.filter(~shared).mutate(_overlap=ibis.literal(False)))


def _shared_time(rows: ir.Table, time: str) -> ir.BooleanValue:
    """Does the time of a row lie within another file's span? Missing times always do."""
    if time not in rows.columns:
        return ibis.literal(True)
    value = rows[time]
    spans = rows.group_by(file=rows._file).aggregate(first=value.min(), last=value.max())
    within = [
        (rows._file != file) & value.between(ibis.timestamp(first), ibis.timestamp(last))
        for file, first, last in engine.collect(spans).dropna().itertuples(index=False)
    ]
    return ibis.or_(value.isnull(), *(inside.fill_null(False) for inside in within))


def _mark_duplicates(rows: ir.Table, made: Plan) -> ir.Table:
    """Give all but one used row of a key the reason `DUPLICATE`, where the source file asks so.

    The first row is that of the first file, in it the earliest, in equal times the one with the
    least values; the last row is the opposite in all three.
    """
    if made.table.duplicates not in ("keep_first", "keep_last"):
        return rows
    values = [rows[name] for name in rows.columns if not name.startswith("_")]
    order = [rows._file, rows[made.contract.time], *values]
    if made.table.duplicates == "keep_last":
        order = [ibis.desc(value) for value in order]
    used = rows._reason.isnull() & ~rows._later
    nth = ibis.row_number().over(group_by=[*made.contract.key, used], order_by=order)
    numbered = rows.mutate(_nth=ibis.ifelse(used, nth, 0))
    return _add_reason(numbered, made, DUPLICATE, fits=numbered._nth > 0).drop("_nth")
