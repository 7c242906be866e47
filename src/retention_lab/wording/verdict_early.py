"""What is said of a test while it goes on: how much is known, when it is read, what to do."""

from __future__ import annotations

import datetime as dt

from retention_lab.experiments.design.allocation import pair
from retention_lab.experiments.readout import Readout
from retention_lab.experiments.sequential import Looked
from retention_lab.record import SMALL, Ledger
from retention_lab.record.small import few
from retention_lab.record.verdict import assigned
from retention_lab.wording import endpoint
from retention_lab.wording.annotations import inert
from retention_lab.wording.phrases import full_day

_NO_NUMBER = "No number of the effect is shown, on purpose"


def headline(seen: Readout) -> str:
    """Say that it is too early, how much is known, and when the first look comes."""
    plan = seen.plan
    if not assigned(seen):
        if seen.as_of < plan.starts:
            return f"This test has not begun: customers enter from {full_day(plan.starts)} on."
        if seen.as_of <= plan.ends:
            return "Nobody has entered this test yet."
        return "Nobody has entered this test, and its days of enrolment are over."
    if seen.as_of >= last_day(seen):
        return "This test is over, and there is nothing in it that could be read."
    looked = first(seen)
    look = "" if looked is None or looked.next_on is None else f"; first look about {_on(looked)}"
    return f"Too early to tell: {_known(seen)}. {_NO_NUMBER}{look}."


def body(ledger: Ledger, seen: Readout) -> list[str]:
    """Say how many have entered, and what else keeps the test from being read."""
    said = []
    if "verdict_customers" in ledger:
        size = ledger["verdict_customers"].text
        said.append(f"{size} {endpoint.who(seen.plan)} have entered so far.")
    elif assigned(seen):
        said.append(f"Fewer than {SMALL} {endpoint.who(seen.plan)} have entered so far.")
    else:
        said.append(inert(seen.why.get("assigned", "")))
    return [*said, *dict.fromkeys(inert(each.why) for each in seen.looked if each.why)]


def go_on(seen: Readout) -> str:
    """Say what to do until the next look."""
    plan, looked = seen.plan, first(seen)
    if not assigned(seen):
        if seen.as_of > plan.ends:
            return "find out why nobody entered, or take the plan back"
        return f"see to it that customers are assigned every day from {full_day(plan.starts)} on"
    if not goes_on(seen):
        return "find out why nothing can be read"
    enrols = "keep assigning every day and " if seen.as_of < plan.ends else ""
    when = "" if looked is None or looked.next_on is None else f", about {_on(looked)}"
    return f"{enrols}let the test run until its next look{when}"


def goes_on(seen: Readout) -> bool:
    """Whether somebody has entered and may still be followed."""
    return bool(assigned(seen)) and seen.as_of < last_day(seen)


def first(seen: Readout) -> Looked | None:
    """The arm whose next look comes first; the first arm where nobody knows."""
    dated = [one for one in seen.looked if one.next_on is not None]
    return min(
        dated, key=lambda one: one.next_on or dt.date.max, default=next(iter(seen.looked), None)
    )


def last_day(seen: Readout) -> dt.date:
    """The day on which everybody who may enter has been followed."""
    return seen.plan.ends + dt.timedelta(days=seen.plan.endpoint.day)


def _on(looked: Looked) -> str:
    return full_day(looked.next_on) if looked.next_on else ""


def _known(seen: Readout) -> str:
    """Say how much of what the test must know is known: as events where these are what counts."""
    looked = first(seen)
    if looked is None or not looked.planned:
        return "nothing is known yet"
    if seen.plan.primary.test == "log-rank":
        return _events(seen, looked.information or 0.0, looked.planned)
    if not looked.information:
        return "nothing is known yet"
    share = looked.information / looked.planned
    known = "less than 1" if share < 0.01 else f"about {100 * share:.0f}"
    return f"{known} in 100 of what it must know is known"


def _events(seen: Readout, information: float, planned: float) -> str:
    """Turn information of a log-rank test into events (Schoenfeld)."""
    arms = pair(tuple(arm.share for arm in seen.plan.arms))
    share = arms.treated / (arms.control + arms.treated)
    so_far, of = (round(each / share / (1 - share)) for each in (information, planned))
    about = "about " if so_far else ""
    known = f"fewer than {SMALL}" if few(so_far) else f"{about}{so_far:,}"
    return f"{known} of {of:,} planned {endpoint.events(seen.plan)}"
