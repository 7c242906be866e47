"""A rehearsal of settings that nobody has written yet: the rows as reports would see them.

Every way to break a contract is left out and counted, so that the source file can name those that
do occur, and no other.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import ibis.expr.types as ir
import pandas as pd
from ibis.backends import BaseBackend

from retention_lab import checks
from retention_lab.tables import clocks, engine, fingerprint, snapshot, source, store
from retention_lab.tables.contracts import CONTRACTS, USED, TableName, reasons
from retention_lab.tables.drafts import writing
from retention_lab.tables.drafts.deciding import Settings
from retention_lab.tables.mapping import parsed_rows, plan
from retention_lab.tables.parsing import minor_digits
from retention_lab.tables.quality import Counts
from retention_lab.tables.source import Source

SHOWN = 5  # rows
_END = dt.date(clocks.LAST_YEAR, 12, 31)


@dataclass(frozen=True, kw_only=True)
class Rehearsal:
    """What came of it: the `settings` with the reasons that occur, as the validated `source`.

    `left_out`: rows by table and reason. `used`: rows by table. `sample`: the first orders, times
    as the shop's clock showed them and amounts in whole units. `as_of`: the day that a report will
    know, where that was asked.
    """

    settings: Settings
    source: Source
    as_of: dt.date | None
    left_out: Mapping[TableName, Mapping[str, int]]
    used: Mapping[TableName, int]
    sample: pd.DataFrame


def rehearse(
    settings: Settings,
    *,
    file: Path,
    con: BaseBackend,
    reported: Callable[[dt.date], dt.date] | None = None,
) -> Rehearsal:
    """Map all tables once and keep the reasons that rows were left out for.

    `reported` tells which day a report will know, given the last one with orders: the snapshot of
    that day is then made of the same reading. Without it nothing is written.

    Raises
    ------
    BadParameter
        When the settings are none that a source file may have.
    BadData
        When a contract is broken in a way that leaving out rows does not mend.
    """
    wide = _parsed(_with_reasons(settings), file=file)
    key = fingerprint.source_key(wide, None)
    with ExitStack() as reading:
        parsed = {
            name: reading.enter_context(parsed_rows(plan(name, wide), con=con))
            for name, table in wide.tables.items()
            if table.rows
        }
        every = wide.model_copy(update={"complete_to": _END})
        tables, counts = snapshot.cut(every, as_of=_END, con=con, parsed=parsed)
        found = {name: _rows(counts[name].left_out) for name in counts}
        kept = _with_reasons(settings, only=found)
        source = _parsed(kept, file=file)
        last = (counts.get("orders") or counts["order_lines"]).last
        as_of = reported(last) if reported and last else None
        # A file that changes while it is read will be read again.
        if as_of is not None and key == fingerprint.source_key(wide, None):
            with suppress(checks.BadData):  # the report will say so itself
                _store(source, as_of, *snapshot.cut(wide, as_of=as_of, con=con, parsed=parsed))
    used = {name: each.pop(USED, 0) for name, each in found.items()}
    return Rehearsal(
        settings=kept,
        source=source,
        as_of=as_of,
        left_out=found,
        used=used,
        sample=_sample(tables["orders"], wide),
    )


def _store(
    source: Source,
    as_of: dt.date,
    tables: Mapping[TableName, ir.Table],
    counts: Mapping[TableName, Counts],
) -> None:
    """Keep a snapshot where `snapshot.take` finds it."""
    store.prepare(source)
    folder = store.write(source, as_of, tables=tables, counts=counts)
    store.remember(source, folder, [fingerprint.source_key(source, as_of)])


def _parsed(settings: Settings, *, file: Path) -> Source:
    return source.parse(writing.text(settings, notes=()), file=file)


def _with_reasons(
    settings: Settings, *, only: Mapping[TableName, Mapping[str, int]] | None = None
) -> Settings:
    """Add the contract's reasons below the rules of each table; then keep only those that occur."""
    tables: dict[TableName, dict[str, Any]] = dict(settings["tables"])  # type: ignore[call-overload]
    for name, table in tables.items():
        if "columns" in table:
            rules = [*table.get("leave_out", []), *reasons(CONTRACTS[name], table["columns"])]
            rules = [rule for rule in rules if only is None or _reason(rule) in only[name]]
            rest = {key: value for key, value in table.items() if key != "leave_out"}
            tables[name] = rest | ({"leave_out": rules} if rules else {})
    return {**settings, "tables": tables}


def _reason(rule: object) -> str:
    return rule["reason"] if isinstance(rule, dict) else str(rule)


def _rows(left_out: pd.DataFrame) -> dict[str, int]:
    rows = left_out.groupby("reason", sort=False)["rows"].sum()
    return {str(reason): int(number) for reason, number in rows.items()}


def _sample(orders: ir.Table, read: Source) -> pd.DataFrame:
    columns = orders.select("order_id", "customer_id", "ordered_at", "amount")
    first = engine.collect(columns.order_by("ordered_at", "order_id").limit(SHOWN))
    local = first["ordered_at"].dt.tz_localize("UTC").dt.tz_convert(ZoneInfo(read.zone))
    digits = minor_digits(read.currency)
    return first.assign(
        ordered_at=local.dt.strftime("%-d %B %Y, %H:%M"),
        amount=[f"{amount / 10**digits:,.{digits}f}" for amount in first["amount"]],
    )
