"""Completeness: whether the tables of a snapshot reach its day, each judged by its own past.

A source says so, or the rows tell. A table is late when it has been silent for half as long again
as it ever was in the past year, so that it is no fault to be closed on Sundays. It is thin when its
last day has less than half of the fewest rows that its weekday had in eight weeks, and a year ago.
On the rows by day of Online Retail II and of the demo, and on chance alone (Poisson), this is wrong
on fewer than one day in 200.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from retention_lab import checks
from retention_lab.tables import engine, reach
from retention_lab.tables.contracts import CONTRACTS, TableName
from retention_lab.tables.snapshot import Snapshot

WEEKS = (*range(1, 9), 52)  # how long before lie the days that a day is compared with
FEWEST = 3  # of these, or a history of under three weeks would be judged
LEAST = 10  # rows of a day: half of fewer may be chance
PATIENCE = 1.5  # a silence a little longer than all before is no fault yet
OFTEN = 40  # days with rows in a year; of the silences of a sparser table too little is known

_DAY = dt.timedelta(days=1)


@dataclass(frozen=True, kw_only=True)
class Arrival:
    """How far one table reaches.

    `last` is the day of its last row by the as-of date, None without any, and `rows` how many that
    day has. `usual` is the fewest rows that its weekday had in the weeks before, None where these
    do not tell.
    """

    table: str
    as_of: dt.date
    last: dt.date | None
    rows: int
    usual: int | None
    state: Literal["complete", "late", "thin"]

    @property
    def sentence(self) -> str:
        """What a reader is told."""
        table, report = self.table.replace("_", " "), f"the report is of {_named(self.as_of)}"
        if self.last is None:
            return f"{table} have no row yet; {report}."
        match self.state:
            case "complete":
                return f"{table} are complete to {_named(self.as_of)}."
            case "late":
                rows = f"{self.rows:,} row{'s' * (self.rows != 1)}"
                return f"{table} reach only {_named(self.last)} ({rows} that day); {report}."
            case "thin":
                return (
                    f"{table} of {_named(self.last)} have {self.rows:,} rows; in the weeks "
                    f"before, no {self.last:%A} had fewer than {self.usual:,}."
                )


def arrivals(
    shop: Snapshot, *, stated: dt.date | None = None, excused: Collection[dt.date] = ()
) -> tuple[Arrival, ...]:
    """Judge each table that the source keeps; those derived from others are left aside.

    Parameters
    ----------
    shop
        A snapshot of everybody.
    stated
        The day to which the source says that it is complete (`complete_to`); reaching the as-of
        date, it settles the matter.
    excused
        Business-local days on which little is no fault, such as holidays and outages.

    Raises
    ------
    BadParameter
        When the snapshot has only chosen customers: few rows of these tell nothing of a table.
    """
    if shop.where:
        raise checks.BadParameter(
            f"Completeness is judged over everybody, not over customers with {shop.where!r}."
        )
    told = stated is not None and stated >= shop.as_of
    found = {name: _rows_by_day(shop, name) for name in _kept(shop)}
    return tuple(
        _settled(name, days, as_of=shop.as_of)
        if told
        else judged(name, days, as_of=shop.as_of, excused=excused)
        for name, days in found.items()
    )


def _settled(table: str, days: Mapping[dt.date, int], *, as_of: dt.date) -> Arrival:
    rows = days.get(as_of, 0)
    return Arrival(table=table, as_of=as_of, last=as_of, rows=rows, usual=None, state="complete")


def judged(
    table: str, days: Mapping[dt.date, int], *, as_of: dt.date, excused: Collection[dt.date] = ()
) -> Arrival:
    """Judge one table by its rows by day, none after `as_of`."""
    last = max(days, default=None)
    rows = 0 if last is None else days[last]
    usual = None if last is None else _usual(days, last)
    state: Literal["complete", "late", "thin"] = "complete"
    if last is None or _is_late(days, last, as_of=as_of, excused=excused):
        state = "late"
    elif usual is not None and 2 * rows < usual and last not in excused:
        state = "thin"
    return Arrival(table=table, as_of=as_of, last=last, rows=rows, usual=usual, state=state)


def _is_late(
    days: Mapping[dt.date, int], last: dt.date, *, as_of: dt.date, excused: Collection[dt.date]
) -> bool:
    past = [day for day in sorted(days) if day >= last - 365 * _DAY]
    if len(past) < OFTEN:
        return False
    longest = max(((two - one).days - 1 for one, two in pairwise(past)), default=0)
    silence = (as_of - last).days - sum(last < day <= as_of for day in excused)
    return silence > PATIENCE * longest


def _usual(days: Mapping[dt.date, int], last: dt.date) -> int | None:
    """Find the fewest rows that a weekday had in the weeks before, if these tell."""
    compared = (last - 7 * week * _DAY for week in WEEKS)
    counts = [days.get(day, 0) for day in compared if day >= min(days)]
    return min(counts) if len(counts) >= FEWEST and min(counts) >= LEAST else None


def _rows_by_day(shop: Snapshot, name: TableName) -> dict[dt.date, int]:
    table, day = shop.tables[name], CONTRACTS[name].day
    if name == "subscriptions":
        table, day = reach.of_subscriptions(table, zone=shop.zone), "day"
    elif name == "order_lines":  # its order tells when
        table = table.join(shop.orders.select("order_id", day), "order_id")
    counts = engine.collect(table.group_by(day).aggregate(rows=table.count()))
    return {one[day].date(): int(one["rows"]) for one in counts.to_dict(orient="records")}


def _kept(shop: Snapshot) -> list[TableName]:
    """The tables that are mapped: orders and customers may be derived from others."""
    there = set(shop.left_out["table"]) | (set(shop.tables) - {"orders", "customers"})
    return [name for name in CONTRACTS if name in there]


def _named(day: dt.date) -> str:
    return f"{day:%A} {day.day} {day:%B}"
