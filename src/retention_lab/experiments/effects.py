"""What a test did to retention or return: one arm against control, everybody as assigned.

A gain is positive: more customers retained, or more returned. Intervals are of one look; what the
plan's looks make of them is for `sequential`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from math import sqrt
from typing import Literal, TypeVar

import pandas as pd

from retention_lab.checks import BadData
from retention_lab.experiments.against import Against
from retention_lab.experiments.patterns import from_millionths
from retention_lab.experiments.plan import Plan
from retention_lab.experiments.validity_tables import Marked
from retention_lab.inference.instrument import TwoStage, anderson_rubin, two_stage
from retention_lab.inference.interval import Interval
from retention_lab.inference.lift import fieller
from retention_lab.inference.means import Estimate
from retention_lab.survival import cox
from retention_lab.survival.daygrid import kaplan_meier

Found = TypeVar("Found")


@dataclass(frozen=True, kw_only=True)
class Reading:
    """What the plan's test decides by: a gain is positive, whatever its unit.

    `information` is one over the variance; of a log-rank test, whose estimate is that of the log
    hazard ratio at no effect, it is the variance of its events, which grows with them.
    """

    estimate: float
    std_error: float
    information: float
    unit: Literal["points", "log hazard"]

    @property
    def z(self) -> float:
        """The estimate in standard errors."""
        return self.estimate / self.std_error


@dataclass(frozen=True, kw_only=True)
class Effect:
    """One arm against control; what cannot be told is None, and `why` has a sentence for it.

    `customers` are those of whom the endpoint knows, `events` how many of them have cancelled, or
    returned, by its day; nothing later counts. `share` is of those retained, or returned, then;
    `difference` is of these shares, `adjusted` the same with the plan's covariates, `lift`
    relative. `days` are those that each customer is kept longer until then, or returns earlier, on
    average. `hazard_ratio` is of cancelling, or of returning; `proportional` the p-value of its
    being the same early and late, `logrank` that of no effect, two-sided. `reached` is what the
    message did to those whom it reached; `reached_interval` holds however few they are.
    """

    arm: str
    control: str
    customers: int
    customers_control: int
    events: int
    events_control: int
    share: Interval | None
    share_control: Interval | None
    difference: Estimate | None
    adjusted: Estimate | None
    lift: Interval | None
    days: Estimate | None
    hazard_ratio: Interval | None
    proportional: float | None
    logrank: float | None
    reading: Reading | None
    reached: TwoStage | None
    reached_interval: Interval | None
    why: Mapping[str, str]


def effects(marked: Marked, plan: Plan, *, alpha: float = 0.05) -> tuple[Effect, ...]:
    """Compare each arm but control with control, in the order of the plan.

    The Cox model and the log-rank test are within the strata by which the plan assigns.

    Parameters
    ----------
    alpha
        One minus the confidence level of the intervals.

    Raises
    ------
    BadData
        If the shop cannot tell the outcome.

    References
    ----------
    Kaplan & Meier (1958), Greenwood (1926) for shares and days; Lin (2013) on pseudo-values
    (Andersen, Klein & Rosthoj 2003) adjusted; Fieller (1954) for the lift; Cox (1972), Grambsch &
    Therneau (1994); Mantel (1966).
    """
    grid = _grid(marked, plan)
    return tuple(
        _effect(Against(marked=marked, plan=plan, arm=arm, grid=grid, alpha=alpha))
        for arm in plan.arms[1:]
    )


def curves(marked: Marked, plan: Plan) -> pd.DataFrame:
    """Share without the event by arm and day, in the order of the plan.

    Returns
    -------
    DataFrame
        `arm`, and the columns of `daygrid.kaplan_meier`; arms that nobody is in have no rows.

    Raises
    ------
    BadData
        If the shop cannot tell the outcome, or no arm has anybody.
    """
    grid = _grid(marked, plan)
    own = {arm.name: grid[grid["arm"] == arm.name] for arm in plan.arms}
    found = [kaplan_meier(rows).assign(arm=name) for name, rows in own.items() if not rows.empty]
    if not found:
        raise BadData("Nobody has been assigned to an arm of the plan yet: wait.")
    every = pd.concat(found, ignore_index=True)
    return every[["arm", *every.columns.drop("arm")]]


def _grid(marked: Marked, plan: Plan) -> pd.DataFrame:
    """Everybody by arm, stratum and day; one stratum where the plan has none."""
    return marked.grid("stratum") if plan.strata else marked.grid().assign(stratum="")


def _effect(pair: Against) -> Effect:
    """Ask for one part after the other; where one is refused, say why."""
    why: dict[str, str] = {}

    def told(part: str, find: Callable[[], Found]) -> Found | None:
        try:
            return find()
        except BadData as refusal:
            why[part] = str(refusal)
            return None

    (customers, events), (customers_control, events_control) = map(pair.counts, pair.names)
    return Effect(
        arm=pair.names[0],
        control=pair.names[1],
        customers=customers,
        customers_control=customers_control,
        events=events,
        events_control=events_control,
        share=told("share", lambda: pair.one),
        share_control=told("share_control", lambda: pair.other),
        difference=told("difference", lambda: pair.difference),
        adjusted=told("adjusted", lambda: pair.adjusted),
        lift=told("lift", lambda: fieller(pair.one, pair.other, alpha=pair.alpha)),
        days=told("days", pair.days),
        hazard_ratio=told("hazard_ratio", pair.hazard_ratio),
        proportional=told("proportional", lambda: _proportional(pair)),
        logrank=told("logrank", lambda: pair.logrank.p_value),
        reading=told("reading", lambda: _reading(pair)),
        reached=told("reached", lambda: _reached(pair)),
        reached_interval=told("reached_interval", lambda: _reached_interval(pair)),
        why=why,
    )


def _proportional(pair: Against) -> float:
    tested = cox.proportional_hazards(pair.model)
    return float(tested["p_value"].iloc[-1])


def _reading(pair: Against) -> Reading:
    """Read the test that the plan decides by."""
    _ = pair.both
    pair.refuse_few()
    if pair.plan.primary.test == "log-rank":
        return _by_events(pair)
    # Where all customers of an arm are alike, covariates explain nothing.
    adjusts = pair.plan.covariates and not pair.alike
    found = pair.adjusted if adjusts else pair.difference
    return Reading(
        estimate=found.value,
        std_error=found.std_error,
        information=1 / found.std_error**2,
        unit="points",
    )


def _by_events(pair: Against) -> Reading:
    """Read the log-rank test: fewer cancel than expected, or more come back."""
    groups = pair.logrank.groups
    row = groups[groups["group"] == pair.arm.name].iloc[0]
    more = float(row["observed"]) - float(row["expected"])
    gain = more if pair.plan.endpoint.kind == "returned" else -more
    information = float(row["variance"])
    return Reading(
        estimate=gain / information,
        std_error=1 / sqrt(information),
        information=information,
        unit="log hazard",
    )


def _reached(pair: Against) -> TwoStage:
    found = two_stage(*pair.reached, alpha=pair.alpha)
    assigned, effect = from_millionths(found.assigned), from_millionths(found.effect)
    return replace(found, assigned=assigned, effect=effect)


def _reached_interval(pair: Against) -> Interval:
    return from_millionths(anderson_rubin(*pair.reached, alpha=pair.alpha))
