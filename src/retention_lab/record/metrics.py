"""What is claimed of own metrics: the last days, those before them, and the change between them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from contextlib import suppress

from ibis import _

from retention_lab.checks import BadData
from retention_lab.customers.metrics import Figure, change, figure
from retention_lab.record.ledger import BEFORE, Ledger
from retention_lab.record.small import SMALL, few, splits
from retention_lab.tables.engine import collect
from retention_lab.tables.metrics import Metric
from retention_lab.tables.period import Period
from retention_lab.tables.snapshot import Snapshot

CHANGE = "_change"  # ends the name of the result that says how much a metric moved


def metrics(
    ledger: Ledger, shop: Snapshot, chosen: Sequence[Metric], *, days: int
) -> dict[str, str]:
    """Record metrics for the last `days` days and those before them, and how much they moved.

    Returns
    -------
    dict
        Why a metric is not shown, by the name of each that is not.

    Raises
    ------
    BadParameter
        When the engine refuses an expression.
    """
    end, back = shop.as_of, dt.timedelta(days=days)
    last = Period(first=end - back + dt.timedelta(days=1), last=end)
    earlier = Period(first=last.first - back, last=end - back)
    missing = {}
    for metric in chosen:
        try:
            now = _shown(shop, metric, last)
        except BadData as error:
            missing[metric.name] = str(error)
            continue
        _record(ledger, shop, now)
        with suppress(BadData):  # the table says so of the period before
            before = _shown(shop, metric, earlier)
            _record(ledger, shop, before, suffix=BEFORE)
            _record_change(ledger, shop, now, before)
    return missing


def _shown(shop: Snapshot, metric: Metric, period: Period) -> Figure:
    found = figure(shop, metric, period=period)
    if found.customers < SMALL or _tells_of_few(found):
        behind = "a part of it" if found.customers >= SMALL else "it"
        raise BadData(
            f"fewer than {SMALL} customers stand behind {behind} from {period.first} to "
            f"{period.last}."
        )
    return found


def _tells_of_few(found: Figure) -> bool:
    """Say whether what is counted or added up is of a few; of a share, what it leaves as well."""
    counted = collect(found.rows.filter(_.y != 0).agg(n=_.customer_id.nunique()))
    behind = int(counted["n"].iloc[0])
    share = found.metric.unit == "share"
    return bool(splits(behind, found.customers) if share else few(behind))


def _record(ledger: Ledger, shop: Snapshot, found: Figure, *, suffix: str = "") -> None:
    metric = found.metric
    ledger.record(
        metric.name + suffix,
        found.value,
        unit=metric.unit,
        currency=shop.currency if metric.unit == "money" else "",
        n=found.customers,
        about=f"{found.period.first} to {found.period.last}",
        period=str(found.period),
        label=metric.label,
        definition=metric.definition,
    )


def _record_change(ledger: Ledger, shop: Snapshot, now: Figure, before: Figure) -> None:
    metric, period = now.metric, now.period
    ledger.record(
        metric.name + CHANGE,
        change(shop, now, before),
        unit="points" if metric.unit == "share" else metric.unit,
        currency=shop.currency if metric.unit == "money" else "",
        about=f"{period.first} to {period.last} against the {period.days} days before",
        period=str(period),
        label=f"Change of {metric.label}",
        difference=True,
        definition=f"The difference between two periods of: {metric.definition}",
    )
