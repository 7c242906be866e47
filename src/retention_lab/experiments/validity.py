"""Whether a test was run as it was planned, before anybody looks at its effect.

Arms are compared, all over and within groups that were formed before an arm could matter, by a test
that may be repeated every week (`inference.sample_ratio.anytime`). How long customers were followed
and whether the effect drifts is tested as of one day.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypedDict

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from retention_lab.checks import BadData
from retention_lab.experiments import validity_words as words
from retention_lab.experiments.balance import balance
from retention_lab.experiments.plan import Plan
from retention_lab.experiments.validity_drift import drift
from retention_lab.experiments.validity_marks import Part
from retention_lab.experiments.validity_tables import Collapsed
from retention_lab.experiments.validity_words import Check, Status, Words
from retention_lab.inference.multiplicity import adjusted
from retention_lab.inference.sample_ratio import WARN, anytime, once
from retention_lab.survival.logrank import logrank

__all__ = ["Check", "Validity", "checks", "verdict"]


class Limits(TypedDict):
    """Above which share of customers there is a warning, and from which on a failure."""

    warn: float
    fail: float


LARGE = 50  # customers expected in the smallest arm: a chi-squared is exact enough from there
FEWEST = 10  # customers to compare, or there is nothing to look at yet
NONE: Limits = {"warn": 0.0, "fail": 0.01}  # shares of customers
FEW: Limits = {"warn": 0.01, "fail": 0.05}
LOW_REACH, LOST_REACH = 0.9, 0.5  # of the share that the plan expects to reach
GROSS = 10.0  # concentration: what goes wrong on one day goes wrong by much

Ints = NDArray[np.int64]
_Made = Callable[[Collapsed, Plan], list[Check]]


@dataclass(frozen=True, kw_only=True)
class Validity:
    """What the checks of a test say together.

    Names of checks that `failed`, that failed but are `accepted` by the plan, and that `warned`.
    The effect may be shown where the test `holds`.
    """

    checks: tuple[Check, ...]
    failed: tuple[str, ...]
    accepted: tuple[str, ...]
    warned: tuple[str, ...]

    @property
    def holds(self) -> bool:
        """Whether no check has failed but those that the plan accepts."""
        return not self.failed


def verdict(checks: Sequence[Check], plan: Plan) -> Validity:
    """Judge a test by its checks; a plan said before which failures do not hide its effect."""
    fails = [one.name for one in checks if one.status == "fail"]
    return Validity(
        checks=tuple(checks),
        failed=tuple(name for name in fails if name not in plan.accepted_checks),
        accepted=tuple(name for name in fails if name in plan.accepted_checks),
        warned=tuple(one.name for one in checks if one.status == "warn"),
    )


def checks(found: Collapsed, *, plan: Plan) -> tuple[Check, ...]:
    """Check a test for all that could be wrong with it.

    A check is left out as long as there is nothing to look at, such as strata of a plan without, or
    fewer than ten customers. Where the shop lacks a table that would tell, it warns without a
    number; where the plan names what the table does not know, it fails.

    Parameters
    ----------
    found
        As `validity_tables.counted` counts.

    Raises
    ------
    BadData
        If nobody has been assigned.
    """
    if found.arms.empty:
        raise BadData(f"{plan.name} has assigned nobody yet, so there is nothing to check: wait.")
    made: list[Check] = []
    for part, told, check in _CHECKS:
        lacking = part and found.missing.get(part)
        made += [each.unknown(lacking) for each in told] if lacking else check(found, plan)
    return tuple(made)


def _in_plan(found: Collapsed, plan: Plan) -> pd.DataFrame:
    """Counts of the plan's arms, in its order; zeros for one that nobody is in."""
    return found.arms.set_index("arm").reindex([*plan.weights], fill_value=0)


def _of_plan(rows: pd.DataFrame, plan: Plan) -> pd.DataFrame:
    return rows[rows["arm"].isin([*plan.weights])]


def _arms(found: Collapsed, plan: Plan) -> list[Check]:
    others = found.arms[~found.arms["arm"].isin([*plan.weights])]
    named = others.loc[others["customers"] >= FEWEST, "arm"].map(repr)
    unknown, total = int(others["customers"].sum()), int(found.arms["customers"].sum())
    return [words.ARMS.by_share(unknown, total, **NONE, where=", ".join(named))]


def _by_day(found: Collapsed, plan: Plan) -> list[Check]:
    """Compare the sizes of all days so far, and of each day by itself."""
    days = _of_plan(found.sizes, plan).pivot_table(
        index="enrolled_on", columns="arm", values="customers", aggfunc="sum", fill_value=0
    )
    counts = days.reindex(columns=[*plan.weights], fill_value=0).to_numpy("int64")
    if counts.sum() < FEWEST:
        return []
    if len(counts) == 1:  # all came at once, so there is one look only
        return [words.SIZES.by_luck(_at_once(counts[0], plan))]
    overall = words.SIZES.by_luck(_ratio(counts.cumsum(axis=0), plan))
    p_values = [_ratio(each[None, :], plan, concentration=GROSS) for each in counts]
    names = [str(day.date()) for day in days.index]
    # Of all days that are planned, those to come included, so that it may be repeated every day.
    to_come = max(plan.days - len(days), 0)
    return [overall, _worst(words.DAYS, [*p_values, *[1.0] * to_come], names=names)]


