"""Sentences beside the ladder of loyalty."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

import pandas as pd

from retention_lab.inference.interval import Interval
from retention_lab.record import SMALL, Ledger, percent
from retention_lab.record.loyalty import hidden_in
from retention_lab.wording.annotations import inert
from retention_lab.wording.phrases import counted

INCENTIVE = (
    "Those one purchase below a tier are a place to test an incentive. That customers of high "
    "tiers buy more is no proof that tiers make them buy: buying is what put them there."
)


def loyalty_tiers(frame: pd.DataFrame, *, within: int) -> str:
    """Say how large the tiers are, what they bring, and how many are one purchase below each.

    `frame` is what `customers.loyalty.tiers` gave, `within` the days that it looks at.
    """
    hidden = hidden_in(frame)
    shown = frame[~hidden["customers"]]
    if shown.empty:
        return f"No tier has {SMALL} customers or more, so none is described."
    sizes = "; ".join(map(_size, shown.to_dict("records")))
    everybody = counted(int(frame["customers"].sum()), "customer")
    said = f"Of {everybody}, by what they bought in the last {within} days: {sizes}."
    # That everybody below is one purchase away, as from the lowest tier but one, says nothing.
    below = frame["customers"][::-1].cumsum()[::-1] - frame["customers"]
    told = ~hidden["one_away"] & (frame["one_away"] > 0) & (frame["one_away"] < below)
    near = frame[told].to_dict("records")
    if not near:
        return said
    away = ", ".join(f"{row['one_away']:,} from {inert(row['tier'])}" for row in near)
    return (
        f"{said} One purchase away, if it is as large as theirs have been on average: {away}. "
        f"{INCENTIVE}"
    )


def _size(row: dict[Hashable, Any]) -> str:
    found = Interval(value=row["share"], low=row["low"], high=row["high"])
    share = Ledger().record("share", found, unit="share", definition="")
    size = f"{inert(row['tier'])} {row['customers']:,} ({share.ranged})"
    revenue = row["revenue_share"]
    if pd.isna(revenue) or round(revenue, 3) == 0:
        return size
    return f"{size} with {percent(revenue)} of the revenue"
