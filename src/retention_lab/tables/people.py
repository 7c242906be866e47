"""Customers drawn as the simulated shop is told: the part that its tables hide."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from retention_lab.tables.drawing import (
    DAY,
    FAR,
    Bools,
    Floats,
    Ints,
    choose,
    later_that_day,
    seconds,
)
from retention_lab.tables.truth import Truth


@dataclass(frozen=True, kw_only=True)
class People:
    """Customers with what the tables never show, by time of sign-up; one array a property."""

    signed_up: Ints
    channel: Ints
    family: Ints
    pace: Floats
    buys: Bools
    start: Ints  # first order; sign-up for those who never order
    reached: Floats  # customers x milestones, days from start, infinite where never
    leaves: Ints  # dropout, or the end
    end: int  # nothing is seen from here on
    eased: Ints  # when a check-in sets in, never before the end for those whom none reaches

    @property
    def stay(self) -> Ints:
        """Seconds from start to dropout or the end."""
        stay: Ints = np.maximum(self.leaves - self.start, 0)
        return stay

    @property
    def seen(self) -> Bools:
        """Whether each milestone is in the table of events: none is after dropout."""
        seen: Bools = self.reached * DAY < self.stay[:, None] - 1
        return seen


def draw_people(rng: np.random.Generator, truth: Truth, *, calendar: Ints, n: int) -> People:
    """Return `n` customers who sign up on the days of `calendar`, observed until its end."""
    end = int(calendar[-1] + 1) * DAY
    day, channel = np.divmod(choose(rng, truth.signups(calendar).ravel(), n), len(truth.channels))
    signed_up = calendar[day] * DAY + truth.times_of_day(rng, n)
    by_time = np.argsort(signed_up, kind="stable")
    signed_up, channel = signed_up[by_time], channel[by_time]
    pace = rng.gamma(truth.pace_shape, 1 / truth.pace_shape, n)
    buys, start = _first_orders(rng, truth, signed_up)
    reached = milestone_days(rng, truth, pace)
    factor = np.array([kind.hazard_ratio for kind in truth.channels])[channel]
    dropout = dropout_days(rng, truth, factor=factor, reached=reached)
    return People(
        signed_up=signed_up,
        channel=channel,
        family=choose(rng, [family.share for family in truth.families], n),
        pace=pace,
        buys=buys,
        start=start,
        reached=reached,
        leaves=np.minimum(start + seconds(dropout), end),
        end=end,
        eased=np.full(n, end),
    )


def _first_orders(rng: np.random.Generator, truth: Truth, signed_up: Ints) -> tuple[Bools, Ints]:
    """Return who ever orders, and when first (for those who never do, the sign-up)."""
    never, same_day = truth.never_orders, truth.same_day_first_order
    kind = choose(rng, [never, same_day, 1 - never - same_day], signed_up.size)
    wait = np.ceil(rng.exponential(truth.late_first_order_days, signed_up.size)).astype(np.int64)
    late = (signed_up // DAY + wait) * DAY + truth.times_of_day(rng, signed_up.size)
    return kind > 0, np.choose(kind, [signed_up, later_that_day(rng, signed_up), late])


def milestone_days(rng: np.random.Generator, truth: Truth, pace: Floats) -> Floats:
    """Return the days from start to each milestone, infinite where never; dropout comes later."""
    share = np.array([milestone.share for milestone in truth.milestones])
    odds = share / (1 - share) * pace[:, None] ** truth.confounding
    days = np.column_stack([milestone.draw(rng, pace.size) for milestone in truth.milestones])
    return np.where(rng.random(days.shape) < odds / (1 + odds), days, np.inf)


def dropout_days(
    rng: np.random.Generator, truth: Truth, *, factor: Floats, reached: Floats
) -> Floats:
    """Return days from start to dropout, whose hazard changes with each milestone reached.

    A unit-exponential dose is spent along the cumulative hazard, linear between milestones.
    """
    order = np.argsort(reached, axis=1)
    begins = np.insert(np.take_along_axis(np.minimum(reached, FAR), order, axis=1), 0, 0.0, axis=1)
    ratios = np.array([milestone.hazard_ratio for milestone in truth.milestones])[order]
    base = truth.dropout_hazard * factor
    rates = np.cumprod(np.column_stack([base, ratios]), axis=1)
    spent = np.cumsum(np.diff(begins, axis=1) * rates[:, :-1], axis=1)
    spent = np.insert(spent, 0, 0.0, axis=1)
    dose = rng.exponential(size=factor.size)
    piece = (np.arange(factor.size), (spent <= dose[:, None]).sum(axis=1) - 1)
    days: Floats = begins[piece] + (dose - spent[piece]) / rates[piece]
    return days
