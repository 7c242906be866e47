"""Triangles of any kind of customers, added up in memory from what the engine counted once."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd
from ibis import _

from retention_lab.checks import BadData
from retention_lab.customers import cells, cohorts
from retention_lab.customers.cells import CalendarPeriod
from retention_lab.inference.proportions import wilson
from retention_lab.tables.contracts import CONTRACTS
from retention_lab.tables.engine import collect
from retention_lab.tables.snapshot import Snapshot

Clock = Literal["calendar", "own"]

UNKNOWN, OTHERS = "not known", "all others"
MOST = 6  # values of an attribute that are compared by name, the largest
VALUES, KINDS = 25, 400  # at most: values of an attribute, and kinds of customers by all of them


@dataclass(frozen=True, kw_only=True)
class Unit:
    """What a period is: a calendar month or week, or a window of days on each customer's own clock.

    With the clock "own", cohorts are months; `period` is then not used, nor is `window` otherwise.
    """

    clock: Clock = "calendar"
    period: CalendarPeriod = "month"
    window: int = 30

    @property
    def name(self) -> str:
        """What one is called: Calendar month, 30-day window."""
        own = self.clock == "own"
        return f"{self.window}-day window" if own else f"Calendar {self.period}"


@dataclass(frozen=True, kw_only=True, eq=False)
class Cube:
    """Customers counted by cohort, period and kind; a kind is a value of each attribute.

    `values` are those of each attribute that can be chosen, `left_out` the attributes that have too
    many, or would make too many kinds. `counts` are those of `cells.collapse`, attributes as
    categories under ``in_<attribute>``.
    """

    unit: Unit
    as_of: dt.date
    values: Mapping[str, Sequence[str]]
    left_out: Sequence[str]
    counts: pd.DataFrame

    def triangle(self, chosen: Mapping[str, str]) -> pd.DataFrame:
        """Return the triangle of customers with these values of attributes; of all without any.

        Its columns are those of `cohorts.calendar_triangle`, its numbers those of the same
        customers asked alone.

        Raises
        ------
        BadData
            When nobody like that has bought.
        """
        return self._triangle(self._of(chosen), chosen)

    def by(self, name: str, chosen: Mapping[str, str]) -> dict[str, pd.DataFrame]:
        """Return the triangles of the values of an attribute, the largest first.

        Beyond the `MOST` largest, all others are one.
        """
        rows, column = self._of(chosen), f"in_{name}"
        sizes = rows.groupby(column, observed=True)["last_seen"].sum().reset_index()
        ranked = sizes.astype({column: "object"}).sort_values(
            ["last_seen", column], ascending=[False, True]
        )
        names = ranked[column].tolist()
        pools = {each: [each] for each in names[:MOST]}
        pools |= {OTHERS: names[MOST:]} if names[MOST:] else {}
        return {
            pool: self._triangle(rows[rows[column].isin(each)], chosen)
            for pool, each in pools.items()
        }

    def _of(self, chosen: Mapping[str, str]) -> pd.DataFrame:
        keep = np.ones(len(self.counts), dtype=bool)
        for name, value in chosen.items():
            keep &= (self.counts[f"in_{name}"] == value).to_numpy()
        return self.counts[keep]

    def _triangle(self, rows: pd.DataFrame, chosen: Mapping[str, str]) -> pd.DataFrame:
        if rows.empty:
            like = " and ".join(f"{name} {value}" for name, value in chosen.items())
            who = f"Nobody with {like}" if like else "Nobody"
            raise BadData(f"{who} has bought by {self.as_of}; choose others.")
        sums = rows.groupby(["cohort", "period"], as_index=False)[cells.COUNTS].sum()
        if self.unit.clock == "own":
            days = self.unit.window
            return cohorts.of_own_clock(sums, as_of=self.as_of, window_days=days)
        return cohorts.of_calendar(sums, as_of=self.as_of, period=self.unit.period)


def cube(shop: Snapshot, unit: Unit) -> Cube:
    """Count the customers of a shop once for all of their kinds.

    Raises
    ------
    BadData
        When there are too many cells to hold.
    """
    values, left_out = attributes(shop)
    kinds = shop.customers.select(
        "customer_id",
        **{f"in_{name}": _[name].fill_null(UNKNOWN) for name in values},
    )
    counts = cells.collapse(visits(shop, unit), kinds=kinds)
    named = {f"in_{name}": counts[f"in_{name}"].fillna(UNKNOWN) for name in values}
    counts = counts.assign(**named).astype(dict.fromkeys(named, "category"))
    return Cube(unit=unit, as_of=shop.as_of, values=values, left_out=left_out, counts=counts)


def visits(shop: Snapshot, unit: Unit) -> ir.Table:
    """Return orders with their cohort and period; see `cells`."""
    of_day = partial(cells.by_calendar, period=unit.period)
    if unit.clock == "own":
        of_day = partial(cells.by_own_clock, window_days=unit.window)
    return of_day(shop.orders, as_of=shop.as_of)


def attributes(shop: Snapshot) -> tuple[dict[str, list[str]], list[str]]:
    """Return the values of the attributes of customers, and the attributes that have too many.

    Those with few values go first, as all kinds together may be `KINDS` at most.
    """
    contract = CONTRACTS["customers"]
    own = {*(column.name for column in contract.columns), contract.day}
    schema = shop.customers.schema().items()
    names = [name for name, kind in schema if name not in own and kind.is_string()]
    found = {name: _values(shop, name) for name in names}
    kept: dict[str, list[str]] = {}
    kinds = 1
    for name in sorted(names, key=lambda name: len(found[name])):
        if len(found[name]) <= VALUES and kinds * len(found[name]) <= KINDS:
            kinds *= len(found[name])
            kept[name] = found[name]
    return {name: kept[name] for name in names if name in kept}, [
        name for name in names if name not in kept
    ]


def _values(shop: Snapshot, name: str) -> list[str]:
    """List the values of an attribute, or one more than may be chosen from."""
    values = shop.customers.select(value=shop.customers[name].fill_null(UNKNOWN)).distinct()
    return sorted(collect(values.limit(VALUES + 1))["value"])


def curve(triangle: pd.DataFrame, *, alpha: float = 0.05) -> pd.DataFrame:
    """Return the shares of all cohorts of a triangle together, as far as they are complete.

    Returns
    -------
    DataFrame
        One row per period with a complete cell: `period`, `cohorts`, `size` (customers whose period
        is over), `active` and `active_later` of them, `share`, `low`, `high` and the same of
        ``later_`` (Wilson, as if all had come back as likely). Shares are those of
        `cohorts.weighted_mean`.
    """
    complete = triangle[triangle["complete"]]
    sums = complete.groupby("period", as_index=False).agg(
        cohorts=("size", "count"),
        size=("size", "sum"),
        active=("active", "sum"),
        active_later=("active_later", "sum"),
    )
    bounded = wilson(sums["active"], sums["size"], alpha=alpha)
    later = wilson(sums["active_later"], sums["size"], alpha=alpha).add_prefix("later_")
    return pd.concat([sums, bounded, later], axis=1)


def condition(chosen: Mapping[str, str]) -> str:
    """Write values of attributes as the SQL condition that chooses the same customers."""
    return " and ".join(_is(name, value) for name, value in chosen.items())


def _is(name: str, value: str) -> str:
    column = name if name.isidentifier() else '"' + name.replace('"', '""') + '"'
    known = f"coalesce({column}, '{UNKNOWN}')" if value == UNKNOWN else column
    return f"{known} = '{value.replace(chr(39), 2 * chr(39))}'"


def members(
    shop: Snapshot,
    unit: Unit,
    *,
    cohort: dt.date,
    period: int,
    later: bool,
    chosen: Mapping[str, str],
) -> pd.DataFrame:
    """List the customers of a cell: who of a cohort bought in a period, or in it or later.

    Returns
    -------
    DataFrame
        One row per customer, in the order in which they came: `customer_id`, `first_on` (day of the
        first purchase), `purchases` (days with one) and `revenue` (minor units) up to now.
    """
    days = visits(shop, unit)
    days = days.filter(days.cohort == ibis.date(f"{cohort:%Y-%m-%d}"))
    customers = shop.customers
    for name, value in chosen.items():
        customers = customers.filter(customers[name].fill_null(UNKNOWN) == value)
    if chosen:
        days = days.semi_join(customers, "customer_id")
    reached = _.period >= period if later else _.period == period
    whole = days.group_by("customer_id").agg(
        first_on=_.day.min(),
        purchases=_.day.nunique(),
        revenue=_.revenue.sum(),
        reached=reached.any(),
    )
    rows = collect(whole.filter("reached").drop("reached"), max_rows=cells.CELLS)
    return rows.sort_values(["first_on", "customer_id"], ignore_index=True)
