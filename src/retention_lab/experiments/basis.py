"""What the looks of a test are planned on: information, the effect to find, and their days."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from math import sqrt

import numpy as np

from retention_lab.experiments import sizing, testing
from retention_lab.experiments.design.assumptions import Assumptions
from retention_lab.experiments.design.timed import Timed
from retention_lab.experiments.plan import Plan

_WRONG = 5.0  # times as fast as assumed, or as slow: beyond that no day is worth naming


@dataclass(frozen=True, kw_only=True)
class Basis:
    """One arm against control, by what a plan assumes.

    `planned` is the information of the last look, `smallest` the plan's effect among all assigned
    in the unit of the estimate, `drift` the mean of z for which futility is designed, and `parts`
    are the shares of the planned information at the plan's looks, the last of which is 1.
    """

    planned: float
    smallest: float
    drift: float
    parts: tuple[float, ...]
    read: Timed
    ratio: float

    def day(self, information: float, *, known: float | None, today: int) -> int:
        """Day of the test on which about so much is known, after `today`; at most the last.

        `known` is the information of today, which tells how fast customers really come.
        """
        pace, whole = 1.0, testing.known(self.read, self.ratio)
        if known and self.read.first_day < today < self.read.day:
            meant = testing.known(replace(self.read, day=float(today)), self.ratio)
            pace = min(max(known / meant, 1 / _WRONG), _WRONG)
        share = min(1.0, information / pace / whole)
        return max(today + 1, testing.day_known(self.read, self.ratio, fraction=share))


def basis(plan: Plan, arm: str, assumed: Assumptions | None) -> Basis:
    """Plan the looks of an arm against control, by the plan's own word unless told otherwise.

    Raises
    ------
    BadParameter
        If nobody says how many customers come or what they do as things are, the plan's effect
        cannot be, or a look comes before there is anything to read.
    """
    both = _pair(plan, arm, sizing.assumptions(plan) if assumed is None else assumed)
    ratio = sizing.hazard_ratio(plan, both)
    read = testing.kernel(plan, both, day=testing.last_look(plan, both))
    planned, effect = testing.known(read, ratio), testing.drift(read, ratio)
    parts = testing.fractions(plan, both, ratio)
    drift = testing.designed(parts, testing.rule(plan)).drift
    return Basis(
        planned=planned,
        smallest=effect / sqrt(planned),
        drift=drift,
        parts=parts,
        read=read,
        ratio=ratio,
    )


def end_of(plan: Plan) -> dt.date:
    """Day of the last look, whatever is known by then."""
    days = plan.looks.days if plan.looks else None
    return testing.date_of(plan, days[-1] if days else plan.days + plan.endpoint.day)


def targets(
    plan: Plan, parts: tuple[float, ...] | None, *, after: float, day: int
) -> tuple[float, ...]:
    """Shares of the planned information at the looks to come after a look, the last of which is 1.

    Parameters
    ----------
    parts
        Those of all looks of the plan; None where nobody knows those of looks by days.
    after, day
        Share that is known by the last look, and its day of the test; 0 and 0 before the first.
    """
    if after >= 1:
        return ()
    if plan.looks is None or plan.looks.days is None:
        shares = (plan.looks and plan.looks.information) or (1.0,)
        return tuple(share for share in shares if share > after + 1e-9)
    days = plan.looks.days
    meant = parts or tuple(each / days[-1] for each in days)
    gone = max((share for at, share in zip(days, meant, strict=True) if at <= day), default=0.0)
    left = np.array([share for at, share in zip(days, meant, strict=True) if at > day])
    # What is known by now may be more or less than was meant: what is left keeps its proportions.
    return tuple(map(float, after + (left - gone) / (1 - gone) * (1 - after))) if len(left) else ()


def _pair(plan: Plan, arm: str, assumed: Assumptions) -> Assumptions:
    """Assume the same of the customers of control and of one arm alone."""
    control, treated = plan.arms[0].share, plan.weights[arm]
    both = control + treated
    return replace(
        assumed,
        allocation=(control / both, treated / both),
        entry=tuple((until, pace * both) for until, pace in assumed.entry),
    )
