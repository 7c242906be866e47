"""Activity tiers: how long ago each customer last bought, on the purchase clock."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from itertools import pairwise

import ibis
import numpy as np
import pandas as pd
from ibis import _

from retention_lab.checks import BadData, BadParameter
from retention_lab.customers.purchases import calendar_days_between, customer_days
from retention_lab.inference.proportions import wilson
from retention_lab.tables.engine import collect


def activity_tier(days_since_last: Sequence[int], *, edges: Sequence[int] = (30, 90)) -> list[str]:
    """Name the tier of each number of days since the last purchase; an edge is in its lower tier.

    Examples
    --------
    >>> activity_tier([0, 30, 31, 91])
    ['0-30', '0-30', '31-90', '90+']
    """
    names = _tier_names(edges)
    return [names[place] for place in np.searchsorted(list(edges), days_since_last, side="left")]


def activity_tiers(
    orders: ibis.Table, *, as_of: dt.date, edges: Sequence[int] = (30, 90), alpha: float = 0.05
) -> pd.DataFrame:
    """Count customers by days since their last purchase.

    Parameters
    ----------
    orders
        As `customer_days` takes them.
    as_of
        Last day that may be known, from which days are counted back.
    edges
        Last day of each tier but the last, rising.
    alpha
        One minus the confidence level.

    Returns
    -------
    DataFrame
        One row per `tier` from the most recent, empty ones included: `customers`, `share` of all
        customers with `low` and `high` (Wilson).

    Raises
    ------
    BadParameter
        If the edges do not rise from 0 or more.
    BadData
        If nobody has bought by `as_of`.
    """
    names = _tier_names(edges)
    last = customer_days(orders, as_of=as_of).group_by("customer_id").agg(day=_.day.max())
    silent = last.select(silent=calendar_days_between(last.day, ibis.literal(as_of)))
    counts = collect(silent.group_by("silent").agg(customers=_.count()))
    if counts.empty:
        raise BadData(f"Nobody has bought by {as_of}, so there are no tiers.")
    tier = pd.Series(activity_tier(counts["silent"].tolist(), edges=edges), dtype="object")
    customers = counts["customers"].groupby(tier).sum().reindex(names, fill_value=0)
    table = customers.rename_axis("tier").reset_index()
    everybody = np.full(len(table), customers.sum())
    return table.join(wilson(table["customers"], everybody, alpha=alpha))


def _tier_names(edges: Sequence[int]) -> list[str]:
    if not edges or edges[0] < 0 or any(low >= high for low, high in pairwise(edges)):
        raise BadParameter(f"edges must be days that rise from 0 or more, got {list(edges)}.")
    starts = [0, *(edge + 1 for edge in edges[:-1])]
    closed = [f"{start}-{edge}" for start, edge in zip(starts, edges, strict=True)]
    return [*closed, f"{edges[-1]}+"]
