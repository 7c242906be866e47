"""What is claimed of a test while its plan is tried out: as for its page, and its own cost."""

from __future__ import annotations

from retention_lab.experiments.proposal import Proposal
from retention_lab.record import design
from retention_lab.record.ledger import Ledger

COST = "planner_cost"


def record(ledger: Ledger, seen: Proposal) -> None:
    """Record what the page of the design does, of what formulas tell, and what all messages cost.

    Of a plan that has no size, only what history tells.
    """
    design.record(ledger, seen)
    plan, sends = seen.plan, sum(arm.share for arm in seen.plan.arms if arm.message)
    if seen.sized is None or not (sends and plan.cost_per_message):
        return
    ledger.record(
        COST,
        sends * seen.sized.planned * plan.cost_per_message,
        unit="money",
        currency=seen.currency,
        label="Cost of the messages as planned",
        definition="Customers who enter as planned in arms that send, times the cost of a message.",
    )
