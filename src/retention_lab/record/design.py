"""What is claimed of a test before it begins: names, units and definitions in one place.

`experiments.believed` takes for history only what rests on enough customers to be shown.
"""

from __future__ import annotations

from math import ceil

import pandas as pd

from retention_lab.experiments.proposal import Proposal
from retention_lab.experiments.sizing import Sized
from retention_lab.record import believed, guarding, history
from retention_lab.record.ledger import Ledger

_WEEK = 7


def record(ledger: Ledger, seen: Proposal) -> None:
    """Record what history tells, what a plan needs and has, and what both rest on.

    Of a plan that has no size, only what history tells.
    """
    history.record(ledger, seen.history)
    if seen.sized is None or seen.believed is None:
        return
    wrong = pd.DataFrame() if seen.wrong is None else seen.wrong
    believed.record(ledger, seen.believed, wrong, seen.simulated)
    _needed(ledger, seen, seen.sized)
    _planned(ledger, seen.sized)
    _otherwise(ledger, seen)
    if seen.guardrails is not None:
        guarding.record(ledger, seen.guardrails)


def _needed(ledger: Ledger, seen: Proposal, size: Sized) -> None:
    points = f"{100 * seen.plan.primary.smallest_effect:g} points"
    found = f"a difference of {points} with a power of {seen.plan.primary.power:g}"
    ledger.record(
        "design_needed",
        size.needed.total,
        unit="count",
        key=True,
        label="Customers needed",
        definition=f"Of all arms, to find {found}.",
    )
    ledger.record(
        "design_weeks",
        size.weeks,
        unit="count",
        label="Weeks needed",
        definition="Until so many have entered and been followed to the day of the endpoint.",
    )
    ledger.record(
        "design_target",
        size.target,
        unit="share",
        label="Share that the test is to find",
        definition="Of customers reached: the share as things are, and the smallest effect.",
    )
    sends = [n for arm, n in zip(seen.plan.arms, size.needed.arms, strict=True) if arm.message]
    if sends and seen.plan.cost_per_message:
        ledger.record(
            "design_cost",
            sum(sends) * seen.plan.cost_per_message,
            unit="money",
            currency=seen.currency,
            label="Cost of the messages",
            definition="Customers needed in arms that send, times the cost of a message.",
        )


def _planned(ledger: Ledger, size: Sized) -> None:
    ledger.record(
        "design_planned",
        size.planned,
        unit="count",
        label="Customers who enter as planned",
        definition="By the plan's last look, at the pace above.",
    )
    ledger.record(
        "design_power",
        size.power,
        unit="share",
        label="Tests as planned that find the effect",
        definition="Power of the plan with the customers who enter.",
    )
    if size.detectable is not None:
        ledger.record(
            "design_detectable",
            size.detectable,
            unit="points",
            label="Difference that the plan can find",
            definition="Found by customers who enter as planned, with the power asked for.",
        )


def _otherwise(ledger: Ledger, seen: Proposal) -> None:
    """Record what twice the effect takes, what the trade claims, and how early the test may end."""
    known = [] if seen.effects is None else seen.effects.to_dict("records")
    for row in known:
        if row["of"] == "double":
            _double(ledger, row["customers"], weeks=row["weeks"])
    if seen.trade is not None:
        low, high = seen.trade
        ledger.record(
            "design_trade",
            (low + high) / 2,
            interval=(low, high),
            unit="points",
            label="Claimed by the trade",
            definition="Its relative lift times the share as things are; its origin is unknown.",
        )
    if seen.looks is not None and len(seen.looks) > 1:
        before = seen.looks.iloc[-2]
        ledger.record(
            "design_early",
            float(before["stops_with"]),
            unit="share",
            about=f"week {ceil(before['day'] / _WEEK)}",
            label="Tests that end before their last look",
            definition="Share of tests that are stopped by the look before, with the effect.",
        )


def _double(ledger: Ledger, customers: int, *, weeks: float) -> None:
    ledger.record(
        "design_double",
        customers,
        unit="count",
        label="Customers needed for twice the effect",
        definition="The same test, if only twice the smallest effect is to be found.",
    )
    ledger.record(
        "design_double_weeks",
        weeks,
        unit="count",
        label="Weeks needed for twice the effect",
        definition="Until so many have entered and been followed to the day of the endpoint.",
    )
