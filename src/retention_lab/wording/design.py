"""The first screen of a test before it begins: its size, how sure that is, and what it rests on."""

from __future__ import annotations

from retention_lab.experiments.believed import Belief, Believed
from retention_lab.experiments.plan import Plan
from retention_lab.experiments.proposal import Proposal
from retention_lab.experiments.sizing import TOO_LONG, Sized
from retention_lab.record import Claim, Ledger
from retention_lab.wording.annotations import inert
from retention_lab.wording.believed import believed_weakest
from retention_lab.wording.deciding import (
    design_decide,
    design_plan_lines,
    design_unknown,
    differs,
)
from retention_lab.wording.phrases import capitalised, counted, in_hundred, possessive, quoted
from retention_lab.wording.sizes import bare_points, lasts, often, points

__all__ = [
    "design_body",
    "design_decide",
    "design_headline",
    "design_plan_lines",
    "design_unknown",
]

_BY = f"By the {possessive('shop')} history,"


def design_headline(ledger: Ledger, seen: Proposal) -> str:
    """Say in one line what would be learnt, and from how many customers in how many weeks."""
    size = seen.sized
    if size is None:
        return "How many customers this test needs cannot be said yet."
    learn, needed = f"to learn {_question(seen.plan)}", ledger["design_needed"].text
    needs = f"{needed} customers and {lasts(size.weeks)}"
    if seen.verdict == "years":
        return f"Do not run this test as it stands: {learn} would take {lasts(size.weeks)}."
    if seen.verdict == "few":
        return (
            f"This test is too small as planned: {learn} takes {needs}, and "
            f"{ledger['design_planned'].text} would enter."
        )
    if seen.verdict == "early":
        return (
            f"This test would be read too early: {learn} takes {needs}, and its last look "
            f" comes after {lasts(size.planned_weeks)}."
        )
    return f"{capitalised(learn)}, we need {needs}."


def _question(plan: Plan) -> str:
    """Word what the test asks."""
    thing, effect = inert(quoted(plan.title)), plan.primary.smallest_effect
    if len(plan.arms) > 2:
        thing = f"an arm of {thing}"
    if plan.endpoint.kind == "retained":
        does = "is worth" if plan.primary.sides == 1 else "changes retention by"
        of = " of retention" if plan.primary.sides == 1 else ""
        return f"whether {thing} {does} {points(effect)}{of}"
    if plan.primary.sides == 1:
        return f"whether {thing} brings back {bare_points(effect)} more customers in 100"
    return f"whether {thing} changes by {points(effect)} how many buy again"


def design_body(ledger: Ledger, seen: Proposal) -> str:
    """Say what the size rests on, how sure the test is, what else it could be, and what is weak."""
    size, held = seen.sized, seen.believed
    if size is None or held is None:
        return " ".join(seen.why[name] for name in ("believed", "sized") if name in seen.why)
    parts = [
        _rests(ledger, seen.plan, held),
        _finds(ledger, seen.plan, held),
        _as_planned(ledger, seen, size),
        _instead(ledger, seen),
        "" if seen.wrong is None else believed_weakest(ledger, seen.wrong),
        _costs(ledger),
    ]
    return " ".join(filter(None, parts))


def _rests(ledger: Ledger, plan: Plan, held: Believed) -> str:
    """Say who would enter and what they do as things are, by history or by the plan alone."""
    entry, baseline, *_ = held.beliefs
    pace, share = ledger["design_pace"], ledger["believed_baseline"]
    verb = "stay" if plan.endpoint.kind == "retained" else "buy again within"
    comes = f"{counted(round(pace.value), 'customer')} a week would enter"
    does = f"{in_hundred(share)} {verb} {plan.endpoint.day} days"
    if entry.source == "history":
        comes += _beside(entry, pace, f"{7 * (entry.planned or 0):,.0f}")
    if baseline.source == "history":
        does += _beside(baseline, share, f"{100 * (baseline.planned or 0):g}")
    match entry.source == "history", baseline.source == "history":
        case True, True:
            return f"{_BY} {comes} and {does}."
        case True, False:
            return f"{_BY} {comes}; by the plan alone, {does}."
        case False, True:
            return f"{_BY} {does}; by the plan alone, {comes}."
        case _:
            return f"By the plan alone, {comes} and {does}: history tells neither."


def _beside(belief: Belief, claim: Claim, planned: str) -> str:
    """Give the range of what history tells, and what the plan says where that lies outside."""
    return f" ({claim.between}{f'; the plan says {planned}' if differs(belief) else ''})"


def _finds(ledger: Ledger, plan: Plan, held: Believed) -> str:
    """Say how often the test finds its effect, and how often it claims one that is not there."""
    one = plan.primary
    whom = "" if held.assumptions.contact_rate == 1 else " among those it reaches"
    if len(plan.arms) > 2:
        whom += f" in an arm, held against {inert(quoted(plan.arms[0].name))}"
    if one.sides == 1:
        what, claims = f"a rise to {in_hundred(ledger['design_target'])}", "a gain"
    else:
        what, claims = f"a change of {points(one.smallest_effect)} up or down", "one"
    return (
        f"{capitalised(often(one.power))} a test of that size finds {what}{whom}; without any "
        f"effect, it claims {claims} {often(one.alpha)}."
    )


def _as_planned(ledger: Ledger, seen: Proposal, size: Sized) -> str:
    """Say whether the plan has what it needs, and what it could see if not."""
    if size.why:
        finds = f"As planned, {in_hundred(ledger['design_power'])} such tests would find so much"
        if "design_detectable" not in ledger:
            return f"{finds}, and no effect would be large enough to be seen."
        sees = points(ledger["design_detectable"].value)
        return f"{finds}; {sees} or more it would find {often(seen.plan.primary.power)}."
    fits = f"As planned, {ledger['design_planned'].text} would enter, which is enough"
    if "design_early" not in ledger:
        return f"{fits}."
    early = ledger["design_early"]
    return f"{fits}; with the effect, {in_hundred(early)} such tests may stop by {early.about}."


def _instead(ledger: Ledger, seen: Proposal) -> str:
    """Say what twice the effect takes, and what the trade's claim would be here."""
    said = []
    if "design_double" in ledger:
        double, weeks = ledger["design_double"], ledger["design_double_weeks"].value
        twice = points(2 * seen.plan.primary.smallest_effect)
        said.append(
            f"If only {twice} would change what you do, {double.text} customers and "
            f"{lasts(weeks)} are enough"
            if weeks <= TOO_LONG
            else f"Even {twice} would take {lasts(weeks)}"
        )
    if "design_trade" in ledger:
        low, high = ledger["design_trade"].low or 0.0, ledger["design_trade"].high or 0.0
        trade = f"the {possessive('trade')} {quoted('5-15 % lift')}, of unknown origin, would be"
        said.append(f"{trade} {bare_points(low)} to {points(high)} here")
    return f"{capitalised('; '.join(said))}." if said else ""


def _costs(ledger: Ledger) -> str:
    if "design_cost" not in ledger:
        return ""
    return (
        f"The messages would cost about {ledger['design_cost'].text}; whether they pay, only the "
        "test can tell."
    )
