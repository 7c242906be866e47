"""Whether contact helped: customers of earlier lists who were contacted, against those held back.

Who was put on a list is logged in the state, each kind of list in a log of its own. A customer
counts from the end of the first list's day, in the group that was drawn for it then, whatever was
sent or answered since (intention to treat): whoever was held back is not listed again, on a list of
any kind, until the horizon is over.
"""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Literal, get_args

import ibis
import ibis.expr.types as ir
import pandas as pd
import pyarrow as pa
from ibis import _

from retention_lab import checks
from retention_lab.checks import BadData
from retention_lab.churn import endpoints
from retention_lab.churn.endpoints import Endpoint
from retention_lab.customers.purchases import calendar_days_between
from retention_lab.inference.interval import Interval, minus
from retention_lab.state import Ledger, State
from retention_lab.survival.daygrid import kaplan_meier, survival_at
from retention_lab.tables import clocks, engine
from retention_lab.tables.snapshot import Snapshot

CONTACTED, HELD_BACK = "contacted", "held back"
COLUMNS = (
    *("channel", "endpoint", "horizon", "hold_back", "lists", "first", "last", "open_lists"),
    *("contacted", "held_back", "share_contacted", "share_held_back"),
    *("difference", "low", "high"),
)

KindName = Literal["churn", "rising", "slipped"]
Row = Mapping[str, Any]
_ALIKE = ("channel", "endpoint", "horizon", "hold_back")


@dataclass(frozen=True, kw_only=True)
class Compared:
    """What became of the customers of earlier lists.

    `lists`: one row of `COLUMNS` for lists that are alike in channel, endpoint, horizon and share
    held back: how many `lists`, of which days (`first`, `last`), how many of them are not as old as
    the horizon (`open_lists`), the customers of both groups, the share of each that stayed (or
    returned) by the horizon, and contacted minus held back with its 95 % interval, a share: 0.02 is
    two points. `sentences`: what stands beside it, and which lists cannot be compared.
    """

    lists: pd.DataFrame
    sentences: tuple[str, ...]


def ledger(state: State, kind: KindName = "churn") -> Ledger:
    """Open the log of the lists of a kind: a row per list and customer."""
    name = "lists" if kind == "churn" else f"lists-{kind}"  # the first kind there was
    return state.ledger(name, key=("source", "as_of", "channel", "customer_id"))


def groups(
    state: State, shop: Snapshot, *, channel: str, kind: KindName = "churn"
) -> dict[str, str]:
    """Say in which group each customer of the list of a shop's day for a channel is."""
    wanted = (shop.name, str(shop.as_of), channel)
    return {
        row["customer_id"]: row["group"]
        for row in ledger(state, kind).rows()
        if (row["source"], row["as_of"], row["channel"]) == wanted
    }


def resting(state: State, shop: Snapshot) -> set[str]:
    """Customers whom an earlier list of any kind held back, and whose horizon is not over."""
    return {
        row["customer_id"]
        for kind in get_args(KindName)
        for row in _earlier(state, shop, kind)
        if row["group"] == HELD_BACK and _until(row) > shop.as_of
    }


def _earlier(state: State, shop: Snapshot, kind: KindName) -> Iterator[Row]:
    for row in ledger(state, kind).rows():
        if row["source"] == shop.name and row["as_of"] < str(shop.as_of):
            yield row


def compared(shop: Snapshot, state: State, *, kind: KindName = "churn") -> Compared:
    """Compare the groups of all earlier lists of a kind, as known at the end of the shop's day.

    A customer's time runs from the end of the list's day to the event, by Kaplan-Meier: those of
    lists that are younger than the horizon count as long as they were followed. The interval of the
    difference is MOVER's, from the log-log intervals of both curves.

    Raises
    ------
    BadData
        If the log is damaged.
    """
    rows, sentences = [], []
    for _same, listed in groupby(sorted(_earlier(state, shop, kind), key=_alike), key=_alike):
        pool = _Pool.of(listed)
        try:
            sentences += pool.still_open(shop.as_of)
            rows.append(pool.row(shop))
        except BadData as error:
            sentences.append(f"{pool.words}: nothing is claimed. {error}")
    return Compared(lists=pd.DataFrame(rows, columns=list(COLUMNS)), sentences=tuple(sentences))


def _alike(row: Row) -> tuple[str, ...]:
    return tuple(str(row[name]) for name in _ALIKE)


def _until(row: Row) -> dt.date:
    return dt.date.fromisoformat(row["as_of"]) + dt.timedelta(days=int(row["horizon"]))


