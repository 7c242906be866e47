"""What a plan could be instead: other effects, an earlier read-out, another split of customers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import ceil, exp

import pandas as pd

from retention_lab.checks import BadParameter
from retention_lab.experiments import sizing, testing
from retention_lab.experiments.design.assumptions import Assumptions
from retention_lab.experiments.design.exposure import exposure
from retention_lab.experiments.design.proportions import UnpooledProportions
from retention_lab.experiments.design.sizing import power
from retention_lab.experiments.plan import Plan

_FACTORS = (1 / 3, 0.4, 0.5, 0.65, 0.8, 1.0, 1.25, 1.5, 1.75, 2.0, 2.5, 3.0)
_CONTROL = tuple(tenth / 10 for tenth in range(1, 10))
_DAYS = 75  # points that a curve by calendar day has, about


def effects(plan: Plan, assumed: Assumptions, *, more: Sequence[float] = ()) -> pd.DataFrame:
    """Customers and weeks that find effects smaller and larger than the plan's.

    Parameters
    ----------
    more
        Further effects to size, differences of shares such as those a trade claims.

    Returns
    -------
    DataFrame
        One row per effect that can be, rising: `effect` (difference of shares among customers
        reached, as in the plan), `share` (retained, or returned, with it), `lift` (effect over
        the baseline), `customers` (of all arms), `weeks` (until they have been followed) and `of`
        ("plan", "double", "trade" for one of `more`, else ""; what is two of these has two rows).

    Raises
    ------
    BadParameter
        If the plan's own effect cannot be.
    """
    least = plan.primary.smallest_effect
    price = sizing.inflation(plan, assumed, testing.hazard_ratio(plan, assumed))
    named = {least * times: "" for times in _FACTORS} | {least: "plan", 2 * least: "double"}
    share = testing.baseline(plan, assumed)
    rows = []
    for effect, of in sorted([*named.items(), *((round(claimed, 9), "trade") for claimed in more)]):
        try:
            ratio = testing.hazard_ratio(plan, assumed, effect=effect)
            size, weeks = testing.needed(plan, assumed, ratio, inflation=price)
        except BadParameter:  # more than all would be retained, or return
            continue
        rows.append((effect, share + effect, effect / share, size.total, weeks, of))
    return pd.DataFrame(rows, columns=["effect", "share", "lift", "customers", "weeks", "of"])


def calendar(plan: Plan, assumed: Assumptions) -> pd.DataFrame:
    """Power of the plan's test if it were read once, on one calendar day or another.

    Returns
    -------
    DataFrame
        One row for every few days: `day` (since enrolment began), `on` (the date at whose end it
        is), `entered` (customers of all arms), `events` (expected, with the effect), `power` (of
        the plan's test on everybody; 0 while it has nothing to read), `matured` (of a test of
        shares of only those who have been followed to the endpoint's day; 0 before) and `look`
        (whether the plan looks on that day).

    Raises
    ------
    BadParameter
        If the plan's effect cannot be, or it looks before there is something to read.
    """
    ratio, errors = testing.hazard_ratio(plan, assumed), plan.primary.errors
    last, looks = ceil(assumed.last_day), set(testing.look_days(plan, assumed, ratio))
    steps = range(ceil(last / _DAYS), last, ceil(last / _DAYS))
    days = sorted(day for day in {*steps, *looks, last} if day > assumed.first_entry)
    entered = [float(assumed.entered(day)) for day in days]
    share = pd.Series([_happened(assumed, ratio, day) for day in days])
    read = [testing.kernel(plan, assumed, day=float(day)) for day in days]
    return pd.DataFrame(
        {
            "day": days,
            "on": [testing.date_of(plan, day) for day in days],
            "entered": entered,
            "events": share * entered,
            "power": [
                power(test, ratio, customers=customers, errors=errors)
                if test.day > test.first_day and _enough(assumed, customers)
                else 0.0
                for test, customers in zip(read, entered, strict=True)
            ],
            "matured": [_matured(plan, assumed, day) for day in days],
            "look": [day in looks for day in days],
        }
    )


def allocations(plan: Plan, assumed: Assumptions) -> pd.DataFrame:
    """What other shares of control would cost; the other arms keep their proportions.

    Returns
    -------
    DataFrame
        One row per share, rising, the plan's own among them: `control` (share of customers),
        `customers` (needed of all arms), `weeks` (until they have been followed) and `messages`
        (customers in arms that send one).

    Raises
    ------
    BadParameter
        If the plan's effect cannot be.
    """
    ratio = testing.hazard_ratio(plan, assumed)
    price, own = sizing.inflation(plan, assumed, ratio), assumed.allocation
    rows = []
    for control in sorted({*_CONTROL, own[0]}):
        others = tuple(share * (1 - control) / (1 - own[0]) for share in own[1:])
        split = replace(assumed, allocation=(control, *others))
        size, weeks = testing.needed(plan, split, ratio, inflation=price)
        sent = sum(n for arm, n in zip(plan.arms, size.arms, strict=True) if arm.message)
        rows.append((control, size.total, weeks, sent))
    return pd.DataFrame(rows, columns=["control", "customers", "weeks", "messages"])


def _happened(assumed: Assumptions, ratio: float, day: int) -> float:
    """Share of the customers entered whose event has been seen, with the effect."""
    control, treated = exposure(assumed, ratio, day=day).events
    share = assumed.allocation[0]
    return float(share * control + (1 - share) * treated)


def _matured(plan: Plan, assumed: Assumptions, day: int) -> float:
    """Power of a test of two shares of those who were followed to the endpoint's day."""
    entered = float(assumed.entered(day - plan.endpoint.day))
    followed = entered * exp(-assumed.dropout_per_day * plan.endpoint.day)
    if not _enough(assumed, followed):
        return 0.0
    shares = UnpooledProportions(
        control=testing.baseline(plan, assumed),
        contact_rate=assumed.contact_rate,
        allocation=assumed.allocation,
    )
    gain, errors = plan.primary.smallest_effect, plan.primary.errors
    return power(shares, gain, customers=followed, errors=errors)


def _enough(assumed: Assumptions, customers: float) -> bool:
    """Whether there are two customers in each arm, as a test needs."""
    return customers * min(assumed.allocation) >= 2
