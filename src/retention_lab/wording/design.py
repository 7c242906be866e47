"""The first screen of a test before it begins: its size, how sure that is, and what it rests on."""

from __future__ import annotations

from math import ceil

from retention_lab.experiments.believed import Believed
from retention_lab.experiments.history import PACE_WEEKS
from retention_lab.experiments.plan import Plan
from retention_lab.experiments.proposal import Proposal
from retention_lab.experiments.sizing import TOO_LONG, Sized
from retention_lab.experiments.testing import date_of
from retention_lab.record import SMALL, Ledger
from retention_lab.record.ledger import money
from retention_lab.wording.annotations import inert
from retention_lab.wording.believed import believed_weakest
from retention_lab.wording.deciding import (
    design_decide,
    design_plan_lines,
    design_unknown,
    differs,
)
from retention_lab.wording.phrases import (
    capitalised,
    counted,
    full_day,
    in_hundred,
    listed,
    possessive,
    quoted,
)
from retention_lab.wording.sizes import lasts, often, points

__all__ = [
    "design_body",
    "design_costs",
    "design_decide",
    "design_headline",
    "design_plan_lines",
    "design_simulated",
    "design_unknown",
]

_CLOSE = 0.02  # of simulated tests: so far off a good formula may be
_BY = f"By the {possessive('shop')} history,"
_PLENTY = 1.2  # times the customers that are needed


def design_headline(ledger: Ledger, seen: Proposal) -> str:
    """Say in one line what would be learnt, from how many customers, in how many weeks."""
    size = seen.sized
    if seen.verdict == "nobody":
        where = _name(seen.history.milestone)
        return f"Do not run this test here: hardly anybody who could enter it reaches {where}."
    if size is None:
        return "How many customers this test needs cannot be said yet."
    learn, needs = f"to learn {_question(seen.plan)}", _needs(ledger, size)
    match seen.verdict:
        case "years":
            return f"Do not run this test as it stands: {learn} takes {needs}."
        case "few":
            enter = ledger["design_planned"].text
            return f"This test is too small as planned: {learn} takes {needs}; {enter} would enter."
        case "early":
            after = lasts(size.planned_weeks)
            return (
                f"This test would be read too early: {learn} takes {needs}; its last look comes "
                f"after {after}."
            )
        case _:
            return f"{capitalised(learn)}, we need {needs}."


def _needs(ledger: Ledger, size: Sized) -> str:
    """Say how many customers, how long, and, where that is known, what the messages cost."""
    needs = [f"{ledger['design_needed'].text} customers", lasts(size.weeks)]
    if "design_cost" in ledger:
        needs.append(f"{ledger['design_cost'].text} of messages")
    return listed(needs)


def _question(plan: Plan) -> str:
    """Word what the test asks."""
    thing, effect = _name(plan.title), plan.primary.smallest_effect
    if len(plan.arms) > 2:
        thing = f"an arm of {thing}"
    if plan.endpoint.kind == "retained":
        does = "is worth" if plan.primary.sides == 1 else "changes retention by"
        of = " of retention" if plan.primary.sides == 1 else ""
        return f"whether {thing} {does} {points(effect)}{of}"
    if plan.primary.sides == 1:
        more = f"{100 * effect:g} more customer{'' if effect == 0.01 else 's'}"
        return f"whether {thing} brings back {more} in 100"
    return f"whether {thing} changes by {points(effect)} how many buy again"


def design_body(ledger: Ledger, seen: Proposal) -> str:
    """Say what the size rests on, how sure the test is, what else it could be, and what is weak."""
    size, held = seen.sized, seen.believed
    if seen.verdict == "nobody":
        return _deserted(ledger, seen)
    if size is None or held is None:
        return " ".join(seen.why[name] for name in ("believed", "sized") if name in seen.why)
    parts = [
        _rests(ledger, seen.plan, held),
        _finds(ledger, seen.plan, held),
        _as_planned(ledger, seen, size),
        _instead(ledger, seen),
        "" if seen.wrong is None else believed_weakest(ledger, seen.wrong),
        _clustered(seen.plan),
    ]
    return " ".join(filter(None, parts))


def _clustered(plan: Plan) -> str:
    """Say so where customers depend on each other: the size takes each for a draw of its own."""
    if plan.cluster is None:
        return ""
    return (
        f"The size counts each customer for one, but those of the same {inert(plan.cluster)} "
        "depend on each other (their design effect is not counted): the test finds less than is "
        "said here, and needs more customers."
    )


def _deserted(ledger: Ledger, seen: Proposal) -> str:
    """Say that nobody comes, and what the test would take if they came as the plan says."""
    pace, weeks = seen.plan.assumptions.entry_per_day, len(seen.history.weeks.tail(PACE_WEEKS))
    came = f"In the last {weeks} whole weeks fewer than {SMALL} customers came who could enter"
    if pace is None or seen.sized is None or seen.believed is None:
        return f"{came}."
    would = f"Only if they came would {_needs(ledger, seen.sized)} be enough"
    return f"{came}; the plan counts on {7 * pace:,.0f} a week. {would}."


