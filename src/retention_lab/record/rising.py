"""What is claimed of rising interest: who could be judged, who bought, and the alerts."""

from __future__ import annotations

from retention_lab.customers.rising import Rising
from retention_lab.inference.proportions import proportion
from retention_lab.record.ledger import Ledger
from retention_lab.record.small import SMALL, splits


def record(ledger: Ledger, rising: Rising) -> None:
    """Record how many customers were judged, how many of them bought, and how many are alerts.

    Nothing where few were judged, and no number that would tell of a few.
    """
    if rising.tested < SMALL:
        return
    days = f"the last {rising.within} days"
    ledger.record(
        "rising_tested",
        rising.tested,
        unit="count",
        n=rising.tested,
        about=days,
        label="Customers who can be judged for rising interest",
        definition=f"First bought {2 * rising.within} days ago or earlier.",
    )
    _bought(ledger, rising, about=days)
    if splits(rising.alerts, rising.tested):
        return
    ledger.record(
        "rising_alerts",
        rising.alerts,
        unit="count",
        n=rising.tested,
        about=days,
        label="Alerts of rising interest",
        definition=(
            f"Customers who bought on more of {days} than their own history lets expect; at most "
            f"{100 * rising.false_alerts:.0f} in 100 of them by chance (Benjamini-Hochberg)."
        ),
    )


def _bought(ledger: Ledger, rising: Rising, *, about: str) -> None:
    """Record how many of them bought at all, and how many chance gives."""
    bought = rising.tested - int(rising.counts["customers"].iloc[0])
    if splits(bought, rising.tested):
        return
    ledger.record(
        "rising_bought",
        proportion(bought, rising.tested),
        unit="share",
        n=rising.tested,
        about=about,
        label=f"Bought within {about}, of those who can be judged",
        definition="Customers with one day of purchases or more.",
    )
    ledger.record(
        "rising_by_chance",
        1 - float(rising.counts["by_chance"].iloc[0]) / rising.tested,
        unit="share",
        n=rising.tested,
        about=about,
        label="The same, as their history lets expect",
        definition="By a model of how often customers buy and when they stop, told only of what "
        "was known before, times how much busier all were.",
    )
