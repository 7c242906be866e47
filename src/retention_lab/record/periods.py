"""What is claimed of a period and of the one before: names, units and definitions in one place.

What rests on fewer than `SMALL` customers, or would tell of as few, is not recorded, and neither
is what the records do not reach back for; the sentences of `wording` say so in its place.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict
from typing import TypedDict

import numpy as np
import pandas as pd

from retention_lab.checks import BadData
from retention_lab.customers import kpis
from retention_lab.customers.activity import activity_tiers
from retention_lab.customers.kpis import PeriodKpis, RetentionRate
from retention_lab.customers.measures import measure
from retention_lab.inference.interval import Interval
from retention_lab.inference.proportions import proportion
from retention_lab.record.ledger import BEFORE, Ledger
from retention_lab.record.small import SMALL, Mask, covered, few, gives_away, splits
from retention_lab.tables.snapshot import Snapshot


class _Span(TypedDict):
    about: str
    period: str


def periods(ledger: Ledger, shop: Snapshot, *, days: int) -> None:
    """Record the last `days` days and those before them, as far as the records reach back."""
    for suffix, end in (("", shop.as_of), (BEFORE, shop.as_of - dt.timedelta(days=days))):
        reach = (end - shop.records_from).days + 1
        start = end - dt.timedelta(days=days - 1)
        # A period in which nobody bought, or one customer alone, is refused: too few to record.
        with suppress(BadData):
            if reach >= days:
                bought = kpis.period_kpis(shop.orders, start=start, end=end)
                period(ledger, bought, shop, suffix=suffix)
        with suppress(BadData):
            if reach >= 2 * days:
                rate = kpis.retention_rate(shop.orders, end=end, days=days)
                retention(ledger, rate, suffix=suffix)


def period(ledger: Ledger, bought: PeriodKpis, shop: Snapshot, *, suffix: str = "") -> None:
    """Record what was bought in a period; money in whole units of the currency."""
    if bought.customers < SMALL:
        return
    span = _span(bought.start, bought.end)
    # Orders beyond one a customer are of whoever bought again: a few of them tell of a few.
    telling = bool(few(bought.orders - bought.customers))
    ledger.record(
        "revenue" + suffix,
        bought.revenue / shop.minor_per_unit,
        unit="money",
        n=bought.customers if telling else bought.orders,
        label="Revenue",
        definition="Sum of order amounts before returns.",
        key=not suffix,
        currency=shop.currency,
        **span,
    )
    if not telling:
        _orders(ledger, bought, shop, span=span, suffix=suffix)
    _buyers(ledger, bought, span=span, suffix=suffix)


def _orders(
    ledger: Ledger, bought: PeriodKpis, shop: Snapshot, *, span: _Span, suffix: str
) -> None:
    ledger.record(
        "orders" + suffix,
        bought.orders,
        unit="count",
        label="Orders",
        definition=(
            "Days on which a customer bought: what one customer orders on one day is one order."
        ),
        **span,
    )
    ledger.record(
        "average_order_value" + suffix,
        _whole_units(bought.average_order_value, shop.minor_per_unit),
        unit="money",
        n=bought.orders,
        label="Average order value",
        definition=measure("average_order_value").definition,
        currency=shop.currency,
        **span,
    )
    ledger.record(
        "purchase_frequency" + suffix,
        bought.purchase_frequency,
        unit="per_customer",
        n=bought.customers,
        label="Orders per customer",
        definition=measure("purchase_frequency").definition,
        **span,
    )


def _span(first: dt.date, last: dt.date) -> _Span:
    return {"about": f"{first} to {last}", "period": f"{first}/{last}"}


def _buyers(ledger: Ledger, bought: PeriodKpis, *, span: _Span, suffix: str) -> None:
    ledger.record(
        "buyers" + suffix,
        bought.customers,
        unit="count",
        label="Customers who bought",
        definition="Customers with at least one order in the period.",
        **span,
    )
    if splits(bought.repeat_customers, bought.customers):
        return
    ledger.record(
        "buyers_again" + suffix,
        bought.repeat_share,
        unit="share",
        n=bought.customers,
        label="Of them, have bought on two days or more",
        definition=measure("buyers_again").definition,
        **span,
    )


def _whole_units(value: Interval, minor_per_unit: int) -> Interval:
    return Interval(**{part: minor / minor_per_unit for part, minor in asdict(value).items()})


def retention(ledger: Ledger, rate: RetentionRate, *, suffix: str = "") -> None:
    """Record the customer retention rate and the companion that cannot exceed 100 %."""
    groups = (rate.kept, rate.lost, rate.reactivated, rate.new)
    if rate.active_at_start < SMALL or few(groups).any():
        return  # with the buyers of both periods, the two rates tell the size of each group
    span: _Span = {
        "about": f"{rate.days} days to {rate.end}",
        "period": f"{rate.start + dt.timedelta(days=1)}/{rate.end}",
    }
    ledger.record(
        "retention_rate" + suffix,
        rate.rate,
        unit="share",
        n=rate.active_at_start,
        label="Customer retention rate",
        definition=(
            "(Active at the end, less new customers) divided by active at the start; those who "
            "came back after a pause count."
        ),
        key=not suffix,
        **span,
    )
    ledger.record(
        "kept_share" + suffix,
        rate.kept_share,
        unit="share",
        n=rate.active_at_start,
        label="Of those active at the start, active at the end",
        definition=f"Active means: bought in the {rate.days} days up to and including the day.",
        **span,
    )


def activity(
    ledger: Ledger, shop: Snapshot, *, edges: Sequence[int]
) -> dict[dt.date, pd.DataFrame]:
    """Record how many were active within the last of `edges` days, now and a period before.

    Returns
    -------
    dict
        The tiers by their as-of date, the newest first: of each of the two days on which the
        records reached back further than the last edge and anybody had bought.
    """
    days, found = edges[-1], {}
    for suffix, day in (("", shop.as_of), (BEFORE, shop.as_of - dt.timedelta(days=days))):
        # With shorter records nobody could be away for longer, and all would count as active.
        if (day - shop.records_from).days > days:
            with suppress(BadData):  # nobody of these customers had bought by then
                found[day] = activity_tiers(shop.orders, as_of=day, edges=edges)
                _active(ledger, found[day], about=f"as of {day}", days=days, suffix=suffix)
    return found


def hidden_tiers(tiers: pd.DataFrame) -> Mask:
    """Say which of `activity_tiers` to hide, of which all but the last are the active together.

    Unless the last is hidden, the share of the active is known too.
    """
    customers = tiers["customers"].to_numpy(dtype="int64")
    active = covered(customers[:-1])
    alone = active.all() and gives_away(customers[:-1])
    if splits(customers[-1], customers.sum()) or alone:
        return covered(customers)
    hidden: Mask = np.append(active, [False])
    return hidden


def _active(ledger: Ledger, tiers: pd.DataFrame, *, about: str, days: int, suffix: str) -> None:
    customers = int(tiers["customers"].sum())
    if customers < SMALL or hidden_tiers(tiers)[-1]:
        return
    ledger.record(
        "active_share" + suffix,
        proportion(int(tiers["customers"].iloc[:-1].sum()), customers),
        unit="share",
        n=customers,
        about=about,
        label=f"Last bought at most {days} days ago",
        definition=(
            f"Customers whose last purchase is at most {days} days ago, of all customers so far; "
            f"that is one day more than the {days} days of a period."
        ),
    )
