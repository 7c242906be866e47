"""What a plan asks for: customers, weeks, and how likely it is to find its effect as it stands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import ceil
from typing import Literal

import numpy as np

from retention_lab.checks import BadParameter
from retention_lab.experiments.design.allocation import Shares
from retention_lab.experiments.design.assumptions import Assumptions
from retention_lab.experiments.design.calendar import by_day
from retention_lab.experiments.design.curve import Floats, still_there
from retention_lab.experiments.design.retained import Retention
from retention_lab.experiments.design.sizing import Size, sample_size, smallest_effect
from retention_lab.experiments.design.timed import LogRankTest, Timed
from retention_lab.experiments.plan import Plan
from retention_lab.inference.sequential.planning import design as designed

TOO_LONG = 104  # weeks: what was assumed is not so any more when the test ends


@dataclass(frozen=True, kw_only=True)
class Sized:
    """What a plan needs, and what it has; `smallest_effect` and shares as in the plan.

    Parameters
    ----------
    needed
        Customers of all arms that find the plan's smallest effect with the power asked for.
    enrol_days
        Days of enrolment until so many have entered.
    weeks
        Weeks until they have all been followed to the endpoint's day as well.
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
    baseline, target
        Shares at the endpoint's day as things are, and of customers reached with the effect.
    hazard_ratio
        Of the customers reached from the onset of the effect on, of leaving or of returning.
    why
        Sentences on what does not fit; empty where the plan has all that it needs.
    """

    needed: Size
    enrol_days: float
    weeks: float
    planned: int
    planned_weeks: float
    power: float
    detectable: float | None
    inflation: float
    baseline: float
    target: float
    hazard_ratio: float
    why: str


def sized(plan: Plan, assumed: Assumptions | None = None) -> Sized:
    """Size a plan by what is assumed; by its own word, unless told otherwise.

    Raises
    ------
    BadParameter
        If the plan's own word has no baseline or no pace, its effect cannot be, or one of its looks
        comes before there is anything to read.
    """
    assumed, day = assumptions(plan) if assumed is None else assumed, plan.endpoint.day
    read, errors = _design(plan, assumed, _last(plan, assumed)), plan.primary.errors
    baseline = _turned(plan, assumed.baseline.survival(day))
    ratio = hazard_ratio(plan, assumed)
    inflation = _inflation(plan, read)
    one_look = sample_size(replace(read, day=assumed.last_day), ratio, errors=errors)
    needed = Size(customers=one_look.customers * inflation, allocation=one_look.allocation)
    planned = float(assumed.entered(read.day))
    found = read.contrast(ratio).power(planned / inflation, errors)
    enrol_days = needed.total * assumed.entry_days / float(assumed.entered(assumed.entry_days))
    weeks = (enrol_days + day) / 7
    return Sized(
        needed=needed,
        enrol_days=enrol_days,
        weeks=weeks,
        planned=int(planned),
        planned_weeks=read.day / 7,
        power=found,
        detectable=_detectable(plan, read, planned / inflation),
        inflation=inflation,
        baseline=baseline,
        target=baseline + plan.primary.smallest_effect,
        hazard_ratio=ratio,
        why="" if found >= errors.power else _why(plan, needed, int(planned), enrol_days),
    )


def assumptions(plan: Plan) -> Assumptions:
    """What a plan takes for granted, as `experiments.design` takes it: one rate of events a day.

    Raises
    ------
    BadParameter
        If the plan has no baseline or no pace of entry.
    """
    assumed, day = plan.assumptions, plan.endpoint.day
    if assumed.baseline is None:
        raise BadParameter(
            f"{plan.name} cannot be sized: say assumptions.baseline, the share of customers who "
            f"are {plan.endpoint.kind} by day {day} as things are."
        )
    if assumed.entry_per_day is None:
        raise BadParameter(
            f"{plan.name} cannot be sized: say assumptions.entry_per_day, the customers of all "
            "arms who enter on a day, or let the shop's history tell, on the page of the design."
        )
    return Assumptions(
        baseline=still_there(_turned(plan, assumed.baseline), day=day),
        entry=((float(plan.days), assumed.entry_per_day),),
        follow_up_days=day,
        dropout_per_day=assumed.dropout_per_day,
        onset_delay_days=assumed.onset_days,
        contact_rate=1.0 if assumed.contact_rate is None else assumed.contact_rate,
        allocation=allocation(plan),
    )


def allocation(plan: Plan) -> Shares:
    """Share of the customers in each arm, control first."""
    return tuple(arm.share for arm in plan.arms)


def hazard_ratio(plan: Plan, assumed: Assumptions) -> float:
    """Ratio of rates, of customers reached, that makes the plan's smallest effect at its day.

    Raises
    ------
    BadParameter
        If the effect cannot be.
    """
    day, effect = plan.endpoint.day, plan.primary.smallest_effect
    baseline = _turned(plan, assumed.baseline.survival(day))
    if baseline + effect >= 1:
        raise BadParameter(
            f"{100 * baseline:.3g} in 100 are {plan.endpoint.kind} by day {day} as things are, and "
            f"{100 * effect:g} points more cannot be: name a smaller primary.smallest_effect."
        )
    return assumed.hazard_ratio(share=_turned(plan, baseline + effect), day=day)


def information(plan: Plan, assumed: Assumptions, *, days: Sequence[float], last: float) -> Floats:
    """What the plan's own test knows on calendar days, as a share of what it knows on the `last`.

    A log-rank test knows as much as it has seen events. A difference of shares knows nothing
    before somebody has been followed to the endpoint's day; then one over its variance.

    Raises
    ------
    BadParameter
        If there is nothing to read on one of the days, or the plan's effect cannot be.
    """
    ratio = hazard_ratio(plan, assumed)
    if plan.primary.test == "log-rank":
        read = LogRankTest(assumptions=assumed, day=last)
        seen = by_day(read, ratio, days=[*days, last])
        known = (seen["events_control"] + seen["events_treated"]).to_numpy()
    else:
        known = np.array(
            [
                assumed.entered(day) / _design(plan, assumed, day).contrast(ratio).sd ** 2
                for day in (*days, last)
            ]
        )
    return np.asarray(known[:-1] / known[-1])


def _last(plan: Plan, assumed: Assumptions) -> float:
    """Calendar day of the plan's last look."""
    looks = plan.looks
    return float(looks.days[-1]) if looks and looks.days else assumed.last_day


