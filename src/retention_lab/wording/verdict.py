"""The first screen of a test that is read: the verdict, what it rests on, and what to do."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import assert_never

from retention_lab.experiments.readout import Readout
from retention_lab.experiments.verdicts import Because
from retention_lab.record import Ledger
from retention_lab.record.verdict import looked_of
from retention_lab.wording import deviating, verdict_early, verdict_found, verdict_money
from retention_lab.wording.annotations import inert
from retention_lab.wording.looking import late
from retention_lab.wording.phrases import full_day, listed, quoted
from retention_lab.wording.sizes import spelt
from retention_lab.wording.verdict_found import thing

_SOON = dt.timedelta(days=7)
_BY_LUCK = "search the segments for one in which it did better: some always look so by luck"
_PEEKING = "read the arms before that: whoever looks often enough finds an effect that is not there"
_NO_RESULT = "take this for a result: it says nothing of the effect"
_HEADLINES: Mapping[Because, str] = {
    "invalid": "This test cannot be read: {names} failed.",
    "early": "{early}",
    "between": "We cannot tell yet: {unclear}.",
    "unclear": "We cannot tell: {unclear}.",
    "gain": "{it} {does}; ship it.",
    "gain too small": "{it} {does}, fewer than the plan calls worth acting on; stop it.",
    "does not pay": "{it} {does}, which does not pay for its messages; stop it.",
    "loss": "{it} {does}; stop it.",
    "futility": "Stop {it}: going on would hardly show a gain.",
    "too small to matter": "{it} does too little to matter; stop it.",
    "harm": "{it} does more harm than the plan bears ({names}); stop it.",
    "guardrails to come": "{it} {does}, but harm is not ruled out yet ({names}); wait until {on}.",
    "not shown harmless": "{it} {does}, but harm is not ruled out ({names}); do not ship it yet.",
}
# What to do, and the one thing not to do.
_DO: Mapping[Because, tuple[str, str]] = {
    "invalid": (
        "mend what stands above, then read again",
        "take the effect from another tool meanwhile: it would be as wrong there",
    ),
    "early": ("{go_on}", "{early}"),
    "between": ("{go_on}", _PEEKING),
    "unclear": (
        "leave things as they were without {it}{larger}",
        "ship it because the number is above zero, or let it run on until it is clear",
    ),
    "gain": (
        "{first}send {it} to all who reach the milestone, but keep 5 in 100, chosen by lot, "
        "without it for two quarters",
        "send it only to the segment that looks best: most of that is luck",
    ),
    "gain too small": ("stop sending {it}, and write down what was learnt", _BY_LUCK),
    "does not pay": ("stop sending {it}{unless}", _BY_LUCK),
    "loss": ("stop sending {it}, and write down what was learnt", _BY_LUCK),
    "futility": ("stop sending {it}, and write down what was learnt", _BY_LUCK),
    "too small to matter": ("stop sending {it}, and write down what was learnt", _BY_LUCK),
    "harm": (
        "stop sending {it} at once, and find out what does this",
        "wait for another look: who is harmed meanwhile is not asked",
    ),
    "guardrails to come": (
        "assign nobody more, go on with those who are in the test, and read this page "
        "again on {on}, when all whom this look has seen have been followed",
        "ship it meanwhile because no harm was seen",
    ),
    "not shown harmless": (
        "let somebody decide, in writing, whether the gain is worth harm that may be there",
        "call a guardrail safe because no harm was seen",
    ),
}


def readout_headline(ledger: Ledger, seen: Readout) -> str:
    """Say in one line what the test says, and what to do."""
    told = seen.decision
    return _HEADLINES[told.because].format(
        it=thing(seen),
        does=verdict_found.does(ledger, seen),
        names=_names(told.why),
        early=verdict_early.headline(seen),
        unclear=verdict_found.unclear(ledger, seen),
        on=_on(seen),
    )


def readout_body(ledger: Ledger, seen: Readout) -> str:
    """Say what the verdict rests on: the effect, its money, the checks, segments and the plan."""
    match seen.decision.because:
        case "invalid":
            parts = [*_failed(seen), "No number of the effect is shown, on purpose."]
        case "early":
            parts = verdict_early.body(ledger, seen)
        case _:
            parts = [
                _accepted(seen),
                _standing(seen),
                _unread(seen),
                verdict_found.effect(ledger, seen),
                verdict_found.decides(ledger, seen),
                _late(ledger, seen),
                verdict_found.ahead(ledger, seen),
                verdict_found.harmed(ledger, seen),
                verdict_money.worth(ledger, seen),
                verdict_found.rails(seen),
                verdict_found.segments(seen),
            ]
    return " ".join(filter(None, [*parts, _passed(seen), deviating.deviating_sentence(seen)]))


def readout_do(ledger: Ledger, seen: Readout, *, owner: str) -> str:
    """Say what to do, who does it and by when; and what is tempting, and wrong."""
    told = seen.decision
    by = full_day(seen.as_of if told.because == "harm" else seen.as_of + _SOON)
    do, dont = _DO[told.because]
    done = do.format(
        it=thing(seen),
        go_on=verdict_early.go_on(seen),
        first="" if told.money else "make sure that a gain of this size pays, then ",
        larger=_larger(ledger),
        on=_on(seen),
        unless=verdict_money.unless(ledger),
    )
    unread = told.because == "unclear" and "verdict_effect" not in ledger
    never = dont.format(early=_PEEKING if verdict_early.goes_on(seen) else _NO_RESULT)
    never = _NO_RESULT if unread else never
    return f"**Do** ({owner}, by {by}): {done}. **Do not** {never}."


def _larger(ledger: Ledger) -> str:
    if "verdict_matters" not in ledger:
        return ""
    least = ledger["verdict_matters"].text
    return f"; if {least} points would still change what you do, plan a larger test"


def _on(seen: Readout) -> str:
    """Say when guardrails are read once more."""
    return "" if seen.rails_on is None else full_day(seen.rails_on)


def _names(names: tuple[str, ...]) -> str:
    return listed([inert(quoted(name)) for name in names]) if names else ""


def _failed(seen: Readout) -> list[str]:
    """Say of each check that failed what is wrong, and what to do."""
    found = seen.validity
    if found is None:
        return []
    named = {one.name: one for one in found.checks}
    return [f"{inert(named[name].why)} {inert(named[name].remedy)}" for name in found.failed]


def _standing(seen: Readout) -> str:
    """Say which look the numbers are of."""
    looked = looked_of(seen)
    if looked is None or looked.on is None:
        return ""
    look = f"look {looked.look} of {looked.of}" if looked.of > 1 else "the only look"
    match looked.state:
        case "between":
            return (
                f"Today is no look: these are the numbers of {look}, on {full_day(looked.on)}, and "
                "they stay until the next."
            )
        case "over":
            return f"The test ended with {look}, on {full_day(looked.on)}."
        case "look":
            return f"Today is {look}."
        case "before":
            return ""
        case _:
            assert_never(looked.state)


def _unread(seen: Readout) -> str:
    """Say why the test ended without a look."""
    looked = looked_of(seen)
    return "" if looked is None or looked.stopped else inert(looked.why)


def _late(ledger: Ledger, seen: Readout) -> str:
    looked = looked_of(seen)
    return "" if looked is None else late(ledger, looked)


def _passed(seen: Readout) -> str:
    """Say how many checks of validity there are, and which did not pass."""
    found = seen.validity
    if found is None or not found.checks:
        return ""
    untold = tuple(one.name for one in found.checks if one.status == "warn" and one.value is None)
    warned = tuple(name for name in found.warned if name not in untold)
    verb = "warns" if len(warned) == 1 else "warn"
    said = [
        f"{spelt(len(names))} {what}: {_names(names)}"
        for names, what in ((warned, verb), (untold, "cannot be made"))
        if names
    ]
    if said:
        return f"Of {len(found.checks)} validity checks {'; '.join(said)}."
    if found.failed or found.accepted:
        return ""
    return f"All validity checks passed ({len(found.checks)})."


def _accepted(seen: Readout) -> str:
    """Say so where only the plan's word lets the effect be shown."""
    if seen.validity is None or not seen.validity.accepted:
        return ""
    return (
        f"{_names(seen.validity.accepted)} failed, and the plan accepts that: without its word no "
        "number would be shown here."
    )
