"""What is claimed of a shop's history before a test: names, units and definitions in one place.

What rests on fewer than `SMALL` customers, or would tell of as few, is not recorded.
"""

from __future__ import annotations

from retention_lab.experiments.history import PACE_WEEKS, History
from retention_lab.inference.interval import Interval
from retention_lab.record.ledger import Ledger
from retention_lab.record.small import SMALL, few, of_share, splits

OF_THE_YEAR = "the last 365 days"


def record(ledger: Ledger, history: History) -> None:
    """Record the pace of entry, the share at the endpoint's day, and what is delivered."""
    _arrivals(ledger, history)
    _baseline(ledger, history)
    if history.delivered is not None and history.written_to >= SMALL:
        if of_share(history.delivered.value, history.written_to):
            return
        ledger.record(
            "history_delivered",
            history.delivered,
            unit="share",
            n=history.written_to,
            about=history.channel,
            label=f"Delivered, of messages by {history.channel}",
            definition=(
                f"Messages with a delivery over messages sent in {OF_THE_YEAR} but the last 7; the "
                "range counts those of one customer as one."
            ),
        )


def with_subscription(history: History) -> bool:
    """Say whether only customers with a subscription count."""
    return history.endpoint.kind == "retained"


def _arrivals(ledger: Ledger, history: History) -> None:
    """Record how many reached the milestone in the last weeks, and how many a week could enter."""
    weeks = history.weeks.tail(PACE_WEEKS)
    about, reached = f"the last {len(weeks)} whole weeks", int(weeks["reached"].sum())
    total = None if weeks["eligible"].isna().any() else int(weeks["eligible"].sum())
    if len(weeks) and not few(reached) and (total is None or not splits(total, reached)):
        ledger.record(
            "history_reached",
            reached,
            unit="count",
            n=reached,
            about=about,
            label=f"Reached {history.milestone}",
            definition="Customers whose first time it was, in whole weeks from Monday to Sunday.",
        )
    if history.entry is None or total is None or few(total):
        return
    ledger.record(
        "history_entry",
        _times(history.entry, 7),
        unit="count",
        n=total,
        key=True,
        about=about,
        label="Customers who could enter, a week",
        definition=(
            f"Customers who first reached {history.milestone}, whom the plan is for and who "
            f"consent today to {history.channel}"
            f"{', and who had a subscription then' if with_subscription(history) else ''}; mean by "
            f"week of {about}, times {history.coverage:g} that the plan covers. The range is of "
            "the pace, from the scatter of the weeks."
        ),
    )


def _times(number: Interval, factor: float) -> Interval:
    low, high = factor * number.low, factor * number.high
    return Interval(value=factor * number.value, low=low, high=high)


def _baseline(ledger: Ledger, history: History) -> None:
    day, curve = history.endpoint.day, history.curve
    if history.left_out and not few(history.left_out):
        ledger.record(
            "history_left_out",
            history.left_out,
            unit="count",
            n=history.left_out,
            label=f"Reached {history.milestone} without a subscription",
            definition="Customers of whom the endpoint of the test says nothing.",
        )
    if (
        history.baseline is None
        or curve is None
        or min(history.customers, history.followed) < SMALL
    ):
        return
    if splits(curve.loc[curve["day"] <= day, "events"].sum(), history.customers):
        return
    kept = with_subscription(history)
    ledger.record(
        "history_baseline",
        history.baseline,
        unit="share",
        n=history.customers,
        key=True,
        about=f"day {day}",
        label=f"{'Retained' if kept else 'Returned'} by day {day}",
        definition=(
            f"Kaplan-Meier {day} days after customers first reached {history.milestone}: "
            + ("some subscription of that moment is not cancelled" if kept else "bought again")
            + "."
        ),
    )
