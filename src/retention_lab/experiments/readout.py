"""A test as one page reads it: whether it may be read, what it did, how sure that is, what to do.

What cannot be said is missing here, with a sentence that says why: a test that nobody has entered
has a page, too.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from types import MappingProxyType
from typing import Protocol

import pandas as pd

from retention_lab.experiments import (
    assigned,
    freezing,
    measured,
    sequential,
    stakes,
    subgroups,
    validity,
    validity_tables,
    verdicts,
)
from retention_lab.experiments import believed as beliefs
from retention_lab.experiments import effects as comparisons
from retention_lab.experiments import history as histories
from retention_lab.experiments.attempts import Attempts
from retention_lab.experiments.design.assumptions import Assumptions
from retention_lab.experiments.effects import Effect, Reading
from retention_lab.experiments.freezing import Frozen
from retention_lab.experiments.plan import Plan
from retention_lab.experiments.sequential import Looked
from retention_lab.experiments.stakes import Money
from retention_lab.experiments.subgroups import Subgroups
from retention_lab.experiments.validity import Validity
from retention_lab.experiments.validity_tables import Collapsed, Marked
from retention_lab.experiments.verdicts import Decision
from retention_lab.state import State
from retention_lab.tables.metrics import Metric
from retention_lab.tables.snapshot import Snapshot

_NONE: Mapping[str, Metric] = MappingProxyType({})
_NOT_YET = Decision(verdict="continue", because="early")


class At(Protocol):
    """Gives a shop as of another day."""

    def __call__(self, *, as_of: dt.date) -> Snapshot:
        """Return the shop as it was known at the end of a day."""
        ...


@dataclass(frozen=True, kw_only=True, eq=False)
class Readout:
    """What a test says as of a day; its effect is that of the last look, as of `read_on`.

    `validity` is as of the day itself, `shop` and `marked` are as of the look. `measured` is as of
    `measured_on`: the look, or when its customers had all been followed after the end of the test.
    `rails_on` is when guardrails that the last look left open are read once more, None if they will
    not be. `digests` counts the assigned by the digest of the plan by which they were. Parts that
    cannot be told are None or empty, and `why` has a sentence under their name. Without `shows` no
    number of the effect may be said or drawn: no look has come, or a check has failed.
    """

    as_of: dt.date
    read_on: dt.date
    measured_on: dt.date
    name: str
    currency: str
    simulated: bool
    plan: Plan
    why: Mapping[str, str]
    frozen: Frozen | None
    deviations: pd.DataFrame | None
    shop: Snapshot | None = None
    marked: Marked | None = None
    decision: Decision = _NOT_YET
    shows: bool = False
    digests: Mapping[str, int] = field(default_factory=dict)
    validity: Validity | None = None
    collapsed: Collapsed | None = None
    looked: tuple[Looked, ...] = ()
    rails_on: dt.date | None = None
    effects: tuple[Effect, ...] = ()
    curves: pd.DataFrame | None = None
    measured: pd.DataFrame | None = None
    subgroups: Subgroups | None = None
    money: Mapping[str, Money] = field(default_factory=dict)


def readout(
    shop: Snapshot, plan: Plan, *, state: State, at: At, metrics: Mapping[str, Metric] = _NONE
) -> Readout:
    """Read a test as of a shop's day; if that is a look, the state's ledger has it from then on.

    Parameters
    ----------
    state
        What was frozen, who was assigned unless the shop says, and which looks were taken.
    at
        Gives the same shop as of an earlier day.
    metrics
        Own metrics by their names, which a plan may name.

    Raises
    ------
    BadData
        If a ledger of the state is damaged.
    """
    test = _Test(shop=shop, plan=plan, state=state, at=at, metrics=metrics)
    known = _frozen(state, plan, as_of=shop.as_of)
    found = Readout(
        as_of=shop.as_of,
        read_on=shop.as_of,
        measured_on=shop.as_of,
        name=shop.name,
        currency=shop.currency,
        simulated=shop.simulated,
        plan=plan,
        why=test.tried.why,
        frozen=known,
        deviations=None if known is None else freezing.deviations(plan, known),
    )
    rows = test.tried("assigned", partial(assigned.assigned, shop, plan, state=state))
    if rows is None:
        return found
    marked = validity_tables.marked(shop, plan, rows)
    counts = validity_tables.counted(marked)
    checked = validity.verdict(validity.checks(counts, plan=plan), plan)
    digests = assigned.digests(rows, people=marked.people)
    found = replace(found, digests=digests, collapsed=counts, validity=checked)
    return test.read(found, marked, holds=checked.holds)


@dataclass(frozen=True, kw_only=True, eq=False)
class _Test:
    """A test on a shop, and what of it could not be told so far."""

    shop: Snapshot
    plan: Plan
    state: State
    at: At
    metrics: Mapping[str, Metric]
    tried: Attempts = field(default_factory=Attempts)

    def read(self, found: Readout, marked: Marked, *, holds: bool) -> Readout:
        """Read the test as of its last look, which may be today; none is taken of an invalid one.

        Between looks, numbers are those of the last one: as of its day, whatever came in since.
        """
        effects = self._effects(marked)
        looked = self._due(effects)
        if not holds:
            return _decided(replace(found, looked=looked))
        if sequential.take(looked, state=self.state) < sum(each.row is not None for each in looked):
            looked = self._due(effects)  # somebody else was quicker, and what they took stands
        day = max((each.on for each in looked if each.on is not None), default=None)
        if day is None:
            return _decided(replace(found, looked=looked))
        # An arm that an earlier look stopped keeps the numbers of that look.
        days = {each.arm: each.on or day for each in looked}
        followed = self._followed_on(looked, day)
        measured_on = followed if followed and followed <= self.shop.as_of else day
        then = {on: self._then(on, marked) for on in {day, measured_on, *days.values()}}
        today = {self.shop.as_of: effects}
        told = {on: today.get(on) or self._effects(then[on][1]) for on in {*days.values()}}
        again = tuple(each for on in told for each in told[on] if days[each.arm] == on)
        order = [arm.name for arm in self.plan.arms]
        seen = replace(
            found,
            read_on=day,
            measured_on=measured_on,
            rails_on=followed if measured_on == day else None,
            looked=sequential.compared(looked, _readings(again)),
            effects=tuple(sorted(again, key=lambda each: order.index(each.arm))),
            shows=True,
        )
        return self._evidence(seen, then)

    def _due(self, effects: tuple[Effect, ...]) -> tuple[Looked, ...]:
        """Say of each arm what today is, and why there is nothing to read where that is so."""
        why = dict.fromkeys(self.plan.weights, self.tried.why.get("effects", ""))
        looked = sequential.due(
            self.plan,
            _readings(effects),
            shop_name=self.shop.name,
            as_of=self.shop.as_of,
            state=self.state,
            assumed=self._assumed(),
        )
        own = {each.arm: each.why.get("reading", "") for each in effects}
        return sequential.explained(looked, why | own)

    def _followed_on(self, looked: tuple[Looked, ...], day: dt.date) -> dt.date | None:
        """When metrics of an ended test are read once more, a day known beforehand.

        Guardrails that the last look left open may be shown to hold when all of its customers have
        been followed. Read on every day until they are, harm of the margin would be ruled out
        wrongly 6 to 10 times in 100, not 2.5; read once more, at most 4 times.
        """
        if not all(each.stopped for each in looked):
            return None
        return day + dt.timedelta(days=self.plan.endpoint.day)

    def _then(self, day: dt.date, today: Marked) -> tuple[Snapshot, Marked]:
        """Give the shop and its customers as of a day, which are at hand as of today."""
        if day == self.shop.as_of:
            return self.shop, today
        shop = self.at(as_of=day)
        rows = assigned.assigned(shop, self.plan, state=self.state)
        return shop, validity_tables.marked(shop, self.plan, rows)

    def _effects(self, marked: Marked) -> tuple[Effect, ...]:
        return self.tried("effects", partial(comparisons.effects, marked, self.plan)) or ()

    def _assumed(self) -> Assumptions | None:
        """What the plan leaves to history, as history was the day before the test began."""
        told = self.plan.assumptions
        if told.entry_per_day is not None and told.baseline is not None:
            return None

        def by_history() -> Assumptions:
            before = self.at(as_of=self.plan.starts - dt.timedelta(days=1))
            return beliefs.believed(self.plan, histories.history(before, self.plan)).assumptions

        return self.tried("assumed", by_history)

    def _evidence(self, seen: Readout, then: Mapping[dt.date, tuple[Snapshot, Marked]]) -> Readout:
        """Add all that rests on the customers as of the last look, and what to do."""
        (shop, marked), (later, people) = then[seen.read_on], then[seen.measured_on]
        plan, looks = self.plan, {each.arm: each for each in seen.looked}
        worth = {
            each.arm: self.tried(
                f"money:{each.arm}",
                partial(stakes.money, shop, marked, plan, each, looks[each.arm]),
            )
            for each in seen.effects
        }
        asked = partial(measured.measured, later, people.arms, plan, metrics=self.metrics)
        told = replace(
            seen,
            shop=shop,
            marked=marked,
            curves=self.tried("curves", partial(comparisons.curves, marked, plan)),
            measured=self.tried("measured", asked),
            subgroups=self.tried("subgroups", partial(subgroups.subgroups, marked, plan)),
            money={arm: each for arm, each in worth.items() if each is not None},
        )
        return _decided(told)


def _frozen(state: State, plan: Plan, *, as_of: dt.date) -> Frozen | None:
    """Find what was frozen by a day."""
    found = freezing.frozen(state, plan.name)
    versions = () if found is None else found.versions
    known = tuple(each for each in versions if each.frozen_on <= as_of)
    return Frozen(versions=known) if known else None


def _readings(effects: tuple[Effect, ...]) -> dict[str, Reading]:
    return {each.arm: each.reading for each in effects if each.reading is not None}


def _decided(seen: Readout) -> Readout:
    decision = verdicts.decide(
        plan=seen.plan,
        validity=seen.validity,
        looked=seen.looked,
        effects=seen.effects,
        measured=seen.measured,
        money=seen.money,
    )
    if seen.rails_on is not None:
        decision = verdicts.waits(decision, seen.measured)
    return replace(seen, decision=decision)
