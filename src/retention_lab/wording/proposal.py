"""The sentences of the page that designs a test, in one place; none of what cannot be told."""

from __future__ import annotations

from retention_lab.experiments.proposal import Proposal
from retention_lab.wording import tradeoffs
from retention_lab.wording.believed import believed_differs, believed_table, believed_weakest
from retention_lab.wording.design import (
    design_body,
    design_costs,
    design_decide,
    design_headline,
    design_plan_lines,
    design_simulated,
    design_unknown,
)
from retention_lab.wording.history import history_arrivals, history_baseline, history_delivered

__all__ = [
    "believed_differs",
    "believed_table",
    "believed_weakest",
    "design_body",
    "design_costs",
    "design_decide",
    "design_headline",
    "design_plan_lines",
    "design_simulated",
    "design_unknown",
    "history_arrivals",
    "history_baseline",
    "history_delivered",
    "tradeoffs_allocation",
    "tradeoffs_calendar",
    "tradeoffs_effects",
    "tradeoffs_looks",
]


def tradeoffs_effects(seen: Proposal) -> str:
    """Say what this test takes, and what one for twice or half its effect would."""
    return "" if seen.effects is None else tradeoffs.tradeoffs_effects(seen.plan, seen.effects)


def tradeoffs_calendar(seen: Proposal) -> str:
    """Say from which day on the test would find its effect, and when if one waited for all."""
    return "" if seen.calendar is None else tradeoffs.tradeoffs_calendar(seen.plan, seen.calendar)


def tradeoffs_allocation(seen: Proposal) -> str:
    """Say what the plan's share of control costs beside the cheapest one."""
    split = seen.allocations
    return "" if split is None else tradeoffs.tradeoffs_allocation(seen.plan, split)


def tradeoffs_looks(seen: Proposal) -> str:
    """Say what stops the test early, how likely that is, and what looking costs and saves."""
    if seen.looks is None or seen.families is None:
        return ""
    return tradeoffs.tradeoffs_looks(seen.plan, seen.looks, seen.families)