@dataclass(frozen=True, kw_only=True)
class _Pool:
    """Lists that are alike: the `first` row of each customer, and the lists' `days`, rising."""

    first: Sequence[Row]
    days: Sequence[dt.date]

    @classmethod
    def of(cls, rows: Iterable[Row]) -> _Pool:
        """Take each customer from the first list that they were on."""
        ordered = sorted(rows, key=lambda row: str(row["as_of"]))
        firsts: dict[str, Row] = {}
        for row in ordered:
            firsts.setdefault(row["customer_id"], row)
        days = sorted({dt.date.fromisoformat(row["as_of"]) for row in ordered})
        return cls(first=list(firsts.values()), days=days)

    @property
    def horizon(self) -> int:
        """Days after the list by which customers stayed, or returned."""
        return int(self.first[0]["horizon"])

    @property
    def words(self) -> str:
        """Name the lists."""
        channel, first, last = self.first[0]["channel"], self.days[0], self.days[-1]
        if first == last:
            return f"The list of {first} for {channel}"
        return f"The {len(self.days)} lists of {first} to {last} for {channel}"

    def open_days(self, as_of: dt.date) -> list[dt.date]:
        """Days of the lists that are younger than the horizon."""
        return [day for day in self.days if day + dt.timedelta(days=self.horizon) > as_of]

    def still_open(self, as_of: dt.date) -> list[str]:
        """Say how many lists are younger than the horizon.

        Raises
        ------
        BadData
            If all are.
        """
        young = len(self.open_days(as_of))
        if young == len(self.days):
            ready = self.days[0] + dt.timedelta(days=self.horizon)
            raise BadData(f"On {ready} the first {self.horizon} days are over.")
        if not young:
            return []
        return [
            f"{self.words}: the {self.horizon} days of {young} of them are not over; customers "
            "count for as long as they were followed."
        ]

    def row(self, shop: Snapshot) -> dict[str, Any]:
        """Compare the groups; raises BadData where nothing can be said."""
        one = self.first[0]
        grid = _grid(shop, Endpoint(kind=one["endpoint"]), self.first)
        counts = grid.groupby("group")[["events", "censored"]].sum().sum(axis=1)
        sizes = [int(counts.get(group, 0)) for group in (CONTACTED, HELD_BACK)]
        few = checks.smallest_cell(os.environ)
        if min(sizes) < few:
            raise BadData(f"It takes {few} customers contacted and {few} held back; look later.")
        contacted, held_back = (self._share(grid, group) for group in (CONTACTED, HELD_BACK))
        difference = minus(contacted, held_back)
        return {
            **{name: one[name] for name in ("channel", "endpoint", "horizon", "hold_back")},
            "lists": len(self.days),
            "first": pd.Timestamp(self.days[0]),
            "last": pd.Timestamp(self.days[-1]),
            "open_lists": len(self.open_days(shop.as_of)),
            **dict(zip(("contacted", "held_back"), sizes, strict=True)),
            "share_contacted": contacted.value,
            "share_held_back": held_back.value,
            "difference": difference.value,
            "low": difference.low,
            "high": difference.high,
        }

    def _share(self, grid: pd.DataFrame, group: str) -> Interval:
        """Share that stayed, or returned, by the horizon."""
        curve = kaplan_meier(grid.loc[grid["group"] == group, ["day", "events", "censored"]])
        at = survival_at(curve, [self.horizon]).iloc[0]
        value, low, high = (float(at[name]) for name in ("survival", "low", "high"))
        if self.first[0]["endpoint"] == "returned":
            value, low, high = 1 - value, 1 - high, 1 - low
        return Interval(value=value, low=low, high=high)


def _grid(shop: Snapshot, endpoint: Endpoint, rows: Sequence[Row]) -> pd.DataFrame:
    """Count by `group` and `day` since the list: `events`, `censored`."""
    listed = _listed(shop, rows)
    spells = endpoints.spells(shop, endpoint).select(
        "customer_id", "zero_at", "until_at", "event_observed"
    )
    both = listed.inner_join(spells, "customer_id")
    alive = both.filter((_.zero_at < _.listed_at) & (_.until_at >= _.listed_at))
    # Of several subscriptions the last one to end counts.
    once = alive.group_by("customer_id", "group", "listed_on").agg(
        until_at=_.until_at.max(), event_observed=_.event_observed.all()
    )
    clock = clocks.Clock(
        zone=shop.zone,
        first=clocks.end_of_day(shop.records_from, shop.zone),
        last=clocks.end_of_day(shop.as_of, shop.zone),
    )
    # Local days, as the list's is one; the censored are followed to the day before the end.
    ahead = calendar_days_between(once.listed_on, clock.local_date(once.until_at))
    day = ahead - (~once.event_observed).cast("int64")
    counts = once.group_by(once.group, day=day).agg(
        events=once.event_observed.sum(), censored=(~once.event_observed).sum()
    )
    return engine.collect(counts).sort_values(["group", "day"], ignore_index=True)


def _listed(shop: Snapshot, rows: Sequence[Row]) -> ir.Table:
    days = [dt.date.fromisoformat(row["as_of"]) for row in rows]
    ends = {day: clocks.end_of_day(day, shop.zone) for day in set(days)}
    return ibis.memtable(
        pa.table(
            {
                "customer_id": pa.array([row["customer_id"] for row in rows], pa.string()),
                "group": pa.array([row["group"] for row in rows], pa.string()),
                "listed_on": pa.array(days, pa.date32()),
                "listed_at": pa.array([ends[day] for day in days], pa.timestamp("us")),
            }
        )
    )
