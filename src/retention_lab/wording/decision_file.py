"""The draft of a decision about a test, as a file beside its plan: to be filled in and signed."""

from __future__ import annotations

import datetime as dt

import pandas as pd

from retention_lab.experiments.readout import Readout
from retention_lab.experiments.verdicts import Verdict
from retention_lab.record import Ledger
from retention_lab.wording.annotations import inert
from retention_lab.wording.deviating import deviating, deviating_sentence
from retention_lab.wording.phrases import full_day
from retention_lab.wording.verdict import readout_body, readout_do, readout_headline
from retention_lab.wording.verdict_money import readout_change, readout_money, written

_WEEK = dt.timedelta(days=7)
_CLAIMS = "verdict_"
_CHOICES: dict[Verdict, str] = {
    "ship": "Ship: send it to all",
    "stop": "Stop: send it to nobody",
    "continue": "Continue until it is read again",
    "inconclusive": "Nothing can be told; leave things as they were",
}
_SIGN = """| Decided by | On | Reason, where it differs from the verdict |
| --- | --- | --- |
| | | |"""


def decision_file(ledger: Ledger, seen: Readout) -> str:
    """Write a decision as Markdown: the question, the verdict, its numbers, and who decides.

    Nothing in it names a customer, and it has no number that the page does not show.
    """
    plan = seen.plan
    parts = [
        f"# Decision: {inert(plan.title)}",
        f"*Draft as of {full_day(seen.as_of)}, on {inert(seen.name)}"
        f"{', made-up customers' if seen.simulated else ''}. It is a proposal until somebody signs "
        "it.*",
        _under("The question", _question(seen)),
        _under(
            "The verdict",
            f"**{seen.decision.verdict.capitalize()}.** "
            f"{readout_headline(ledger, seen)}\n\n{readout_body(ledger, seen)}",
        ),
        _under("The numbers", _numbers(ledger)),
        _under("The money", readout_money(ledger, seen)),
        _under("Validity", _validity(seen)),
        _under("Deviations from the plan", _deviations(seen)),
        _under("What would change this", readout_change(ledger, seen)),
        _under("To do", readout_do(ledger, seen, owner=inert(plan.owner))),
        _under("To be decided", _boxes(seen)),
    ]
    return "\n\n".join(filter(None, parts)) + "\n"


def _under(heading: str, text: str) -> str:
    return f"## {heading}\n\n{text}" if text else ""


def _question(seen: Readout) -> str:
    plan = seen.plan
    rules = [f"- {inert(rule)}" for rule in plan.stop_rules]
    agreed = "\n\nAgreed on before, to be stopped for at once:\n\n" + "\n".join(rules)
    return f"{inert(plan.hypothesis)} Is that so?{agreed if rules else ''}"


def _numbers(ledger: Ledger) -> str:
    """List what was recorded, each with its range."""
    told = [each for each in ledger.claims() if each.name.startswith(_CLAIMS)]
    rows = [f"| {inert(each.label)} | {written(each)} |" for each in told]
    return "\n".join(["| What | How much (range) |", "| --- | --- |", *rows]) if rows else ""


def _validity(seen: Readout) -> str:
    """List the checks that did not pass; a count of those that did."""
    found = seen.validity
    if found is None:
        return ""
    off = [one for one in found.checks if one.status != "pass"]
    rows = [
        f"- {inert(one.name)} ({one.status}): {inert(one.why)} {inert(one.remedy)}" for one in off
    ]
    passed = f"{len(found.checks) - len(off)} of {len(found.checks)} checks passed."
    return "\n\n".join(filter(None, [passed, "\n".join(rows)]))


def _deviations(seen: Readout) -> str:
    table = deviating(seen)
    if not isinstance(table, pd.DataFrame):
        return deviating_sentence(seen)
    told = table.reset_index()
    lines = ["| " + " | ".join(map(str, row)) + " |" for row in told.to_numpy().tolist()]
    head = ["| " + " | ".join(told.columns) + " |", "| --- " * len(told.columns) + "|"]
    return "\n\n".join([deviating_sentence(seen), "\n".join([*head, *lines])])


def _boxes(seen: Readout) -> str:
    """Give a box for each choice; none is ticked, as nobody has decided yet."""
    boxes = [
        f"- [ ] {words}{' (the verdict)' if choice == seen.decision.verdict else ''}"
        for choice, words in _CHOICES.items()
    ]
    by = full_day(seen.as_of + _WEEK)
    who = f"To be decided by {by}, by whoever answers for it: {inert(seen.plan.owner)}."
    return "\n\n".join([who, "\n".join(boxes), _SIGN])
