"""The looks of a test: whether today is one, what is known by it, and whether the test stops.

A look is taken once all running arms know as much as the plan says, or on its day; never before
the plan's minimum of days, and the last one on the last calendar day whatever is known. It is then
in the ledger with its bounds, and its numbers stand, whatever comes in later.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import sqrt
from typing import TYPE_CHECKING, Any, Literal

import pandas as pd

from retention_lab.checks import BadParameter
from retention_lab.experiments import looks, testing
from retention_lab.experiments.basis import Basis, basis
from retention_lab.experiments.design.assumptions import Assumptions
from retention_lab.experiments.plan import Plan
from retention_lab.experiments.sequential_words import rule_words, why
from retention_lab.experiments.standing import Standing, Stop
from retention_lab.inference.interval import Interval
from retention_lab.inference.sequential.reading import (
    Stopped,
    conditional_power,
    repeated,
    stopped,
)
from retention_lab.state import State

if TYPE_CHECKING:
    from retention_lab.experiments.effects import Reading

When = Literal["before", "between", "look", "over"]
_UNITS = {"retention": "points", "log-rank": "log hazard"}  # of the plan's tests


@dataclass(frozen=True, kw_only=True, eq=False)
class Looked:
    """What may be said of one arm against control on a day.

    Effects and their errors are in `unit`, a gain positive; bounds are z.

    Parameters
    ----------
    look, of
        Looks so far, 0 if none, and how many there will be if the test runs to its end. A look
        that was missed is not counted.
    on, next_on
        Days of the last look and, about, of the next; None where there is none or nobody knows.
    information, planned, fraction
        So far: as of today before a look and between two, else as of the look; what the last look
        was planned to have; and the share of it. None where nothing is known.
    next_fraction
        Share of the planned information that the next look waits for.
    upper, lower, estimate, std_error, interval
        Of the last look, as the ledger has them; the interval holds at all looks together.
    state
        `look` on the day of one, whether it was just taken or is run again; `over` on all days
        after a stop, and after the last day of a test that could not be read then.
    stopped
        Why the test stopped; empty if it goes on, or ended unread.
    conditional_power, trend_power
        Chance that it ends with a gain after what the last look saw: if the plan's smallest effect
        is there, and if it goes on as it has. None before the first look and after a stop.
    unbiased
        What was found, corrected for the early stop; None if it goes on.
    smallest
        The plan's smallest effect among all assigned, in the unit of the estimate.
    moved
        How far the estimate of the look's own day has moved by data that came late; see `compared`.
    raw
        The looks so far, as `looks.taken` gives them.
    coming
        The looks to come: `look`, `on` (about; missing where nobody knows), `fraction`, `lower`,
        `upper` and `std_error` (expected).
    rule_words
        Which adjustment for looks applies.
    why
        A sentence where today something keeps the test from being looked at; else empty.
    row
        What `take` adds to the ledger; None if today takes no look.
    """

    arm: str
    look: int
    of: int
    on: dt.date | None
    next_on: dt.date | None
    information: float | None
    planned: float | None
    fraction: float | None
    next_fraction: float | None
    upper: float | None
    lower: float | None
    estimate: float | None
    std_error: float | None
    unit: str
    interval: Interval | None
    state: When
    stopped: Stop
    conditional_power: float | None
    trend_power: float | None
    unbiased: Stopped | None
    smallest: float | None
    moved: float | None
    raw: pd.DataFrame
    coming: pd.DataFrame
    rule_words: str
    why: str
    row: Mapping[str, Any] | None = field(default=None, repr=False)


def due(
    plan: Plan,
    readings: Mapping[str, Reading],
    *,
    shop_name: str,
    as_of: dt.date,
    state: State | None,
    assumed: Assumptions | None,
) -> tuple[Looked, ...]:
    """Say of each arm but control what today is: a look, a day before or between, or after a stop.

    Nothing is written. As of a day before the last look in the ledger only the looks up to that day
    count, and no new one is taken. Without a state nobody knows what was spent, so only the last
    day of all is a look.

    Parameters
    ----------
    readings
        What the plan's test reads as of the day, by arm; an arm without takes no look.
    assumed
        What the planned information rests on where the plan leaves it to history. It counts until
        the first look, which keeps it.

    Raises
    ------
    BadParameter
        If the plan was amended to less alpha than its looks have spent.
    BadData
        If the ledger is damaged.
    """
    known = looks.taken(state, source=shop_name, experiment=plan.name)
    past = known[known["on"] <= as_of]
    arms = []
    for arm in plan.arms[1:]:
        expected, unknown = _expected(plan, arm.name, assumed)
        arms.append(
            Standing(
                plan=plan,
                arm=arm.name,
                past=past[past["arm"] == arm.name].drop(columns="arm").reset_index(drop=True),
                reading=readings.get(arm.name),
                as_of=as_of,
                basis=expected,
                keeps=state is not None,
                why=unknown,
            )
        )
    running = [arm for arm in arms if arm.reading is not None and not arm.over]
    today = len(past) == len(known) and all(arm.ready for arm in running)
    return tuple(
        _looked(arm)
        if arm.reading is None or arm.over or not today
        else _taking(arm, arm.reading, source=shop_name)
        for arm in arms
    )


def take(looked: Sequence[Looked], *, state: State) -> int:
    """Write the looks of today to the ledger; those that are there already are not written again.

    Returns
    -------
    int
        How many were new. Fewer than `looked` has rows: another process was quicker, and what it
        took stands; ask `due` again.

    Raises
    ------
    BadParameter
        If the disk refuses; the ledger is then as it was.
    """
    rows = [dict(each.row) for each in looked if each.row is not None]
    return looks.ledger(state).append(rows) if rows else 0


def compared(looked: Sequence[Looked], readings: Mapping[str, Reading]) -> tuple[Looked, ...]:
    """Say how far the numbers of the last look have moved by data that came in later.

    `readings` are what the test reads by today's data as of the day of the last look, by arm. The
    ledger's numbers stand; an arm whose last look was on another day should not be among them.
    """
    return tuple(
        each
        if each.estimate is None or each.arm not in readings
        else replace(each, moved=readings[each.arm].estimate - each.estimate)
        for each in looked
    )


def explained(looked: Sequence[Looked], why: Mapping[str, str]) -> tuple[Looked, ...]:
    """Say by arm why there is nothing to read, where that is so and nothing else is said."""
    return tuple(
        each if each.stopped or each.why else replace(each, why=why.get(each.arm, ""))
        for each in looked
    )


def _expected(plan: Plan, arm: str, assumed: Assumptions | None) -> tuple[Basis | None, str]:
    """Plan the looks of an arm; or say why that cannot be."""
    try:
        return basis(plan, arm, assumed), ""
    except BadParameter as error:
        return None, str(error)


def _taking(at: Standing, reading: Reading, *, source: str) -> Looked:
    """Say what an arm is like with the look of today."""
    row = at.look(reading)
    past = pd.DataFrame([*at.past.to_dict("records"), row]).astype(looks.COLUMNS)
    key = {"source": source, "experiment": at.plan.name, "arm": at.arm}
    return replace(_looked(replace(at, past=past)), row=looks.written({**key, **row}))


def _looked(at: Standing) -> Looked:
    last, ahead, planned = at.last, at.ahead(), at.planned
    told = last or {}
    today = last is not None and last["on"] == at.as_of
    when: When = "look" if today else "over" if at.finished else "between" if last else "before"
    known = at.reading.information if at.reading and not at.over and not today else None
    if known is None and last:
        known = float(last["information"])
    moved = at.reading.estimate - last["estimate"] if at.reading and last and today else None
    powers = _powers(at, ahead)
    return Looked(
        arm=at.arm,
        look=len(at.past),
        of=len(at.past) + len(at.planned_looks),
        on=told.get("on"),
        next_on=ahead["on"].iloc[0] if len(ahead) else None,
        information=known,
        planned=planned,
        fraction=known / planned if known is not None and planned else None,
        next_fraction=at.coming[0] if at.coming else None,
        upper=told.get("upper"),
        lower=told.get("lower"),
        estimate=told.get("estimate"),
        std_error=told.get("std_error"),
        unit=told.get("unit", _UNITS[at.plan.primary.test]),
        interval=_interval(told) if told else None,
        state=when,
        stopped=told.get("stopped", ""),
        conditional_power=powers[0],
        trend_power=powers[1],
        unbiased=_unbiased(at) if at.over else None,
        smallest=at.smallest,
        moved=moved,
        raw=at.past,
        coming=ahead,
        rule_words=rule_words(at),
        why=why(at),
    )


def _interval(row: Mapping[str, Any]) -> Interval:
    return repeated(row["estimate"], std_error=row["std_error"], bound=row["upper"])


def _powers(at: Standing, ahead: pd.DataFrame) -> tuple[float | None, float | None]:
    """Chance of a gain at the end, under the smallest effect and under the trend so far."""
    last = at.last
    if last is None or not len(ahead) or at.planned is None:
        return None, None
    share, z = last["fraction"], last["estimate"] / last["std_error"]
    drifts = (at.smallest and at.smallest * sqrt(at.planned), z / sqrt(share))
    bound = float(ahead["upper"].iloc[-1])
    meant, trend = (
        None
        if drift is None
        else conditional_power(information=share, z=z, bound=bound, drift=drift)
        for drift in drifts
    )
    return meant, trend


def _unbiased(at: Standing) -> Stopped:
    known = at.past.drop(columns="information").rename(columns={"fraction": "information"})
    last = known.iloc[-1]
    return stopped(
        known,
        rule=testing.rule(at.plan),
        estimate=float(last["estimate"]),
        std_error=float(last["std_error"]),
    )
