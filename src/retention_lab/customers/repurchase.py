"""Days from one purchase to the next, with those still waiting counted as censored."""

from __future__ import annotations

import datetime as dt

import ibis
import numpy as np
import pandas as pd
from ibis import _

from retention_lab.checks import BadData
from retention_lab.customers.purchases import calendar_days_between, customer_days
from retention_lab.tables.engine import collect

GRID_ROWS = 1_000_000  # cohorts times days: thirty years of months stay below


def first_repeat_grid(orders: ibis.Table, *, as_of: dt.date) -> pd.DataFrame:
    """Count first-to-second purchase times by cohort and day.

    Parameters
    ----------
    orders
        As `customer_days` takes them.
    as_of
        Last day that may be known; who has not come back by then is censored on it.

    Returns
    -------
    DataFrame
        One row per `cohort` (first day of the month of the first purchase) and `day` (since the
        first purchase) that occurs: `events` (bought again on it), `censored` (still waiting after
        it). The two counts sum to the customers, also those who first bought on `as_of` (day 0).
    """
    spells = _spells(orders, as_of)
    first = spells.filter(_.day == _.first_day)
    return _grid(first.mutate(cohort=first.first_day.truncate("M")), by=["cohort"])


def gap_grid(orders: ibis.Table, *, as_of: dt.date) -> pd.DataFrame:
    """Count all times between purchases by length, each customer's open last one censored.

    A customer has one closed gap per repeat purchase and one open gap, except for purchases on
    `as_of` itself: their open gap is of no length, has nothing to tell and is left out. Pass the
    orders of one product or product family for its reorder intervals.

    Returns
    -------
    DataFrame
        One row per length that occurs: `day` (length of the gap), `events` (closed gaps),
        `censored` (open gaps).
    """
    return _grid(_spells(orders, as_of).filter(_.waited > 0), by=[])


def completed_median(grid: pd.DataFrame) -> float:
    """Median of the closed gaps only: shorter than what customers do, as the open ones are absent.

    Raises
    ------
    BadData
        If no gap is closed.
    """
    counts = grid.groupby("day")["events"].sum()
    total, upto = int(counts.sum()), counts.cumsum().to_numpy()
    if total == 0:
        raise BadData("Nobody has bought a second time, so there is no median of completed gaps.")
    middle = [(total - 1) // 2 + 1, total // 2 + 1]
    return float(np.mean(counts.index.to_numpy()[np.searchsorted(upto, middle)]))


def _spells(orders: ibis.Table, as_of: dt.date) -> ibis.Table:
    """Every purchase with the days waited since: until the next one (closed) or `as_of` (open)."""
    days = customer_days(orders, as_of=as_of)
    spells = days.mutate(
        first_day=_.day.min().over(group_by="customer_id"),
        next_day=_.day.lead().over(group_by="customer_id", order_by="day"),
    )
    until = spells.next_day.fill_null(as_of)
    waited = calendar_days_between(spells.day, until)
    return spells.mutate(waited=waited, closed=spells.next_day.notnull())  # noqa: PD004  an Ibis column


def _grid(spells: ibis.Table, *, by: list[str]) -> pd.DataFrame:
    counts = spells.drop("day").group_by([*by, spells.waited.name("day")])
    grid = collect(
        counts.agg(events=_.closed.sum(), censored=(~_.closed).sum()), max_rows=GRID_ROWS
    )
    return grid.sort_values([*by, "day"], ignore_index=True)
