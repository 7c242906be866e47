"""What a test takes for granted, from its shop and its plan, and how wrong each of it may be.

History counts where it can tell; what it cannot tell is the plan's word.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import log, nan
from typing import Any, Literal

import numpy as np
import pandas as pd

from retention_lab.checks import BadParameter
from retention_lab.customers.groups import LEAST
from retention_lab.experiments import simulate, testing
from retention_lab.experiments.design.allocation import pair
from retention_lab.experiments.design.assumptions import Assumptions, dropout
from retention_lab.experiments.design.curve import Curve, from_days, still_there
from retention_lab.experiments.history import PACE_WEEKS, History
from retention_lab.experiments.plan import Plan
from retention_lab.experiments.sizing import Needs, allocation, needs
from retention_lab.experiments.terms import Endpoint
from retention_lab.inference.interval import Interval

Name = Literal["entry_per_day", "baseline", "contact_rate", "dropout_per_day", "onset_days"]
Source = Literal["history", "plan", "default"]

_PACE, _POINTS, _REACHED, _LOST, _LATER = 0.25, 0.05, 0.2, 0.05, 7.0  # how wrong a word may be
_MOST = 30_000_000  # customers that are simulated: some ten seconds
_FEWEST = 400  # simulated tests that say something: their share is known to 4 points


@dataclass(frozen=True, kw_only=True)
class Belief:
    """One assumption: its value, from what to what it may be, and whose word it is.

    Units are those of the plan. `planned` is what the plan says, if it says anything; `why` tells
    where the value and the range come from.
    """

    name: Name
    value: float
    low: float
    high: float
    source: Source
    planned: float | None
    why: str


@dataclass(frozen=True, kw_only=True)
class Believed:
    """All that a test takes for granted: each belief, and together, as designs take them."""

    endpoint: Endpoint
    beliefs: tuple[Belief, ...]
    assumptions: Assumptions


def believed(plan: Plan, history: History) -> Believed:
    """Set the word of a plan beside the history of its shop.

    What rests on fewer customers than may be shown is no history.

    Raises
    ------
    BadParameter
        If neither tells how many customers come, or what share is retained or returns as things
        are.
    """
    day = plan.endpoint.day
    entry, baseline = _entry(plan, history), _baseline(plan, history)
    contact, (lost, onset) = _contact(plan, history), _words(plan)
    curve = _curve(history.curve, day) if baseline.source == "history" else None
    assumed = Assumptions(
        baseline=curve or still_there(testing.without(plan, baseline.value), day=day),
        entry=((float(plan.days), entry.value),),
        follow_up_days=day,
        dropout_per_day=lost.value,
        onset_delay_days=onset.value,
        contact_rate=contact.value,
        allocation=allocation(plan),
    )
    beliefs = (entry, baseline, contact, lost, onset)
    return Believed(endpoint=plan.endpoint, beliefs=beliefs, assumptions=assumed)


def wrong(plan: Plan, believed: Believed) -> pd.DataFrame:
    """Say what the test needs, and what the planned one finds, if one belief at a time is wrong.

    The effect to be found stays the plan's.

    Returns
    -------
    DataFrame
        One row a belief: `assumption` (its name), `low`, `value`, `high`; `customers_low`,
        `customers`, `customers_high` (of all arms, needed if the truth is that), `weeks_low`,
        `weeks`, `weeks_high` (until they have been followed) and `power_low`, `power`, `power_high`
        (of the test as planned). Missing where that cannot be, and then `why` says it; else that is
        empty.

    Raises
    ------
    BadParameter
        If the test cannot be sized by what is believed.
    """
    held = needs(plan, believed.assumptions)
    return pd.DataFrame([_row(plan, believed, belief, held) for belief in believed.beliefs])


def simulated(plan: Plan, believed: Believed, *, times: int, rng: np.random.Generator) -> Interval:
    """Share of simulated tests of the needed size that find the smallest effect, at one look.

    Customers are simulated one by one. Of several arms the smallest is set against control, at the
    first step of Holm's method. A very large test is simulated less often than `times`.

    Raises
    ------
    BadParameter
        If the test cannot be sized, or is too large to be simulated.
    """
    assumed, size = believed.assumptions, needs(plan, believed.assumptions)
    arms = pair(assumed.allocation)
    customers = size.needed.customers / size.inflation * arms.both
    if customers * _FEWEST > _MOST:
        raise BadParameter(
            f"A test of {customers:,.0f} customers is too large to be simulated some hundred times."
        )
    trials = simulate.trials(
        replace(assumed, allocation=(arms.control / arms.both, arms.treated / arms.both)),
        hazard_ratios=[size.hazard_ratio],
        customers=customers,
        day=assumed.last_day,
        times=min(times, int(_MOST / customers)),
        rng=rng,
    )
    score = (
        simulate.logrank(trials)
        if plan.primary.test == "log-rank"
        else simulate.retention(trials, at=plan.endpoint.day)
    )
    errors = plan.primary.errors
    return simulate.found(
        score if plan.endpoint.kind == "retained" else -score,
        errors=replace(errors, alpha=errors.alpha / arms.comparisons),
    )


def _entry(plan: Plan, history: History) -> Belief:
    said, seen = plan.assumptions.entry_per_day, history.entry
    weeks = history.weeks["eligible"].tail(PACE_WEEKS)
    if seen is not None and weeks.sum() >= LEAST:
        why = f"Those of the last {len(weeks)} whole weeks; the range is how sure their mean is."
        return _belief(plan, "entry_per_day", seen, seen=True, why=why)
    unknown = history.why.get("entry", f"Fewer than {LEAST} customers came in {len(weeks)} weeks.")
    if said is None:
        raise BadParameter(
            f"Nobody knows how many customers come. {unknown} Say assumptions.entry_per_day, the "
            "customers of all arms who enter on a day."
        )
    most = _most(history)
    if seen is None and most is not None and said > most:
        why = f"{unknown} But no more reached the milestone in the last {len(weeks)} whole weeks."
        held = Interval(value=most, low=most / 2, high=most)
        return _belief(plan, "entry_per_day", held, seen=True, why=why)
    why = f"{unknown} A quarter fewer or more are allowed for."
    held = Interval(value=said, low=(1 - _PACE) * said, high=(1 + _PACE) * said)
    return _belief(plan, "entry_per_day", held, why=why)


def _most(history: History) -> float | None:
    """Customers a day who reached the milestone lately, whether or not they could be enrolled."""
    reached = history.weeks["reached"].tail(PACE_WEEKS)
    return history.coverage * reached.mean() / 7 if reached.sum() >= LEAST else None


def _baseline(plan: Plan, history: History) -> Belief:
    said, seen, n = plan.assumptions.baseline, history.baseline, history.followed
    if seen is not None and LEAST <= seen.value * n <= n - LEAST:
        why = f"Of {history.customers:,} customers who reached the milestone before."
        return _belief(plan, "baseline", seen, seen=True, why=why)
    kind, day = plan.endpoint.kind, plan.endpoint.day
    unknown = history.why.get(
        "baseline",
        f"Too few customers are known who were {kind} by day {day}, or too few who were not.",
    )
    if said is None:
        raise BadParameter(
            f"Nobody knows what share is {kind} by day {day} as things are. {unknown} Say "
            "assumptions.baseline, that share."
        )
    low, high = max(said - _POINTS, said / 2), min(said + _POINTS, (1 + said) / 2)
    why = f"{unknown} Five points fewer or more are allowed for."
    return _belief(plan, "baseline", Interval(value=said, low=low, high=high), why=why)


def _contact(plan: Plan, history: History) -> Belief:
    """Believe the plan; but no more can be reached than messages are delivered."""
    said, seen = plan.assumptions.contact_rate, history.delivered
    most = 1.0 if seen is None else seen.high
    told = seen is not None and (said is None or said > most)
    value = seen.value if seen is not None and told else said or 1.0
    high = most if told else min(most, value + _REACHED)
    why = (
        "Messages delivered in the last year; fewer may notice them."
        if told
        else "No history tells who will be reached; 20 points are allowed for."
    )
    held = Interval(value=value, low=max(value - _REACHED, value / 2), high=high)
    return _belief(plan, "contact_rate", held, seen=told, why=why)


def _words(plan: Plan) -> tuple[Belief, Belief]:
    """Believe the plan in what no history tells: who is lost from view, and when it works."""
    day, said = plan.endpoint.day, plan.assumptions
    lost, onset = said.dropout_per_day, said.onset_days
    most = max(2 * lost, dropout(_LOST, days=day))
    late = min(max(2 * onset, _LATER), (onset + day) / 2)  # never after the endpoint's day
    rate = f"No history tells; none to twice as many, or 5 in 100 by day {day}, are allowed for."
    start = (
        "No history tells; from at once to twice as late, at least a week, is allowed for: what is "
        f"gained by day {day} stays the same."
    )
    return (
        _belief(plan, "dropout_per_day", Interval(value=lost, low=0.0, high=most), why=rate),
        _belief(plan, "onset_days", Interval(value=onset, low=0.0, high=late), why=start),
    )


def _belief(plan: Plan, name: Name, held: Interval, *, seen: bool = False, why: str) -> Belief:
    """Make a belief of what history has seen, of a plan's word, or of what holds without one."""
    said = name in plan.assumptions.model_fields_set
    planned: float | None = getattr(plan.assumptions, name) if said else None
    return Belief(
        name=name,
        value=held.value,
        low=max(0.0, held.low),
        high=held.high,
        source="history" if seen else "default" if planned is None else "plan",
        planned=planned,
        why=why,
    )


