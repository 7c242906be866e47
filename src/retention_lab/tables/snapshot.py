"""A snapshot: the canonical tables as they were known at the end of one business-local day.

Everything downstream reads snapshots, so nothing later than the as-of date can influence a number. A snapshot is named by the hash of
its content and reused while nothing changed.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import ibis.expr.types as ir
import pandas as pd
from ibis.backends import BaseBackend

from retention_lab import checks
from retention_lab.tables import engine, expressions, identity, quality, shaping
from retention_lab.tables import source as sources
from retention_lab.tables.clocks import end_of_day
from retention_lab.tables.contracts import CONTRACTS
from retention_lab.tables.judging import judged_rows
from retention_lab.tables.mapping import plan
from retention_lab.tables.source import Source

_ORDER = ("orders", "order_lines", "customers", "returns", "events")


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """Canonical tables as of a date, with what is known about them.

    `tables` are Ibis tables; besides the contract's columns each has its business-local date (`ordered_on`, ...). Money is int64
    minor units of `currency`. `complete_to` is the last day of orders, at most `as_of`; `records_from` the first.
    """

    name: str
    simulated: bool
    as_of: dt.date
    zone: str
    currency: str
    content_hash: str
    records_from: dt.date
    complete_to: dt.date
    folder: Path
    where: str
    rows: Mapping[str, int]
    left_out: pd.DataFrame
    fits: pd.DataFrame
    controls: pd.DataFrame
    tables: Mapping[str, ir.Table]

    def __getattr__(self, name: str) -> ir.Table:
        """Give a canonical table by its name: `snapshot.orders`."""
        tables = self.__dict__.get("tables", {})
        if name in tables:
            return tables[name]
        if name in CONTRACTS:
            raise checks.BadData(f"{self.name} has no {name}; map them in its source file to use this.")
        raise AttributeError(name)


def take(
    source: Source | str | Path,
    *,
    as_of: dt.date | str | None = None,
    zone: str | None = None,
    where: str = "",
) -> Snapshot:
    """Make the snapshot of a source as of the end of a day, or reuse the one that is there.

    Parameters
    ----------
    source
        A loaded source or the path of its file; a relative path is looked for here and in the folders above.
    as_of
        The last business-local day that the snapshot knows; default the day to which the source is complete.
    zone
        Business time zone; default the source's.
    where
        An SQL condition over the columns of customers, such as ``country = 'UK'``; only these customers remain.

    Raises
    ------
    BadParameter
        When the source, the date or the condition is not understood.
    BadData
        When the data break a contract, do not reach `as_of`, or nobody is left.
    """
    loaded = source if isinstance(source, Source) else sources.load(sources.find(source))
    loaded = loaded.model_copy(update={"business_time_zone": zone}) if zone else loaded
    con = engine.connect(loaded.engine)
    day = date_of(as_of) if as_of is not None else complete_to(loaded, con=con)
    folder = _folder_of(loaded, day) or _made(loaded, day, con=con)
    snapshot = _opened(folder, con=con)
    return _only(snapshot, where) if where.strip() else snapshot


def date_of(value: dt.date | str) -> dt.date:
    """Return a date from ISO text.

    Raises
    ------
    BadParameter
        When there is no such day.
    """
    if isinstance(value, dt.date):
        return value
    try:
        return dt.date.fromisoformat(value)
    except (ValueError, TypeError) as error:
        raise checks.BadParameter(f"as_of must be a day such as 2026-11-29, got {value!r}.") from error


def complete_to(source: Source, *, con: BaseBackend) -> dt.date:
    """Return the last day for which the source claims to be complete: as stated, or the day of the last order."""
    if source.complete_to is not None:
        return source.complete_to
    name = "orders" if source.tables["orders"].rows else "order_lines"
    rows = judged_rows(plan(name, source), con=con, cutoff=dt.datetime.max.replace(microsecond=0))
    day = engine.collect(rows.aggregate(last=rows.ordered_on.max()))["last"].iloc[0]
    if pd.isna(day):
        raise checks.BadData(f"{source.file}: {name} has no row with a readable time, so no date can be reported on.")
    return day.date()


def _folder_of(source: Source, as_of: dt.date) -> Path | None:
    """Find the snapshot that was made from the very same files, file by file, without reading them."""
    note = _note(source, as_of)
    if note is None or not note.is_file():
        return None
    folder = _store(source) / note.read_text(encoding="utf-8").strip()
    return folder if (folder / "snapshot.json").is_file() else None


def _note(source: Source, as_of: dt.date) -> Path | None:
    key = identity.source_key(source, as_of)
    return None if key is None else _store(source) / "known" / key


def _store(source: Source) -> Path:
    return source.file.parent / "snapshots" / source.file.stem


def _made(source: Source, as_of: dt.date, *, con: BaseBackend) -> Path:
    """Read, cut and check the source, and keep the result under the hash of its content."""
    note = _note(source, as_of)
    tables, counts = cut(source, as_of=as_of, con=con)
    store = _store(source)
    partial = store / f".partial-{os.getpid()}-{as_of}"
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    try:
        hashes = {name: identity.write(table, CONTRACTS[name], partial) for name, table in tables.items()}
        about = _about(source, as_of, tables=hashes, counts=counts, folder=partial)
        (partial / "snapshot.json").write_text(json.dumps(about, indent=1, sort_keys=True), encoding="utf-8")
        folder = store / f"{as_of}-{about['content_hash'][:12]}"
        if not folder.exists():
            partial.rename(folder)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    if note is not None:
        note.parent.mkdir(exist_ok=True)
        note.write_text(folder.name, encoding="utf-8")
    return folder


def cut(
    source: Source, *, as_of: dt.date, con: BaseBackend
) -> tuple[dict[str, ir.Table], dict[str, quality.Counts]]:
    """Map every table of a source and keep what was known at the end of `as_of`.

    Returns the canonical tables (Ibis, not yet written) and the counts of what was left out, by table.

    Raises
    ------
    BadData
        When a contract is broken, there is no order by then, or the orders end before `as_of`.
    """
    cutoff = end_of_day(as_of, source.zone)
    tables: dict[str, ir.Table] = {}
    counts: dict[str, quality.Counts] = {}
    later_orders: ir.Table | None = None
    for name in (name for name in _ORDER if name in source.tables and source.tables[name].rows):
        made = plan(name, source)
        rows = judged_rows(made, con=con, cutoff=cutoff)
        if name == "orders":
            later_orders = rows.filter(rows._later)
        elif name == "order_lines" and later_orders is not None:
            rows = rows.anti_join(later_orders, "order_id")  # a line has no time of its own: it is as late as its order
        counts[name] = quality.count(rows, made)
        quality.refuse_broken(rows, made, counts[name])
        tables[name] = shaping.used_rows(rows, made)
        quality.refuse_duplicates(tables[name], made)
    _refuse_silence(source, as_of, counts)
    tables = shaping.complete(tables, source)
    return {
        name: shaping.finished(tables[name], CONTRACTS[name], cutoff=cutoff).cache()
        for name in _ORDER
        if name in tables
    }, counts


def _refuse_silence(source: Source, as_of: dt.date, counts: Mapping[str, quality.Counts]) -> None:
    """Refuse a day that the orders do not reach: days without data would be read as customers who left."""
    found = counts.get("orders") or counts["order_lines"]
    used = found.left_out.query("reason == @quality.USED")["rows"].sum()
    last = source.complete_to or found.last
    if last is None or (not used and as_of >= last):
        raise checks.BadData(f"{source.file}: no order remains; see `retention-lab check {source.file}` for the reasons.")
    if as_of > last:
        raise checks.BadData(
            f"{source.name} has orders to {last} only, so nothing can be said as of {as_of}. Use --as-of {last}, or, if nothing "
            f"was sold since, add `complete_to: {as_of}` to {source.file}."
        )
    if not used:
        raise checks.BadData(f"{source.name} has no order on or before {as_of}. Use a later --as-of.")


def _about(
    source: Source, as_of: dt.date, *, tables: Mapping[str, identity.Written], counts: Mapping[str, quality.Counts], folder: Path
) -> dict[str, Any]:
    """Describe the snapshot; nothing in here may depend on what came after the as-of date."""
    con = engine.connect()
    orders = con.read_parquet(str(folder / "orders.parquet"))
    first, last = engine.collect(orders.aggregate(a=orders.ordered_on.min(), b=orders.ordered_on.max())).iloc[0]
    return {
        "name": source.name,
        "simulated": source.simulated,
        "as_of": str(as_of),
        "zone": source.zone,
        "currency": source.currency,
        "records_from": str(first.date()),
        "complete_to": str(as_of if source.complete_to else min(as_of, last.date())),
        "content_hash": identity.combined(tables, source, as_of),
        "tables": {name: asdict(written) for name, written in sorted(tables.items())},
        "left_out": _records(counts, "left_out"),
        "fits": _records(counts, "fits"),
        "controls": quality.controls(source, as_of, {n: con.read_parquet(str(folder / f"{n}.parquet")) for n in tables}),
    }


def _records(counts: Mapping[str, quality.Counts], what: str) -> list[dict[str, Any]]:
    frames = [getattr(one, what) for one in counts.values()]
    return json.loads(pd.concat(frames).to_json(orient="records", date_format="iso"))  # type: ignore[no-any-return]


def _opened(folder: Path, *, con: BaseBackend) -> Snapshot:
    about = json.loads((folder / "snapshot.json").read_text(encoding="utf-8"))
    left_out = pd.DataFrame(about["left_out"], columns=["table", "month", "reason", "rows", "amount"])
    left_out["month"] = pd.to_datetime(left_out["month"])
    return Snapshot(
        name=about["name"],
        simulated=about["simulated"],
        as_of=dt.date.fromisoformat(about["as_of"]),
        zone=about["zone"],
        currency=about["currency"],
        content_hash=about["content_hash"],
        records_from=dt.date.fromisoformat(about["records_from"]),
        complete_to=dt.date.fromisoformat(about["complete_to"]),
        folder=folder,
        where="",
        rows={name: table["rows"] for name, table in about["tables"].items()},
        left_out=left_out,
        fits=pd.DataFrame(about["fits"], columns=["table", "reason", "rows", "amount", "kept"]),
        controls=pd.DataFrame(about["controls"], columns=quality.CONTROL_COLUMNS),
        tables={name: con.read_parquet(str(folder / f"{name}.parquet")) for name in about["tables"]},
    )


def _only(snapshot: Snapshot, where: str) -> Snapshot:
    """Keep only the customers for whom the condition holds, in every table."""
    customers = expressions.add(snapshot.customers, {"_kept": where}, where="--where")
    customers = customers.filter(customers._kept.fill_null(False)).drop("_kept").cache()
    number = int(engine.collect(customers.aggregate(n=customers.count()))["n"].iloc[0])
    if not number:
        raise checks.BadData(f"No customer of {snapshot.name} fits {where!r}. Check the spelling of the value.")
    tables = {"customers": customers}
    for name in ("orders", "returns", "events"):
        if name in snapshot.tables:
            tables[name] = snapshot.tables[name].semi_join(customers, "customer_id")
    if "order_lines" in snapshot.tables:
        tables["order_lines"] = snapshot.tables["order_lines"].semi_join(tables["orders"], "order_id")
    return replace(snapshot, where=where, tables=tables)
