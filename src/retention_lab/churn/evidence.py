"""All that stands behind an outlook, each part of it or, in its place, why it cannot be told."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

import ibis
import ibis.expr.types as ir
import pandas as pd
from ibis import _

from retention_lab.checks import BadData
from retention_lab.churn import endpoints, episodes, gaps, grids, milestones, recurrent
from retention_lab.churn.associations import Associations, associations
from retention_lab.churn.endpoints import Endpoint
from retention_lab.churn.outlook import Outlook
from retention_lab.customers.contracts import Contracts, contracts
from retention_lab.survival.incidence import cumulative_incidence
from retention_lab.survival.logrank import LogRank, logrank
from retention_lab.tables.engine import collect
from retention_lab.tables.playbook import Attribute, Factor, Milestone, Playbook
from retention_lab.tables.snapshot import Snapshot

T = TypeVar("T")
EVERYBODY = "everybody"
ONE_DAY = (
    "All who left did so on one day of the calendar, so quarters of joining are not told apart."
)
QUARTERS = 5  # of joining that are compared
TOLD = ("voluntary", "involuntary")  # causes; what else there is was not told


@dataclass(frozen=True, kw_only=True)
class Missing:
    """What cannot be told, and `why` in a sentence."""

    why: str


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """Grids and tables, small enough to be drawn.

    `joined` is a day grid by `group` (quarter of joining), `differ` its log-rank test;
    `by_milestone` a grid by `reached` for each milestone, by its label; `causes` the cumulative
    incidence of each cause, `lately` the cancellations of the last horizon by `cause`;
    `side_by_side` a table for each milestone, by its label; `contracts` what is kept of all
    subscriptions, period by period; `lost` the evidence for a number of
    silent days; `repeat` the ratios of repeat purchases.
    """

    joined: pd.DataFrame
    differ: LogRank | Missing
    by_milestone: Mapping[str, pd.DataFrame]
    causes: pd.DataFrame | Missing
    lately: pd.DataFrame | Missing
    associations: Associations | Missing
    side_by_side: Mapping[str, pd.DataFrame]
    contracts: Contracts
    lost: pd.DataFrame | Missing
    repeat: pd.DataFrame | Missing


def gather(shop: Snapshot, seen: Outlook, playbook: Playbook, *, day: int) -> Evidence:
    """Collect the evidence, milestones being judged by whether they came by `day`."""
    endpoint = seen.endpoint
    spells = endpoints.spells(shop, endpoint)
    first = spells.filter(_.spell == 1) if endpoint.kind == "returned" else spells
    marked = [factor for factor in seen.factors if isinstance(factor, Milestone)]
    joined = _by_quarter(first)
    return Evidence(
        joined=joined,
        differ=_differ(joined),
        by_milestone=_each(marked, partial(_from, shop, first, endpoint, day=day)),
        causes=_or_why(lambda: _causes(spells, endpoint)),
        lately=_or_why(lambda: _lately(shop, seen.horizon)),
        associations=_or_why(lambda: associations(shop, endpoint, seen.factors)),
        side_by_side=_each(marked, partial(milestones.side_by_side, shop, endpoint, day=day)),
        contracts=contracts(shop),
        lost=_or_why(lambda: _lost(shop, playbook.churn.lost_after, horizon=seen.horizon)),
        repeat=_or_why(lambda: _repeat(shop, seen.factors)),
    )


def _or_why(tell: Callable[[], T]) -> T | Missing:
    try:
        return tell()
    except BadData as error:
        return Missing(why=str(error))


def _each(marked: Sequence[Milestone], tell: Callable[[Milestone], T]) -> dict[str, T]:
    """Tell of each milestone, by its label; those of which it cannot be told are absent."""
    told = {factor.label: _or_why(partial(tell, factor)) for factor in marked}
    return {label: part for label, part in told.items() if not isinstance(part, Missing)}


def _by_quarter(spells: ir.Table) -> pd.DataFrame:
    """Day grid of the last quarters of joining; those before them are one group.

    All are one group where everybody who left did so on one day of the calendar: each quarter would
    then seem to stay until that day.
    """
    grid = grids.by(spells, "cohort")
    if _on_one_day(spells):
        return grid.assign(group=EVERYBODY).sort_values("day")
    quarter = grid["cohort"].dt.to_period("Q")
    oldest = quarter.max() - (QUARTERS - 2)
    names = quarter.astype(str).str.replace("Q", " Q")
    grid["group"] = names.where(quarter >= oldest, f"before {str(oldest).replace('Q', ' Q')}")
    order = grid["cohort"].where(quarter >= oldest, grid["cohort"].min())
    return grid.assign(order=order).sort_values(["order", "day"]).drop(columns="order")


def _differ(joined: pd.DataFrame) -> LogRank | Missing:
    """Test whether the groups differ; where there is no test, only the one day is worth a word."""
    if set(joined["group"]) == {EVERYBODY}:
        return Missing(why=ONE_DAY)
    try:
        return logrank(joined)
    except BadData:
        return Missing(why="")


def _on_one_day(spells: ir.Table) -> bool:
    ends = collect(
        spells.filter(_.event_observed).agg(first=_.until_at.min(), last=_.until_at.max())
    ).iloc[0]
    return bool(ends["last"] - ends["first"] < pd.Timedelta(days=1))


def _causes(spells: ir.Table, endpoint: Endpoint) -> pd.DataFrame:
    if endpoint.kind != "cancelled":
        raise BadData("Without a contract nobody gives notice, so there is no cause to count.")
    grid = grids.by(spells)
    if not {f"events_{cause}" for cause in TOLD} & set(grid):
        raise BadData("The data do not tell why customers left.")
    return cumulative_incidence(grid)


def _lost(shop: Snapshot, lost_after: Sequence[int], *, horizon: int) -> pd.DataFrame:
    """Tell what can be told of each number of silent days; the others are absent."""
    if "orders" not in shop.tables:
        raise BadData("Silent days are counted between purchases, and the data hold no orders.")
    told = (
        _or_why(partial(gaps.evidence, shop, lost_after=[days], horizon=horizon))
        for days in sorted(set(lost_after))
    )
    frames = [frame for frame in told if not isinstance(frame, Missing)]
    if not frames:
        raise BadData(
            f"Fewer than {gaps.FOLLOWED} customers were silent for long enough to say how many "
            "return."
        )
    return pd.concat(frames, ignore_index=True)


def _repeat(shop: Snapshot, factors: Sequence[Factor]) -> pd.DataFrame:
    if "orders" not in shop.tables:
        raise BadData("The data hold no orders.")
    attributes = [factor for factor in factors if isinstance(factor, Attribute)]
    if not attributes:
        raise BadData(
            "Repeat purchases are compared by attributes of customers, and the playbook names none "
            "that the data hold."
        )
    return recurrent.repeat_purchases(shop, attributes)


def _from(
    shop: Snapshot, first: ir.Table, endpoint: Endpoint, factor: Milestone, *, day: int
) -> pd.DataFrame:
    return grids.from_day(first, episodes.reached(shop, endpoint, factor), day=day)


def _lately(shop: Snapshot, days: int) -> pd.DataFrame:
    """Count the cancellations of the last days by cause."""
    if "subscriptions" not in shop.tables:
        raise BadData("Without a contract nobody cancels.")
    since = shop.as_of - dt.timedelta(days=days)
    spells = endpoints.spells(shop, Endpoint(kind="cancelled"))
    begin = endpoints.end_of(shop) - ibis.interval(days=days)
    ended = spells.filter(spells.event_observed & (spells.until_at >= begin))
    counts = collect(ended.group_by("cause").agg(events=_.count()))
    if counts.empty:
        raise BadData(f"Nobody cancelled after {since}.")
    return counts.sort_values("cause", ignore_index=True)