def _curve(observed: pd.DataFrame | None, day: int) -> Curve | None:
    """Follow what was observed up to a day, if it was for so long and somebody is left."""
    if observed is None or observed["day"].iloc[-1] < day:
        return None
    known = observed.loc[observed["day"] <= day, ["day", "survival"]]
    last = pd.DataFrame({"day": [day], "survival": known["survival"].iloc[-1:]})
    whole = pd.concat([known, last]).drop_duplicates("day")
    return from_days(whole) if 0 < whole["survival"].iloc[-1] < 1 else None


def _row(plan: Plan, believed: Believed, belief: Belief, held: Needs) -> dict[str, Any]:
    """Size the plan at both ends of a belief, beside what it needs as believed."""
    why: dict[str, None] = {}
    row: dict[str, Any] = {"assumption": belief.name}
    row |= {"low": belief.low, "value": belief.value, "high": belief.high}
    for end, value in (("_low", belief.low), ("", None), ("_high", belief.high)):
        try:
            found = held if value is None else _ask(plan, believed, belief.name, value)
        except BadParameter as error:
            why[str(error)] = None
            numbers = (nan, nan, nan)
        else:
            numbers = (float(found.needed.total), found.weeks, found.power)
        names = (f"{name}{end}" for name in ("customers", "weeks", "power"))
        row |= dict(zip(names, numbers, strict=True))
    return row | {"why": " ".join(why)}


def _ask(plan: Plan, believed: Believed, name: Name, value: float) -> Needs:
    return needs(plan, _changed(plan, believed.assumptions, name, value))


def _changed(plan: Plan, assumed: Assumptions, name: Name, value: float) -> Assumptions:
    """Assume another value of one thing; a curve keeps its form."""
    match name:
        case "entry_per_day":
            if value <= 0:
                raise BadParameter("If nobody comes, the test never ends.")
            return replace(assumed, entry=((assumed.entry_days, value),))
        case "baseline":
            day = plan.endpoint.day
            without = assumed.baseline.survival(day)
            if not 0 < value < 1:
                raise BadParameter("If all do the same, there is nothing to find.")
            ratio = log(testing.without(plan, value)) / log(without)
            return replace(assumed, baseline=assumed.baseline.times(ratio))
        case "contact_rate":
            return replace(assumed, contact_rate=value)
        case "dropout_per_day":
            return replace(assumed, dropout_per_day=value)
        case "onset_days":
            return replace(assumed, onset_delay_days=value)
