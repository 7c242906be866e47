"""What the looks of a plan will see, and what other looks would cost and save."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from itertools import pairwise
from math import exp, log, nan, sqrt
from typing import get_args

import numpy as np
import pandas as pd
import scipy

from retention_lab.checks import BadParameter
from retention_lab.experiments import testing
from retention_lab.experiments.design.assumptions import Assumptions
from retention_lab.experiments.design.timed import Timed
from retention_lab.experiments.plan import Plan
from retention_lab.inference.sequential.planning import expected, stops
from retention_lab.inference.sequential.recursion import crossing
from retention_lab.inference.sequential.spending import Family, Floats, Spending

FAMILIES: tuple[Family, ...] = get_args(Family)[:2]  # those without a parameter
_LOOKS = range(1, 6)
_LOOK_COLUMNS = [
    *("look", "day", "on", "information", "upper", "smallest", "futility"),
    *("stops_with", "stops_without"),
]
_FAMILY_COLUMNS = [
    *("looks", "family", "inflation", "customers"),
    *("weeks_most", "weeks_with", "weeks_without"),
]


def looks(plan: Plan, assumed: Assumptions) -> pd.DataFrame:
    """Say of each look of a plan what would stop the test there, and how likely that is.

    Returns
    -------
    DataFrame
        One row per look, one for a plan without: `look` (from 1), `day`, `on` (date at whose end
        it is), `information` (share of all that the test will know), `upper` (z that stops it for
        a gain), `smallest` (the effect among customers reached that stands just there, a
        difference of shares; missing where none is so large), `futility` (effect below which it
        may stop for want of one; missing if the plan has no futility), `stops_with` and
        `stops_without` (share of tests that have stopped by then, with the effect and without;
        at the last look all have).

    Raises
    ------
    BadParameter
        If the plan's effect cannot be, it looks before there is something to read, or two of its
        looks fall on one day.
    """
    ratio = testing.hazard_ratio(plan, assumed)
    design = testing.designed(testing.fractions(plan, assumed, ratio), testing.rule(plan))
    at = design.looks
    days = testing.look_days(plan, assumed, ratio)
    _refuse_alike(days)
    tests = [testing.kernel(plan, assumed, day=float(day)) for day in days]
    columns = {
        "look": range(1, len(at) + 1),
        "day": days,
        "on": [testing.date_of(plan, day) for day in days],
        "information": at["information"],
        "upper": at["upper"],
        "smallest": _effects_at(plan, tests, at["upper"]),
        "futility": _effects_at(plan, tests, at["lower"]) if plan.rule.futility else nan,
        "stops_with": _stopped(_meant(at, tests, ratio)),
        "stops_without": _stopped(stops(at, drift=0.0)),
    }
    return pd.DataFrame(columns)[_LOOK_COLUMNS]


def families(plan: Plan, assumed: Assumptions) -> pd.DataFrame:
    """Price of one to five evenly spaced looks, by two families of spending functions.

    Each is enrolled until it has the plan's power; with futility of the family if the plan has any.

    Returns
    -------
    DataFrame
        Rows by `looks` and `family`: `inflation` (customers over those of one look), `customers`
        (of all arms, if the test never stops early), `weeks_most` (until they have been followed),
        `weeks_with` and `weeks_without` (mean weeks until the test stops, with the plan's effect
        and without any).

    Raises
    ------
    BadParameter
        If the plan's effect cannot be.
    """
    ratio = testing.hazard_ratio(plan, assumed)
    rows = [
        (count, family, *_price(plan, assumed, ratio, count=count, family=family))
        for count in _LOOKS
        for family in FAMILIES
    ]
    return pd.DataFrame(rows, columns=_FAMILY_COLUMNS)


def _price(
    plan: Plan, assumed: Assumptions, ratio: float, *, count: int, family: Family
) -> tuple[float, int, float, float, float]:
    spends, spending = testing.rule(plan), Spending(family=family)
    futility = spending if spends.futility and count > 1 else None  # one look has no early stop
    spends = replace(spends, spending=spending, futility=futility)
    known = tuple(look / count for look in range(1, count + 1))
    design = testing.designed(known, spends)
    size, most = testing.needed(plan, assumed, ratio, inflation=design.inflation)
    pace = testing.pace(assumed)
    enrolled = replace(assumed, entry=((size.total / pace, pace),))
    last = testing.kernel(plan, enrolled, day=enrolled.last_day)
    early = [testing.day_known(last, ratio, fraction=share) / 7 for share in known[:-1]]
    stop = partial(expected, design.looks, of=[*early, most])
    return design.inflation, size.total, most, stop(drift=design.drift), stop(drift=0.0)


def _refuse_alike(days: Sequence[int]) -> None:
    alike = next((day for day, after in pairwise(days) if after <= day), None)
    if alike is not None:
        raise BadParameter(
            f"Two looks fall on day {alike}, as customers enter within so few days that most is "
            "known at once: leave looks out, or let customers enter for longer."
        )


def _meant(at: pd.DataFrame, tests: Sequence[Timed], ratio: float) -> pd.DataFrame:
    """Chances to stop at each look with the effect, as strong as it is by then.

    That of a log-rank test is weaker at first if it sets in late: one drift would stop too many.
    """
    seen = [test.contrast(ratio) for test in tests]
    means = np.array([testing.drift(test, ratio) for test in tests])
    claimed = np.array([each.null_sd / each.sd for each in seen])
    low, high = (claimed * at[bound].to_numpy() - means for bound in ("lower", "upper"))
    return crossing(at["information"], lower=low, upper=high)


def _stopped(leaves: pd.DataFrame) -> Floats:
    """Share of tests that have stopped by each look."""
    return np.append((leaves["below"] + leaves["above"]).cumsum().to_numpy()[:-1], 1.0)


def _effects_at(plan: Plan, tests: Sequence[Timed], bounds: pd.Series) -> list[float]:
    """Effect that stands on the bound of each look; missing where none can stand there."""
    return [_effect_at(plan, test, float(bound)) for test, bound in zip(tests, bounds, strict=True)]


def _effect_at(plan: Plan, test: Timed, z: float) -> float:
    """Effect whose statistic is `z` on average when a test is read."""
    rises = (z > 0) == (plan.endpoint.kind == "returned")  # the rate of events, with this effect
    entered, side = sqrt(float(test.assumptions.entered(test.day))), 1 if rises else -1

    def beyond(size: float) -> float:
        seen = test.contrast(exp(side * size))
        return abs(seen.effect) * entered / seen.null_sd - abs(z)

    # From small to large, as a log-rank test sees the very largest effects less well again.
    near, most = 0.0, log(test.limits[2])
    for far in most / 2.0 ** np.arange(8, -1, -1):
        if beyond(far) >= 0:
            size = scipy.optimize.brentq(beyond, near, far, xtol=1e-9)
            return testing.effect(plan, test.assumptions, hazard_ratio=exp(side * size))
        near = far
    return nan