def _by_stratum(found: Collapsed, plan: Plan) -> list[Check]:
    sizes = _of_plan(found.sizes, plan)
    keys = zip(sizes["enrolled_on"].astype(str), sizes["stratum"], sizes["arm"], strict=True)
    told = balance(dict(zip(keys, sizes["customers"], strict=True)), plan.weights)
    told = told.iloc[1:]  # the first row is everybody
    if len(told) < 2:
        return []
    return [_worst(words.STRATA, told["p_value"].tolist(), names=told["stratum"].tolist())]


def _worst(told: Words, p_values: list[float], *, names: list[str]) -> Check:
    """Judge by the most unlikely of several, naming those that are unlikely for so many."""
    allowed = adjusted(p_values, method="holm", alpha=WARN)
    off = [name for name, is_off in zip(names, allowed.rejected, strict=False) if is_off]
    return told.by_luck(float(allowed.p_values.min()), where=", ".join(off[:5]))


def _at_once(counts: Ints, plan: Plan) -> float:
    planned = [*plan.weights.values()]
    if counts.sum() * min(planned) < LARGE:
        return _ratio(counts[None, :], plan)
    return once(counts.tolist(), planned=planned).p_value


def _ratio(counts: Ints, plan: Plan, *, concentration: float = 100.0) -> float:
    """How often luck spreads customers over the arms as unevenly, at any of these looks."""
    tested = anytime(counts, planned=[*plan.weights.values()], concentration=concentration)
    return float(tested.p_value[-1])


def _share(told: Words, column: str, *, limits: Limits, of: str = "customers") -> _Made:
    """Make a check of the share of customers that a column counts."""

    def check(found: Collapsed, plan: Plan) -> list[Check]:
        counts = _in_plan(found, plan)
        total = int(counts[of].sum())
        return [told.by_share(int(counts[column].sum()), total, **limits)] if total else []

    return check


def _spread(told: Words, column: str) -> _Made:
    """Make a check that customers whom a column counts are spread over the arms as planned."""

    def check(found: Collapsed, plan: Plan) -> list[Check]:
        arms = _in_plan(found, plan)
        counts = arms[column].to_numpy("int64")
        if not arms["customers"].all():  # that an arm has nobody is told by its size
            return []
        return [told.by_luck(_ratio(counts[None, :], plan))] if counts.sum() >= FEWEST else []

    return check


def _censored(found: Collapsed, plan: Plan) -> list[Check]:
    """Compare when arms are censored; who has the event on a day is gone by the end of it."""
    grid = _of_plan(found.grid, plan)
    left = grid.assign(events=grid["censored"], censored=0)
    gone = grid.assign(day=grid["day"] - 0.5, events=0, censored=grid["events"])
    try:
        tested = logrank(pd.concat([left, gone[gone["censored"] > 0]]), by="arm")
    except BadData:  # nobody is censored yet, or all on one day
        return []
    return [words.CENSORED.by_luck(tested.p_value)]


def _reach(found: Collapsed, plan: Plan) -> list[Check]:
    """Compare the arm that is reached least with the share that the plan expects to reach."""
    counts = _in_plan(found, plan).loc[[arm.name for arm in plan.arms if arm.message]]
    counts = counts[counts["due"] >= FEWEST]
    if counts.empty:
        return []
    reached = counts["delivered"] if "delivered" in counts else counts["sent"]
    share, planned = float((reached / counts["due"]).min()), plan.assumptions.contact_rate or 1.0
    low, lost = LOW_REACH * planned, LOST_REACH * planned
    status: Status = "fail" if share < lost else "warn" if share < low else "pass"
    limits = f"warn below {100 * low:.0f} in 100 customers, fail below {100 * lost:.0f}"
    return [words.REACH.judged(status, value=share, threshold=limits)]


def _drift(found: Collapsed, plan: Plan) -> list[Check]:
    try:
        told = drift(_of_plan(found.grid, plan), control=plan.arms[0].name)
    except BadData:  # too few events to tell
        return []
    by_week = [] if told.by_week is None else [words.BY_WEEK.by_luck(told.by_week)]
    # An effect that begins late or wears off is one, and the share at the planned day holds.
    return [*by_week, words.BY_DAY.by_luck(told.by_day, fails=False)]


# What must not be missing, what is said, and the check, in the order of a page.
_CHECKS: tuple[tuple[Part | None, tuple[Words, ...], _Made], ...] = (
    (None, (), _arms),
    (None, (), _share(words.STRANGERS, "stranger", limits=NONE)),
    (None, (), _by_day),
    (None, (), _by_stratum),
    (None, (), _share(words.CROSSED, "crossed", limits=NONE)),
    (None, (), _share(words.REPEATED, "repeated", limits=NONE)),
    ("milestone", (words.ZERO,), _share(words.ZERO, "off", limits=NONE)),
    ("milestone", (words.EARLY,), _share(words.EARLY, "early", limits=NONE)),
    ("outcome", (words.FIRST,), _share(words.FIRST, "outcome_first", limits=FEW)),
    ("outcome", (words.LEFT_OUT,), _spread(words.LEFT_OUT, "left_out")),
    ("outcome", (words.CENSORED,), _censored),
    ("before", (words.BEFORE,), _spread(words.BEFORE, "earlier")),
    ("messages", (words.WRONG,), _share(words.WRONG, "wrong", limits=FEW, of="due")),
    ("messages", (words.REACH,), _reach),
    ("outcome", (words.BY_WEEK, words.BY_DAY), _drift),
)
