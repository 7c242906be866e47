"""The test that a plan decides by: its kernel, the effects it speaks of, what its looks cost."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from functools import lru_cache
from math import ceil, floor, sqrt

from retention_lab.checks import BadParameter
from retention_lab.experiments.design.allocation import pair
from retention_lab.experiments.design.assumptions import Assumptions
from retention_lab.experiments.design.retained import Retention
from retention_lab.experiments.design.sizing import Size, sample_size
from retention_lab.experiments.design.timed import LogRankTest, Timed
from retention_lab.experiments.plan import Plan
from retention_lab.inference.sequential.bounds import Rule
from retention_lab.inference.sequential.planning import Design, design

_ALL_LOST = 50.0  # losses for each customer: of e^50 customers one is left


def kernel(plan: Plan, assumed: Assumptions, *, day: float) -> Timed:
    """The plan's test, read on a calendar day.

    Raises
    ------
    BadParameter
        If it waits for a day to which nobody can be followed.
    """
    if plan.primary.test == "log-rank":
        return LogRankTest(assumptions=assumed, day=day)
    lost = assumed.dropout_per_day
    if lost * plan.endpoint.day > _ALL_LOST:
        raise BadParameter(
            f"Nobody can be followed for {plan.endpoint.day} days if {lost:g} of those left are "
            "lost from view on each: name a smaller assumptions.dropout_per_day."
        )
    return Retention(assumptions=assumed, day=day, at=plan.endpoint.day)


def without(plan: Plan, share: float) -> float:
    """Turn a share of the plan into that of customers without the event, or back.

    The event is to leave, or to return.
    """
    return share if plan.endpoint.kind == "retained" else 1 - share


def baseline(plan: Plan, assumed: Assumptions) -> float:
    """Share of control retained, or returned, at the endpoint's day."""
    return without(plan, assumed.baseline.survival(plan.endpoint.day))


def hazard_ratio(plan: Plan, assumed: Assumptions, *, effect: float | None = None) -> float:
    """Ratio of rates of the customers reached that makes an effect, by default the plan's.

    Raises
    ------
    BadParameter
        If the effect cannot be.
    """
    gain = plan.primary.smallest_effect if effect is None else effect
    share = without(plan, baseline(plan, assumed) + gain)
    return assumed.hazard_ratio(share=share, day=plan.endpoint.day)


def effect(plan: Plan, assumed: Assumptions, *, hazard_ratio: float) -> float:
    """Difference of shares at the endpoint's day that a ratio of rates makes, a gain positive."""
    treated = assumed.treated(hazard_ratio).survival(plan.endpoint.day)
    return without(plan, treated) - baseline(plan, assumed)


def pace(assumed: Assumptions) -> float:
    """Customers of all arms who enter in a day, on average."""
    return float(assumed.entered(assumed.entry_days)) / assumed.entry_days


def needed(
    plan: Plan, assumed: Assumptions, ratio: float, *, inflation: float = 1.0
) -> tuple[Size, float]:
    """Customers who find a ratio of rates if followed to the end, and weeks until they were."""
    whole = kernel(plan, assumed, day=assumed.last_day)
    one = sample_size(whole, ratio, errors=plan.primary.errors)
    size = Size(customers=one.customers * inflation, allocation=one.allocation)
    return size, weeks(plan, assumed, customers=size.total)


def weeks(plan: Plan, assumed: Assumptions, *, customers: float) -> float:
    """Weeks until so many customers have entered and been followed to the endpoint's day.

    No test is shorter than the plan's minimum.
    """
    return max(customers / pace(assumed) + plan.endpoint.day, plan.minimum_days) / 7


def last_look(plan: Plan, assumed: Assumptions) -> float:
    """Calendar day of the last look: when everybody has been followed, unless the plan says."""
    return float(plan.looks.days[-1]) if plan.looks and plan.looks.days else assumed.last_day


def known(test: Timed, ratio: float) -> float:
    """Information of a test on its day, in a unit of its own: events, or one over a variance.

    A difference of shares knows nothing before somebody has been followed to its day, however many
    events there were; so its looks count what it knows itself.

    Raises
    ------
    BadParameter
        If there is nothing to read on its day.
    """
    entered = float(test.assumptions.entered(test.day))
    spread = test.contrast(ratio).sd ** 2  # of a log-rank test: its variance for each customer
    return entered * spread if isinstance(test, LogRankTest) else entered / spread


def day_known(test: Timed, ratio: float, *, fraction: float) -> int:
    """First whole calendar day on which a test knows a fraction of what it does on its own day."""
    low, high = floor(test.first_day), ceil(test.day)
    target = fraction * known(test, ratio) * (1 - 1e-9)
    while high - low > 1:  # every day adds to what is known
        middle = (low + high) // 2
        enough = known(replace(test, day=float(middle)), ratio) >= target
        low, high = (low, middle) if enough else (middle, high)
    return high


def drift(test: Timed, ratio: float) -> float:
    """Mean of the test's statistic on its day, if the effect is there."""
    seen = test.contrast(ratio)
    return abs(seen.effect) * sqrt(float(test.assumptions.entered(test.day))) / seen.sd


def fractions(plan: Plan, assumed: Assumptions, ratio: float) -> tuple[float, ...]:
    """Share of the planned information at each look, the last of which is 1.

    Raises
    ------
    BadParameter
        If there is nothing to read yet on the day of a look.
    """
    if plan.looks is None or plan.looks.days is None:
        return (plan.looks and plan.looks.information) or (1.0,)
    at = [known(kernel(plan, assumed, day=float(day)), ratio) for day in plan.looks.days]
    return tuple(each / at[-1] for each in at)


def look_days(plan: Plan, assumed: Assumptions, ratio: float) -> tuple[int, ...]:
    """Calendar days of a plan's looks; of those by information, when so much will be known.

    A plan without looks has one, at its end.
    """
    if plan.looks and plan.looks.days:
        return plan.looks.days
    test = kernel(plan, assumed, day=last_look(plan, assumed))
    early = fractions(plan, assumed, ratio)[:-1]
    days = [day_known(test, ratio, fraction=share) for share in early]
    return (*days, ceil(test.day))


def date_of(plan: Plan, day: int) -> dt.date:
    """Date at whose end so many days of the test are over."""
    return plan.starts + dt.timedelta(days=day - 1)


def rule(plan: Plan) -> Rule:
    """What the looks may spend on one arm against control; several arms share alpha (Holm)."""
    comparisons = pair(tuple(arm.share for arm in plan.arms)).comparisons
    return replace(plan.rule, alpha=plan.rule.alpha / comparisons)


@lru_cache(maxsize=64)
def designed(information: tuple[float, ...], spends: Rule) -> Design:
    """Bounds of looks at fractions of the information, as `planning.design` finds them."""
    return design(information, rule=spends)


def inflation(plan: Plan, assumed: Assumptions, ratio: float) -> float:
    """Customers over those of a test with one look."""
    if plan.looks is None:
        return 1.0
    return designed(fractions(plan, assumed, ratio), rule(plan)).inflation
