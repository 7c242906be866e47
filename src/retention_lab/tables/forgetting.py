"""Erasing people: from the snapshots that hold them, and from what new ones are made of."""

from __future__ import annotations

import datetime as dt
import json
import shutil
import uuid
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import ibis
import ibis.expr.types as ir
import pandas as pd
from ibis.backends import BaseBackend

from retention_lab.tables import engine, erased, identity, reach, shelf, store
from retention_lab.tables.contracts import CONTRACTS, USED, TableName
from retention_lab.tables.erased import Person
from retention_lab.tables.mapping import Plan, parsed_rows, plan
from retention_lab.tables.source import Source

_FRESH = ".fresh-"
_SINCE = "erased"  # in the file about a snapshot: how many were erased from it


@dataclass(frozen=True, kw_only=True)
class Swept:
    """What was changed: how many snapshots, and rows in them; some may have nothing left."""

    snapshots: int = 0
    rows: int = 0


def without(rows: ir.Table, made: Plan, *, con: BaseBackend) -> ir.Table:
    """Keep whoever was erased out of the parsed rows of a table, and their orders' lines, too.

    So a snapshot is the same as if they had never been in the source, its counts included.
    """
    people = erased.listed(made.source)
    if not people:
        return rows
    if "customer_id" in rows.columns:
        kept = rows.filter(~erased.among(rows.customer_id, people))
    else:
        kept = rows.anti_join(_orders(made.source, people, con=con), "order_id")
    return engine.keep(_unreferred(kept, people), where=made.where)


def _orders(source: Source, people: Collection[Person], *, con: BaseBackend) -> ir.CachedTable:
    """Read the ids of the orders of people, whenever they ordered."""
    made = plan("orders", source)
    wanted = {name: made.table.columns[name] for name in ("order_id", "customer_id")}
    bare = made.table.model_copy(
        update={"columns": wanted, "attributes": {}, "leave_out": (), "count_only": ()}
    )
    with parsed_rows(Plan(contract=made.contract, table=bare, source=source), con=con) as orders:
        theirs = orders.filter(erased.among(orders.customer_id, people))
        return engine.keep(theirs.select("order_id").distinct(), where=made.where)


def _unreferred(rows: ir.Table, people: Collection[Person]) -> ir.Table:
    """Empty who referred a customer where it is one of some people."""
    if "referred_by" not in rows.columns:
        return rows
    gone = erased.among(rows.referred_by, people)
    return rows.mutate(referred_by=ibis.ifelse(gone, ibis.null("string"), rows.referred_by))


def holds(source: Source, person: Person) -> bool:
    """Say whether any snapshot of a source names a customer."""
    con = engine.connect()
    return any(_named(_tables(each, con=con), [person]) for each in _snapshots(source))


def forget(source: Source, people: Collection[Person]) -> Swept:
    """Erase people from every snapshot of a source, and keep them out of those to come.

    A snapshot keeps its name, by which reports know it; its files are replaced one by one, and what
    a crash cut short is finished by the next call. Nothing is changed where nobody of them is.
    """
    if not people:
        return Swept()
    store.prepare(source)
    with shelf.changing(source):
        erased.add(source, people)
        for fresh in shelf.place(source).glob(f"{_FRESH}*"):
            _finish(fresh)
        for partial in shelf.place(source).glob(f"{shelf.PARTIAL}*"):  # of runs that were cut off
            shutil.rmtree(partial)
        con = engine.connect()
        rows = [_erase(each, source, people, con=con) for each in _snapshots(source)]
    changed = [number for number in rows if number is not None]
    return Swept(snapshots=len(changed), rows=sum(changed))


def since(folder: Path) -> int:
    """Return how many customers were erased from a snapshot since it was made."""
    about: dict[str, Any] = json.loads((folder / store.ABOUT).read_text(encoding="utf-8"))
    return int(about.get(_SINCE, 0))


def _snapshots(source: Source) -> list[Path]:
    return sorted(file.parent for file in shelf.place(source).glob(f"[!.]*/{store.ABOUT}"))


def _tables(folder: Path, *, con: BaseBackend) -> dict[TableName, ir.Table]:
    files = {name: folder / f"{name}.parquet" for name in CONTRACTS}
    return {name: con.read_parquet(str(file)) for name, file in files.items() if file.is_file()}


