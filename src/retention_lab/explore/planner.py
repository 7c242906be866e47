"""The experiment planner: a plan of a randomized test, tried out by hand until it is frozen."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Callable
from functools import cache, cached_property, partial
from math import ceil
from typing import Any, cast

import ipywidgets

from retention_lab import state as states
from retention_lab.charts import planner as charts
from retention_lab.checks import BadParameter, Refusal
from retention_lab.experiments import believed, drafting, freezing, history
from retention_lab.experiments import plan as plans
from retention_lab.experiments.attempts import Attempts
from retention_lab.experiments.believed import Belief
from retention_lab.experiments.drafting import Changes
from retention_lab.experiments.history import History
from retention_lab.experiments.plan import Plan
from retention_lab.experiments.proposal import Proposal, sketch
from retention_lab.explore import making, planner_controls
from retention_lab.explore.board import Board
from retention_lab.explore.explorer import Explorer, Seen, Settings
from retention_lab.explore.making import Report
from retention_lab.explore.opened import Opened, root
from retention_lab.record import Ledger
from retention_lab.record import planner as record
from retention_lab.wording import planner as said
from retention_lab.wording.design import design_headline

NOTEBOOK = "notebooks/40_experiment_design.ipynb"
_PER_100 = 1 / 100
_FIELDS = {  # of a plan, by setting, with the factor from one to the other
    "effect": ("smallest_effect", _PER_100),
    "weeks": ("days", 7),
    "control": ("control", _PER_100),
    "looks": ("looks", 1),
    "reach": ("contact_rate", _PER_100),
    "onset": ("onset_days", 1),
    "horizon": ("endpoint_day", 1),
}
_WORDS = ("starts", "name", "owner")


def planner(
    opened: Opened, *, plan: str = "data/demo_plan.yml", owner: str = "The retention team"
) -> Board:
    """Try out the plan of a test; the settings begin with what its file and history say.

    Raises
    ------
    BadParameter
        When the plan cannot be read.
    """
    return Board(Planner(opened, file=plan), owner=owner)


class Planner(Explorer):
    """A plan of a test beside the history of a shop; what is not moved stays as the file has it.

    Shares and effects of its settings are in 100.
    """

    name = "planner"

    def __init__(self, opened: Opened, *, file: str) -> None:
        self.opened, self._file, self._plan = opened, file, plans.load(file)
        self._read = cache(self._history)

    @cached_property
    def start(self) -> Settings:
        """See `Explorer.start`."""
        plan, looks = self._plan, self._plan.looks
        share, reach = plan.assumptions.baseline or 0.5, plan.assumptions.contact_rate or 1.0
        if (held := self._beliefs(plan)) is not None:
            share, reach = held[1].value, held[2].value
        return {
            "effect": round(100 * plan.primary.smallest_effect, 4),
            "weeks": ceil(plan.days / 7),
            "control": round(100 * plan.arms[0].share, 2),
            "looks": len(looks.days or looks.information or ()) if looks else 1,
            "reach": round(100 * reach, 1),
            "onset": plan.assumptions.onset_days,
            "horizon": plan.endpoint.day,
            "own": False,
            "baseline": round(100 * share, 1),
            "starts": str(plan.starts),
            "name": plan.name,
            "owner": plan.owner,
        }

    def controls(self, settings: Settings) -> dict[str, ipywidgets.Widget]:
        """See `Explorer.controls`."""
        return planner_controls.controls(settings, start=self.start)

    def seen(self, settings: Settings) -> Seen:
        """See `Explorer.seen`."""
        seen, shop = self.proposed(settings), self.opened.shop
        ledger, held = self.ledger(seen), self._beliefs(seen.plan) if settings["own"] else None
        words = (
            said.planner_answer(ledger, seen),
            said.planner_cautions(seen, overruled=None if held is None else held[1]),
        )
        return Seen(
            says=said.planner_says(ledger, seen, simulated=shop.simulated, where=shop.where),
            chart=charts.power(seen),
            words="\n\n".join(filter(None, words)),
            table=said.planner_looks(seen),
        )

    def proposed(self, settings: Settings) -> Proposal:
        """Work out the plan of the settings by what formulas tell at once."""
        named = {"name": self.start["name"], "owner": self.start["owner"]}
        changes = self._changes({**settings, **named})
        plan = drafting.drafted(self._plan, **changes)
        past, share = self._past(plan), changes.get("baseline")
        return sketch(self.opened.shop, plan, past, baseline=share)

    def ledger(self, seen: Proposal) -> Ledger:
        """Record what is known of a plan, under its headline."""
        ledger = Ledger(where=self.opened.shop.where)
        record.record(ledger, seen)
        ledger.headline = design_headline(ledger, seen)
        return ledger

    def plan(self, settings: Settings) -> Plan:
        """Return the plan of the settings.

        Raises
        ------
        BadParameter
            If there is no such plan.
        """
        return drafting.drafted(self._plan, **self._changes(settings))

    def code(self, settings: Settings) -> str:
        """See `Explorer.code`."""
        changes = self._changes(settings)
        words = "".join(f", {name}={value!r}" for name, value in changes.items())
        own = f", baseline={changes['baseline']!r}" if "baseline" in changes else ""
        return (
            "import retention_lab\n"
            "from retention_lab.experiments import drafting\n"
            "from retention_lab.experiments import plan as plans\n\n"
            f"lab = {self.opened.lab()}\n"
            f"plan = drafting.drafted(plans.load({self._file!r}){words})\n"
            f"design = lab.design(plan{own})\n"
            "display(design, design.calendar, design.looks)"
        )

    def report(self, settings: Settings) -> Report:
        """See `Explorer.report`."""
        text = drafting.text(self.plan(settings))
        mark = hashlib.sha256(text.encode()).hexdigest()[:6]
        place = f"experiments/{self._plan.name}/draft-{mark}.yml"
        return Report(
            name="design",
            title="How large the test must be",
            notebook=NOTEBOOK,
            keys={"plan": place},
            files={place: text},
        )

    def actions(self, settings: Settings) -> dict[str, Callable[[Settings], str]]:
        """See `Explorer.actions`."""
        del settings
        return {"Freeze this plan": self._freeze}

    def _freeze(self, settings: Settings) -> str:
        """Write the plan where tests have theirs, and freeze it, or neither of the two."""
        lacks = [name for name in ("name", "owner") if not str(settings[name]).strip()]
        if lacks:
            raise BadParameter(f"Fill in {' and '.join(lacks)}, without which no plan is frozen.")
        plan = self.plan(settings)
        place = f"experiments/{plan.name}/plan.yml"
        file = root() / place
        new = not file.exists()
        if new or plans.digest(plans.load(file)) != plans.digest(plan):
            making.write(file, drafting.text(plan))
        state = states.opened(root() / "state")
        try:
            today = dt.datetime.now(dt.UTC).date()  # as `retention-lab freeze` has it
            frozen = freezing.freeze(plan, state=state, as_of=today)
        except Refusal:
            if new:
                file.unlink()
            raise
        others = freezing.overlapping(plan, state)
        day, mark = frozen.frozen_on, frozen.digest
        told = said.planner_frozen(
            plan, place=place, source=self.opened.source, on=day, digest=mark
        )
        return "\n\n".join((told, *others))

    def _changes(self, settings: Settings) -> Changes:
        """Name what the settings change, in the plan's own words and units."""
        moved: dict[str, Any] = {
            name: each for name, each in settings.items() if each != self.start[name]
        }
        changes: dict[str, Any] = {
            field: moved[name] * by if by >= 1 else round(moved[name] * by, 6)
            for name, (field, by) in _FIELDS.items()
            if name in moved
        } | {name: moved[name] for name in _WORDS if name in moved}
        if settings["own"]:
            changes["baseline"] = round(float(str(settings["baseline"])) * _PER_100, 6)
        return cast("Changes", changes)

    def _beliefs(self, plan: Plan) -> tuple[Belief, ...] | None:
        """Return what is taken for granted; None where nobody knows."""
        held = Attempts()("", partial(believed.believed, plan, self._past(plan)))
        return None if held is None else held.beliefs

    def _past(self, plan: Plan) -> History:
        """Read the history of a plan, once for all days of its endpoint up to half a year."""
        day = max(plan.endpoint.day, planner_controls.HALF_A_YEAR)
        return history.at(self._read(day), plan.endpoint)

    def _history(self, day: int) -> History:
        plan = drafting.drafted(self._plan, endpoint_day=day)
        return history.history(self.opened.shop, plan)
