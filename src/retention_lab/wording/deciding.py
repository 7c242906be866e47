"""What to decide of a test before it begins, and what to write into its plan."""

from __future__ import annotations

import datetime as dt
from math import ceil

from retention_lab.experiments.believed import Belief
from retention_lab.experiments.proposal import Proposal
from retention_lab.experiments.sizing import TOO_LONG
from retention_lab.experiments.testing import date_of
from retention_lab.record import Ledger
from retention_lab.wording.annotations import inert
from retention_lab.wording.phrases import full_day
from retention_lab.wording.sizes import points, spelt

_SOON = dt.timedelta(days=7)  # to decide where the plan's own days have passed
_DAY = dt.timedelta(days=1)


def design_decide(ledger: Ledger, seen: Proposal, *, owner: str) -> str:
    """Say what to decide, who does it and by when; and what is tempting, and wrong."""
    plan = seen.plan
    ahead = plan.starts > seen.as_of
    by = full_day(plan.starts - _DAY if ahead else seen.as_of + _SOON)
    said = [
        _mend(seen),
        ""
        if ahead
        else f"The first day, {full_day(plan.starts)}, has passed: set `starts` and `ends` to days "
        "to come.",
        f"**Decide** ({owner}, by {by}): {_choice(ledger, seen)}",
        f"**Do not** {_tempting(ledger, seen)}.",
    ]
    return " ".join(filter(None, said))


def _mend(seen: Proposal) -> str:
    if not seen.unknown:
        return ""
    if len(seen.unknown) == 1:
        return "**First** mend what does not fit this shop in the plan; it stands below."
    many = spelt(len(seen.unknown))
    return f"**First** mend {many} things in the plan that do not fit this shop; they stand below."


def _choice(ledger: Ledger, seen: Proposal) -> str:
    """Word the question that somebody must answer before the first day."""
    plan, size = seen.plan, seen.sized
    elsewhere = "is there a milestone that more customers reach"
    if seen.verdict == "nobody":
        return _either(elsewhere)
    if size is None:
        return "who settles this, and how? Until then the test waits."
    twice = points(2 * plan.primary.smallest_effect) if "design_double" in ledger else ""
    match seen.verdict:
        case "years":
            soon = twice and ledger["design_double_weeks"].value <= TOO_LONG
            only = f"would you act on {twice} or more only" if soon else ""
            return _either(only, elsewhere)
        case "few":
            longer = f"let customers enter until {full_day(date_of(plan, ceil(size.enrol_days)))}"
            sees = size.detectable
            return _either(longer, "" if sees is None else f"act only on {points(sees)} or more")
        case "early":
            last = full_day(date_of(plan, plan.days + plan.endpoint.day))
            return _either(f"look once more, on {last}", "look for a larger effect")
        case _:
            least = points(plan.primary.smallest_effect)
            what = f"is {least} the least that would change what you do"
            return _either(what, twice and f"only {twice}")


def _either(*ways: str) -> str:
    """Ask for one of the ways, those that are empty left out."""
    open_ways = [*filter(None, ways)]
    no = "neither" if len(open_ways) > 1 else "not"
    return f"{', or '.join(open_ways)}? If {no}, do not run it."


def _tempting(ledger: Ledger, seen: Proposal) -> str:
    """Word what would spoil the test."""
    plan, size = seen.plan, seen.sized
    if seen.verdict == "nobody":
        return "start it in the hope that more will come"
    if size is None:
        return "start it before its size is known"
    if size.why:
        missed = f"{100 * (1 - ledger['design_power'].value):.0f} in 100"
        return (
            f"run it as it is and hope: about {missed} such tests show nothing even if the "
            "effect is there"
        )
    wrong = "whoever looks often enough finds an effect that is not there"
    if seen.looks is not None and len(seen.looks) > 1:
        return f"look at the results between its {spelt(len(seen.looks))} looks: {wrong}"
    last = full_day(date_of(plan, round(7 * size.planned_weeks)))
    return f"look at the results before {last}: {wrong}"


def design_plan_lines(seen: Proposal) -> str:
    """Give the lines of the plan that the shop's history would have otherwise, as YAML."""
    beliefs = () if seen.believed is None else seen.believed.beliefs
    told = [belief for belief in beliefs if belief.source == "history"]
    other = [belief for belief in told if belief.planned is None or differs(belief)]
    if not told:
        return "History tells none of the numbers that the plan assumes."
    if not other:
        return "Wherever history tells, the plan agrees."
    lines = [
        f"  {belief.name}: {belief.value:.3g} # {belief.low:.3g} to {belief.high:.3g}; "
        f"the plan says {'nothing' if belief.planned is None else f'{belief.planned:g}'}"
        for belief in other
    ]
    written = "\n".join(["```yaml", "assumptions:", *lines, "```"])
    return (
        "History tells otherwise than the plan. Before the plan is frozen, write into it:\n\n"
        f"{written}\n\nOf a plan that is frozen already, every read-out tells such a change."
    )


def design_unknown(seen: Proposal) -> str:
    """List the names in the plan that the shop does not know."""
    return "\n".join(f"- {inert(sentence)}" for sentence in seen.unknown)


def differs(belief: Belief) -> bool:
    """Say whether history makes what the plan says implausible."""
    said = belief.planned
    return belief.source == "history" and said is not None and not belief.low <= said <= belief.high
