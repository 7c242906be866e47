"""The figures of the dashboard for a stretch of days; the stretch before is the same call again."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, replace

import ibis
import pandas as pd
from ibis import _

from retention_lab import checks
from retention_lab.checks import BadData, BadParameter
from retention_lab.customers.measures import sum_of_products
from retention_lab.customers.purchases import customer_days
from retention_lab.inference.interval import Interval
from retention_lab.inference.moments import RatioMoments, mean, ratio
from retention_lab.inference.proportions import proportion
from retention_lab.tables.engine import collect


@dataclass(frozen=True, kw_only=True)
class PeriodKpis:
    """What was bought from `start` to `end`, both included; money in minor units.

    An order is a customer's purchases of one day; `same_day_orders` says how many further orders
    were merged into them, so that the shop's own count is `orders` + `same_day_orders`.
    """

    start: dt.date
    end: dt.date
    revenue: int
    orders: int
    same_day_orders: int
    customers: int
    repeat_customers: int
    average_order_value: Interval
    """Revenue per order; orders of one customer are not taken for independent."""
    purchase_frequency: Interval
    """Orders per customer."""
    repeat_share: Interval
    """Share of the customers who had bought on an earlier day too, within the period or before."""


@dataclass(frozen=True, kw_only=True)
class RetentionRate:
    """Customer retention rate between two days, where active means bought in the `days` up to it.

    `kept`: active at both ends; `new`: first purchase in between; `reactivated`: active at the end
    only, though customers before; `lost`: active at the start only.
    """

    start: dt.date
    end: dt.date
    days: int
    active_at_start: int
    active_at_end: int
    new: int
    kept: int
    rate: Interval
    """(Active at the end - new) / active at the start; the reactivated can push it over 1."""
    kept_share: Interval
    """Of those active at the start, the share active at the end."""

    @property
    def lost(self) -> int:
        """Active at the start, not at the end."""
        return self.active_at_start - self.kept

    @property
    def reactivated(self) -> int:
        """Active at the end, not new and not active at the start."""
        return self.active_at_end - self.new - self.kept


@dataclass(frozen=True, kw_only=True)
class RepeatPurchaseRate:
    """Customers who ever bought on two or more days, of all customers.

    It falls when many new customers arrive, who have had less time; `cohorts.returned` does not.
    """

    as_of: dt.date
    customers: int
    repeat_customers: int
    share: Interval


def period_kpis(
    orders: ibis.Table, *, start: dt.date, end: dt.date, alpha: float = 0.05
) -> PeriodKpis:
    """Revenue, orders, customers and what they make per order and per customer.

    Parameters
    ----------
    orders
        As `customer_days` takes them; orders after `end` are left out.
    start, end
        First and last day, both included.
    alpha
        One minus the confidence level.

    Raises
    ------
    BadParameter
        If `end` lies before `start`.
    BadData
        If fewer than two customers bought in the period, so that there is no interval.
    """
    if end < start:
        raise BadParameter(f"end must not lie before start, got {start} to {end}.")
    sums = _one_row(_period_sums(orders, start=start, end=end))
    moments = RatioMoments(
        n=sums["n"], **{name: sums[name] for name in ("y", "x", "yy", "xy", "xx")}
    )
    if moments.n < 2:
        raise BadData(
            f"{moments.n} customer(s) bought from {start} to {end}; an interval needs at least two."
        )
    return PeriodKpis(
        start=start,
        end=end,
        revenue=moments.y,
        orders=moments.x,
        same_day_orders=sums["rows"] - moments.x,
        customers=moments.n,
        repeat_customers=sums["repeat"],
        average_order_value=ratio(moments, alpha=alpha),
        purchase_frequency=mean(n=moments.n, total=moments.x, squares=moments.xx, alpha=alpha),
        repeat_share=proportion(sums["repeat"], moments.n, alpha=alpha),
    )


def retention_rate(
    orders: ibis.Table, *, end: dt.date, days: int, alpha: float = 0.05
) -> RetentionRate:
    """Customer retention rate over the `days` days that end with `end`.

    Active on a day means bought in the `days` days up to and including it, so the two stretches
    compared do not overlap. The orders must reach back ``2 * days`` days for it to be fair. The
    interval of the rate takes all customers known by `end` as independent; it does not go below 0.

    Raises
    ------
    BadParameter
        If `days` is less than 1.
    BadData
        If nobody was active at the start.
    """
    checks.at_least("days", days, 1)
    start = end - dt.timedelta(days=days)
    counts = _one_row(_marked(orders, start=start, end=end))
    if counts["at_start"] == 0:
        raise BadData(f"Nobody bought in the {days} days up to {start}, so there is no rate.")
    return RetentionRate(
        start=start,
        end=end,
        days=days,
        active_at_start=counts["at_start"],
        active_at_end=counts["at_end"],
        new=counts["new"],
        kept=counts["kept"],
        rate=_rate(counts, alpha=alpha),
        kept_share=proportion(counts["kept"], counts["at_start"], alpha=alpha),
    )


def _marked(orders: ibis.Table, *, start: dt.date, end: dt.date) -> ibis.Table:
    """One row of counts: customers known by `end`, active at both ends, new, kept."""
    earliest = start - (end - start)
    customers = (
        customer_days(orders, as_of=end)
        .group_by("customer_id")
        .agg(
            at_start=((_.day > earliest) & (_.day <= start)).any(),
            at_end=(_.day > start).any(),
            new=_.day.min() > start,
        )
    )
    return customers.agg(
        known=_.count(),
        at_start=_.at_start.sum(),
        at_end=_.at_end.sum(),
        new=_.new.sum(),
        kept=(_.at_start & _.at_end).sum(),
    )


def _rate(counts: Mapping[str, int], *, alpha: float) -> Interval:
    """Ratio of two marks of each customer: active at the end and not new, active at the start."""
    at_start, kept = counts["at_start"], counts["kept"]
    stayed = counts["at_end"] - counts["new"]
    if stayed == kept:  # nobody came back after a pause: a share, whose interval holds at 0 and 1
        return proportion(kept, at_start, alpha=alpha)
    # The square of a mark is the mark, and the product of both marks the kept customers.
    moments = RatioMoments(n=counts["known"], y=stayed, x=at_start, yy=stayed, xy=kept, xx=at_start)
    found = ratio(moments, alpha=alpha)
    return replace(found, low=max(0.0, found.low))


def repeat_purchase_rate(
    orders: ibis.Table, *, as_of: dt.date, alpha: float = 0.05
) -> RepeatPurchaseRate:
    """Customers with two or more purchase days by `as_of`, of all customers.

    Raises
    ------
    BadData
        If nobody has bought by `as_of`.
    """
    customers = customer_days(orders, as_of=as_of).group_by("customer_id").agg(days=_.count())
    counts = _one_row(customers.agg(customers=_.count(), repeat=(_.days > 1).sum()))
    if counts["customers"] == 0:
        raise BadData(f"Nobody has bought by {as_of}, so there is no repeat purchase rate.")
    return RepeatPurchaseRate(
        as_of=as_of,
        customers=counts["customers"],
        repeat_customers=counts["repeat"],
        share=proportion(counts["repeat"], counts["customers"], alpha=alpha),
    )


def _period_sums(orders: ibis.Table, *, start: dt.date, end: dt.date) -> ibis.Table:
    """One row of sums over the customers of the period: y is revenue, x is orders."""
    inside = _.day >= start
    customers = (
        customer_days(orders, as_of=end)
        .group_by("customer_id")
        .agg(
            y=_.revenue.sum(where=inside),
            x=_.count(where=inside),
            rows=_.orders.sum(where=inside),
            purchases=_.count(),
        )
    )
    bought = customers.filter(_.x > 0)
    return bought.agg(
        n=bought.count(),
        y=bought.y.sum(),
        x=bought.x.sum(),
        rows=bought["rows"].sum(),
        yy=sum_of_products(bought.y, bought.y),
        xy=sum_of_products(bought.x, bought.y),
        xx=sum_of_products(bought.x, bought.x),
        repeat=(bought.purchases > 1).sum(),
    )


def _one_row(expr: ibis.Table) -> dict[str, int]:
    """Fetch one row of counts and sums; a sum over nobody is 0."""
    row = collect(expr).iloc[0]
    return {str(name): 0 if pd.isna(value) else int(value) for name, value in row.items()}
