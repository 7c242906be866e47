"""What is measured of customers from time zero on, collapsed in the engine to whole-number sums.

Everybody counts for the same days, elapsed, from their own time zero; whoever has not been followed
for so long is left out, and counted. See `windows` for what lies within the days.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import ibis
import ibis.expr.types as ir
import pandas as pd
from ibis import _

from retention_lab import checks
from retention_lab.checks import BadData, BadParameter, Refusal
from retention_lab.experiments import sides
from retention_lab.experiments.adding import Adding
from retention_lab.experiments.sides import Sides
from retention_lab.experiments.windows import BEFORE, Window
from retention_lab.tables import clocks
from retention_lab.tables import metrics as own
from retention_lab.tables.contracts import TableName
from retention_lab.tables.metrics import Metric
from retention_lab.tables.period import Period
from retention_lab.tables.snapshot import Snapshot

Unit = Literal["share", "money", "per_customer"]


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What is measured: a mean per customer, or sum of y over sum of x.

    `sides` gives the rows that tell it and what each adds; of a mean x is 1 for everybody.
    """

    name: str
    label: str
    unit: Unit
    better: Literal["higher", "lower", "neither"]
    tables: tuple[TableName, ...]
    definition: str
    sides: Callable[[Window], Sides]

    def within(self, window: Window) -> Sides:
        """Give the rows within some days; refused with BadData where the shop lacks a table."""
        shop = window.shop
        lacking = [name for name in self.tables if name not in shop.tables]
        if lacking:
            raise BadData(
                f"{self.label} cannot be told: {shop.name} has no {' and no '.join(lacking)}. Map "
                "it in the source file."
            )
        return self.sides(window)


def outcome(name: str, *, metrics: Mapping[str, Metric] | None = None) -> Outcome:
    """Return the outcome of that name: a known one, or a metric of the user's own.

    Raises
    ------
    BadParameter
        When there is no such outcome.
    """
    mine = metrics or {}
    if name in KNOWN:
        return KNOWN[name]
    if name not in mine:
        hint = checks.did_you_mean(name, [*KNOWN, *mine])
        raise BadParameter(
            f"There is no outcome {name!r}.{hint} There are: {', '.join([*KNOWN, *mine])}. Define "
            "others in data/metrics.yml."
        )
    return _own(mine[name])


def moments(
    shop: Snapshot,
    people: ir.Table,
    name: str,
    *,
    days: int,
    by: Sequence[str] = (),
    metrics: Mapping[str, Metric] | None = None,
) -> pd.DataFrame:
    """Add an outcome up over those who have been followed for so many days.

    Parameters
    ----------
    people
        One row per customer: `customer_id`, `reached_at` (naive UTC) and the columns of `by`.
    name
        One of `KNOWN`, or of `metrics`; an own total is taken per customer.
    days
        Days from time zero in which it counts.
    by
        Columns of `people` to keep apart, such as the arm.

    Returns
    -------
    DataFrame
        One row per combination of `by`, in order: `by`, `customers` (followed for so long),
        `sum_y`, `sum_yy`, `sum_x`, `sum_xx`, `sum_xy` (exact whole numbers, however large),
        `counted` (customers of whom y or x is not 0), `did` (y is not 0) and `left_out` (customers
        who have not been followed for so long).

    Raises
    ------
    BadParameter
        If there is no such outcome, or the engine cannot compute an own metric.
    BadData
        If the shop lacks a table, or nobody was followed for so long.
    """
    checks.at_least("days", days, 1)
    checks.columns("people", people.columns, ["customer_id", "reached_at", *by])
    made = outcome(name, metrics=metrics)
    found = Adding(shop=shop, people=people, days=days, by=by).sums([made])[name]
    if isinstance(found, Refusal):
        raise found
    if found.empty or not found[["customers", "left_out"]].sum().any():
        raise BadData("Nobody has a time zero in the days that are looked at: nothing to add up.")
    if not found["customers"].sum():
        raise BadData(
            f"No customer has been followed for {days} days by {shop.as_of}: wait, or take fewer "
            "days."
        )
    sums = {"y": "y", "y*y": "yy", "x": "x", "x*x": "xx", "y*x": "xy"}
    named = found.rename(columns={part: f"sum_{name}" for part, name in sums.items()})
    told = [f"sum_{name}" for name in sums.values()]
    return named[[*by, "customers", *told, "counted", "did", "left_out"]]


