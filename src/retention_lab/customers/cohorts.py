"""Who comes back: triangles of cohorts by period, on the calendar or on each customer's own clock.

*Bounded* retention asks who bought in a period (`active`), *unbounded* who bought in it or later
(`active_later`). Unbounded shares of recent periods still grow, as customers have had less time.
"""

from __future__ import annotations

import datetime as dt
from typing import Literal, get_args

import ibis
import pandas as pd
from ibis import _
from pandas.tseries.offsets import MonthEnd

from retention_lab import checks
from retention_lab.checks import BadData
from retention_lab.customers import cells
from retention_lab.customers.cells import CalendarPeriod
from retention_lab.customers.measures import sum_of_products
from retention_lab.customers.repurchase import first_repeat_grid
from retention_lab.inference.interval import Interval
from retention_lab.inference.proportions import proportion, wilson
from retention_lab.survival.daygrid import kaplan_meier, survival_at
from retention_lab.tables.engine import collect

ReturnMethod = Literal["observed", "estimated", "too early"]

COLUMNS = ("cohort", "customers", "returned", "complete", "method", "share", "low", "high")


def calendar_triangle(
    orders: ibis.Table, *, as_of: dt.date, period: CalendarPeriod = "month", alpha: float = 0.05
) -> pd.DataFrame:
    """Cohorts of first purchase by calendar period since then.

    Period 0 is the calendar month (or week, from Monday) of the first purchase and in it everybody
    is active; its members have had between one and all of its days.

    Parameters
    ----------
    orders
        As `customer_days` takes them.
    as_of
        Last day that may be known.
    period
        Unit of both the cohorts and the periods.
    alpha
        One minus the confidence level.

    Returns
    -------
    DataFrame
        One row per `cohort` (its first day) and `period` that had begun by `as_of`, zeros included:
        `size` (customers), `active`, `active_later`, `revenue` (minor units), `complete` (the whole
        period of every member is over), `share` of `active` with `low` and `high`, `later_share` of
        `active_later` with `later_low` and `later_high` (Wilson).

    Raises
    ------
    BadParameter
        If `period` is not one of the two.
    BadData
        If nobody has bought by `as_of`.
    """
    checks.known("calendar_triangle", "period", [period], get_args(CalendarPeriod))
    collapsed = cells.collapse(cells.by_calendar(orders, as_of=as_of, period=period))
    return of_calendar(collapsed, as_of=as_of, period=period, alpha=alpha)


def of_calendar(
    collapsed: pd.DataFrame, *, as_of: dt.date, period: CalendarPeriod, alpha: float = 0.05
) -> pd.DataFrame:
    """Make the `calendar_triangle` of what `cells.collapse` gave, or of sums of it."""
    freq = "M" if period == "month" else "W-SUN"
    frame = _every_cell(collapsed, as_of=as_of, shortest_days=28 if period == "month" else 7)
    window = frame["cohort"].dt.to_period(freq) + frame["period"]
    frame["begins"], frame["ends"] = window.dt.start_time, window.dt.end_time.dt.normalize()
    return _triangle(frame, as_of=as_of, alpha=alpha)


def own_clock_triangle(
    orders: ibis.Table, *, as_of: dt.date, window_days: int = 30, alpha: float = 0.05
) -> pd.DataFrame:
    """Monthly cohorts of first purchase by windows of days since each customer's own.

    Window k holds the days ``k * window_days`` to ``(k + 1) * window_days - 1`` after the first
    purchase, which is day 0: with 30 days, window 1 is days 30 to 59. With `window_days` of 1 it is
    retention by day.

    Returns
    -------
    DataFrame
        The columns of `calendar_triangle`; `period` is the window. A cell is complete when even a
        customer who first bought on the last day of the cohort's month has lived through it.

    Raises
    ------
    BadParameter
        If `window_days` is less than 1.
    BadData
        If nobody has bought by `as_of`.
    """
    checks.at_least("window_days", window_days, 1)
    collapsed = cells.collapse(cells.by_own_clock(orders, as_of=as_of, window_days=window_days))
    return of_own_clock(collapsed, as_of=as_of, window_days=window_days, alpha=alpha)