def _turned(plan: Plan, share: float) -> float:
    """Turn a share of the plan into that without the event, or back: to leave, or to return."""
    return share if plan.endpoint.kind == "retained" else 1 - share


def _design(plan: Plan, assumed: Assumptions, day: float) -> Timed:
    if plan.primary.test == "log-rank":
        return LogRankTest(assumptions=assumed, day=day)
    return Retention(assumptions=assumed, day=day, at=plan.endpoint.day)


def _inflation(plan: Plan, read: Timed) -> float:
    """How many more customers the looks cost."""
    looks = plan.looks
    if looks is None:
        return 1.0
    fractions = np.array(looks.information or ())
    if looks.days:
        fractions = information(plan, read.assumptions, days=looks.days, last=read.day)
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
    without = read.assumptions.baseline.survival(day)
    return abs(read.assumptions.treated(ratio).survival(day) - without)


def _why(plan: Plan, needed: Size, planned: int, enrol_days: float) -> str:
    """Say what a plan lacks whose power is less than asked for."""
    day = plan.endpoint.day
    if planned >= needed.total:
        return (
            f"The last look comes before enough customers have been followed for {day} days: look "
            f"once more, on day {plan.days + day}."
        )
    lacks = (
        f"{needed.total:,} customers are needed, and {planned:,} enter as planned: at "
        f"{needed.total / enrol_days:.3g} a day that takes {ceil(enrol_days):,} days of enrolment, "
        f"not {plan.days:,}."
    )
    if (enrol_days + day) / 7 > TOO_LONG:
        return (
            f"{lacks} That is more than {TOO_LONG // 52} years: do not run it like this. Look for "
            "a larger effect, or let more customers enter a day."
        )
    return (
        f"{lacks} Let customers enter for longer, look for a larger effect, or do not run the test."
    )
