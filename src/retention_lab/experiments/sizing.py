"""What a plan asks for: customers, weeks, and how likely it is to find its effect as it stands."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import Literal

import numpy as np

from retention_lab.checks import BadParameter
from retention_lab.experiments.design.allocation import Shares
from retention_lab.experiments.design.assumptions import Assumptions
from retention_lab.experiments.design.calendar import by_day
from retention_lab.experiments.design.curve import still_there
from retention_lab.experiments.design.retained import Retention
from retention_lab.experiments.design.sizing import Size, power, sample_size, smallest_effect
from retention_lab.experiments.design.timed import LogRankTest, Timed
from retention_lab.experiments.plan import Plan
from retention_lab.inference.sequential.planning import design as designed


@dataclass(frozen=True, kw_only=True)
class Sized:
    """What a plan needs, and what it has; `smallest_effect` and shares as in the plan.

    Parameters
    ----------
    needed
        Customers of all arms that find the plan's smallest effect with the power asked for.
    weeks
        Weeks until so many have entered and been followed to the endpoint's day.
    planned
        Customers who enter until the last look, as the plan has it.
    planned_weeks
        Weeks until the plan's last look.
    power
        Share of tests of the `planned` customers that find the smallest effect.
    detectable
        Difference of shares that the `planned` customers find with the power asked for; None where
        none is large enough.
    inflation
        Customers over those of a test with one look.
    why
        Sentences on what does not fit; empty where the plan has all that it needs.
    """

    needed: Size
    weeks: float
    planned: int
    planned_weeks: float
    power: float
    detectable: float | None
    inflation: float
    why: str


def sized(plan: Plan) -> Sized:
    """Size a plan by its own assumptions: one rate a day that leaves the baseline at the day.

    Raises
    ------
    BadParameter
        If the plan has no baseline, or its effect cannot be.
    """
    assumed, looks = assumptions(plan), plan.looks
    last = float(looks.days[-1]) if looks and looks.days else assumed.last_day
    whole, read = _design(plan, assumed, assumed.last_day), _design(plan, assumed, last)
    ratio = assumed.hazard_ratio(share=_without(plan, _target(plan)), day=plan.endpoint.day)
    inflation = _inflation(plan, read, ratio)
    errors = plan.primary.errors
    one_look = sample_size(whole, ratio, errors=errors)
    needed = Size(customers=one_look.customers * inflation, allocation=one_look.allocation)
    planned = float(assumed.entered(last))
    found = power(read, ratio, customers=planned / inflation, errors=errors)
    return Sized(
        needed=needed,
        weeks=(needed.total / plan.assumptions.entry_per_day + plan.endpoint.day) / 7,
        planned=int(planned),
        planned_weeks=last / 7,
        power=found,
        detectable=_detectable(plan, read, planned / inflation),
        inflation=inflation,
        why="" if found >= errors.power else _why(plan, needed, int(planned)),
    )


def assumptions(plan: Plan) -> Assumptions:
    """What a plan takes for granted, as `experiments.design` takes it.

    Raises
    ------
    BadParameter
        If the plan has no baseline.
    """
    assumed, day = plan.assumptions, plan.endpoint.day
    return Assumptions(
        baseline=still_there(_without(plan, _baseline(plan)), day=day),
        entry=((float(plan.days), assumed.entry_per_day),),
        follow_up_days=day,
        dropout_per_day=assumed.dropout_per_day,
        onset_delay_days=assumed.onset_days,
        contact_rate=assumed.contact_rate,
        allocation=_allocation(plan),
    )


def _allocation(plan: Plan) -> Shares:
    return tuple(arm.share for arm in plan.arms)


def _baseline(plan: Plan) -> float:
    if plan.assumptions.baseline is None:
        raise BadParameter(
            f"{plan.name} cannot be sized: say assumptions.baseline, the share of customers who "
            f"are {plan.endpoint.kind} by day {plan.endpoint.day} as things are."
        )
    return plan.assumptions.baseline


def _target(plan: Plan) -> float:
    return _baseline(plan) + plan.primary.smallest_effect


def _without(plan: Plan, share: float) -> float:
    """Turn a share into that of customers without the event, which is to leave or to return."""
    return share if plan.endpoint.kind == "retained" else 1 - share


def _design(plan: Plan, assumed: Assumptions, day: float) -> Timed:
    if plan.primary.test == "log-rank":
        return LogRankTest(assumptions=assumed, day=day)
    return Retention(assumptions=assumed, day=day, at=plan.endpoint.day)


def _inflation(plan: Plan, read: Timed, ratio: float) -> float:
    """How many more customers the looks cost."""
    looks = plan.looks
    if looks is None:
        return 1.0
    fractions = np.array(looks.information or ())
    if looks.days:
        events = LogRankTest(assumptions=read.assumptions, day=read.day)
        seen = by_day(events, ratio, days=looks.days)
        count = (seen["events_control"] + seen["events_treated"]).to_numpy()
        fractions = count / count[-1]
    return designed(fractions, rule=plan.rule).inflation


def _detectable(plan: Plan, read: Timed, customers: float) -> float | None:
    direction: Literal["lower", "higher"] = (
        "lower" if plan.endpoint.kind == "retained" else "higher"
    )
    errors, day = plan.primary.errors, plan.endpoint.day
    try:
        ratio = smallest_effect(read, customers=customers, direction=direction, errors=errors)
    except BadParameter:  # no effect that can be is large enough
        return None
    share = _without(plan, read.assumptions.treated(ratio).survival(day))
    return share - _baseline(plan)


def _why(plan: Plan, needed: Size, planned: int) -> str:
    """Say what a plan lacks whose power is less than asked for."""
    pace, day = plan.assumptions.entry_per_day, plan.endpoint.day
    if planned >= needed.total:
        return (
            f"The last look comes before enough customers have been followed for {day} days: look "
            f"once more, on day {plan.days + day}."
        )
    return (
        f"{needed.total:,} customers are needed, and {planned:,} enter as planned: at {pace:g} a "
        f"day that takes {ceil(needed.total / pace):,} days of enrolment, not {plan.days:,}. Let "
        "customers enter for longer, look for a larger effect, or do not run the test."
    )
