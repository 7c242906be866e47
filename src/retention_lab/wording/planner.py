"""What is said of a test while its plan is tried out: at once, and with what must stand beside."""

from __future__ import annotations

import datetime as dt
from math import isnan

import pandas as pd

from retention_lab.experiments.believed import Belief
from retention_lab.experiments.plan import Plan
from retention_lab.experiments.proposal import Proposal
from retention_lab.record import Ledger, percent
from retention_lab.record.planner import COST
from retention_lab.wording import believed, tradeoffs
from retention_lab.wording.annotations import inert
from retention_lab.wording.design import design_body, design_headline, design_unknown
from retention_lab.wording.phrases import Instead, counted, full_day
from retention_lab.wording.sizes import lasts, often, points


def planner_says(ledger: Ledger, seen: Proposal, *, simulated: bool, where: str) -> str:
    """Say in one plain line what the plan needs, what it has, of whom, and as of which day."""
    made_up = ", made-up customers" if simulated else ""
    only = f", only {where}" if where else ""
    of = f"{seen.plan.title} (as of {full_day(seen.as_of)}{made_up}{only})"
    if seen.sized is None:
        return f"{of}: how many customers it needs cannot be said yet."
    one = seen.plan.primary
    return (
        f"{of}: to find {points(one.smallest_effect)} {often(one.power)} takes "
        f"{ledger['design_needed'].text} customers and {lasts(seen.sized.weeks)}; "
        f"{_enrolment(seen.plan)} of enrolment bring {ledger['design_planned'].text}, who show it "
        f"{_times(seen.sized.power)}."
    )


def planner_answer(ledger: Ledger, seen: Proposal) -> str:
    """Say what the plan rests on, what it could see, what it costs, and what is weak, in Markdown.

    Where the plan is not enough, that comes first.
    """
    verdict = "" if seen.verdict == "enough" else f"**{design_headline(ledger, seen)}**"
    read = seen.calendar
    said = (
        verdict,
        design_body(ledger, seen),
        "" if seen.sized is None else _shows(ledger, seen.plan),
        "" if read is None else tradeoffs.tradeoffs_calendar(seen.plan, read),
    )
    return "\n\n".join(filter(None, said))


def planner_cautions(seen: Proposal, *, overruled: Belief | None) -> str:
    """Say where the plan and history differ, and what of it does not fit; empty where all does.

    `overruled` is what would be believed of the baseline without somebody's own word.
    """
    held = seen.believed
    differs = [] if held is None else believed.believed_differs(held)
    own = "" if overruled is None else _overruled(overruled)
    return " ".join(filter(None, (own, *differs, design_unknown(seen))))


def planner_looks(seen: Proposal) -> pd.DataFrame | Instead:
    """List the looks: when, what stops the test there, and how likely that is."""
    if seen.looks is None:
        return Instead(seen.why.get("looks", ""))
    down = seen.plan.primary.sides == 2
    rows = {
        "Look": seen.looks["look"],
        "At the end of": seen.looks["on"].map(full_day),
        "Known by then": seen.looks["information"].map(percent),
        f"Stops from, {'up or down' if down else 'a gain of'}": seen.looks["smallest"].map(_effect),
        "May give up below": seen.looks["futility"].map(_effect),
        "Stopped by then, with the effect": seen.looks["stops_with"].map(percent),
        "Without any": seen.looks["stops_without"].map(percent),
    }
    return pd.DataFrame(rows).set_index("Look")


def planner_frozen(plan: Plan, *, place: str, source: str, on: dt.date, digest: str) -> str:
    """Say that a plan is frozen, where it lies, and what comes next, in Markdown."""
    return (
        f"**{plan.name} is frozen as of {full_day(on)}**, and {inert(plan.owner)} answers for it. "
        f"It lies in `{place}`; its digest is `{digest[:12]}`. Customers enter from "
        f"{full_day(plan.starts)} to {full_day(plan.ends)}. Assign them daily:\n\n"
        f"```\nretention-lab assign {place} {source}\n```"
    )


def _shows(ledger: Ledger, plan: Plan) -> str:
    onset = plan.assumptions.onset_days
    late = f"The effect is taken to set in {onset:g} days after the milestone." if onset else ""
    return " ".join(filter(None, (_smallest(ledger, plan), late, _cost(ledger))))


def _smallest(ledger: Ledger, plan: Plan) -> str:
    who = f"The {ledger['design_planned'].text} customers of {_enrolment(plan)}"
    if "design_detectable" not in ledger:
        return f"{who} show no effect {often(plan.primary.power)}, however large."
    least = points(ledger["design_detectable"].value)
    return f"{who} show an effect of {least} or more {often(plan.primary.power)}."


def _times(share: float) -> str:
    return "more than 99 times in 100" if share >= 0.995 else f"{100 * share:.0f} times in 100"


def _cost(ledger: Ledger) -> str:
    return f"Their messages cost {ledger[COST].text}." if COST in ledger else ""


def _overruled(belief: Belief) -> str:
    if belief.source != "history":
        return ""
    told = f"{believed.written('baseline', belief.value)}, "
    told += believed.ranged("baseline", belief.low, belief.high)
    return (
        f"The share as things are is your own word; history says {told}. A report of this plan "
        "goes by history."
    )


def _enrolment(plan: Plan) -> str:
    weeks, days = divmod(plan.days, 7)
    return counted(plan.days, "day") if days else counted(weeks, "week")


def _effect(value: float) -> str:
    return "none" if isnan(value) else points(value)
