"""The canonical tables: what each must hold, in which unit, and what counts as broken.

A contract is data, so that mapping, checks and documents read the same list. `VERSION` is part of
every snapshot's identity: raise it when a column changes its meaning.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

VERSION = 1

Kind = Literal["text", "time", "money", "whole", "truth"]
TableName = Literal[
    "customers",
    "orders",
    "order_lines",
    "returns",
    "events",
    "subscriptions",
    "tickets",
    "consents",
    "messages",
    "assignments",
]
NumberStyle = Literal["1234.56", "1,234.56", "1234,56", "1.234,56", "1 234,56", "1'234.56"]

# Reasons that belong to no column, beside those of `reasons`; `USED` is what remains.
OVERLAP = "stands in two files"
DUPLICATE = "repeats a key"
NO_ORDER = "belongs to no order in use"
NO_CUSTOMER = "belongs to no customer in use"  # only counted
USED = "used"


@dataclass(frozen=True, kw_only=True)
class Column:
    """One column of a canonical table.

    `money` is int64 minor units (pence), `whole` an int64 count, `time` naive UTC in whole seconds,
    `truth` true or false. A number must be above `above` and at least `least`, judged before money
    is rounded to minor units; a value must be `one_of` some, where these are listed, text in small
    letters. A `later_known` time is emptied in a snapshot that is older than it: the row was known,
    this part of it was not. What is `known_with` such a time is emptied with it. A column that is
    `only_if_mapped` is for deriving another table.
    """

    name: str
    kind: Kind = "text"
    required: bool = False
    above: float | None = None
    least: float | None = None
    one_of: tuple[str, ...] | tuple[int, ...] = ()
    later_known: bool = False
    known_with: str = ""
    only_if_mapped: bool = False


@dataclass(frozen=True, kw_only=True)
class Contract:
    """One canonical table: its key, its columns, and the time at which a row becomes known."""

    name: TableName
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    time: str
    end: str = ""  # a time that tells as well how far the table reaches
    takes_attributes: bool = False
    adds_up: bool = False  # may rows be parts of one whole, their money to be summed?
    ordered: tuple[tuple[str, str], ...] = ()  # (earlier, later): no duration may be negative

    def column(self, name: str) -> Column:
        """Return the column of that name; an attribute, listed nowhere, is optional text."""
        return next((c for c in self.columns if c.name == name), Column(name=name))

    @property
    def day(self) -> str:
        """Name of the business-local date that a snapshot adds: `ordered_on` for `ordered_at`."""
        return self.time.removesuffix("_at").removesuffix("_from") + "_on"


_CUSTOMER = Column(name="customer_id", required=True)
_RESPONSES = ("delivered_at", "opened_at", "clicked_at", "converted_at", "unsubscribed_at")

CONTRACTS: dict[TableName, Contract] = {
    contract.name: contract
    for contract in (
        Contract(
            name="customers",
            key=("customer_id",),
            columns=(
                _CUSTOMER,
                Column(name="signed_up_at", kind="time", required=True),
                Column(name="referred_by"),
            ),
            time="signed_up_at",
            takes_attributes=True,
        ),
        Contract(
            name="orders",
            key=("order_id",),
            columns=(
                Column(name="order_id", required=True),
                _CUSTOMER,
                Column(name="ordered_at", kind="time", required=True),
                Column(name="amount", kind="money", required=True, least=0),
                Column(name="discount", kind="money", least=0),
                Column(name="coupon"),
                Column(name="shipped_at", kind="time", later_known=True),
                Column(name="promised_at", kind="time"),
                Column(name="delivered_at", kind="time", later_known=True),
            ),
            time="ordered_at",
            takes_attributes=True,
            adds_up=True,
            ordered=(
                ("ordered_at", "shipped_at"),
                ("ordered_at", "delivered_at"),
                ("shipped_at", "delivered_at"),
            ),
        ),
        Contract(
            name="order_lines",
            key=("order_id", "line"),
            columns=(
                Column(name="order_id", required=True),
                Column(name="line", kind="whole"),
                Column(name="product_id"),
                Column(name="product_family"),
                Column(name="quantity", kind="whole", required=True, above=0),
                Column(name="unit_price", kind="money", required=True, above=0),
                # These two only where the lines are all there is and orders are derived from them.
                Column(name="customer_id", required=True, only_if_mapped=True),
                Column(name="ordered_at", kind="time", required=True, only_if_mapped=True),
            ),
            time="ordered_at",
            takes_attributes=True,
        ),
        Contract(
            name="returns",
            key=("return_id",),
            columns=(
                Column(name="return_id", required=True),
                Column(name="order_id"),
                _CUSTOMER,
                Column(name="returned_at", kind="time", required=True),
                Column(name="amount", kind="money", required=True, least=0),
            ),
            time="returned_at",
            adds_up=True,
        ),
        Contract(
            name="events",
            key=(),
            columns=(
                _CUSTOMER,
                Column(name="event", required=True),
                Column(name="occurred_at", kind="time", required=True),
            ),
            time="occurred_at",
        ),
        Contract(
            name="subscriptions",
            key=("customer_id", "started_at"),
            columns=(
                _CUSTOMER,
                Column(name="started_at", kind="time", required=True),
                Column(name="cancelled_at", kind="time", later_known=True),
                Column(
                    name="cancel_reason",
                    one_of=("voluntary", "involuntary", "other"),
                    known_with="cancelled_at",
                ),
                Column(name="plan"),
            ),
            time="started_at",
            end="cancelled_at",
            takes_attributes=True,
            ordered=(("started_at", "cancelled_at"),),
        ),
        Contract(
            name="tickets",
            key=("ticket_id",),
            columns=(
                Column(name="ticket_id", required=True),
                _CUSTOMER,
                Column(name="opened_at", kind="time", required=True),
                Column(name="first_response_at", kind="time", later_known=True),
                Column(name="resolved_at", kind="time", later_known=True),
                Column(name="channel"),
                Column(name="csat", kind="whole", one_of=(1, 2, 3, 4, 5), known_with="resolved_at"),
            ),
            time="opened_at",
            ordered=(("opened_at", "first_response_at"), ("opened_at", "resolved_at")),
        ),
        Contract(
            name="consents",
            key=("customer_id", "channel", "valid_from"),
            columns=(
                _CUSTOMER,
                Column(name="channel", required=True),
                Column(name="valid_from", kind="time", required=True),
                Column(name="granted", kind="truth", required=True),
            ),
            time="valid_from",
        ),
        Contract(
            name="messages",
            key=("message_id",),
            columns=(
                Column(name="message_id", required=True),
                _CUSTOMER,
                Column(name="campaign"),
                Column(name="stage"),
                Column(name="channel"),
                Column(name="sent_at", kind="time", required=True),
                *(Column(name=name, kind="time", later_known=True) for name in _RESPONSES),
                Column(name="cost", kind="money", least=0),
            ),
            time="sent_at",
            # Not against the delivery: providers log an open seconds before it.
            ordered=tuple(("sent_at", name) for name in _RESPONSES),
        ),
        Contract(
            name="assignments",
            # Twice, or in two arms, is a fault of the test: it is for a reader to find and count.
            key=(),
            columns=(
                Column(name="experiment", required=True),
                _CUSTOMER,
                Column(name="arm"),
                Column(name="stratum"),
                Column(name="time_zero", kind="time"),
                Column(name="assigned_at", kind="time", required=True),
                Column(name="plan_digest"),
            ),
            time="assigned_at",
        ),
    )
}


def reasons(contract: Contract, mapped: Iterable[str]) -> list[str]:
    """List the ways in which a row can break the contract, as `leave_out` spells them."""
    there = set(mapped)
    columns = [column for column in contract.columns if column.name in there]
    found = [f"missing {column.name}" for column in columns if column.required]
    found += [f"unparseable {column.name}" for column in columns if column.kind == "time"]
    found += [f"not a number: {c.name}" for c in columns if c.kind in ("money", "whole")]
    found += [f"not a truth value: {column.name}" for column in columns if column.kind == "truth"]
    found += [f"unlisted {column.name}" for column in columns if column.one_of]
    found += [f"non-positive {column.name}" for column in columns if column.above is not None]
    found += [f"negative {column.name}" for column in columns if column.least is not None]
    return found + [
        f"{later} before {earlier}"
        for earlier, later in contract.ordered
        if {earlier, later} <= there
    ]