def _own(metric: Metric) -> Outcome:
    def of(window: Window) -> Sides:
        days = Period(first=dt.date(clocks.FIRST_YEAR, 1, 1), last=window.shop.as_of)
        found = own.total if metric.is_total else own.per_customer
        parts = [
            found(metric, window.whole(before=before), days).mutate(**{BEFORE: before})
            for before in ([False, True] if window.before else [False])
        ]
        rows, whose = ibis.union(*parts) if window.before else parts[0], window.people
        beside = rows.inner_join(whose, rows.customer_id == whose["_whose"])
        return Sides(rows=beside, y=_.y, x=None if metric.is_total else _.x)

    return Outcome(
        name=metric.name,
        label=f"{metric.label} per customer" if metric.is_total else metric.label,
        unit="per_customer" if metric.unit == "count" else metric.unit,
        better=metric.better,
        tables=tuple(sorted({each.table for each in metric.formula.aggregates})),
        definition=f"{metric.expression}, over what each customer did within the days.",
        sides=of,
    )


_ONCE = "Customers who {} at least once within the days, of all, with or without messages."

KNOWN: Mapping[str, Outcome] = {
    made.name: made
    for made in (
        Outcome(
            name="unsubscribe",
            label="Unsubscribed",
            unit="share",
            better="lower",
            tables=("messages",),
            definition=_ONCE.format("unsubscribed, whenever the message was sent,"),
            sides=sides.did("unsubscribed_at", time="unsubscribed_at"),
        ),
        Outcome(
            name="visit",
            label="Visited",
            unit="share",
            better="higher",
            tables=("events",),
            definition="Customers with an event named visit within the days, of all.",
            sides=sides.visited,
        ),
        Outcome(
            name="click",
            label="Clicked a message",
            unit="share",
            better="higher",
            tables=("messages",),
            definition=_ONCE.format("clicked a message sent from time zero on"),
            sides=sides.did("clicked_at"),
        ),
        Outcome(
            name="open",
            label="Opened a message, machines included",
            unit="share",
            better="higher",
            tables=("messages",),
            definition=_ONCE.format("opened a message sent from time zero on"),
            sides=sides.did("opened_at"),
        ),
        Outcome(
            name="conversion",
            label="Ordered after a message",
            unit="share",
            better="higher",
            tables=("messages",),
            definition=_ONCE.format(
                "ordered, as whoever sends the messages counts it, after one sent from time zero on"
            ),
            sides=sides.did("converted_at"),
        ),
        Outcome(
            name="orders",
            label="Orders per customer",
            unit="per_customer",
            better="higher",
            tables=("orders",),
            definition="Days with an order within the days, over all customers.",
            sides=sides.orders,
        ),
        Outcome(
            name="revenue_per_customer",
            label="Revenue per customer",
            unit="money",
            better="higher",
            tables=("orders",),
            definition="Orders less returns of the days, over all customers, who bought or not.",
            sides=sides.net,
        ),
        Outcome(
            name="average_order_value",
            label="Average order value",
            unit="money",
            better="higher",
            tables=("orders",),
            definition="Revenue of the days per order, a customer's day being one order.",
            sides=sides.order_value,
        ),
        Outcome(
            name="return_rate",
            label="Returned share of revenue",
            unit="share",
            better="lower",
            tables=("orders", "returns"),
            definition="Amounts returned within the days over amounts ordered within them.",
            sides=sides.sent_back,
        ),
        Outcome(
            name="support_contacts",
            label="Support contacts per customer",
            unit="per_customer",
            better="lower",
            tables=("tickets",),
            definition="Tickets opened within the days, over all customers.",
            sides=sides.contacts,
        ),
        Outcome(
            name="csat",
            label="Satisfied with support",
            unit="share",
            better="higher",
            tables=("tickets",),
            definition="Answers of 4 or 5 of 5, of all to tickets opened and solved in the days.",
            sides=sides.satisfied,
        ),
    )
}
