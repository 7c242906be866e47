"""Customers by how they came: whether groups come back at another pace.

Groups are told apart by what was known with the first order (`groups`); those that are small are
among all others. Customers still waiting count as waiting, for as long as they were followed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import combinations

import ibis.expr.types as ir
import pandas as pd
from ibis import _

from retention_lab import checks
from retention_lab.checks import BadData
from retention_lab.customers import groups
from retention_lab.customers.purchases import calendar_days_between, customer_days
from retention_lab.inference.interval import Interval, minus
from retention_lab.inference.multiplicity import adjusted
from retention_lab.survival.logrank import LogRank, logrank
from retention_lab.survival.retention import retained
from retention_lab.tables.engine import collect, keep
from retention_lab.tables.snapshot import Snapshot

GRID_ROWS = 1_000_000  # groups times days: thirty years of each stay far below


@dataclass(frozen=True, kw_only=True)
class Gap:
    """Two groups that lie furthest apart: `high` came back more often than `low`, by `points`.

    `points` is a difference of shares; its interval allows for every pair that could be chosen.
    """

    high: str
    low: str
    points: Interval


@dataclass(frozen=True, kw_only=True)
class Acquired:
    """Groups of customers by one attribute, `by`, from their first purchase to their second.

    `grids` is a day grid of each group, largest first; `shares` a row per group in which enough
    were followed for `days`, and enough came back by then and did not, to be shown: `group`,
    `customers`, `share` who bought again within `days`, `low`, `high` (Kaplan-Meier, log-log).
    `differ` compares whole curves; `p_value` is its own after Holm, over all attributes that could
    be compared. Where there is no comparison, `why` says so in half a sentence.
    """

    by: str
    days: int
    grids: Mapping[str, pd.DataFrame]
    shares: pd.DataFrame
    gap: Gap | None
    differ: LogRank | None
    p_value: float | None
    why: str


def acquired(shop: Snapshot, *, days: int = 90) -> tuple[Acquired, ...]:
    """Compare groups of customers by each attribute that was known with their first order.

    Parameters
    ----------
    shop
        With orders.
    days
        After which shares are read.

    Returns
    -------
    tuple
        One for each of `groups.dimensions`; none where the data hold no attribute.

    Raises
    ------
    BadParameter
        If `days` is less than 1.
    """
    checks.at_least("days", days, 1)
    names = groups.dimensions(shop)
    if not names:
        return ()
    people = keep(groups.with_dimensions(_waited(shop), shop, names), where="acquired")
    found = [_compared(people, name, days=days) for name in names]
    tested = [one.differ.p_value for one in found if one.differ is not None]
    jointly = iter(adjusted(tested).p_values.tolist() if tested else [])
    return tuple(
        one if one.differ is None else replace(one, p_value=next(jointly)) for one in found
    )


def _waited(shop: Snapshot) -> ir.Table:
    """A row per customer: `day` of the second purchase since the first, or of the end; `again`."""
    visits = customer_days(shop.orders, as_of=shop.as_of).mutate(
        first_day=_.day.min().over(group_by="customer_id")
    )
    people = visits.group_by("customer_id").agg(
        first_day=_.first_day.min(), second_day=_.day.min(where=_.day > _.first_day)
    )
    until = people.second_day.fill_null(shop.as_of)
    return people.select(
        "customer_id",
        day=calendar_days_between(people.first_day, until),
        again=people.second_day.notnull().cast("int64"),  # noqa: PD004  an Ibis column
    )


def _compared(people: ir.Table, by: str, *, days: int) -> Acquired:
    """Group by one attribute and compare; what cannot be compared says why."""
    kept = {by: groups.largest([people], by)}
    counts = collect(
        groups.grouped(people, kept)
        .group_by("group", "day")
        .agg(events=_.again.sum(), censored=(1 - _.again).sum()),
        max_rows=GRID_ROWS,
    )
    grid = _merged(counts)
    grids = {name: grid[grid["group"] == name].drop(columns="group") for name in _ordered(grid)}
    shares = _shares(grids, days=days)
    one = Acquired(
        by=by,
        days=days,
        grids=grids,
        shares=shares,
        gap=_gap(grids, shares, days=days),
        differ=None,
        p_value=None,
        why="",
    )
    if len(grids) < 2:
        return replace(one, why=f"only one group has {groups.LEAST} customers or more")
    try:
        return replace(one, differ=logrank(grid))
    except BadData:
        return replace(one, why="nobody has bought again yet while every group was followed")


def _merged(counts: pd.DataFrame) -> pd.DataFrame:
    """Put small groups among all others, by the size of each and by who came back."""
    n = counts["events"] + counts["censored"]
    sums = counts.assign(n=n, y=counts["events"], x=n).groupby("group", as_index=False)
    names = groups.merging([sums[["n", "y", "x"]].sum()])
    merged = counts.assign(group=counts["group"].map(names))
    return merged.groupby(["group", "day"], as_index=False)[["events", "censored"]].sum()


def _ordered(grid: pd.DataFrame) -> list[str]:
    """Largest groups first; those that are no kind of their own stand last."""
    sizes = grid.groupby("group")[["events", "censored"]].sum().sum(axis=1)
    ranked = sizes.sort_values(ascending=False, kind="stable").index.astype(str)
    return sorted(ranked, key=lambda name: name in (groups.REST, groups.UNKNOWN))


def _shares(grids: Mapping[str, pd.DataFrame], *, days: int) -> pd.DataFrame:
    rows = []
    for name, grid in grids.items():
        leaving = grid["events"] + grid["censored"]
        n, followed = int(leaving.sum()), int(leaving[grid["day"] >= days].sum())
        again = int(grid.loc[grid["day"] <= days, "events"].sum())
        if min(again, n - again, followed) >= groups.LEAST:
            share = _share(grid, days=days)
            rows.append((name, n, share.value, share.low, share.high))
    return pd.DataFrame(rows, columns=["group", "customers", "share", "low", "high"])


def _share(grid: pd.DataFrame, *, days: int, alpha: float = 0.05) -> Interval:
    kept = retained(grid, day=days, alpha=alpha)
    return Interval(value=1 - kept.value, low=1 - kept.high, high=1 - kept.low)


def _gap(grids: Mapping[str, pd.DataFrame], shares: pd.DataFrame, *, days: int) -> Gap | None:
    """Set the highest share against the lowest, at the level that holds for all pairs at once."""
    if len(shares) < 2:
        return None
    pairs = len([*combinations(shares["group"], 2)])
    ranked = shares.sort_values("share", kind="stable")["group"]
    low, high = str(ranked.iloc[0]), str(ranked.iloc[-1])
    one, other = (_share(grids[name], days=days, alpha=0.05 / pairs) for name in (high, low))
    return Gap(high=high, low=low, points=minus(one, other))
