"""A test before it begins, as one page shows it: its size, its time, and what both rest on.

The shop's history counts where it can tell, the plan where it cannot. What cannot be said of a plan
is missing here, with a sentence that says why: a plan that cannot be sized has a page, too.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from types import MappingProxyType
from typing import Literal

import numpy as np
import pandas as pd

from retention_lab.checks import Refusal
from retention_lab.customers.groups import LEAST
from retention_lab.experiments import believed as beliefs
from retention_lab.experiments import guarding, lookahead, naming, sizing, tradeoffs
from retention_lab.experiments import history as histories
from retention_lab.experiments.attempts import Attempts
from retention_lab.experiments.believed import Believed
from retention_lab.experiments.drafting import drafted
from retention_lab.experiments.history import History
from retention_lab.experiments.plan import Plan
from retention_lab.experiments.sizing import Sized
from retention_lab.inference.interval import Interval
from retention_lab.tables import population, saved
from retention_lab.tables.metrics import Metric
from retention_lab.tables.snapshot import Snapshot

Verdict = Literal["enough", "early", "few", "years", "nobody", "unknown"]

# "A 5-15 % lift" of retention over 90 days is claimed for check-ins by the trade press, of unknown
# origin. Whether points or a relative lift are meant is said nowhere; it is read as relative.
TRADE = (0.05, 0.15)
_SPEAKS_OF = range(60, 121)  # days of an endpoint to which a claim about 90 days speaks
_NONE: Mapping[str, Metric] = MappingProxyType({})


@dataclass(frozen=True, kw_only=True, eq=False)
class Proposal:
    """What a plan asks for, and how sure that is, for one shop as of a day.

    `effects`, `calendar` and `allocations` are of `tradeoffs`, `looks` and `families` of
    `lookahead`, `wrong` and `simulated` of `believed`, `guardrails` of `guarding`; `unknown` says
    what of the plan does not fit the shop, most of it by `naming`. A part that cannot be told is
    None, and `why` has a sentence under its name, or under that of what it would rest on.
    """

    as_of: dt.date
    currency: str
    plan: Plan
    unknown: tuple[str, ...]
    why: Mapping[str, str]
    history: History
    believed: Believed | None
    sized: Sized | None
    effects: pd.DataFrame | None = None
    calendar: pd.DataFrame | None = None
    allocations: pd.DataFrame | None = None
    looks: pd.DataFrame | None = None
    families: pd.DataFrame | None = None
    wrong: pd.DataFrame | None = None
    simulated: Interval | None = None
    guardrails: pd.DataFrame | None = None

    @property
    def verdict(self) -> Verdict:
        """Say what stands against the plan, if anything.

        `nobody`: in the last weeks fewer came than may be told, whatever the plan says. `years`: it
        would take two or more. `few`: not enough customers enter in its days of enrolment. `early`:
        they do, but its last look comes before they have, or before they have been followed.
        """
        found, weeks = self.sized, self.history.weeks["eligible"].tail(histories.PACE_WEEKS)
        known = len(weeks) >= histories.LEAST_WEEKS and not weeks.isna().any()
        if known and weeks.sum() < LEAST:
            return "nobody"
        if found is None:
            return "unknown"
        if found.weeks > sizing.TOO_LONG:
            return "years"
        if not found.why:
            return "enough"
        return "early" if found.enrol_days <= self.plan.days else "few"

    @property
    def trade(self) -> tuple[float, float] | None:
        """The claim of the trade as differences of shares; None where it speaks of another test."""
        kind, day = self.plan.endpoint.kind, self.plan.endpoint.day
        if self.sized is None or kind != "retained" or day not in _SPEAKS_OF:
            return None
        least, most = (lift * self.sized.baseline for lift in TRADE)
        return least, most


def proposal(
    shop: Snapshot,
    plan: Plan,
    *,
    metrics: Mapping[str, Metric] = _NONE,
    baseline: float | None = None,
    times: int = 2_000,
    seed: int = 1,
) -> Proposal:
    """Work out what a plan asks for, from the history of a shop.

    Parameters
    ----------
    metrics
        Own metrics by their names, which a plan may guard.
    baseline
        What counts for the share of control in the place of what history tells, if anything.
    times
        Simulated tests, at most.
    seed
        Of the simulated tests.
    """
    tried, past = Attempts(), histories.history(shop, plan)
    found = _formulas(tried, shop, *_by_word(plan, past, baseline))
    unknown = (*_unseen(plan, shop), *naming.unknown(plan, shop, metrics=metrics), *found.unknown)
    found, plan, held = replace(found, unknown=unknown), found.plan, found.believed
    if held is None or found.sized is None:
        return found
    asked = partial(guarding.guardrails, shop, plan, customers=found.sized.planned, metrics=metrics)
    rng = np.random.default_rng(seed)
    return replace(
        _traded(tried, found, held),
        simulated=tried("simulated", partial(beliefs.simulated, plan, held, times=times, rng=rng)),
        guardrails=tried("guardrails", asked),
    )


def sketch(shop: Snapshot, plan: Plan, past: History, *, baseline: float | None = None) -> Proposal:
    """Work out of a plan, by its history, what formulas tell at once; `baseline` as in `proposal`.

    That is its size, its calendar, its looks and its weakest assumption. The shop is asked nothing:
    of what does not fit it, only looks that come too soon are told.
    """
    return _formulas(Attempts(), shop, *_by_word(plan, past, baseline))


def _by_word(plan: Plan, past: History, baseline: float | None) -> tuple[Plan, History]:
    """Set aside what history tells of the baseline, for what somebody says."""
    if baseline is None:
        return plan, past
    why = {**past.why, "baseline": "History is set aside for what is said."}
    return drafted(plan, baseline=baseline), replace(past, baseline=None, why=why)


def _formulas(tried: Attempts, shop: Snapshot, plan: Plan, past: History) -> Proposal:
    held = tried("believed", partial(beliefs.believed, plan, past))
    size = None if held is None else tried("sized", partial(sizing.sized, plan, held.assumptions))
    found = Proposal(
        as_of=shop.as_of,
        currency=shop.currency,
        plan=plan,
        unknown=(),
        why=tried.why,
        history=past,
        believed=held,
        sized=size,
    )
    if held is None or size is None:
        return found
    looks = tried("looks", partial(lookahead.looks, plan, held.assumptions))
    return replace(
        found,
        unknown=_too_soon(plan, looks),
        calendar=tried("calendar", partial(tradeoffs.calendar, plan, held.assumptions)),
        looks=looks,
        wrong=tried("wrong", partial(beliefs.wrong, plan, held)),
    )


def _unseen(plan: Plan, shop: Snapshot) -> tuple[str, ...]:
    """Say so where the shop has nobody to enrol, or no table that could tell how the test ends."""
    needed, who, other = (
        ("subscriptions", "is retained", "returned")
        if plan.endpoint.kind == "retained"
        else ("orders", "has returned", "retained")
    )
    lost = _lost(plan, shop)
    if needed in shop.tables:
        return lost
    return (
        *lost,
        f"endpoint: {shop.name} has no {needed}, which tell who {who}. Map them in its source "
        f"file, or take the endpoint {other}.",
    )


def _lost(plan: Plan, shop: Snapshot) -> tuple[str, ...]:
    """Say so where the plan's condition fits nobody, or cannot be asked of the shop."""
    if not plan.where:
        return ()
    where = f"cohort('{plan.where}')" if plan.where in saved.names() else plan.where
    try:
        population.chosen(shop, where)
    except Refusal as refused:
        return (f"where: {refused}",)
    return ()


def _traded(tried: Attempts, found: Proposal, held: Believed) -> Proposal:
    """Add what the plan could be instead."""
    plan, assumed = found.plan, held.assumptions
    more = found.trade or ()
    return replace(
        found,
        effects=tried("effects", partial(tradeoffs.effects, plan, assumed, more=more)),
        allocations=tried("allocations", partial(tradeoffs.allocations, plan, assumed)),
        families=tried("families", partial(lookahead.families, plan, assumed)),
    )


def _too_soon(plan: Plan, looks: pd.DataFrame | None) -> tuple[str, ...]:
    """Say so where the first look would fall before the days that the plan takes at least."""
    if looks is None or looks["day"].iloc[0] >= plan.minimum_days:
        return ()
    return (
        f"looks: the first would fall on day {looks['day'].iloc[0]}, before minimum_days "
        f"({plan.minimum_days}). Look later, or lower minimum_days.",
    )