def _erase(
    folder: Path, source: Source, people: Collection[Person], *, con: BaseBackend
) -> int | None:
    """Write a snapshot again without people; returns how many rows that took out, None if nobody.

    One that would have no order left, or without orders no subscription, is gone.
    """
    tables = _tables(folder, con=con)
    number = _named(tables, people)
    if not number:
        return None
    theirs = _theirs(tables, people)
    gone = {name: _by_month(theirs, name) for name in theirs}
    rows = sum(int(each["rows"].sum()) for each in gone.values())
    main: TableName = "orders" if "orders" in tables else "subscriptions"
    if _count(theirs[main]) == _count(tables[main]):
        shutil.rmtree(folder)
        return rows
    partial = folder.with_name(f"{shelf.PARTIAL}{uuid.uuid4().hex}")
    partial.mkdir()
    kept = {name: _kept(table, theirs, name, people) for name, table in tables.items()}
    written = {
        name: identity.write(table, CONTRACTS[name], partial) for name, table in kept.items()
    }
    told = _told(folder, source, written=written, gone=gone)
    days = reach.days(kept, zone=told["zone"])
    told["records_from"] = str(
        engine.collect(days.aggregate(first=days.day.min()))["first"][0].date()
    )
    told[_SINCE] = told.get(_SINCE, 0) + number
    (partial / store.ABOUT).write_text(store.text(told), encoding="utf-8")
    _finish(partial.rename(folder.with_name(_FRESH + folder.name)))
    return rows


def _finish(fresh: Path) -> None:
    """Move what was written again into its snapshot: readers find each file at any moment."""
    folder = fresh.with_name(fresh.name.removeprefix(_FRESH))
    for file in sorted(fresh.iterdir()):
        file.replace(folder / file.name)
    fresh.rmdir()


def _named(tables: Mapping[TableName, ir.Table], people: Collection[Person]) -> int:
    """Count those people whose id stands anywhere in tables."""
    ids = [rows.select("customer_id") for rows in tables.values() if "customer_id" in rows.columns]
    ids.append(tables["customers"].select(customer_id="referred_by"))
    every = ibis.union(*ids)
    return _count(every.filter(erased.among(every.customer_id, people)).distinct())


def _theirs(
    tables: Mapping[TableName, ir.Table], people: Collection[Person]
) -> dict[TableName, ir.Table]:
    """Return the rows of people, lines by their orders."""
    found: dict[TableName, ir.Table] = {
        name: rows.filter(erased.among(rows.customer_id, people))
        for name, rows in tables.items()
        if name != "order_lines"
    }
    if "order_lines" in tables:
        found["order_lines"] = tables["order_lines"].semi_join(found["orders"], "order_id")
    return found


def _kept(
    table: ir.Table,
    theirs: Mapping[TableName, ir.Table],
    name: TableName,
    people: Collection[Person],
) -> ir.Table:
    if name == "order_lines":
        return table.anti_join(theirs["orders"], "order_id")
    return _unreferred(table.filter(~erased.among(table.customer_id, people)), people)


def _by_month(theirs: Mapping[TableName, ir.Table], name: TableName) -> pd.DataFrame:
    """Count rows and add up money by month, as `quality.Counts.left_out` does."""
    rows = theirs[name]
    if name == "order_lines":
        dated = rows.join(theirs["orders"].select("order_id", "ordered_on"), "order_id")
        rows = dated.mutate(amount=dated.quantity * dated.unit_price)
    money = rows.amount.sum() if "amount" in rows.columns else ibis.literal(0)
    months = rows.group_by(month=rows[CONTRACTS[name].day].truncate("M"))
    return engine.collect(months.aggregate(rows=rows.count(), amount=money.fill_null(0)))


def _told(
    folder: Path,
    source: Source,
    *,
    written: Mapping[TableName, identity.Written],
    gone: Mapping[TableName, pd.DataFrame],
) -> dict[str, Any]:
    """Return what is known of a snapshot, less the rows that are gone.

    Rows that had been left out, and sums for control totals, stay as they were counted: they are
    figures of everybody, and the rows are not there any more to tell whose they were.
    """
    told: dict[str, Any] = json.loads((folder / store.ABOUT).read_text(encoding="utf-8"))
    then = {"name": told["name"], "business_time_zone": told["zone"], "currency": told["currency"]}
    as_of = dt.date.fromisoformat(told["as_of"])
    whole = identity.combined(written, source.model_copy(update=then), as_of)
    left_out = [_less(one, gone) for one in told["left_out"]]
    return told | {
        "content_hash": whole,
        "tables": {name: asdict(one) for name, one in sorted(written.items())},
        "left_out": [one for one in left_out if one["rows"] > 0],
    }


def _less(one: dict[str, Any], gone: Mapping[TableName, pd.DataFrame]) -> dict[str, Any]:
    """Take from the count of rows in use those that are gone."""
    if one["reason"] != USED or one["table"] not in gone:
        return one
    rows = gone[one["table"]]
    if one["month"] is not None:  # lines may have none of their own
        rows = rows[rows["month"] == pd.Timestamp(one["month"])]
    less = {each: one[each] - int(rows[each].sum()) for each in ("rows", "amount")}
    return one | less


def _count(rows: ir.Table) -> int:
    return int(engine.collect(rows.aggregate(rows=rows.count()))["rows"].iloc[0])
