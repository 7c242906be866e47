"""A rehearsal of settings that nobody has written yet: the rows as reports would see them.

Every way to break a contract is left out and counted, so that the source file can name those that
do occur, and no other.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd
from ibis.backends import BaseBackend

from retention_lab.tables import clocks, engine, snapshot, source
from retention_lab.tables.contracts import CONTRACTS, USED, TableName, reasons
from retention_lab.tables.drafts import writing
from retention_lab.tables.drafts.deciding import Settings
from retention_lab.tables.parsing import minor_digits
from retention_lab.tables.source import Source

SHOWN = 5  # rows
_END = dt.date(clocks.LAST_YEAR, 12, 31)


@dataclass(frozen=True, kw_only=True)
class Rehearsal:
    """What came of it: the `settings` with the reasons that occur, as the validated `source`.

    `left_out`: rows by table and reason. `used`: rows by table. `sample`: the first orders, times
    as the shop's clock showed them and amounts in whole units.
    """

    settings: Settings
    source: Source
    left_out: Mapping[TableName, Mapping[str, int]]
    used: Mapping[TableName, int]
    sample: pd.DataFrame


def rehearse(settings: Settings, *, file: Path, con: BaseBackend) -> Rehearsal:
    """Map all tables once, nothing written, and keep the reasons that rows were left out for.

    Raises
    ------
    BadParameter
        When the settings are none that a source file may have.
    BadData
        When a contract is broken in a way that leaving out rows does not mend.
    """
    wide = _parsed(_with_reasons(settings), file=file)
    tables, counts = snapshot.cut(
        wide.model_copy(update={"complete_to": _END}), as_of=_END, con=con
    )
    found = {name: _rows(counts[name].left_out) for name in counts}
    kept = _with_reasons(settings, only=found)
    orders = tables["orders"].order_by("ordered_at", "order_id").limit(SHOWN)
    names = ["order_id", "customer_id", "ordered_at", "amount"]
    return Rehearsal(
        settings=kept,
        source=_parsed(kept, file=file),
        left_out={
            name: {reason: rows for reason, rows in each.items() if reason != USED}
            for name, each in found.items()
        },
        used={name: each.get(USED, 0) for name, each in found.items()},
        sample=_shown(engine.collect(orders.select(*names)), wide),
    )


def _parsed(settings: Settings, *, file: Path) -> Source:
    return source.parse(writing.text(settings, notes=()), file=file)


def _with_reasons(
    settings: Settings, *, only: Mapping[TableName, Mapping[str, int]] | None = None
) -> Settings:
    """Add the contract's reasons below the rules of each table; then keep only those that occur."""
    tables: dict[str, Any] = {}
    mapped: dict[TableName, dict[str, Any]] = settings["tables"]  # type: ignore[assignment]
    for name, table in mapped.items():
        if "columns" not in table:
            tables[name] = table
            continue
        rules = [*table.get("leave_out", []), *reasons(CONTRACTS[name], table["columns"])]
        if only is not None:
            rules = [rule for rule in rules if _reason(rule) in only[name]]
        rest = {key: value for key, value in table.items() if key != "leave_out"}
        tables[name] = rest | ({"leave_out": rules} if rules else {})
    return {**settings, "tables": tables}


def _reason(rule: object) -> str:
    return rule["reason"] if isinstance(rule, dict) else str(rule)


def _rows(left_out: pd.DataFrame) -> dict[str, int]:
    rows = left_out.groupby("reason", sort=False)["rows"].sum()
    return {str(reason): int(number) for reason, number in rows.items()}


def _shown(orders: pd.DataFrame, read: Source) -> pd.DataFrame:
    local = orders["ordered_at"].dt.tz_localize("UTC").dt.tz_convert(ZoneInfo(read.zone))
    digits = minor_digits(read.currency)
    return orders.assign(
        ordered_at=local.dt.strftime("%-d %B %Y, %H:%M"),
        amount=[f"{amount / 10**digits:,.{digits}f}" for amount in orders["amount"]],
    )
