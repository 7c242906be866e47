"""A snapshot: the canonical tables as they were known at the end of one business-local day.

Everything downstream reads snapshots, so nothing later than the as-of date can influence a number.
A snapshot is named by its content and reused while nothing changed.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import ibis.expr.types as ir
import pandas as pd
from ibis.backends import BaseBackend

from retention_lab import checks
from retention_lab.tables import (
    clocks,
    engine,
    identity,
    population,
    quality,
    reach,
    shaping,
    store,
)
from retention_lab.tables import source as sources
from retention_lab.tables.contracts import CONTRACTS, TableName
from retention_lab.tables.erased import needed
from retention_lab.tables.fingerprint import source_key
from retention_lab.tables.frames import FrameSource
from retention_lab.tables.judging import follow_orders, judged_rows
from retention_lab.tables.mapping import Plan, plan
from retention_lab.tables.parsing import minor_digits
from retention_lab.tables.shelf import making
from retention_lab.tables.source import Source

_ORDER = sorted(CONTRACTS, key=lambda name: not name.startswith("order"))  # these first
_DAYS = ("as_of", "records_from", "complete_to")


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """Canonical tables as of a date, with what is known about them.

    `tables` are Ibis tables; besides the contract's columns each has its business-local date
    (`ordered_on`, ...). Money is int64 minor units of `currency`. `complete_to` is the last day of
    orders, at most `as_of`; `records_from` the first; where there are no orders, both are days on
    which subscriptions began or ended. `left_out` and `fits` are those of
    `quality.Counts`, `controls` holds `quality.CONTROL_COLUMNS`; all three speak of everybody,
    whatever `where` says. `folder` is where the tables lie; those of frames lie in memory, and only
    its name tells them from others.
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

    @property
    def minor_per_unit(self) -> int:
        """How many minor units make one whole unit of the currency: 100 pence."""
        return int(10 ** minor_digits(self.currency))

    @property
    def main(self) -> TableName:
        """The table that tells how far the shop is known: orders, or subscriptions without any."""
        return "orders" if "orders" in self.tables else "subscriptions"

    @property
    def history_days(self) -> int:
        """Days from the first that is recorded to the as-of date, both included."""
        return (self.as_of - self.records_from).days + 1

    def __getattr__(self, name: str) -> ir.Table:
        """Give a canonical table by its name: `snapshot.orders`."""
        tables = self.__dict__.get("tables", {})
        if name in tables:
            return tables[name]
        if name in CONTRACTS:
            instead = " Its subscriptions can feed the churn report." if name == "orders" else ""
            raise checks.BadData(
                f"{self.name} has no {name}; map them in its source file to use this, or hand them "
                f"to from_frames.{instead}"
            )
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
        A loaded source or the path of its file, looked for here and in the folders above.
    as_of
        The last business-local day that the snapshot knows; default the day to which the source is
        complete.
    zone
        Business time zone; default the source's.
    where
        An SQL condition over customers, such as ``country = 'UK'`` or ``cohort('vip')``; only these
        customers remain. `population` tells what it may name.

    Raises
    ------
    BadParameter
        When the source, the date or the condition is not understood.
    BadData
        When the data break a contract, do not reach `as_of`, or nobody is left.
    """
    loaded = _loaded(source, zone)
    day = None if as_of is None else clocks.date_of(as_of)
    con = engine.connect(loaded.engine)
    if isinstance(loaded, FrameSource):
        snapshot = _in_memory(loaded, day, con=con)
    else:
        snapshot = _opened(store.find(loaded, day) or _made(loaded, day, con=con), con=con)
    return only(snapshot, where) if where.strip() else snapshot


def kept(
    source: Source | str | Path, *, name: str, zone: str | None = None, where: str = ""
) -> Snapshot | None:
    """Open an earlier snapshot of a source by the name of its folder, if it is still there.

    Its tables are those of that day, whatever has become of the source since.

    Raises
    ------
    BadParameter
        When the source or the condition is not understood.
    BadData
        When nobody is left.
    """
    loaded = _loaded(source, zone)
    folder = store.named(loaded, name)
    if folder is None:
        return None
    snapshot = _opened(folder, con=engine.connect(loaded.engine))
    return only(snapshot, where) if where.strip() else snapshot


def _loaded(source: Source | str | Path, zone: str | None) -> Source:
    loaded = source if isinstance(source, Source) else sources.load(sources.find(source))
    update = {"business_time_zone": clocks.zone(zone).key} if zone else {}
    return loaded.model_copy(update=update)


def complete_to(source: Source, *, con: BaseBackend) -> dt.date:
    """Return the last day to which the source is complete: as stated, or that of the last order.

    Without orders, it is the last day on which a subscription began or ended.

    Raises
    ------
    BadData
        When there is no row, or none whose time can be read.
    """
    if source.complete_to is not None:
        return source.complete_to
    made = plan(source.main, source)
    wanted = {*needed(source, made.contract.time), made.contract.end}
    times = {name: column for name, column in made.table.columns.items() if name in wanted}
    only = made.table.model_copy(
        update={"columns": times, "attributes": {}, "leave_out": (), "count_only": ()}
        | {"overlap": "keep", "duplicates": "refuse"}
    )
    bare = Plan(contract=made.contract, table=only, source=source)
    end = dt.datetime(clocks.LAST_YEAR + 1, 1, 1)  # noqa: DTZ001  naive UTC
    with judged_rows(bare, con=con, cutoff=end) as rows:
        counts = quality.count(rows, bare)
        if counts.last is None:  # say how to read the times, if there are any
            quality.refuse_broken(rows, bare, counts)
    if counts.last is None:
        raise checks.BadData(f"{source.file}: {source.main} has no row. Export the file again.")
    return counts.last


def _made(source: Source, asked: dt.date | None, *, con: BaseBackend) -> Path:
    """Read, cut and check the source, and keep the result; `asked` is None for the last day."""
    store.prepare(source)
    keys = [source_key(source, asked)]  # first: a file that changes meanwhile is read again
    day = complete_to(source, con=con) if asked is None else asked
    keys += [source_key(source, day)] if asked is None else []
    with making(source):  # whoever is erased meanwhile is erased from this one, too
        tables, counts = cut(source, as_of=day, con=con)
        folder = store.write(source, day, tables=tables, counts=counts)
    store.remember(source, folder, keys)
    return folder


def cut(
    source: Source,
    *,
    as_of: dt.date,
    con: BaseBackend,
    parsed: Mapping[TableName, ir.Table] | None = None,
) -> tuple[dict[TableName, ir.Table], dict[TableName, quality.Counts]]:
    """Map every table of a source, rows `parsed` already or not, as known at the end of `as_of`.

    Returns the canonical tables (Ibis, not yet written) and the counts of what was left out, by
    table.

    Raises
    ------
    BadData
        When a contract is broken, or as `reach.refuse_silence` does.
    """
    cutoff = clocks.end_of_day(as_of, source.zone)
    tables: dict[TableName, ir.Table] = {}
    counts: dict[TableName, quality.Counts] = {}
    later: ir.Table | None = None  # ids of orders that are not yet known
    for name in (name for name in _ORDER if name in source.tables and source.tables[name].rows):
        made = plan(name, source)
        ready = (parsed or {}).get(name)
        with judged_rows(made, con=con, cutoff=cutoff, parsed=ready) as judged:
            rows: ir.Table = judged
            if name == "order_lines" and later is not None:
                rows = follow_orders(rows, made, orders=tables["orders"], later=later)
            counts[name] = quality.count(rows, made)
            quality.refuse_broken(rows, made, counts[name])
            tables[name] = engine.keep(shaping.used_rows(rows, made), where=made.where)
            quality.refuse_duplicates(tables[name], made)
            if name == "orders" and "order_lines" in source.tables:
                ids = rows.filter(rows._later).select("order_id")
                later = engine.keep(ids, where=made.where)
    reach.refuse_silence(source, as_of, counts)
    whole = shaping.complete(tables, source)
    return whole, quality.count_strangers(counts, whole)


def _in_memory(source: FrameSource, asked: dt.date | None, *, con: BaseBackend) -> Snapshot:
    """Cut and check frames, and keep the result in the engine; nothing is written."""
    day = complete_to(source, con=con) if asked is None else asked
    cuts, counts = cut(source, as_of=day, con=con)
    tables = {name: engine.keep(table, where=source.line(name)) for name, table in cuts.items()}
    hashes = {name: identity.hashed(table) for name, table in tables.items()}
    about = store.about(source, day, hashes=hashes, counts=counts, tables=tables)
    return _described(about, folder=Path(store.folder_name(about)), tables=tables)


def _opened(folder: Path, *, con: BaseBackend) -> Snapshot:
    about = json.loads((folder / store.ABOUT).read_text(encoding="utf-8"))
    tables = {name: con.read_parquet(str(folder / f"{name}.parquet")) for name in about["tables"]}
    return _described(about, folder=folder, tables=tables)


def _described(
    about: Mapping[str, Any], *, folder: Path, tables: Mapping[TableName, ir.Table]
) -> Snapshot:
    left_out = pd.DataFrame(about["left_out"], columns=quality.LEFT_OUT_COLUMNS)
    left_out["month"] = pd.to_datetime(left_out["month"])
    return Snapshot(
        **{name: about[name] for name in ("name", "simulated", "zone", "currency", "content_hash")},
        **{name: dt.date.fromisoformat(about[name]) for name in _DAYS},  # type: ignore[arg-type]
        folder=folder,
        where="",
        rows={name: table["rows"] for name, table in about["tables"].items()},
        left_out=left_out,
        fits=pd.DataFrame(about["fits"], columns=quality.FIT_COLUMNS),
        controls=pd.DataFrame(about["controls"], columns=quality.CONTROL_COLUMNS),
        tables={str(name): table for name, table in tables.items()},
    )


def only(snapshot: Snapshot, where: str) -> Snapshot:
    """Keep only the customers for whom a condition holds; raises as `population.chosen` does."""
    customers = population.customers(snapshot, where)
    tables = {"customers": customers}
    for name in (each for each in snapshot.tables if each not in ("customers", "order_lines")):
        tables[name] = snapshot.tables[name].semi_join(customers, "customer_id")
    if "order_lines" in snapshot.tables:
        tables["order_lines"] = snapshot.order_lines.semi_join(tables["orders"], "order_id")
    rows = {name: population.count(table) for name, table in tables.items()}
    both = population.both(snapshot.where, where)
    return replace(snapshot, where=both, tables=tables, rows=rows)