def of_own_clock(
    collapsed: pd.DataFrame, *, as_of: dt.date, window_days: int, alpha: float = 0.05
) -> pd.DataFrame:
    """Make the `own_clock_triangle` of what `cells.collapse` gave, or of sums of it."""
    frame = _every_cell(collapsed, as_of=as_of, shortest_days=window_days)
    frame["begins"] = frame["cohort"] + pd.to_timedelta(frame["period"] * window_days, unit="D")
    last = (frame["period"] + 1) * window_days - 1
    frame["ends"] = frame["cohort"] + MonthEnd(0) + pd.to_timedelta(last, unit="D")
    return _triangle(frame, as_of=as_of, alpha=alpha)


def revenue_triangle(orders: ibis.Table, *, as_of: dt.date) -> pd.DataFrame:
    """Revenue that each monthly cohort has brought so far, by calendar months since the first.

    It is counted before returns, as orders were made.

    Returns
    -------
    DataFrame
        The columns of `calendar_triangle`, and of the revenue up to the end of each period: `spent`
        (minor units, of all customers of the cohort) and `squares` (sum over customers of the
        square of theirs, exact), as `inference.moments.mean` takes them.

    Raises
    ------
    BadData
        If nobody has bought by `as_of`.
    """
    triangle = calendar_triangle(orders, as_of=as_of)
    keys = ["cohort", "period"]
    visits = cells.by_calendar(orders, as_of=as_of, period="month")
    visits = visits.group_by("customer_id", *keys).agg(revenue=_.revenue.sum())
    upto = ibis.cumulative_window(group_by="customer_id", order_by="period")
    so_far = visits.mutate(twice=2 * _.revenue.sum().over(upto) - _.revenue)
    # The square of a sum grows by r (2 s - r) as r is added to make s: only visits move it.
    grown = so_far.group_by(keys).agg(squares=sum_of_products(so_far.revenue, so_far.twice))
    every = pd.MultiIndex.from_frame(triangle[keys])
    # As Python's own integers, which do not overflow.
    squares = collect(grown, max_rows=cells.CELLS).set_index(keys)["squares"].astype("object")
    by_cohort = squares.reindex(every, fill_value=0).groupby(level="cohort")
    spent = triangle.groupby("cohort")["revenue"].cumsum()
    squares = by_cohort.transform(lambda each: each.to_numpy().cumsum())
    return triangle.assign(spent=spent, squares=squares.to_numpy())


def weighted_mean(triangle: pd.DataFrame) -> pd.DataFrame:
    """Mean share of each period over the cohorts for which it is complete, weighted by their size.

    Parameters
    ----------
    triangle
        Columns `period`, `size`, `active`, `active_later`, `complete`, as the triangles have them.

    Returns
    -------
    DataFrame
        One row per period with a complete cell: `period`, `cohorts` (how many it rests on), `size`
        (their customers), `share`, `later_share` (both weighted), `simple_share` (every cohort
        counted once, for comparison: small cohorts move it as much as large ones).
    """
    needed = ["period", "size", "active", "active_later", "complete"]
    checks.columns("triangle", triangle.columns, needed)
    complete = triangle[triangle["complete"]].assign(simple=lambda t: t["active"] / t["size"])
    sums = complete.groupby("period", as_index=False).agg(
        cohorts=("size", "count"),
        size=("size", "sum"),
        active=("active", "sum"),
        active_later=("active_later", "sum"),
        simple_share=("simple", "mean"),
    )
    sums["share"] = sums["active"] / sums["size"]
    sums["later_share"] = sums["active_later"] / sums["size"]
    return sums[["period", "cohorts", "size", "share", "later_share", "simple_share"]]


