"""An outcome by arm, less noisy where the same is known of the days before time zero (CUPED).

Means and ratios are adjusted, by one slope for all arms; shares of customers keep the intervals
that hold where few of them, or nearly all, did it. An adjustment needs to know everybody: where the
shop's records begin later than the days before somebody's time zero do, there is none, as nothing
known is not nothing done. Who was no customer yet did nothing then, and counts as 0.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import combinations_with_replacement
from typing import Any

import ibis
import ibis.expr.types as ir
import pandas as pd
from ibis import _

from retention_lab import checks
from retention_lab.checks import BadData
from retention_lab.churn.endpoints import UNKNOWN, end_of
from retention_lab.customers.measures import sum_of_products
from retention_lab.experiments.adding import GROUPS, SEEN
from retention_lab.experiments.outcomes import Outcome, refuse_lacking
from retention_lab.experiments.windows import UNTIL, Window
from retention_lab.inference import cuped, means
from retention_lab.inference.means import Estimate
from retention_lab.inference.moments import RatioMoments
from retention_lab.inference.pairs import CrossMoments
from retention_lab.tables import clocks, engine
from retention_lab.tables.snapshot import Snapshot

_SIDES = ("y", "x", "y_before", "x_before")
_PAIRS = [*combinations_with_replacement(_SIDES, 2)]
_COUNTED = ("customers", "left_out", "counted", "did", "reaching")


@dataclass(frozen=True, kw_only=True)
class OfArm:
    """An outcome of the customers of an arm who were followed for so long.

    Parameters
    ----------
    customers, left_out
        How many were followed for so long, and how many were not.
    counted, did
        Of the followed, those of whom y or x is not 0, and those of whom y is not 0.
    is_share
        Whether every unit counts 1 of 1 or 0 of 1, so that `did` of `customers` is the share.
    raw, cleaned
        The average in the outcome's unit, money in whole units, as it is and adjusted; None where
        it cannot be told, or nothing adjusts it. Adjusted ones compare with those of the other arms
        of the same call.
    why
        Why there is no average, in a sentence; empty where there is one.
    """

    customers: int
    left_out: int
    counted: int = 0
    did: int = 0
    is_share: bool = False
    raw: Estimate | None = None
    cleaned: Estimate | None = None
    why: str = ""


def arms(
    shop: Snapshot, people: ir.Table, made: Outcome, *, days: int, cluster: str | None = None
) -> dict[str, OfArm]:
    """Measure an outcome of the days from time zero on, by arm.

    Parameters
    ----------
    people
        One row per customer: `customer_id`, `arm`, `reached_at` (naive UTC), and the column of
        `cluster`.
    days
        Days from time zero in which it counts, and as many before it.
    cluster
        The column that says whose customers are not independent, such as a household; "unknown" is
        nobody else's. Where a cluster has customers in several arms, these are taken for
        independent, which makes intervals of differences wider than need be.

    Raises
    ------
    BadParameter
        If the engine cannot compute an own metric.
    BadData
        If the shop or `people` lacks something, or nobody was assigned.
    """
    frame = sums(shop, people, made, days=days, cluster=cluster)
    rows = {
        str(row["arm"]): {str(name): int(row[name]) for name in row if name != "arm"}
        for row in frame.to_dict("records")
    }
    whole = shop.minor_per_unit if made.unit == "money" else 1
    return estimates(rows, made, days=days, whole=whole)


def estimates(
    rows: Mapping[str, Mapping[str, int]], made: Outcome, *, days: int, whole: int = 1
) -> dict[str, OfArm]:
    """Make averages of the rows of `sums`, by arm; `whole` is how many minor units are one."""
    found = {name: _plain(row, made, days=days, whole=whole) for name, row in rows.items()}
    told = [name for name, arm in found.items() if arm.raw is not None and not arm.is_share]
    if any(rows[name]["reaching"] < rows[name]["customers"] for name in told):
        return found
    return found | _cleaned({name: rows[name] for name in told}, found, whole=whole)


def sums(
    shop: Snapshot, people: ir.Table, made: Outcome, *, days: int, cluster: str | None = None
) -> pd.DataFrame:
    """Add up an outcome after and before time zero, in one query.

    Returns
    -------
    DataFrame
        One row per `arm`, in order: `customers`, `left_out`, `counted`, `did` as in `OfArm`,
        `reaching` (those of `customers` of whom the shop would know what they did in as many days
        before), `units` (clusters, or customers), and exact whole sums over units: `y`, `x`, of
        before `y_before` and `x_before`, and of their products (`y*y`, `y*x_before`).
    """
    checks.at_least("days", days, 1)
    checks.columns("people", people.columns, ["customer_id", "arm", "reached_at"])
    refuse_lacking(made, shop)
    rows = _rows(shop, people, made, days=days, cluster=cluster)
    if cluster:
        added = {name: _[name].sum().cast("int64") for name in (*_COUNTED, *_SIDES)}
        rows = rows.group_by("arm", "unit").agg(**added)
    found = rows.group_by("arm").agg(
        **{name: rows[name].sum().fill_null(0) for name in (*_COUNTED, *_SIDES)},
        units=(rows.customers > 0).cast("int64").sum().fill_null(0),
        **{f"{a}*{b}": sum_of_products(rows[a], rows[b]) for a, b in _PAIRS},
    )
    frame = engine.collect(found, max_rows=GROUPS)
    if frame.empty:
        raise BadData("Nobody was assigned to an arm of the plan: nothing to add up.")
    return frame.sort_values("arm", ignore_index=True)


def _rows(
    shop: Snapshot, people: ir.Table, made: Outcome, *, days: int, cluster: str | None
) -> ir.Table:
    """One row per customer: both sides of the outcome, after and before time zero."""
    length = ibis.interval(days=int(days))
    until, since = people.reached_at + length, people.reached_at - length
    records = ibis.timestamp(clocks.end_of_day(shop.records_from, shop.zone).isoformat())
    own = people[cluster] if cluster else people.customer_id
    marked = people.select(
        "arm",
        "customer_id",
        "reached_at",
        unit=(own == UNKNOWN).ifelse(people.customer_id, own),
        reaching=((until <= end_of(shop)) & (since >= records)).cast("int64"),
        **{UNTIL: until, SEEN: (until <= end_of(shop)).cast("int64")},
    )
    after = marked.filter(_[SEEN] == 1)
    before = after.mutate(**{UNTIL: after.reached_at, "reached_at": after.reached_at - length})
    now = made.sides(Window(shop=shop, people=after))
    is_ratio = "x" in now.columns
    joined = _with(marked, now, "")
    if is_ratio or made.unit != "share":
        joined = _with(joined, made.sides(Window(shop=shop, people=before)), "_before")
    else:
        joined = joined.mutate(y_before=ibis.literal(0, "int64"))
    if not is_ratio:
        joined = joined.mutate(x=joined[SEEN], x_before=joined[SEEN])
    return joined.select(
        *("arm", "unit", "reaching", *_SIDES),
        customers=joined[SEEN],
        left_out=1 - joined[SEEN],
        counted=((joined.y != 0) | (joined.x != 0)).cast("int64"),
        did=(joined.y != 0).cast("int64"),
    )


def _with(people: ir.Table, sides: ir.Table, when: str) -> ir.Table:
    """Put the sides of an outcome beside customers: 0 of whom nothing is known."""
    names = [name for name in ("y", "x") if name in sides.columns]
    theirs = sides.select(_whose="customer_id", **{f"_{name}": name for name in names})
    joined = people.left_join(theirs, people.customer_id == theirs["_whose"])
    filled = {f"{name}{when}": joined[f"_{name}"].fill_null(0) for name in names}
    return joined.select(*people.columns, **filled)


def _plain(row: Mapping[str, int], made: Outcome, *, days: int, whole: int) -> OfArm:
    """Average of an arm as it is, or why there is none."""
    now = _moments(row)
    # No whole number but 0 and 1 is its own square.
    is_share = now.y == now.yy and now.n == now.x == now.xx == row["customers"]
    counts: dict[str, Any] = {name: row[name] for name in _COUNTED[:4]}
    found = OfArm(**counts, is_share=is_share and made.unit == "share")
    if not found.customers:
        return replace(found, why=f"No customer of an arm has been followed for {days} days yet.")
    try:
        raw = means.share(now.y, now.n) if found.is_share else means.mean(now)
    except BadData:
        lacks = "nothing to divide by" if now.n > 1 else "only one customer or cluster"
        return replace(found, why=f"An arm has {lacks} yet.")
    low = max(0.0, raw.low) if made.unit == "share" else raw.low
    return replace(found, raw=_scaled(replace(raw, low=low), whole))


def _cleaned(
    rows: Mapping[str, Mapping[str, int]], found: Mapping[str, OfArm], *, whole: int
) -> dict[str, OfArm]:
    """The same arms, adjusted; none where there is nothing of before to adjust by."""
    parts = [
        cuped.Arm(now=_moments(row), before=_moments(row, "_before"), both=_crossed(row))
        for row in rows.values()
    ]
    try:
        adjusted = cuped.adjusted(parts) if parts else []
    except BadData:  # such as no order of anybody before, of what is asked per order
        return {}
    return {
        name: replace(found[name], cleaned=_scaled(each, whole))
        for name, each in zip(rows, adjusted, strict=True)
    }


def _moments(row: Mapping[str, int], when: str = "") -> RatioMoments:
    y, x = f"y{when}", f"x{when}"
    names = {"y": y, "x": x, "yy": f"{y}*{y}", "xy": f"{y}*{x}", "xx": f"{x}*{x}"}
    return RatioMoments(n=row["units"], **{part: row[name] for part, name in names.items()})


def _crossed(row: Mapping[str, int]) -> CrossMoments:
    pairs = {f"{a}{b}": row[f"{a}*{b}_before"] for a in "yx" for b in "yx"}
    return CrossMoments(n=row["units"], **pairs)


def _scaled(found: Estimate, whole: int) -> Estimate:
    parts = ("value", "low", "high", "std_error")
    return replace(found, **{name: getattr(found, name) / whole for name in parts})
