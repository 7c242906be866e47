"""From exported files to the settings of a source file: what each is, and what its columns mean.

Facts come from `sniffing`, `roles` and `profiling`; what they leave open is asked.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from retention_lab import checks
from retention_lab.tables import parsing
from retention_lab.tables.contracts import CONTRACTS, TableName
from retention_lab.tables.drafts import (
    leftovers,
    profiling,
    questions,
    readings,
    roles,
    spelling,
)
from retention_lab.tables.drafts.profiling import Fit
from retention_lab.tables.drafts.questions import Group, Talk
from retention_lab.tables.drafts.readings import Reading
from retention_lab.tables.drafts.sniffing import Layout

Settings = dict[str, object]
_EXTRA: dict[TableName, tuple[str, ...]] = {
    "orders": ("discount", "coupon", "shipped_at", "promised_at", "delivered_at"),
    "order_lines": ("line", "product_id", "product_family"),
    "customers": ("referred_by",),
    "returns": ("return_id", "order_id"),
    "events": (),
}
_OF_LINE: tuple[str, ...] = (*_EXTRA["order_lines"], "quantity", "unit_price")


def decide(layouts: Sequence[Layout], *, talk: Talk, folder: Path) -> Settings:
    """Settle what a source file in `folder` says of these files, all but the shop's name.

    Raises
    ------
    BadParameter
        When a question stays open.
    BadData
        When the files cannot be what reports need.
    """
    groups = _groups(layouts)
    _refuse_strangers(groups, talk=talk)
    name: TableName = "orders" if "orders" in groups else "order_lines"
    tables, head = _purchases(groups[name], talk=talk)
    for other in ("order_lines", "customers", "returns", "events"):
        if other in groups and other != name:
            tables[other] = _other(other, groups[other], head["currency"], talk=talk)
    for table, settings in tables.items():
        if "derive_from" not in settings:
            files = [_place(one, folder) for one in groups.get(table, groups[name]).layouts]
            tables[table] = {"rows": files[0] if len(files) == 1 else files, **settings}
    return {**head, "tables": {table: tables[table] for table in CONTRACTS if table in tables}}


def _groups(layouts: Sequence[Layout]) -> dict[TableName, Group]:
    found: dict[TableName, list[Layout]] = {}
    for layout in layouts:
        found.setdefault(roles.table(layout), []).append(layout)
    return {table: Group(layouts=of_table) for table, of_table in found.items()}


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


def _picked(group: Group, wanted: Iterable[str], *, talk: Talk) -> dict[str, str]:
    """Find the columns of these roles, as far as there are any."""
    named = {role: questions.pick(group, role, talk=talk) for role in wanted}
    return {role: name for role, name in named.items() if name is not None}


def _purchases(group: Group, *, talk: Talk) -> tuple[dict[TableName, Settings], dict[str, str]]:
    """Settle orders, and lines where the same file has them; and the clock and the currency."""
    found = _picked(group, ["order_id"], talk=talk)
    found["customer_id"] = questions.customer(group, talk=talk)
    found["ordered_at"] = questions.time_column(group, "ordered_at", talk=talk)
    found |= _picked(group, ["amount", "quantity", "unit_price"], talk=talk)
    by_lines = {"quantity", "unit_price"} <= set(found)
    if not by_lines and "amount" not in found:
        questions.needed(group, "amount", "an amount, nor quantity and price", talk=talk)
    extra = (*_EXTRA["orders"], *(_EXTRA["order_lines"] if by_lines else ()))
    found |= _picked(group, extra, talk=talk)
    money = [found[role] for role in ("amount", "unit_price") if role in found]
    code = spelling.currency(group, money, talk=talk)
    # Stored numbers show one zero behind the point where there is nothing.
    has_parts = re.compile(r"[.,](\d\d|[1-9])\b").search
    if parsing.minor_digits(code) and not any(has_parts(c) for m in money for c in group.shown(m)):
        talk.tell("All amounts are whole; if they are cents, add `money: minor_units` to the file.")
    read = _read(group, found, code, talk=talk)
    head = {"time_zone": spelling.time_zone(read.values(), talk=talk), "currency": code}
    return _split(group, found, read, by_lines, talk=talk), head


def _read(group: Group, found: Mapping[str, str], code: str, *, talk: Talk) -> dict[str, Fit]:
    """Decide how the times and numbers among the columns are read."""
    ways = {
        raw: _ways(group, raw, roles.KINDS[role], code, talk)
        for role, raw in found.items()
        if roles.KINDS[role] != "text"
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


def _columns(found: Mapping[str, str], read: Mapping[str, Fit]) -> Settings:
    """Word columns as a source file does."""
    return {role: _column(raw, read.get(raw)) for role, raw in found.items()}


def _column(raw: str, fit: Fit | None) -> object:
    formats = list(fit.reading.formats) if fit else []
    said = {"format": formats[0] if len(formats) == 1 else formats} if formats else {}
    said |= {"number": fit.reading.style} if fit and fit.reading.style else {}
    return {"column": raw, **said} if said else raw


def _split(
    group: Group, found: Mapping[str, str], read: Mapping[str, Fit], by_lines: bool, *, talk: Talk
) -> dict[TableName, Settings]:
    """Tell orders from lines: one row per order, its amount on one row or on all, or its parts."""
    columns = _columns(found, read)
    if "order_id" not in found:
        talk.tell("There is no order number: what a customer buys at one time is one order.")
        both = leftovers.both(found["customer_id"], found["ordered_at"])
        columns["order_id"] = {"sql": both}
    line = _OF_LINE if by_lines else ()
    orders = {role: said for role, said in columns.items() if role not in line}
    lines = {role: columns[role] for role in ("order_id", *line) if role in columns}
    rest = {**_attributes(group, found.values()), **leftovers.rules(group, found, talk=talk)}
    if "amount" not in found:
        fits = {column.name for column in CONTRACTS["order_lines"].columns}
        kept = {role: said for role, said in (orders | lines).items() if role in fits}
        return {
            "order_lines": {"columns": kept, **rest},
            "orders": {"derive_from": "order_lines"},
        }
    rows = _rows_of(group, found, talk=talk)
    tables: dict[TableName, Settings] = {"orders": {**rows, "columns": orders, **rest}}
    return tables | ({"order_lines": {"columns": lines}} if by_lines else {})


def _rows_of(group: Group, found: Mapping[str, str], *, talk: Talk) -> Settings:
    """Tell which rows are orders, and what several rows of one are."""
    if "order_id" not in found:
        return {"duplicates": "add_up"}
    keys = profiling.keys(group.tables, found["order_id"], found["amount"])
    if not keys.several:
        return {}
    amount = found["amount"]
    match spelling.repeated(keys, amount, talk=talk):
        case "first":
            talk.tell(f"{amount!r} stands on one row of each order: that row counts.")
            return {"only": f"{leftovers.text(amount)} <> ''"}
        case "total":
            talk.tell(f"{amount!r} repeats on all rows of an order: it counts once.")
            return {"duplicates": "keep_first"}
    talk.tell(f"An order is worth the sum of {amount!r} over its rows.")
    return {"duplicates": "add_up"}


def _attributes(group: Group, taken: Iterable[str]) -> Settings:
    first = group.layouts[0]
    found = roles.attributes(first, taken=list(taken))
    kept = {name: raw for name, raw in found.items() if raw in group.columns}
    return {"attributes": kept} if kept else {}


def _other(table: TableName, group: Group, code: str, *, talk: Talk) -> Settings:
    """Settle the columns of lines that stand in a file of their own, customers, returns, events."""
    contract = CONTRACTS[table]
    if table == "order_lines":
        found = {"order_id": questions.needed(group, "order_id", "an order number", talk=talk)}
        found |= _picked(group, _OF_LINE, talk=talk)
        return {"columns": _columns(found, _read(group, found, code, talk=talk))}
    found = {"customer_id": questions.customer(group, talk=talk)}
    found[contract.time] = questions.time_column(group, contract.time, talk=talk)
    if table == "returns":
        found["amount"] = questions.needed(group, "amount", "an amount", talk=talk)
    if table == "events":
        found["event"] = questions.needed(group, "event", "the name of an event", talk=talk)
    found |= _picked(group, _EXTRA[table], talk=talk)
    columns = _columns(found, _read(group, found, code, talk=talk))
    if table == "returns":
        both = leftovers.both(found["customer_id"], found["returned_at"])
        columns.setdefault("return_id", {"sql": both})
        return {"columns": columns, "duplicates": "add_up"}
    rest = _attributes(group, found.values()) if contract.takes_attributes else {}
    return {"columns": columns, **rest}


def taken(settings: Mapping[str, object]) -> list[str]:
    """List the raw columns that settings use by name."""
    tables: Mapping[str, Mapping[str, Mapping[str, object]]] = settings["tables"]  # type: ignore[assignment]
    parts = [table.get(part, {}) for table in tables.values() for part in ("columns", "attributes")]
    found = [one for part in parts for one in part.values()]
    return [str(one.get("column", "")) if isinstance(one, dict) else str(one) for one in found]
