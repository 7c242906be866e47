"""The one kind of customers that a change in who they are is best told by."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any

import pandas as pd

from retention_lab.customers.explain import Explained
from retention_lab.customers.groups import REST, UNKNOWN

MATERIAL = 0.25  # of the mix that a group must make by itself to be named


@dataclass(frozen=True, kw_only=True)
class Notable:
    """A value of a dimension: its share of the customers of each side, and its rate beside others.

    `rate` and `others` are those of now, of before where the group has gone; `customers` is how
    many of that side it has.
    """

    dimension: str
    group: str
    mix: float
    customers: int
    share_now: float
    share_before: float
    rate: float
    others: float


def notable(explained: Explained) -> Notable | None:
    """Find the group that contributes most to mix, by itself and in the direction of it.

    Of the dimensions that the split rests on, one at a time. It must make up a quarter of the mix,
    and do so as a reader expects: more customers of a higher rate raise, fewer of it lower.

    Returns
    -------
    Notable or None
        None where no group does.
    """
    mix = explained.part("mix").value
    found = [
        _notable(frame, place)
        for _name, frame in explained.singles.groupby("dimension")
        if frame["dimension"].iloc[0] in explained.by
        for place in frame.index[~frame["group"].isin([REST, UNKNOWN])]
    ]
    fitting = [each for each in found if _fits(each, mix)]
    return max(fitting, key=lambda each: (abs(each.mix), each.group), default=None)


def _notable(frame: pd.DataFrame, place: int) -> Notable:
    row: dict[Hashable, Any] = frame.loc[place].to_dict()
    rest = frame.drop(index=place)
    side = "now" if row["customers_now"] else "before"
    weight = rest[f"share_{side}"]
    others = (weight * rest[f"rate_{side}"].astype("float64").fillna(0)).sum() / weight.sum()
    return Notable(
        dimension=str(row["dimension"]),
        group=str(row["group"]),
        mix=float(row["mix"]),
        customers=int(row[f"customers_{side}"]),
        share_now=float(row["customers_now"] / frame["customers_now"].sum()),
        share_before=float(row["customers_before"] / frame["customers_before"].sum()),
        rate=float(row[f"rate_{side}"]),
        others=float(others),
    )


def _fits(each: Notable, mix: float) -> bool:
    expected = (each.share_now - each.share_before) * (each.rate - each.others)
    return each.mix * mix > 0 and abs(each.mix) >= MATERIAL * abs(mix) and expected * mix > 0