def _rests(ledger: Ledger, plan: Plan, held: Believed) -> str:
    """Say who would enter and what they do as things are, by history or by the plan alone."""
    entry, baseline, *_ = held.beliefs
    pace, share = ledger["believed_entry_per_day"], ledger["believed_baseline"]
    verb = "stay" if plan.endpoint.kind == "retained" else "buy again within"
    comes = f"{counted(round(7 * pace.value), 'customer')} a week would enter"
    does = f"{in_hundred(share)} {verb} {plan.endpoint.day} days"
    if entry.source == "history":
        says = f"; the plan says {7 * (entry.planned or 0):,.0f}" if differs(entry) else ""
        comes += f" ({7 * entry.low:,.0f} to {7 * entry.high:,.0f}{says})"
    if baseline.source == "history":
        says = f"; the plan says {100 * (baseline.planned or 0):g}" if differs(baseline) else ""
        does += f" ({share.between}{says})"
    match entry.source == "history", baseline.source == "history":
        case True, True:
            return f"{_BY} {comes} and {does}."
        case True, False:
            return f"{_BY} {comes}; by the plan alone, {does}."
        case False, True:
            return f"{_BY} {does}; by the plan alone, {comes}."
        case _:
            return f"By the plan alone, {comes} and {does}: history tells neither."


def _finds(ledger: Ledger, plan: Plan, held: Believed) -> str:
    """Say how often the test finds its effect, and how often it claims one that is not there."""
    one, none = plan.primary, "without any effect"
    if len(plan.arms) > 2:
        side = "above" if one.sides == 1 else "above or below"
        what = f"an arm that is {points(one.smallest_effect)} {side} {_name(plan.arms[0].name)}"
        none = "if none has any effect"
    elif one.sides == 1:
        what = _rise(ledger, one.smallest_effect)
    else:
        what = f"a difference of {points(one.smallest_effect)} up or down"
    claims = "a gain" if one.sides == 1 else "a difference"
    reached = "" if held.assumptions.contact_rate == 1 else " among those whom it reaches"
    return (
        f"{capitalised(often(one.power))} a test of that size finds {what}{reached}; {none}, it "
        f"claims {claims} {often(one.alpha)}."
    )


def _rise(ledger: Ledger, effect: float) -> str:
    """Name the share that is to be found, or, where it would be written alike, the difference."""
    target = in_hundred(ledger["design_target"])
    if target == in_hundred(ledger["believed_baseline"]):
        return f"a rise of {points(effect)}"
    return f"a rise to {target}"


def _name(words: str) -> str:
    return inert(quoted(words))


def _as_planned(ledger: Ledger, seen: Proposal, size: Sized) -> str:
    """Say whether the plan has what it needs, and what it could see if not."""
    if size.why:
        finds = f"As planned, {in_hundred(ledger['design_power'])} such tests would find it"
        if "design_detectable" not in ledger:
            return f"{finds}, and no effect would be large enough to be seen."
        sees = points(ledger["design_detectable"].value)
        often_found = often(seen.plan.primary.power)
        return f"{finds}; only {sees} or more would be found {often_found}."
    fits = f"As planned, {ledger['design_planned'].text} would enter, which is enough"
    if size.planned > _PLENTY * size.needed.total:
        last = full_day(date_of(seen.plan, ceil(size.enrol_days)))
        fits = f"{fits} and more: the last may enter on {last}"
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
        trade = f"the {possessive('trade')} {quoted('5-15 % lift')}, of unknown origin,"
        said.append(f"{trade} would be {ledger['design_trade'].between} points here")
    return f"{capitalised('; '.join(said))}." if said else ""


def design_costs(ledger: Ledger, seen: Proposal) -> str:
    """Say what the messages cost, and what of money can be said before the test."""
    if not seen.plan.cost_per_message:
        return "The plan names no cost of a message, so none is counted."
    if "design_cost" not in ledger:
        return (
            "What the messages cost cannot be said before it is known how many are needed."
            if seen.sized is None
            else "No arm of the plan sends anything, so no cost is counted."
        )
    each = money(seen.plan.cost_per_message, seen.currency)
    return (
        f"The messages would cost {ledger['design_cost'].text}, at {each} each. From which gain on "
        "they pay cannot be said before the test: what it earns with each customer is one of its "
        "results."
    )


def design_simulated(ledger: Ledger, seen: Proposal) -> str:
    """Say whether simulated tests find the effect as often as the formulas promise."""
    if "believed_power" not in ledger:
        return seen.why.get("simulated", "")
    found, asked = ledger["believed_power"], seen.plan.primary.power
    said = (
        "The size is checked by tests that are simulated customer by customer and read once: "
        f"{in_hundred(found)} ({found.between}) found the effect"
    )
    if abs(found.value - asked) <= _CLOSE or (found.low or 0.0) <= asked <= (found.high or 1.0):
        return f"{said}, as they should."
    return f"{said}, where {100 * asked:g} should."
