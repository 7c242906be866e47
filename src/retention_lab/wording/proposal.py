"""The sentences of the page that designs a test, in one place; none of what cannot be told."""

from __future__ import annotations

import pandas as pd

from retention_lab.experiments.proposal import Proposal
from retention_lab.record import Ledger
from retention_lab.wording import believed, guarding, planned, tradeoffs
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
from retention_lab.wording.phrases import Instead

__all__ = [
    "believed_differs",
    "believed_table",
    "believed_weakest",
    "design_body",
    "design_costs",
    "design_decide",
    "design_headline",
    "design_plan",
    "design_plan_lines",
    "design_simulated",
    "design_unknown",
    "guarding_sentence",
    "guarding_table",
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


def design_plan(seen: Proposal) -> pd.DataFrame:
    """Write what the plan says, a row for each question that a reader would ask."""
    return planned.plan_table(seen.plan)


def believed_weakest(ledger: Ledger, seen: Proposal) -> str:
    """Say which assumption costs most if it is wrong, and how much."""
    return "" if seen.wrong is None else believed.believed_weakest(ledger, seen.wrong)


def believed_table(seen: Proposal) -> pd.DataFrame | Instead:
    """List what is assumed, how wrong it may be, whose word it is, and what the plan says."""
    held = seen.believed
    return Instead(seen.why["believed"]) if held is None else believed.believed_table(held)


def believed_differs(seen: Proposal) -> str:
    """Say where the plan lies outside what history makes plausible."""
    held = seen.believed
    return "" if held is None else " ".join(believed.believed_differs(held))


def guarding_table(ledger: Ledger, seen: Proposal) -> pd.DataFrame | Instead:
    """Put each guardrail beside what it needs."""
    frame = seen.guardrails
    return Instead("") if frame is None else guarding.guarding_table(ledger, frame)


def guarding_sentence(ledger: Ledger, seen: Proposal) -> str:
    """Say which guardrails the planned customers can show to hold, and what the others need."""
    frame = seen.guardrails
    return "" if frame is None else guarding.guarding_sentence(ledger, frame)
