"""What the simulated shop is told of its messages, and what came of them."""

from __future__ import annotations

from dataclasses import dataclass

from retention_lab import checks

MEANS = (
    "Newsletter to all who have bought and consent to its channel: its name, share delivered; by "
    "orders before the issue, from so many on, shares of the delivered ones that humans open and "
    "click and that the mail program claims an order for (none was added for it); share of "
    "customers whose mail program opens each by itself; days after delivery in which a withdrawn "
    "consent is an unsubscription; pence each; issues before the end, on which day of the month."
)


@dataclass(frozen=True, kw_only=True)
class Readers:
    """Customers with at least so many `orders`: shares of the messages delivered to them."""

    orders: int
    open: float
    click: float
    conversion: float


READERS = (
    Readers(orders=1, open=0.14, click=0.018, conversion=0.008),
    Readers(orders=2, open=0.22, click=0.028, conversion=0.015),
    Readers(orders=4, open=0.30, click=0.034, conversion=0.022),
)


@dataclass(frozen=True, kw_only=True)
class Letter:
    """What is sent to many, and what comes of it; `MEANS` says what each parameter is.

    Raises
    ------
    BadParameter
        If more click than open, or more order than click.
    """

    campaign: str
    channel: str = "email"
    delivered: float = 0.98
    readers: tuple[Readers, ...] = READERS
    machine_share: float = 0.30
    unsubscribe_days: int = 7
    cost: int = 1

    def __post_init__(self) -> None:
        for group in self.readers:
            if not 0 <= group.conversion <= group.click <= group.open <= 1:
                raise checks.BadParameter(
                    f"readers from {group.orders} orders on must open no less than they click, and "
                    "click no less than they order."
                )


@dataclass(frozen=True, kw_only=True)
class Newsletter(Letter):
    """A monthly newsletter."""

    campaign: str = "newsletter"
    issues: int = 6
    day: int = 10
