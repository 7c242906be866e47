"""After how many silent days to call a customer lost: who returns all the same, and the wait."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import ibis
import ibis.expr.types as ir
import pandas as pd
from ibis import _

from retention_lab import checks
from retention_lab.checks import BadData
from retention_lab.churn import endpoints, grids
from retention_lab.survival.daygrid import kaplan_meier
from retention_lab.tables.snapshot import Snapshot

FOLLOWED = 10  # a curve is read for as long as so many are followed: later it rests on a handful


@dataclass(frozen=True, kw_only=True)
class Choice:
    """Silent days after which to call a customer lost, or None; `why` says so in a sentence."""

    days: int | None
    why: str


def evidence(shop: Snapshot, *, lost_after: Iterable[int], horizon: int) -> pd.DataFrame:
    """Tell for each number of silent days how many of those called lost came back later.

    A customer is called lost at the end of the first pause that lasts so long, as with the endpoint
    `lost`. Who was called lost of late has had little time to return, so the share is that of a
    Kaplan-Meier curve from the moment of being called lost.

    Parameters
    ----------
    lost_after
        Numbers of silent days to compare.
    horizon
        Days that reports speak of. Nobody who buys at its start can be called lost within it after
        as many silent days, so such numbers are refused for choice, though shown.

    Returns
    -------
    DataFrame
        One row per entry of `lost_after`, in rising order: `days`, `customers` (ever called lost),
        `returned` (of them, by the as-of date), `later_returned` (share, Kaplan-Meier), `low`,
        `high` (95 %), `within` (days after being called lost for which that is told: as long as at
        least 10 of them were followed), `delay` (days from the last purchase to being called lost)
        and `refused` (truth value).

    Raises
    ------
    BadParameter
        If a number of days is below 1.
    BadData
        If the shop has no orders, or too few customers were silent for so long.
    """
    checks.at_least("horizon", horizon, 1)
    rows = [_returning(shop, days) for days in sorted(set(lost_after))]
    table = pd.DataFrame(rows)
    return table.assign(delay=table["days"], refused=table["days"] >= horizon)


def chosen(evidence: pd.DataFrame, *, at_most: float) -> Choice:
    """Choose the fewest silent days after which at most that share return: the shortest wait.

    Parameters
    ----------
    evidence
        As the function of that name makes it.
    at_most
        Highest share of later returns, by the estimate, that the reader can live with.

    Raises
    ------
    BadParameter
        If `at_most` is no share.
    """
    limit = f"{100 * checks.share('at_most', at_most):g} in 100"
    allowed = evidence[~evidence["refused"]]
    if allowed.empty:
        return Choice(
            days=None,
            why="No number of silent days compared is below the horizon of the report, so none can "
            "tell who is lost within it. Compare fewer silent days, or report a longer horizon.",
        )
    fitting = allowed[allowed["later_returned"] <= at_most]
    best = (allowed.sort_values("later_returned") if fitting.empty else fitting).iloc[0]
    days, share = int(best["days"]), f"{100 * best['later_returned']:.0f} in 100"
    if fitting.empty:
        return Choice(
            days=None,
            why="No number of silent days below the horizon tells who is lost: after "
            f"{days} of them {share} return, and at most {limit} may. Use the time to the next "
            "purchase, which needs no such number.",
        )
    return Choice(
        days=days,
        why=f"Customers are called lost after {days} silent days: {share} of them return, and of "
        f"the numbers compared this is the lowest after which at most {limit} do.",
    )


def called_lost(shop: Snapshot, *, days: int) -> ir.Table:
    """Follow every customer from the end of the first pause of so many days.

    Returns
    -------
    Table
        One row per customer ever called lost, with the columns of `endpoints.spells`; `day` counts
        from the moment of being called lost to the next purchase (the event) or the as-of date.

    Raises
    ------
    BadParameter
        If `days` is below 1.
    BadData
        If the shop has no orders.
    """
    checks.at_least("lost_after", days, 1)
    gaps = endpoints.spells(shop, endpoints.Endpoint(kind="returned"))
    silent = gaps.filter(_.zero_at + ibis.interval(days=days) < _.until_at)
    first = silent.mutate(earliest=_.spell.min().over(group_by="customer_id"))
    found = first.filter(_.spell == _.earliest).drop("earliest")
    return found.mutate(day=_.day - days)


def _returning(shop: Snapshot, days: int) -> dict[str, float]:
    grid = grids.by(called_lost(shop, days=days))
    customers = int(grid[["events", "censored"]].to_numpy().sum())
    if customers < FOLLOWED:
        raise BadData(
            f"Only {customers} customers were ever silent for {days} days, too few to tell how "
            f"many return: {FOLLOWED} are needed. Compare fewer silent days, or wait."
        )
    curve = kaplan_meier(grid)
    last = curve[curve["at_risk"] >= FOLLOWED].iloc[-1]
    return {
        "days": days,
        "customers": customers,
        "returned": int(grid["events"].sum()),
        "later_returned": 1 - last["survival"],
        "low": 1 - last["high"],
        "high": 1 - last["low"],
        "within": int(last["day"]),
    }
