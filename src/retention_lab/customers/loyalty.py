"""Tiers of loyalty: who stands on which step of the ladder, and who is one purchase below it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction

import ibis
import ibis.expr.types as ir
import pandas as pd
from ibis import _

from retention_lab import checks
from retention_lab.checks import BadData
from retention_lab.inference.proportions import wilson
from retention_lab.tables.engine import collect
from retention_lab.tables.parsing import minor_digits
from retention_lab.tables.worth import Tier


def tiers(now: ir.Table, *, tiers: Sequence[Tier], currency: str) -> pd.DataFrame:
    """Count the customers of each tier, what they brought, and who is one purchase away from it.

    One purchase away from a tier is who stands on a lower one and would be in it, had they bought
    on one more day within the window and spent what a purchase of theirs has brought on the mean
    so far (`revenue` over `purchases`). Each customer is one purchase away from one tier at most.

    Parameters
    ----------
    now
        As `customers.summary.purchases` makes it, with a window.
    tiers
        From the highest to the lowest, as `tables.worth.ladder` takes them. A tier that asks for
        no money takes also those who sent back more than they bought.
    currency
        Of the revenue.

    Returns
    -------
    DataFrame
        One row per tier, in their order, empty ones included: `tier`, `customers`, `share` of all
        customers with `low` and `high` (Wilson), `revenue_within` (minor units), `revenue_share`
        of all revenue within (``Float64``; missing where that is zero or less, as there is nothing
        to share), `one_away` (customers).

    Raises
    ------
    BadData
        If a column is missing, or there is no customer.
    """
    needed = ["purchases", "revenue", "purchases_within", "revenue_within"]
    checks.columns("now", now.columns, needed)
    unit = 10 ** minor_digits(currency)
    spent_next = now.revenue_within + now.revenue // now.purchases
    moved = now.select(
        "revenue_within",
        tier=_place(now.purchases_within, now.revenue_within, tiers, unit),
        after=_place(now.purchases_within + 1, spent_next, tiers, unit),
    )
    counts = collect(
        moved.group_by("tier", "after").agg(customers=_.count(), revenue=_.revenue_within.sum())
    )
    if counts.empty:
        raise BadData("Nobody has bought by then, so nobody stands on a tier.")
    return _table(counts, [tier.name for tier in tiers])


def _place(
    purchases: ir.IntegerValue, revenue: ir.IntegerValue, tiers: Sequence[Tier], unit: int
) -> ir.IntegerValue:
    """Number of the first tier that takes a customer; the last takes everybody."""
    *asking, _last = tiers
    choices = [
        (_reached(tier, purchases, revenue, unit), ibis.literal(place, "int64"))
        for place, tier in enumerate(asking)
    ]
    everybody = ibis.literal(len(asking), "int64")
    return ibis.cases(*choices, else_=everybody) if choices else everybody


def _reached(
    tier: Tier, purchases: ir.IntegerValue, revenue: ir.IntegerValue, unit: int
) -> ir.BooleanValue:
    often = purchases >= tier.purchases
    # By way of text, as 19.99 in floats is a little less than 1,999 hundredths.
    spent = math.ceil(Fraction(str(tier.spent)) * unit)
    return often & (revenue >= spent) if spent else often


def _table(counts: pd.DataFrame, names: list[str]) -> pd.DataFrame:
    places = range(len(names))
    sums = counts.groupby("tier")[["customers", "revenue"]].sum().reindex(places, fill_value=0)
    away = counts[counts["after"] < counts["tier"]].groupby("after")["customers"].sum()
    total, everybody = int(sums["revenue"].sum()), int(sums["customers"].sum())
    share = sums["revenue"].astype("Float64") / (total if total > 0 else pd.NA)
    return pd.DataFrame(
        {
            "tier": names,
            "customers": sums["customers"],
            **wilson(sums["customers"], [everybody] * len(names)),
            "revenue_within": sums["revenue"],
            "revenue_share": share,
            "one_away": away.reindex(places, fill_value=0),
        }
    )
