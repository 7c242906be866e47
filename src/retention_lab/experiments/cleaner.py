"""An outcome by arm, less noisy where the same is known of the days before time zero (CUPED).

Means and ratios are adjusted, by one slope for all arms; shares of customers keep the intervals
that hold where few of them, or nearly all, did it. An adjustment needs to know everybody: where the
shop's records begin later than the days before somebody's time zero do, there is none, as nothing
known is not nothing done. Who was no customer yet did nothing then, and counts as 0.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import ibis.expr.types as ir
import pandas as pd

from retention_lab import checks
from retention_lab.checks import BadData, Refusal
from retention_lab.experiments.adding import Adding
from retention_lab.experiments.outcomes import Outcome
from retention_lab.inference import cuped, means
from retention_lab.inference.means import Estimate
from retention_lab.inference.moments import RatioMoments
from retention_lab.inference.pairs import CrossMoments
from retention_lab.tables.snapshot import Snapshot

_COUNTED = ("customers", "left_out", "counted", "did")


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
    """Measure an outcome of the days from time zero on, by arm; as `several`.

    Raises
    ------
    BadParameter
        If the engine cannot compute an own metric.
    BadData
        If the shop or `people` lacks something, or nobody was assigned.
    """
    found = several(shop, people, [made], days=days, cluster=cluster)[made.name]
    if isinstance(found, Refusal):
        raise found
    return found


def several(
    shop: Snapshot,
    people: ir.Table,
    made: Sequence[Outcome],
    *,
    days: int,
    cluster: str | None = None,
) -> dict[str, dict[str, OfArm] | Refusal]:
    """Measure outcomes of the days from time zero on, by their names and by arm.

    Of what cannot be told there is the refusal.

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
    BadData
        If `people` lacks something.
    """
    added = sums(shop, people, made, days=days, cluster=cluster)
    return {each.name: _arms(shop, added[each.name], each, days=days) for each in made}


def _arms(
    shop: Snapshot, frame: pd.DataFrame | Refusal, made: Outcome, *, days: int
) -> dict[str, OfArm] | Refusal:
    if isinstance(frame, Refusal):
        return frame
    if frame.empty:
        return BadData("Nobody was assigned to an arm of the plan: nothing to add up.")
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
    shop: Snapshot,
    people: ir.Table,
    made: Sequence[Outcome],
    *,
    days: int,
    cluster: str | None = None,
) -> dict[str, pd.DataFrame | Refusal]:
    """Add outcomes up by `arm`, after and before time zero, as `adding.Adding.sums`."""
    checks.at_least("days", days, 1)
    checks.columns("people", people.columns, ["customer_id", "arm", "reached_at"])
    adding = Adding(shop=shop, people=people, days=days, by=["arm"], before=True, cluster=cluster)
    return adding.sums(made)


def _plain(row: Mapping[str, int], made: Outcome, *, days: int, whole: int) -> OfArm:
    """Average of an arm as it is, or why there is none."""
    now = _moments(row)
    # No whole number but 0 and 1 is its own square.
    is_share = now.y == now.yy and now.n == now.x == now.xx == row["customers"]
    counts: dict[str, Any] = {name: row[name] for name in _COUNTED}
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
