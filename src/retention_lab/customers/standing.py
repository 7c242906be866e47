"""Where every customer stands: value cohort, named segment and tier of activity, on two days.

Both days are judged by the same rules and the same cut lines, so that nobody moves because lines
were redrawn.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, assert_never

import ibis.expr.types as ir
import numpy as np
import pandas as pd
from ibis import _

from retention_lab import checks
from retention_lab.checks import BadData, BadParameter
from retention_lab.customers.activity import activity_tier
from retention_lab.customers.purchases import customer_days
from retention_lab.customers.segments import segmented
from retention_lab.customers.summary import of_days
from retention_lab.customers.thresholds import DRAW, Drawn, Thresholds, load
from retention_lab.inference.proportions import wilson
from retention_lab.tables import engine
from retention_lab.tables.segment import Segments
from retention_lab.tables.snapshot import Snapshot
from retention_lab.tables.source import find

By = Literal["cohort", "segment", "activity"]

COLUMNS = (
    *("group", "customers", "share", "low", "high"),
    *("revenue_within", "revenue_share", "purchases_within"),
)


@dataclass(frozen=True, kw_only=True, eq=False)
class Standing:
    """Who stood where on two days, `days` apart.

    `now` and `before` (None, as `then` is, where nobody had bought by then) have a row per customer
    who had bought by `as_of` and by `then`, as `segmented` gives them for a summary of `within`
    days, and `revenue_recent` (minor units of `currency`, of the last `days` days, less what was
    sent back in them). The lines are `frozen` in a file; or drawn of the customers of one of the
    days, which ``thresholds.as_of`` tells.
    """

    as_of: dt.date
    then: dt.date | None
    days: int
    within: int
    frozen: bool
    thresholds: Thresholds
    rules: Segments
    currency: str
    now: ir.Table
    before: ir.Table | None

    @property
    def long_since(self) -> dt.date:
        """Last day of a first purchase that lies before all that scores or tiers of both days see.

        Lines and tiers of recency may look further back than the days that are scored.
        """
        cuts = self.thresholds.cuts
        recency = max(max(cuts.edges("recency", key)) for key in cuts.recency)
        reach = max(self.within, recency, self.rules.activity[-1] + 1)  # its last day is in a tier
        return self.as_of - dt.timedelta(days=self.days + reach)


def standing(
    shop: Snapshot, rules: Segments, *, thresholds: Path | Thresholds | None, days: int = 90
) -> Standing:
    """Score the customers of a shop on its day and on an earlier one.

    Parameters
    ----------
    shop
        With orders; returns, where there are any, are taken off.
    rules
        Cohorts, segments and tiers of the playbook, and the days that are scored.
    thresholds
        Frozen lines, or their file, looked for here and in the folders above; None to draw
        quantiles of the earlier day's customers (of the later's, where the records do not hold all
        days that are scored by the earlier one, or nobody bought in them).
    days
        How long before the day of the shop the earlier one is.

    Raises
    ------
    BadParameter
        If `days` is less than 1, or the frozen lines cannot be read, or do not fit the shop or the
        rules.
    BadData
        If the shop has no orders, or nobody has bought within the days that are scored and lines
        would have to be drawn.
    """
    checks.at_least("days", days, 1)
    lines = None if thresholds is None else _frozen(thresholds, shop, rules)
    then = shop.as_of - dt.timedelta(days=days)
    bought = engine.keep(customer_days(shop.orders, as_of=shop.as_of), where="segments")
    now, before = (
        _summary(shop, day, bought, within=rules.within, days=days) for day in (shop.as_of, then)
    )
    if not _counted(now)["customers"]:
        raise BadData(f"Nobody has bought by {shop.as_of}, so nobody stands anywhere.")
    known = _counted(before)["customers"] > 0
    if lines is None:
        day, of = _drawn_of(shop, then, rules.within, now=now, before=before)
        lines = _drawn(of, day, shop=shop, rules=rules)
    return Standing(
        as_of=shop.as_of,
        then=then if known else None,
        days=days,
        within=rules.within,
        frozen=thresholds is not None,
        thresholds=lines,
        rules=rules,
        currency=shop.currency,
        now=_judged(now, lines, rules),
        before=_judged(before, lines, rules) if known else None,
    )


def redrawn(shop: Snapshot, here: Standing, *, method: Drawn) -> Thresholds:
    """Draw lines as `standing` does where none are frozen, by any method; raises as it does."""
    then = here.as_of - dt.timedelta(days=here.days)
    day, of = _drawn_of(shop, then, here.within, now=here.now, before=here.before)
    return _drawn(of, day, shop=shop, rules=here.rules, method=method)


def one_step_back(shop: Snapshot, here: Standing) -> Standing | None:
    """Stand on the earlier day, and on one as long before it, by the same rules and lines.

    None where the records do not hold all days that are scored on that one: fewer could then slip.
    """
    if here.then is None or here.before is None:
        return None
    earlier = here.then - dt.timedelta(days=here.days)
    if earlier - dt.timedelta(days=here.within) < shop.records_from:
        return None
    bought = customer_days(shop.orders, as_of=earlier)
    summary = _summary(shop, earlier, bought, within=here.within, days=here.days)
    before = _judged(summary, here.thresholds, here.rules)
    return replace(here, as_of=here.then, then=earlier, now=here.before, before=before)


def groups(rules: Segments, *, by: By) -> list[str]:
    """Names of the groups, in the order of the rules."""
    match by:
        case "cohort":
            return [rule.name for rule in rules.cohorts]
        case "segment":
            return [rule.name for rule in rules.named]
        case "activity":
            return activity_tier([*rules.activity, rules.activity[-1] + 1], edges=rules.activity)
        case _:
            assert_never(by)


def sizes(table: ir.Table, *, by: By, rules: Segments) -> pd.DataFrame:
    """Count the customers of each group, and what they brought.

    Parameters
    ----------
    table
        `Standing.now` or `Standing.before`.
    by
        Its column of groups.
    rules
        `Standing.rules`, which tell the groups and their order.

    Returns
    -------
    DataFrame
        One row per `group` in the order of the rules, empty ones included: `customers`, `share` of
        all customers with `low` and `high` (Wilson), `revenue_within` (minor units),
        `revenue_share` (of the revenue of all; null where that is not above 0),
        `purchases_within`.

    Raises
    ------
    BadData
        If there is no customer.
    """
    sums = engine.collect(
        table.group_by(group=table[by]).agg(
            customers=_.count(),
            revenue_within=_.revenue_within.sum(),
            purchases_within=_.purchases_within.sum(),
        )
    )
    return sized(sums, names=groups(rules, by=by))


def sized(sums: pd.DataFrame, *, names: Sequence[str]) -> pd.DataFrame:
    """Give sums by `group` their shares of all, a row per name; raises as `sizes` does."""
    every = pd.Index(names, name="group")
    frame = sums.set_index("group").reindex(every, fill_value=0).reset_index()
    whole = int(frame["revenue_within"].sum())
    share = (
        frame["revenue_within"] / whole if whole > 0 else pd.Series(pd.NA, frame.index, "Float64")
    )
    everybody = np.full(len(frame), frame["customers"].sum())
    frame = frame.join(wilson(frame["customers"], everybody)).assign(revenue_share=share)
    return frame[[*COLUMNS]]


def _frozen(given: Path | Thresholds, shop: Snapshot, rules: Segments) -> Thresholds:
    read = isinstance(given, Path)
    lines = load(find(given), currency=shop.currency) if isinstance(given, Path) else given
    if lines.within != rules.within:
        of = "all days" if lines.within is None else f"the last {lines.within} days"
        raise BadParameter(
            f"{given if read else 'thresholds'}: the lines are of {of}, but the playbook scores "
            f"the last {rules.within}. Say `within: {rules.within}` once the lines are drawn of "
            "them, or change the playbook."
        )
    return lines


def _drawn_of(
    shop: Snapshot, then: dt.date, within: int, *, now: ir.Table, before: ir.Table | None
) -> tuple[dt.date, ir.Table]:
    """Choose the day of whose customers lines are drawn: the earlier one, if all of it is known."""
    whole = shop.records_from <= then - dt.timedelta(days=within - 1)
    if before is not None and whole and _counted(before)["buyers"]:
        return then, before
    return shop.as_of, now


def _drawn(
    summary: ir.Table,
    day: dt.date,
    *,
    shop: Snapshot,
    rules: Segments,
    method: Drawn = "quantile",
) -> Thresholds:
    """Lines of a day; whoever answers for the last rule answers for them."""
    last = rules.cohorts[-1]
    return Thresholds(
        owner=last.owner,
        review_by=last.review_by,
        as_of=day,
        method=method,
        within=rules.within,
        cuts=DRAW[method](summary, currency=shop.currency),
    )


def _summary(shop: Snapshot, day: dt.date, bought: ir.Table, *, within: int, days: int) -> ir.Table:
    """Summarise the days on which customers `bought`, as of one of them or a later one."""
    summary = of_days(bought, shop.tables.get("returns"), as_of=day, within=within)
    recent = _recent(shop, day, bought, days=days)
    joined = summary.left_join(recent, "customer_id").mutate(
        revenue_recent=_.revenue_recent.fill_null(0)
    )
    return engine.keep(joined.select(*summary.columns, "revenue_recent"), where="segments")


def _recent(shop: Snapshot, day: dt.date, bought: ir.Table, *, days: int) -> ir.Table:
    """Revenue less returns of the `days` days up to a day, by customer."""
    first = day - dt.timedelta(days=days - 1)
    rows = bought.filter(_.day.between(first, day)).select("customer_id", amount=_.revenue)
    if "returns" in shop.tables:
        sent = shop.returns.filter(_.returned_on.between(first, day))
        rows = rows.union(sent.select("customer_id", amount=-_.amount))
    return rows.group_by("customer_id").agg(revenue_recent=_.amount.sum())


def _counted(summary: ir.Table) -> pd.Series[int]:
    """Customers, and those of them who bought within the days that are scored."""
    both = summary.agg(customers=_.count(), buyers=_.count(where=_.purchases_within > 0))
    return engine.collect(both).iloc[0]


def _judged(summary: ir.Table, lines: Thresholds, rules: Segments) -> ir.Table:
    return segmented(summary, cuts=lines.cuts, segments=rules)
