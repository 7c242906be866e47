"""Who moved between two days, with the money that they brought, and how many move by chance alone.

If nothing changes in how customers buy, the days that only the earlier window holds are as good as
those that only the later one holds. Then as many customers leave a group as come into it, and of n
who do either, the number who leave is Binomial(n, 1/2). That needs customers whose first purchase
lies before both windows, for a first purchase is no chance. Customers who stop for good leave by
more than chance, so a shop that always loses some of its old ones is seen to. A window of a year
holds all seasons; recency alone is of the season that the day is in.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from itertools import product
from typing import get_args

import numpy as np
import pandas as pd
from ibis import _

from retention_lab.checks import BadData
from retention_lab.customers.standing import By, Standing, groups
from retention_lab.inference.proportions import wilson
from retention_lab.inference.tails import binom_ppf
from retention_lab.tables.engine import collect
from retention_lab.tables.segment import BINS, Bought, first_fit

BOUGHT: tuple[Bought, ...] = get_args(Bought)
MONEY = ["revenue_before", "revenue_now"]


def moves(standing: Standing, *, by: By) -> pd.DataFrame:
    """Count those who had bought by the earlier day, by their group then and now.

    Returns
    -------
    DataFrame
        One row per pair of groups, `before` and `now`, in the order of the rules: `customers`,
        their `share` of the group before with `low` and `high` (Wilson; null where that group was
        empty), `revenue_before` and `revenue_now` (minor units, less returns, of the ``days`` days
        up to each of the two days).

    Raises
    ------
    BadData
        If nobody had bought by the earlier day.
    """
    return moved(_pairs(standing, by), names=groups(standing.rules, by=by))


def moved(pairs: pd.DataFrame, *, names: Sequence[str]) -> pd.DataFrame:
    """Give `moves` of customers and their money summed by `before` and `now`, of these groups."""
    every = pd.MultiIndex.from_product([names, names], names=["before", "now"])
    sums = pairs.groupby(["before", "now"])[["customers", *MONEY]].sum()
    frame = sums.reindex(every, fill_value=0).reset_index()
    of = frame.groupby("before", sort=False)["customers"].transform("sum")
    shares = _shares(frame["customers"], of)
    return frame[["before", "now", "customers"]].join([shares, frame[MONEY]])


def flows(standing: Standing, *, by: By) -> pd.DataFrame:
    """Count who left each group and who came, and how many would leave by chance alone.

    Returns
    -------
    DataFrame
        One row per `group` in the order of the rules: `customers` (in it on the earlier day),
        `left` (of them), `share` with `low` and `high` (Wilson; null where it was empty). Of
        customers since ``standing.long_since`` or before: `long_standing` (in it on the earlier
        day), `left_long` (of them), `came_long`, and how many of those who did either would have
        left `by_chance`, from `chance_low` to `chance_high` 95 times in 100; null for groups that
        a second purchase alone moves customers into, or out of, for nobody goes back that way.

    Raises
    ------
    BadData
        If nobody had bought by the earlier day.
    """
    return flowed(_pairs(standing, by), standing, by=by)


def flowed(pairs: pd.DataFrame, standing: Standing, *, by: By) -> pd.DataFrame:
    """Give `flows` of `customers` summed by `before`, `now` and whether they are `long` known."""
    names = groups(standing.rules, by=by)
    moved = pairs[pairs["before"] != pairs["now"]]
    counted = {
        "customers": _by(pairs, "before"),
        "left": _by(moved, "before"),
        "long_standing": _by(pairs[pairs["long"]], "before"),
        "left_long": _by(moved[moved["long"]], "before"),
        "came_long": _by(moved[moved["long"]], "now"),
    }
    frame = pd.DataFrame(counted).reindex(pd.Index(names, name="group")).fillna(0).astype("int64")
    either = frame["left_long"] + frame["came_long"]
    low, high = (binom_ppf(chance, either, 0.5) for chance in (0.025, 0.975))
    chance = pd.DataFrame({"by_chance": either / 2, "chance_low": low, "chance_high": high})
    chance.loc[sorted(_one_way(standing, by))] = np.nan
    first, rest = ["customers", "left"], ["long_standing", "left_long", "came_long"]
    shares = _shares(frame["left"], frame["customers"])
    return frame[first].join([shares, frame[rest], chance]).reset_index()


def _pairs(standing: Standing, by: By) -> pd.DataFrame:
    """Customers and their money by group before and now, and by whether they are `long` known."""
    if standing.before is None:
        raise BadData(
            f"Nobody had bought {standing.days} days before {standing.as_of}, so nobody can have "
            "moved since."
        )
    then, now = standing.before, standing.now
    before = then.select(
        "customer_id",
        before=then[by],
        long=then.first_day <= standing.long_since,
        revenue_before=then.revenue_recent,
    )
    after = now.select("customer_id", now=now[by], revenue_now=now.revenue_recent)
    both = before.inner_join(after, "customer_id")
    sums = {name: both[name].sum() for name in MONEY}
    return collect(both.group_by("before", "now", "long").agg(customers=_.count(), **sums))


def _by(pairs: pd.DataFrame, side: str) -> pd.Series[int]:
    return pairs.groupby(side)["customers"].sum()


def _shares(count: pd.Series[int], of: pd.Series[int]) -> pd.DataFrame:
    """Wilson's, but null where there is nobody to have a share of."""
    some = of > 0
    return wilson(count[some], of[some]).reindex(count.index)


def _one_way(standing: Standing, by: By) -> set[str]:
    """Groups in which a second purchase, which nobody can undo, makes all the difference.

    Those who bought once, and before the window, have bought and spent nothing within it.
    """
    rules, cuts = standing.rules, standing.thresholds.cuts
    if by == "activity":
        return set()
    frequency, monetary = (
        range(1, 2 + max(bisect_right(cuts.edges(name, key), 0) for key in getattr(cuts, name)))
        for name in ("frequency", "monetary")
    )
    named = rules.cohorts if by == "cohort" else rules.named
    pairs = (
        {first_fit(named, (*scores, bought)).name for bought in BOUGHT}
        for scores in product(range(1, BINS + 1), frequency, monetary)
    )
    return {name for pair in pairs if len(pair) > 1 for name in pair}
