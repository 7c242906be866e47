"""Where the revenue comes from: new or returning customers, and how few of them."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Sequence
from fractions import Fraction

import ibis
import pandas as pd
from ibis import _
from pandas.tseries.offsets import MonthEnd

from retention_lab import checks
from retention_lab.checks import BadData
from retention_lab.customers.purchases import customer_days
from retention_lab.tables.engine import collect


def monthly_revenue(orders: ibis.Table, *, as_of: dt.date) -> pd.DataFrame:
    """Revenue by calendar month, split by whether the customer first bought in that month.

    Returns
    -------
    DataFrame
        One row per `month` (its first day) from the first purchase to `as_of`, zeros included:
        `revenue_new` and `revenue_returning` (minor units), `orders` (customer-days), `customers`,
        of them `customers_new`, `complete` (the month was over by `as_of`).

    Raises
    ------
    BadData
        If nobody has bought by `as_of`.
    """
    days = customer_days(orders, as_of=as_of).mutate(month=_.day.truncate("M"))
    visits = days.group_by("customer_id", "month").agg(revenue=_.revenue.sum(), orders=_.count())
    is_first = visits.month == visits.month.min().over(group_by="customer_id")
    months = collect(
        visits.mutate(is_first=is_first)
        .group_by("month")
        .agg(
            revenue_new=_.revenue.sum(where=_.is_first).fill_null(0),
            revenue_returning=_.revenue.sum(where=~_.is_first).fill_null(0),
            orders=_.orders.sum(),
            customers=_.count(),
            customers_new=_.is_first.sum().cast("int64"),
        )
    )
    if months.empty:
        raise BadData(f"Nobody has bought by {as_of}, so there is no revenue.")
    every = pd.date_range(months["month"].min(), pd.Timestamp(as_of), freq="MS", name="month")
    table = months.set_index("month").reindex(every, fill_value=0).reset_index()
    return table.assign(complete=table["month"] + MonthEnd(0) <= pd.Timestamp(as_of))


def revenue_concentration(
    orders: ibis.Table, *, as_of: dt.date, top_shares: Sequence[float] = (0.1, 0.2)
) -> pd.DataFrame:
    """Share of all revenue that the best customers brought.

    Returns
    -------
    DataFrame
        One row per entry of `top_shares`: `top_share` (of customers), `customers` (that many,
        rounded up), `of` (all customers), `revenue` (theirs, minor units), `share` (of all
        revenue).

    Raises
    ------
    BadParameter
        If a top share does not lie strictly between 0 and 1.
    BadData
        If there is no revenue to share.
    """
    days = customer_days(orders, as_of=as_of)
    spent = days.group_by("customer_id").agg(revenue=_.revenue.sum())
    whole = collect(spent.agg(customers=_.count(), revenue=_.revenue.sum())).iloc[0]
    if not whole["customers"] or whole["revenue"] <= 0:
        raise BadData(f"There is no revenue by {as_of} to take a share of.")
    rows = []
    for top_share in top_shares:
        # 0.07 * 100 is a little over 7 in floats and would be rounded up to 8.
        exact = Fraction(str(checks.share("top_shares", top_share))) * int(whole["customers"])
        best = spent.order_by(_.revenue.desc()).limit(math.ceil(exact))  # ties bring the same
        row = collect(best.agg(customers=_.count(), revenue=_.revenue.sum())).iloc[0]
        share = row["revenue"] / whole["revenue"]
        rows.append({"top_share": top_share, "share": share, "of": whole["customers"], **row})
    return pd.DataFrame(rows)[["top_share", "customers", "of", "revenue", "share"]]
