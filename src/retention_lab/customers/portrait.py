"""Who the customers of a shop are, who moved, and how they came: all that one page tells of it."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from pathlib import Path

import ibis.expr.types as ir
import pandas as pd

from retention_lab.checks import BadData
from retention_lab.customers import (
    acquisition,
    campaigns,
    cohorts,
    loyalty,
    migration,
    newest,
    repurchase,
    standing,
)
from retention_lab.customers import rising as risings
from retention_lab.customers import thresholds as lines
from retention_lab.customers.acquisition import Acquired
from retention_lab.customers.groups import LEAST
from retention_lab.customers.rising import Rising
from retention_lab.customers.standing import Standing
from retention_lab.customers.summary import purchases
from retention_lab.customers.thresholds import Review, Thresholds
from retention_lab.customers.worth import Worth, worth
from retention_lab.tables.engine import collect
from retention_lab.tables.playbook import Playbook
from retention_lab.tables.snapshot import Snapshot

FIRST_REPEAT = 30  # days within which a first repeat purchase is early
BACK = 90  # days within which groups of customers are compared


@dataclass(frozen=True, kw_only=True, eq=False)
class Portrait:
    """What is known of a shop's customers as of its day.

    `cohorts`, `named` and `activity` are sizes by `standing.sizes`; `moves`, `flows` (by value
    cohort) and `moved` (by named segment) are of `migration`, None where nobody had bought by the
    earlier day; `usual` are the flows of as many days before, None where too little is known of
    them. `review` is None where the lines are of the shop's own day, or of a later one, or
    where one of the two days has nobody to compare. `messages` is of `campaigns.rates`, `tiers` of
    `loyalty.tiers`, `first_repeat` of `cohorts.returned`, `revenue` of `cohorts.revenue_triangle`.
    """

    standing: Standing
    cohorts: pd.DataFrame
    named: pd.DataFrame
    activity: pd.DataFrame
    flows: pd.DataFrame | None
    usual: pd.DataFrame | None
    moves: pd.DataFrame | None
    moved: pd.DataFrame | None
    review: Review | None
    worth: Worth
    rising: Rising
    messages: pd.DataFrame
    tiers: pd.DataFrame
    first_repeat: pd.DataFrame
    acquired: tuple[Acquired, ...]
    revenue: pd.DataFrame


def portrait(
    shop: Snapshot, book: Playbook, *, thresholds: str | Path | Thresholds, days: int
) -> Portrait:
    """Describe the customers of a shop, beside what they were `days` days before.

    `thresholds` are frozen lines, or their file, or empty to draw them.

    Raises
    ------
    BadParameter
        If the lines cannot be read, or do not fit the shop or the playbook; or `days` is less
        than 1.
    BadData
        If the shop has no orders, or nobody has bought within the days that are scored and lines
        would have to be drawn.
    """
    given = Path(thresholds) if isinstance(thresholds, str) and thresholds else thresholds or None
    here = standing.standing(shop, book.segments, thresholds=given, days=days)
    known = here.before is not None
    as_of, rules = shop.as_of, here.rules
    rise = book.rising
    return Portrait(
        standing=here,
        cohorts=standing.sizes(here.now, by="cohort", rules=rules),
        named=standing.sizes(here.now, by="segment", rules=rules),
        activity=standing.sizes(here.now, by="activity", rules=rules),
        flows=migration.flows(here, by="cohort") if known else None,
        usual=_usual(shop, here),
        moves=migration.moves(here, by="cohort") if known else None,
        moved=migration.moves(here, by="segment") if known else None,
        review=_reviewed(shop, here),
        worth=worth(shop, here.now, value=book.value, rules=rules),
        rising=risings.rising(
            shop.orders, as_of=as_of, within=rise.within, false_alerts=rise.false_alerts
        ),
        messages=_messages(shop, here, book),
        tiers=loyalty.tiers(here.now, tiers=book.loyalty, currency=shop.currency),
        first_repeat=_first_repeat(shop),
        acquired=acquisition.acquired(shop, days=BACK),
        revenue=cohorts.revenue_triangle(shop.orders, as_of=as_of),
    )


def _usual(shop: Snapshot, here: Standing) -> pd.DataFrame | None:
    back = standing.one_step_back(shop, here)
    return None if back is None else migration.flows(back, by="cohort")


def _first_repeat(shop: Snapshot) -> pd.DataFrame:
    frame = cohorts.returned(shop.orders, as_of=shop.as_of, days=FIRST_REPEAT)
    grid = repurchase.first_repeat_grid(shop.orders, as_of=shop.as_of)
    return newest.well_followed(frame, grid, days=FIRST_REPEAT, least=LEAST)


def _reviewed(shop: Snapshot, here: Standing) -> Review | None:
    """Look at the lines again, if they were drawn on an earlier day; None without anybody then."""
    drawn = here.thresholds
    if drawn.as_of >= shop.as_of:
        return None
    then = purchases(
        shop.orders, shop.tables.get("returns"), as_of=drawn.as_of, within=drawn.within
    )
    if _people(then) < LEAST:
        return None
    try:
        return lines.review(drawn, then=then, now=here.now, segments=here.rules)
    except BadData:  # nobody had bought by then, or has within, so there is nothing to compare
        return None


def _people(summary: ir.Table) -> int:
    return int(collect(summary.agg(n=summary.count()))["n"].iloc[0])


def _messages(shop: Snapshot, here: Standing, book: Playbook) -> pd.DataFrame:
    """Rates of messages since the earlier day; none in days too few to respond in."""
    since = shop.as_of - dt.timedelta(days=max(here.days, campaigns.WITHIN + 1))
    return campaigns.rates(
        shop,
        here.rules,
        here.thresholds,
        since=since,
        within=campaigns.WITHIN,
        targets=book.targets,
    )
