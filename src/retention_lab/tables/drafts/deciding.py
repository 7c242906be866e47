"""From exported files to the settings of a source file: what each is, and what its columns mean.

Facts come from `sniffing`, `roles` and `profiling`; what they leave open is asked.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ibis.backends import BaseBackend

from retention_lab import checks
from retention_lab.tables import parsing
from retention_lab.tables.contracts import CONTRACTS, TableName
from retention_lab.tables.drafts import (
    leftovers,
    profiling,
    questions,
    readings,
    roles,
    sniffing,
    spelling,
)
from retention_lab.tables.drafts.profiling import Fit
from retention_lab.tables.drafts.questions import Group, Talk
from retention_lab.tables.drafts.readings import Reading
from retention_lab.tables.drafts.sniffing import Layout
from retention_lab.tables.names import Role

Settings = dict[str, object]
_TIMES: dict[TableName, Role] = {
    "customers": "signed_up_at",
    "returns": "returned_at",
    "events": "occurred_at",
}
_EXTRA: dict[TableName, tuple[Role, ...]] = {
    "orders": ("discount", "coupon", "shipped_at", "promised_at", "delivered_at"),
    "order_lines": ("line", "product_id", "product_family"),
    "customers": ("referred_by",),
    "returns": ("order_id",),
    "events": (),
}


@dataclass(frozen=True, kw_only=True)
class Columns:
    """Raw columns by canonical name, and how those of times and numbers are read.

    `made` are columns that an SQL expression makes.
    """

    found: Mapping[str, str]
    read: Mapping[str, Fit]
    made: Mapping[str, str]

    def settings(self) -> Settings:
        """Word the columns as a source file does."""
        return {name: _column(raw, self.read.get(raw)) for name, raw in self.found.items()} | {
            name: {"sql": sql} for name, sql in self.made.items()
        }


def _column(raw: str, fit: Fit | None) -> object:
    formats = list(fit.reading.formats) if fit else []
    said = {"format": formats[0] if len(formats) == 1 else formats} if formats else {}
    said |= {"number": fit.reading.style} if fit and fit.reading.style else {}
    return {"column": raw, **said} if said else raw


def decide(layouts: Sequence[Layout], *, talk: Talk, folder: Path, con: BaseBackend) -> Settings:
    """Settle what a source file in `folder` says of these files, all but the shop's name.

    Raises
    ------
    BadParameter
        When a question stays open.
    BadData
        When the files cannot be what reports need.
    """
    groups = _groups(layouts, con=con)
    _refuse_strangers(groups, talk=talk)
    name: TableName = "orders" if "orders" in groups else "order_lines"
    purchases, head = _purchases(groups[name], talk=talk)
    tables = dict(purchases)
    if name == "orders" and "order_lines" in groups:
        tables["order_lines"] = _lines(groups["order_lines"], head["currency"], talk=talk)
    for other in ("customers", "returns", "events"):
        if other in groups:
            tables[other] = _other(other, groups[other], head["currency"], talk=talk)
    for table, settings in tables.items():
        if "derive_from" not in settings:
            rows = groups[table if table in groups else name].layouts
            tables[table] = {"rows": [_place(one, folder) for one in rows], **settings}
    order = [table for table in CONTRACTS if table in tables]
    return {**head, "tables": {table: tables[table] for table in order}}


def _groups(layouts: Sequence[Layout], *, con: BaseBackend) -> dict[TableName, Group]:
    by_table: dict[TableName, list[Layout]] = {}
    for layout in layouts:
        by_table.setdefault(roles.table(layout), []).append(layout)
    return {
        table: Group(
            layouts=found,
            tables=[sniffing.opened(one.path, one.place, con=con) for one in found],
        )
        for table, found in by_table.items()
    }


def _refuse_strangers(groups: Mapping[TableName, Group], *, talk: Talk) -> None:
    columns = [name for group in groups.values() for name in group.columns]
    for role, name in talk.columns.items():
        checks.known(f"--column {role}", "column", [name], columns)
    if not {"orders", "order_lines"} & set(groups):
        kinds = "; ".join(f"{group.name} looks like {name}" for name, group in groups.items())
        raise checks.BadData(f"There are no orders: {kinds}. Add the file of the orders.")


def _place(layout: Layout, folder: Path) -> object:
    near = os.path.relpath(layout.path.resolve(), folder.resolve())
    said = layout.place.model_dump(exclude_defaults=True) | {"path": near}
    return said if len(said) > 1 else said["path"]


def _purchases(group: Group, *, talk: Talk) -> tuple[dict[TableName, Settings], dict[str, str]]:
    """Settle orders, and lines where the same file has them; and the clock and the currency."""
    wanted: dict[str, str | None] = {
        "order_id": questions.pick(group, "order_id", talk=talk),
        "customer_id": questions.customer(group, talk=talk),
        "ordered_at": questions.time_column(group, "ordered_at", talk=talk),
        "amount": questions.pick(group, "amount", talk=talk),
        "quantity": questions.pick(group, "quantity", talk=talk),
        "unit_price": questions.pick(group, "unit_price", talk=talk),
    }
    by_lines = bool(wanted["quantity"] and wanted["unit_price"])
    if not by_lines and wanted["amount"] is None:
        questions.needed(group, "amount", "an amount, nor quantity and price", talk=talk)
    extra = (*_EXTRA["orders"], *(_EXTRA["order_lines"] if by_lines else ()))
    wanted |= {role: questions.pick(group, role, talk=talk) for role in extra}
    found = {role: name for role, name in wanted.items() if name is not None}
    money = [found[role] for role in ("amount", "unit_price") if role in found]
    code = spelling.currency(group, money, talk=talk)
    if parsing.minor_digits(code) and all(map(group.is_whole, money)):
        talk.tell("All amounts are whole; if they are cents, add `money: minor_units` to the file.")
    read = _read(group, found, code, talk=talk)
    clock = [read[raw] for raw in found.values() if raw in read and _is_time(group, raw)]
    head = {"time_zone": spelling.time_zone(clock, talk=talk), "currency": code}
    return _split(group, Columns(found=found, read=read, made={}), by_lines, talk=talk), head


def _is_time(group: Group, name: str) -> bool:
    return group.layouts[0].kinds[name] == "time"


def _read(group: Group, found: Mapping[str, str], code: str, *, talk: Talk) -> dict[str, Fit]:
    """Decide how the times and numbers among the columns are read."""
    kinds = {column.name: column.kind for one in CONTRACTS.values() for column in one.columns}
    ways = {
        raw: _ways(group, raw, kinds[role], code, talk)
        for role, raw in found.items()
        if kinds[role] != "text"
    }
    few = {raw: readings.likely(every, group.cells(raw)) for raw, every in ways.items()}
    fits = profiling.fits(group.tables, few)
    unsure = {raw for raw, fits_of in fits.items() if not any(fit.whole for fit in fits_of)}
    rest = {raw: ways[raw] for raw in unsure if ways[raw] != few[raw]}
    fits |= profiling.fits(group.tables, rest) if rest else {}
    times = {raw: fits[raw] for raw, every in ways.items() if every[0].is_time}
    numbers = {raw: fits[raw] for raw in ways if raw not in times}
    settled = spelling.settle(group, times, talk=talk)
    return settled | spelling.settle(group, numbers, talk=talk)


def _ways(group: Group, raw: str, kind: str, code: str, talk: Talk) -> list[Reading]:
    cells = group.cells(raw)
    if kind != "time":
        currency = code if kind == "money" else None
        return readings.number_readings(cells, currency=currency, said=talk.number)
    ways = readings.time_readings(cells)
    if talk.dates is None or not cells or not ways[0].formats:
        return ways
    said = [reading for reading in ways if reading.answer == talk.dates]
    return said or [readings.with_clocks(talk.dates, cells)]


def _split(
    group: Group, columns: Columns, by_lines: bool, *, talk: Talk
) -> dict[TableName, Settings]:
    """Tell orders from lines: one row per order, its amount on one row or on all, or its parts."""
    found, made = dict(columns.found), {}
    if "order_id" not in found:
        talk.tell("There is no order number: what a customer buys at one time is one order.")
        made["order_id"] = leftovers.both(found["customer_id"], found["ordered_at"])
    line = [*_EXTRA["order_lines"], "quantity", "unit_price"] if by_lines else []
    lines = _only(columns, ["order_id", *line], made)
    orders = _only(columns, [role for role in found if role not in line] + ["order_id"], made)
    attributes = _attributes(group, found.values())
    rules = leftovers.rules(group, found, talk=talk)
    if "amount" not in found:
        both = {**orders.settings(), **lines.settings()}
        fits = {c.name for c in CONTRACTS["order_lines"].columns}
        kept = {name: value for name, value in both.items() if name in fits}
        return {
            "order_lines": {"columns": kept, **attributes, **rules},
            "orders": {"derive_from": "order_lines"},
        }
    tables: dict[TableName, Settings] = {
        "orders": {**_rows_of(group, found, talk=talk), "columns": orders.settings(), **attributes,
                   **rules}
    }  # fmt: skip
    if by_lines:
        tables["order_lines"] = {"columns": lines.settings()}
    return tables


def _rows_of(group: Group, found: Mapping[str, str], *, talk: Talk) -> Settings:
    """Tell which rows are orders, and what several rows of one are."""
    if "order_id" not in found:
        return {"duplicates": "add_up"}
    keys = profiling.keys(group.tables, found["order_id"], found["amount"])
    if not keys.several:
        return {}
    match spelling.repeated(keys, found["amount"], talk=talk):
        case "first":
            talk.tell(f"{found['amount']!r} stands on one row of each order: that row counts.")
            return {"only": f"{leftovers.text(found['amount'])} <> ''"}
        case "total":
            talk.tell(f"{found['amount']!r} repeats on all rows of an order: it counts once.")
            return {"duplicates": "keep_first"}
        case _:
            talk.tell(f"An order is worth the sum of {found['amount']!r} over its rows.")
            return {"duplicates": "add_up"}


def _only(columns: Columns, names: Iterable[str], made: Mapping[str, str]) -> Columns:
    kept = [name for name in dict.fromkeys(names) if name in columns.found]
    return Columns(found={name: columns.found[name] for name in kept}, read=columns.read, made=made)


def _attributes(group: Group, taken: Iterable[str]) -> Settings:
    first = group.layouts[0]
    found = roles.attributes(first, taken=list(taken))
    kept = {name: raw for name, raw in found.items() if raw in group.columns}
    return {"attributes": kept} if kept else {}


def _lines(group: Group, code: str, *, talk: Talk) -> Settings:
    """Settle lines of orders that another file holds."""
    found = {"order_id": questions.needed(group, "order_id", "an order number", talk=talk)}
    for role in (*_EXTRA["order_lines"], "quantity", "unit_price"):
        name = questions.pick(group, role, talk=talk)
        found |= {role: name} if name else {}
    read = _read(group, found, code, talk=talk)
    return {"columns": Columns(found=found, read=read, made={}).settings()}


def _other(table: TableName, group: Group, code: str, *, talk: Talk) -> Settings:
    """Settle customers, returns or events."""
    contract = CONTRACTS[table]
    found = {"customer_id": questions.customer(group, talk=talk)}
    found[contract.time] = questions.time_column(group, _TIMES[table], talk=talk)
    made: dict[str, str] = {}
    if table == "returns":
        found["amount"] = questions.needed(group, "amount", "an amount", talk=talk)
        key = questions.pick(group, "return_id", talk=talk)
        both = leftovers.both(found["customer_id"], found["returned_at"])
        made = {} if key else {"return_id": both}
        found |= {"return_id": key} if key else {}
    if table == "events":
        found["event"] = questions.needed(group, "event", "the name of an event", talk=talk)
    for role in _EXTRA[table]:
        name = questions.pick(group, role, talk=talk)
        found |= {role: name} if name else {}
    read = _read(group, found, code, talk=talk)
    columns = Columns(found=found, read=read, made=made).settings()
    rest = _attributes(group, found.values()) if contract.takes_attributes else {}
    parts = {"duplicates": "add_up"} if table == "returns" else {}
    return {"columns": columns, **rest, **parts}


def taken(settings: Mapping[str, object]) -> list[str]:
    """List the raw columns that settings use by name."""
    tables: Mapping[str, Mapping[str, Mapping[str, object]]] = settings["tables"]  # type: ignore[assignment]
    found: list[object] = []
    for table in tables.values():
        for part in ("columns", "attributes"):
            found += table.get(part, {}).values()
    return [str(one.get("column", "")) if isinstance(one, dict) else str(one) for one in found]