def returned(orders: ibis.Table, *, as_of: dt.date, days: int, alpha: float = 0.05) -> pd.DataFrame:
    """Share of each month's new customers who bought again within `days` days.

    A customer returned when the second purchase is on a later date, at most `days` days after the
    first. A cohort is complete when `days` days have passed since the last day of its month.

    Returns
    -------
    DataFrame
        One row per `cohort` (first day of the month of the first purchase): `customers`, `returned`
        (so far, within `days`), `complete`, `method`, `share`, `low`, `high`. The `method` is
        "observed" (complete: returned / customers, Wilson), "estimated" (Kaplan-Meier, so that who
        has had less time counts for the time there was; log-log) or "too early" (nobody has been
        followed for `days` days). Only there the last three, of dtype ``Float64``, are missing:
        the cohort exists, its share does not exist yet.

    Raises
    ------
    BadParameter
        If `days` is less than 1.
    BadData
        If nobody has bought by `as_of`.
    """
    checks.at_least("days", days, 1)
    grid = first_repeat_grid(orders, as_of=as_of)
    if grid.empty:
        raise BadData(f"Nobody has bought by {as_of}, so nobody can have returned.")
    rows = [
        _returned(part, as_of=as_of, days=days, alpha=alpha)
        for _cohort, part in grid.groupby("cohort")
    ]
    return pd.DataFrame(rows).astype({"share": "Float64", "low": "Float64", "high": "Float64"})


def _every_cell(collapsed: pd.DataFrame, *, as_of: dt.date, shortest_days: int) -> pd.DataFrame:
    """Add the cells in which nobody was active, and some beyond `as_of`."""
    if collapsed.empty:
        raise BadData(f"Nobody has bought by {as_of}, so there are no cohorts.")
    cohorts = pd.Index(sorted(collapsed["cohort"].unique()), name="cohort")
    periods = range((pd.Timestamp(as_of) - cohorts[0]).days // shortest_days + 1)
    every = pd.MultiIndex.from_product([cohorts, periods], names=["cohort", "period"])
    return collapsed.set_index(["cohort", "period"]).reindex(every, fill_value=0).reset_index()


def _triangle(frame: pd.DataFrame, *, as_of: dt.date, alpha: float) -> pd.DataFrame:
    now = pd.Timestamp(as_of)
    begun = frame[frame["begins"] <= now].reset_index(drop=True)
    by_cohort = begun.groupby("cohort")
    begun["size"] = by_cohort["last_seen"].transform("sum")
    earlier = by_cohort["last_seen"].cumsum() - begun["last_seen"]
    begun["active_later"] = begun["size"] - earlier
    begun["complete"] = begun["ends"] <= now
    bounded = wilson(begun["active"], begun["size"], alpha=alpha)
    later = wilson(begun["active_later"], begun["size"], alpha=alpha).add_prefix("later_")
    counts = ["cohort", "period", "size", "active", "active_later", "revenue", "complete"]
    return pd.concat([begun[counts], bounded, later], axis=1)


def _returned(part: pd.DataFrame, *, as_of: dt.date, days: int, alpha: float) -> dict[str, object]:
    cohort = part["cohort"].iloc[0]
    customers = int(part[["events", "censored"]].to_numpy().sum())
    count = int(part.loc[part["day"] <= days, "events"].sum())
    complete = cohort + MonthEnd(0) + pd.Timedelta(days=days) <= pd.Timestamp(as_of)
    method: ReturnMethod = "observed"
    share: Interval | None = proportion(count, customers, alpha=alpha)
    if not complete:
        share = _estimated(part, days=days, alpha=alpha)
        method = "estimated" if share else "too early"
    bounds = (share.value, share.low, share.high) if share else (None, None, None)
    return dict(zip(COLUMNS, (cohort, customers, count, complete, method, *bounds), strict=True))


def _estimated(part: pd.DataFrame, *, days: int, alpha: float) -> Interval | None:
    curve = kaplan_meier(part, alpha=alpha)
    if curve["day"].iloc[-1] < days:
        return None
    at = survival_at(curve, [days]).iloc[0]
    return Interval(value=1 - at["survival"], low=1 - at["high"], high=1 - at["low"])
