"""The same answers split by an attribute of customers: one frame, one line per group."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import ibis
import ibis.expr.types as ir
import pandas as pd
from ibis import _

from retention_lab import checks
from retention_lab.charts import groups as pictures
from retention_lab.charts import listed
from retention_lab.charts.frame import AnyChart
from retention_lab.customers import cohorts, newest
from retention_lab.lab.answer import Answer, heading
from retention_lab.lab.figures import CalendarPeriod, Clock, clocked, in_whole_units
from retention_lab.record import SMALL, Ledger, asked, percent
from retention_lab.tables.annotations import Annotation
from retention_lab.tables.contracts import CONTRACTS
from retention_lab.tables.engine import collect, keep
from retention_lab.tables.snapshot import Snapshot
from retention_lab.wording import Instead
from retention_lab.wording import asked as sentences

MOST, OTHERS, UNKNOWN = 6, "all others", "not known"


def attributes(shop: Snapshot) -> list[str]:
    """List what customers can be split by."""
    contract = CONTRACTS["customers"]
    plain = {*(column.name for column in contract.columns), contract.day}
    return [name for name in shop.customers.columns if name not in plain]


def split(shop: Snapshot, by: str) -> tuple[dict[str, ir.Table], list[str]]:
    """Return the orders of each group, the largest first, and the names of those that are small.

    A group is a value of the attribute; beyond the `MOST` largest, all others are one group.

    Raises
    ------
    BadParameter
        When customers have no such attribute.
    """
    checks.known("customers", "attribute to split by called", [by], attributes(shop))
    whose = shop.customers.select("customer_id", group=shop.customers[by])
    orders = shop.orders.select("customer_id", "ordered_on", "amount")
    joined = orders.left_join(whose, "customer_id").drop("customer_id_right")
    named = joined.mutate(group=_.group.fill_null(UNKNOWN))
    sizes = _sizes(named)
    largest = collect(sizes.order_by(_.customers.desc(), _.group).limit(MOST))["group"].tolist()
    pooled = named.mutate(group=ibis.ifelse(_.group.isin(largest), _.group, OTHERS))
    kept = keep(pooled, where=f"by={by!r}")
    counts = collect(_sizes(kept)).set_index("group")["customers"]
    names = [name for name in [*largest, OTHERS] if name in counts]
    small = [name for name in names if counts[name] < SMALL]
    return {name: kept.filter(kept.group == name) for name in names}, small


def _sizes(orders: ir.Table) -> ir.Table:
    return orders.group_by("group").agg(customers=_.customer_id.nunique())


def triangle(
    shop: Snapshot, *, by: str, clock: Clock, period: CalendarPeriod, window: int
) -> Answer:
    """Answer who came back when, group by group."""
    make, unit = clocked(shop, clock=clock, period=period, window=window)
    groups, small = split(shop, by)
    frames = {name: make(orders) for name, orders in groups.items()}
    means = {name: cohorts.weighted_mean(frame) for name, frame in frames.items()}
    chart = pictures.mean_by_group(means, by=by, unit=unit)
    wide = _wide(chart, rows="period")
    ledger = Ledger()
    for name, mean in means.items():
        if _stands(wide, name, 1):
            asked.mean(ledger, mean, name=name, group=name)
    return Answer(
        frame=in_whole_units(_stacked(frames, by), shop, "revenue"),
        chart=chart,
        sentence=sentences.mean_by_group(ledger.claims(), by=by, unit=unit, few=small),
        written=_written(wide, by),
    )


def returned(shop: Snapshot, *, by: str, days: int, annotations: Sequence[Annotation]) -> Answer:
    """Answer which share of each month's new customers came back, group by group."""
    groups, small = split(shop, by)
    frames = _mapped(groups, lambda part: cohorts.returned(part, as_of=shop.as_of, days=days))
    chart = pictures.returned_by_group(frames, by=by, days=days, annotations=annotations)
    wide = _wide(chart, rows="cohort")
    ledger = Ledger()
    for name, frame in frames.items():
        found = newest.newest_complete(frame)
        if found is not None and _stands(wide, name, pd.Timestamp(found.cohort.month)):
            asked.returned(ledger, found.cohort, name=name, group=name)
    return Answer(
        frame=_stacked(frames, by),
        chart=chart,
        sentence=sentences.returned_by_group(ledger.claims(), by=by, days=days, few=small),
        written=_written(wide, by),
    )


def _mapped(
    groups: Mapping[str, ir.Table], make: Callable[[ir.Table], pd.DataFrame]
) -> dict[str, pd.DataFrame]:
    return {name: make(orders) for name, orders in groups.items()}


def _stacked(frames: Mapping[str, pd.DataFrame], by: str) -> pd.DataFrame:
    """Put the frames of the groups below each other, named in a first column."""
    whole = pd.concat(frames, names=["_group"]).reset_index(level=0)
    return whole.rename(columns={"_group": by}).reset_index(drop=True)


def _wide(chart: AnyChart | Instead, *, rows: str) -> pd.DataFrame:
    """Set the shares that a chart shows of each group beside those of the others."""
    shown = listed(chart)
    if shown.empty:
        return shown
    names = list(dict.fromkeys(shown["group"]))
    return shown.pivot_table(index=rows, columns="group", values="share")[names]


def _stands(wide: pd.DataFrame, group: str, row: object) -> bool:
    return group in wide.columns and row in wide[group].dropna().index


def _written(wide: pd.DataFrame, by: str) -> pd.DataFrame:
    table = wide.astype(object).map(percent, na_action="ignore").fillna("")
    if isinstance(table.index, pd.DatetimeIndex):
        table.index = table.index.strftime("%Y-%m-%d")
    return table.rename_axis(index=heading(str(wide.index.name)), columns=heading(by))
