"""Whether more slipped than usual: those who have long been customers, in two spans of days."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from retention_lab.customers.standing import Standing
from retention_lab.inference.interval import minus
from retention_lab.inference.proportions import proportion
from retention_lab.record.ledger import BEFORE, Ledger
from retention_lab.record.small import SMALL, splits

SLIPPED = "segments_slipped_long"
CHANGE = "segments_slipped_change"


def compare(
    ledger: Ledger, standing: Standing, now: Mapping[Any, Any], before: Mapping[Any, Any]
) -> None:
    """Record which share of a cohort slipped, beside that of as many days before.

    `now` and `before` are its rows of `customers.migration.flows`. Nothing where either would tell
    of a few. The two spans are of customers who left at different times, so the range of the
    difference takes them as independent.
    """
    sides = [(int(row["left_long"]), int(row["long_standing"])) for row in (now, before)]
    if any(there < SMALL or splits(left, there) for left, there in sides):
        return
    shares = [proportion(left, there) for left, there in sides]
    days, name = standing.days, now["group"]
    for claim, share, (_left, there), when in (
        (SLIPPED, shares[0], sides[0], f"the last {days} days"),
        (SLIPPED + BEFORE, shares[1], sides[1], f"the {days} days before"),
    ):
        ledger.record(
            claim,
            share,
            unit="share",
            n=there,
            about=when,
            label=f"{name}: slipped, of long-standing customers, {when}",
            definition="Of customers of the cohort who first bought before the days that are "
            "scored on either day: those who left it between the two days.",
        )
    ledger.record(
        CHANGE,
        minus(*shares),
        unit="points",
        n=sides[0][1],
        about=f"the last {days} days",
        label=f"{name}: more or fewer slipped than in the {days} days before",
        definition="Difference of the two shares (Newcombe's range).",
    )
