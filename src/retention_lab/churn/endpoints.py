"""What counts as staying and as leaving: endpoints, and the spells of time they are told from.

Durations are elapsed days of 24 hours: an event happens on day ``floor(days) + 1``, who is still
there is censored on day ``floor(days)``. What happens in the very second of the start is an event
of day 1.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import ibis
import ibis.expr.types as ir
from ibis import _

from retention_lab import checks
from retention_lab.checks import BadParameter
from retention_lab.customers.purchases import customer_days, elapsed_days_between
from retention_lab.tables import clocks
from retention_lab.tables.contracts import CONTRACTS
from retention_lab.tables.snapshot import Snapshot

Kind = Literal["cancelled", "returned", "lost"]
COLUMNS = (
    *("customer_id", "spell", "zero_at", "until_at"),
    *("cohort", "day", "event_observed", "cause"),
)
UNKNOWN = "unknown"  # a missing attribute
CANCELLED_AS = "other"  # a cancellation without a reason, so that the causes add up to the events


@dataclass(frozen=True, kw_only=True)
class Endpoint:
    """What is waited for: a cancellation, the next purchase, or `days` silent days in a row.

    Raises
    ------
    BadParameter
        If `days` is missing where it is needed, or given where it means nothing.
    """

    kind: Kind
    days: int | None = None

    def __post_init__(self) -> None:
        if self.kind != "lost" and self.days is not None:
            raise BadParameter(f"The endpoint {self.kind} takes no days, got {self.days}.")
        if self.kind == "lost":
            checks.at_least("days of the endpoint lost", self.days or 0, 1)

    def fits(self, horizon: int) -> None:
        """Refuse a horizon that cannot tell anything of this endpoint.

        Raises
        ------
        BadParameter
            If fewer than one day, or if nobody could be lost within it who buys at its start.
        """
        checks.at_least("horizon", horizon, 1)
        if self.days is not None and self.days >= horizon:
            raise BadParameter(
                f"Nobody who buys today can be lost within {horizon} days when it takes "
                f"{self.days} silent days: choose fewer silent days, or a longer horizon."
            )


def chosen(shop: Snapshot) -> Endpoint:
    """Choose the endpoint that needs no threshold: cancelled with subscriptions, else returned."""
    return Endpoint(kind="cancelled" if "subscriptions" in shop.tables else "returned")


def spells(shop: Snapshot, endpoint: Endpoint) -> ir.Table:
    """Every stretch of time in which a customer can have the event.

    *cancelled*: one per subscription. *returned*: one per purchase, until the next one. *lost*: one
    per customer from the first purchase on; the event comes `days` days after the last purchase
    before the first gap that is longer, never earlier, and a return does not undo it.

    Returns
    -------
    Table
        `customer_id`, `spell` (1, 2, ... of that customer), `zero_at`, `until_at` (naive UTC; of
        the censored the end of the as-of day), `cohort` (first day of the local month of zero),
        `day` (whole days), `event_observed`, `cause` (voluntary, involuntary or other; of a
        cancellation without a reason other, null where there was none), then the attributes of
        customers, "unknown" where missing.

    Raises
    ------
    BadData
        If the shop lacks subscriptions or orders.
    """
    match endpoint.kind:
        case "cancelled":
            bare = _subscribed(shop)
        case "returned":
            bare = _between(purchases(shop))
        case "lost":
            bare = _until_lost(purchases(shop), days=int(endpoint.days or 0), end=end_of(shop))
    observed = bare.mutate(event_observed=_.until_at.notnull()).mutate(
        until_at=_.until_at.fill_null(end_of(shop)),
        cohort=_.zero_on.truncate("M"),
    )
    whole = elapsed_days_between(observed.zero_at, observed.until_at)
    timed = observed.mutate(day=whole + observed.event_observed.cast("int64"))
    return _with_attributes(timed.select(*COLUMNS), shop)


def purchases(shop: Snapshot) -> ir.Table:
    """Purchases with their times: `customer_id`, `day` (local), `at` (first order of that day)."""
    days = customer_days(shop.orders, as_of=shop.as_of).select("customer_id", "day")
    times = shop.orders.group_by("customer_id", day=_.ordered_on).agg(at=_.ordered_at.min())
    return days.inner_join(times, ["customer_id", "day"])


def end_of(shop: Snapshot) -> ir.TimestampScalar:
    """First naive UTC instant after the as-of day: nothing that the shop knows is as late."""
    return ibis.timestamp(clocks.end_of_day(shop.as_of, shop.zone).isoformat())


def attributes(shop: Snapshot) -> list[str]:
    """Name the text columns of customers that are theirs and not the contract's."""
    contract = CONTRACTS["customers"]
    own = {*(column.name for column in contract.columns), contract.day, *COLUMNS}
    schema = shop.customers.schema().items()
    return [name for name, kind in schema if name not in own and kind.is_string()]


def _numbered(spells: ir.Table, by: str) -> ir.Column:
    return (ibis.row_number().over(group_by="customer_id", order_by=spells[by]) + 1).cast("int64")


def _subscribed(shop: Snapshot) -> ir.Table:
    table = shop.subscriptions
    ended = table.cancelled_at.notnull()
    return table.select(
        "customer_id",
        spell=_numbered(table, "started_at"),
        zero_at=table.started_at,
        zero_on=table.started_on,
        until_at=table.cancelled_at,
        cause=ended.ifelse(table.cancel_reason.fill_null(CANCELLED_AS), ibis.null("string")),
    )


def _between(bought: ir.Table) -> ir.Table:
    return bought.select(
        "customer_id",
        spell=_numbered(bought, "at"),
        zero_at=bought.at,
        zero_on=bought.day,
        until_at=bought.at.lead().over(group_by="customer_id", order_by=bought.at),
        cause=ibis.null("string"),
    )


def _until_lost(bought: ir.Table, *, days: int, end: ir.TimestampScalar) -> ir.Table:
    silent = _between(bought).mutate(lost_at=_.zero_at + ibis.interval(days=days))
    lost = (silent.lost_at < silent.until_at.fill_null(end)).ifelse(silent.lost_at, ibis.null())
    return (
        silent.mutate(lost_at=lost)
        .group_by("customer_id")
        .agg(zero_at=_.zero_at.min(), zero_on=_.zero_on.min(), until_at=_.lost_at.min())
        .mutate(spell=ibis.literal(1, "int64"), cause=ibis.null("string"))
    )


def _with_attributes(timed: ir.Table, shop: Snapshot) -> ir.Table:
    names = attributes(shop)
    # By another name, as engines differ in what they call the second of two equal columns.
    described = shop.customers.select(*names, _whose="customer_id")
    joined = timed.left_join(described, timed.customer_id == described["_whose"]).drop("_whose")
    return joined.mutate(**{name: _[name].fill_null(UNKNOWN) for name in names})
