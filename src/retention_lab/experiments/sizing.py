"""What a plan asks for: customers, weeks, and how likely it is to find its effect as it stands."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import ceil, sqrt
from typing import Literal

import numpy as np
import scipy

from retention_lab.checks import BadParameter
from retention_lab.experiments import testing
from retention_lab.experiments.design.allocation import Shares
from retention_lab.experiments.design.assumptions import Assumptions
from retention_lab.experiments.design.curve import Floats, still_there
from retention_lab.experiments.design.sizing import Size, sample_size, smallest_effect
from retention_lab.experiments.design.timed import Timed
from retention_lab.experiments.plan import Plan
from retention_lab.inference.sequential.recursion import crossing

TOO_LONG = 104  # weeks: what was assumed is not so any more when the test ends
_MOST = 5.0  # root of the inflation: a test 25 times as large


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


@dataclass(frozen=True, kw_only=True)
class Needs:
    """What `Sized` says of what a plan needs, and `read`: its test on the day of its last look."""

    needed: Size
    weeks: float
    power: float
    inflation: float
    hazard_ratio: float
    read: Timed


def sized(plan: Plan, assumed: Assumptions | None = None) -> Sized:
    """Size a plan by what is assumed; by its own word, unless told otherwise.

    Raises
    ------
    BadParameter
        If the plan's own word has no baseline or no pace, its effect cannot be, or one of its looks
        comes before there is anything to read.
    """
    assumed = assumptions(plan) if assumed is None else assumed
    asks, baseline = needs(plan, assumed), testing.baseline(plan, assumed)
    planned, needed = float(assumed.entered(asks.read.day)), asks.needed
    enough = asks.power >= plan.primary.power
    return Sized(
        needed=needed,
        enrol_days=needed.total / testing.pace(assumed),
        weeks=asks.weeks,
        planned=int(planned),
        planned_weeks=asks.read.day / 7,
        power=asks.power,
        detectable=_detectable(plan, asks.read, planned / asks.inflation),
        inflation=asks.inflation,
        baseline=baseline,
        target=baseline + plan.primary.smallest_effect,
        hazard_ratio=asks.hazard_ratio,
        why="" if enough else _why(plan, assumed, needed, int(planned)),
    )


def needs(plan: Plan, assumed: Assumptions) -> Needs:
    """Size a plan by what is assumed, without what else it could see, which takes most time.

    Raises
    ------
    BadParameter
        As `sized` does.
    """
    ratio = hazard_ratio(plan, assumed)
    price = inflation(plan, assumed, ratio)
    needed, weeks = testing.needed(plan, assumed, ratio, inflation=price)
    read = testing.kernel(plan, assumed, day=testing.last_look(plan, assumed))
    customers = float(assumed.entered(read.day)) / price
    return Needs(
        needed=needed,
        weeks=weeks,
        power=read.contrast(ratio).power(customers, plan.primary.errors),
        inflation=price,
        hazard_ratio=ratio,
        read=read,
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
        baseline=still_there(testing.without(plan, assumed.baseline), day=day),
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
    baseline, effect = testing.baseline(plan, assumed), plan.primary.smallest_effect
    if baseline + effect >= 1:
        raise BadParameter(
            f"{100 * baseline:.3g} in 100 are {plan.endpoint.kind} by day {plan.endpoint.day} as "
            f"things are, and {100 * effect:g} points more cannot be: name a smaller "
            "primary.smallest_effect."
        )
    return testing.hazard_ratio(plan, assumed)


def inflation(plan: Plan, assumed: Assumptions, ratio: float) -> float:
    """Customers over those of a test with one look, by what the test sees at its looks.

    The rule takes an effect that is as strong at each look. That of a log-rank test is not, if it
    sets in late or reaches some only.

    Raises
    ------
    BadParameter
        If futility would stop a working test too often, however large it is.
    """
    if plan.looks is None or plan.primary.test == "retention":
        return testing.inflation(plan, assumed, ratio)
    parts = testing.fractions(plan, assumed, ratio)
    looks = testing.designed(parts, testing.rule(plan)).looks
    means, claimed = _seen(plan, assumed, ratio)

    def short(root: float) -> float:
        """Power that is lacking with root^2 times the customers of one look."""
        low, high = (claimed * looks[bound] - root * means for bound in ("lower", "upper"))
        exits = crossing(parts, lower=low, upper=high)
        return float(exits["above"].sum()) - plan.primary.power

    if short(_MOST) < 0:
        raise BadParameter(
            "The effect sets in so late that a test with it looks like one without at the first "
            "look, and futility would stop it: leave looks.futility out, or look later."
        )
    return float(scipy.optimize.brentq(short, 0.5, _MOST)) ** 2


def _seen(plan: Plan, assumed: Assumptions, ratio: float) -> tuple[Floats, Floats]:
    """Mean of the statistic at each look, with the customers of one look, and the scatter claimed.

    Both are in units of its true scatter.
    """
    last = testing.kernel(plan, assumed, day=testing.last_look(plan, assumed))
    customers = sample_size(last, ratio, errors=plan.primary.errors).customers
    means, claimed = [], []
    for day in testing.look_days(plan, assumed, ratio):
        seen = replace(last, day=float(day)).contrast(ratio)
        entered = customers * assumed.entered(day) / assumed.entered(last.day)
        means.append(abs(seen.effect) * sqrt(entered) / seen.sd)
        claimed.append(seen.null_sd / seen.sd)
    return np.array(means), np.array(claimed)


def _detectable(plan: Plan, read: Timed, customers: float) -> float | None:
    direction: Literal["lower", "higher"] = (
        "lower" if plan.endpoint.kind == "retained" else "higher"
    )
    errors = plan.primary.errors
    try:
        ratio = smallest_effect(read, customers=customers, direction=direction, errors=errors)
    except BadParameter:  # no effect that can be is large enough
        return None
    return testing.effect(plan, read.assumptions, hazard_ratio=ratio)


def _why(plan: Plan, assumed: Assumptions, needed: Size, planned: int) -> str:
    """Say what a plan lacks whose power is less than asked for."""
    day, pace = plan.endpoint.day, testing.pace(assumed)
    if needed.total / pace <= plan.days:  # enough enter, though not all of them by the last look
        return (
            f"The last look comes before enough customers have been followed for {day} days: look "
            f"once more, on day {plan.days + day}."
        )
    days = ceil(needed.total / pace)
    lacks = (
        f"{needed.total:,} customers are needed, and {planned:,} enter as planned: at "
        f"{float(f'{pace:.3g}'):,g} a day that takes {days:,} days of enrolment, not {plan.days:,}."
    )
    if (days + day) / 7 > TOO_LONG:
        return (
            f"{lacks} That is more than {TOO_LONG // 52} years: do not run it like this. Look for "
            "a larger effect, or let more customers enter a day."
        )
    return (
        f"{lacks} Let customers enter for longer, look for a larger effect, or do not run the test."
    )
