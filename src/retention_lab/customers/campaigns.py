"""What came of messages, by value cohort, beside the bands that the trade claims for them.

Each customer counts once, with the first message that was delivered to them: so the customers of a
share are independent of each other, and it is a share of one message, as the bands are.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

import ibis
import ibis.expr.types as ir
import pandas as pd
from ibis import _

from retention_lab.checks import BadParameter
from retention_lab.customers.purchases import elapsed_days_between
from retention_lab.customers.segments import segmented
from retention_lab.customers.summary import purchases
from retention_lab.customers.thresholds import Thresholds
from retention_lab.inference.proportions import wilson
from retention_lab.tables import clocks
from retention_lab.tables.engine import collect
from retention_lab.tables.segment import Segments
from retention_lab.tables.snapshot import Snapshot
from retention_lab.tables.worth import Target

# The surest first: machines open messages, too.
RATES = {"click": "clicked_at", "conversion": "converted_at", "open": "opened_at"}
_Counts = dict[str, dict[Any, int]]
WITHIN = 7  # days after delivery, where a page says nothing else
_SHARE = ("share", "low", "high")
COLUMNS = ("group", "rate", "customers", "delivered", "did", *_SHARE, "band_low", "band_high")


def rates(
    shop: Snapshot,
    rules: Segments,
    thresholds: Thresholds,
    *,
    since: dt.date,
    within: int,
    targets: Sequence[Target],
) -> pd.DataFrame:
    """Share of customers who clicked, ordered or opened after a message, by value cohort.

    Counted is the first message to each customer that was sent after `since` and delivered at least
    `within` days before the as-of day ends. The cohort is that of `since`: an order after the
    message moves nobody into a better one.

    Parameters
    ----------
    shop
        With orders; where it has no messages, nothing was delivered.
    rules, thresholds
        Which cohort a customer is in.
    since
        Last day before the messages.
    within
        Days after delivery in which a response counts.
    targets
        Bands of the playbook.

    Returns
    -------
    DataFrame
        One row per cohort, in the order of the rules, and rate ("click", "conversion", "open"):
        `group`, `rate`, `customers` (in the cohort as of `since`), `delivered` (those of them with
        a message by a channel on which such a response is known of anybody), `did`, `share` of the
        delivered with its Wilson interval `low` to `high`, and the band `band_low` to `band_high`
        that is claimed, null where none is. There is no row where nothing was delivered.

    Raises
    ------
    BadParameter
        If no message after `since` can have been followed for so long.
    BadData
        If the shop has no orders.
    """
    if within < 1 or since + dt.timedelta(days=within) >= shop.as_of:
        raise BadParameter(
            f"since must lie more than {within} days before {shop.as_of}, got {since}: after a "
            "message, customers need time to respond."
        )
    summary = purchases(shop.orders, shop.tables.get("returns"), as_of=since, within=rules.within)
    members = segmented(summary, cuts=thresholds.cuts, segments=rules)
    counted = _counted(members, shop, since=since, within=within)
    claimed = {target.cohort: target for target in targets}
    rows = [
        {
            "group": rule.name,
            "rate": rate,
            "customers": counts["customers"],
            "delivered": counts[f"delivered_{rate}"],
            "did": counts[rate],
            **_band(claimed.get(rule.name), rate),
        }
        for rule in rules.cohorts
        if (counts := counted.get(rule.name)) is not None
        for rate in RATES
        if counts[f"delivered_{rate}"] > 0
    ]
    found = pd.DataFrame(rows, columns=[name for name in COLUMNS if name not in _SHARE])
    found = found.astype(dict.fromkeys(("band_low", "band_high"), "Float64"))
    return found.join(wilson(found["did"], found["delivered"]))[list(COLUMNS)]


def _band(target: Target | None, rate: str) -> dict[str, float | None]:
    low, high = (None, None) if target is None else getattr(target, rate)
    return {"band_low": low, "band_high": high}


def _counted(members: ir.Table, shop: Snapshot, *, since: dt.date, within: int) -> _Counts:
    """Count, by cohort, its customers, and by rate those with a message and those who responded."""
    if "messages" not in shop.tables:
        return {}
    first = _first(shop, since=since, within=within)
    joined = members.select("customer_id", "cohort").left_join(first, "customer_id")
    did = {name: joined[name].sum().fill_null(0) for name in RATES}
    delivered = {f"delivered_{name}": joined[name].count() for name in RATES}
    counts = joined.group_by("cohort").agg(customers=_.count(), **did, **delivered)
    found = collect(counts).set_index("cohort")
    return {str(name): dict(row) for name, row in found.iterrows()}


def _first(shop: Snapshot, *, since: dt.date, within: int) -> ir.Table:
    """The first message to each customer that could be followed: one row each.

    Each rate is 1 or 0, or null where the channel tells it of nobody, as a text message tells no
    open. Where no delivery is known there is no row: an open would tell of some, but only of those
    who opened.
    """
    end = clocks.end_of_day(shop.as_of, shop.zone) - dt.timedelta(days=within)
    messages = shop.messages.mutate(channel=_.channel.fill_null(""))
    known = {name: _[time].count() for name, time in RATES.items()}
    channels = collect(messages.group_by("channel").agg(**known)).set_index("channel")
    followed = messages.filter(_.sent_on > since, _.delivered_at <= ibis.timestamp(end.isoformat()))
    nth = ibis.row_number().over(group_by="customer_id", order_by=["sent_at", "message_id"])
    first = followed.mutate(nth=nth).filter(_.nth == 0)
    return first.select(
        "customer_id",
        **{
            name: ibis.ifelse(
                first.channel.isin(channels.index[channels[name] > 0].tolist()),
                (elapsed_days_between(first.delivered_at, first[time]) < within).fill_null(False),
                None,
            ).cast("int64")
            for name, time in RATES.items()
        },
    )
