"""The sentences of the page that says who the customers are, in one place."""

from __future__ import annotations

from retention_lab.customers.portrait import Portrait
from retention_lab.record import Ledger
from retention_lab.record.segments import best
from retention_lab.wording.acquisition import acquired, first_repeat, revenue_triangle
from retention_lab.wording.campaigns import campaigns_clicked, campaigns_rates
from retention_lab.wording.loyalty import loyalty_tiers
from retention_lab.wording.moved import (
    segments_lines,
    segments_lines_read,
    segments_moved,
    segments_review,
)
from retention_lab.wording.rising import rising_alerts
from retention_lab.wording.segments import segments_action, segments_body, segments_headline
from retention_lab.wording.worth import worth_once, worth_total, worth_tracking

__all__ = [
    "acquired",
    "campaigns_rates",
    "first_repeat",
    "loyalty_tiers",
    "portrait_body",
    "revenue_triangle",
    "rising_alerts",
    "segments_action",
    "segments_headline",
    "segments_lines",
    "segments_lines_read",
    "segments_moved",
    "segments_review",
    "worth_once",
    "worth_total",
    "worth_tracking",
]


def portrait_body(ledger: Ledger, seen: Portrait) -> str:
    """Say who the customers are, who slipped, and what messages bring from the best of them."""
    top = best(seen.standing.rules.cohorts)
    clicked = "" if top is None else campaigns_clicked(ledger, seen.messages, cohort=top.name)
    return f"{segments_body(ledger, seen.standing)} {clicked}".strip()
