"""Whether a test may be believed: one sentence for the first screen, and a table of all checks."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from retention_lab.experiments import validity_words as words
from retention_lab.experiments.readout import Readout
from retention_lab.experiments.validity import Validity
from retention_lab.experiments.validity_words import Check
from retention_lab.record import SMALL, Ledger
from retention_lab.record.validity import named
from retention_lab.wording.annotations import inert
from retention_lab.wording.phrases import Instead, capitalised, in_hundred, listed, plainly, quoted

_NOBODY = "Nobody has been assigned yet, so there is nothing to check."
_TO_DO = "What to do"
_UNTOLD = "This cannot be checked. "  # begins why a check is unknown, and is said of all at once
_RESULTS = {"pass": "passed", "warn": "warns", "fail": "failed"}


def validity_sentence(ledger: Ledger, seen: Readout) -> str:
    """Say in Markdown whether all checks passed, and what follows from those that did not."""
    found = seen.validity
    if found is None:
        return inert(seen.why.get("assigned", _NOBODY))
    many, passed = ledger["validity_checks"].text, ledger["validity_passed"].text
    if many == passed:
        return f"All {many} checks of validity passed."
    said = [f"{passed} of {many} checks of validity passed."]
    return " ".join([*said, *_failing(found), *_warning(found)])


def _failing(found: Validity) -> list[str]:
    said = []
    if found.failed:
        said.append(f"{_names(found.failed)} failed, so no number of the effect is shown.")
        said.append(_first_step(found))
    if found.accepted:
        shown = "" if found.failed else ": the effect is shown all the same, on its word alone"
        said.append(f"{_names(found.accepted)} failed, and the plan accepts that{shown}.")
    return said


def _first_step(found: Validity) -> str:
    remedies = {one.name: inert(one.remedy) for one in found.checks}
    if len(found.failed) == 1:
        return remedies[found.failed[0]]
    return f"Begin with {_names(found.failed[:1])}: {remedies[found.failed[0]]}"


def _warning(found: Validity) -> list[str]:
    """Tell warnings apart from what nothing can tell."""
    untold = [one.name for one in found.checks if one.status == "warn" and one.value is None]
    warned = [name for name in found.warned if name not in untold]
    said = []
    if warned:
        verb = "warns" if len(warned) == 1 else "warn"
        said.append(f"{_names(warned)} {verb}: read the effect with that in mind.")
    if untold:
        whys = dict.fromkeys(one.why for one in found.checks if one.name in untold)
        told = [inert(plainly(why.removeprefix(_UNTOLD))) for why in whys]
        said.append(f"{_names(untold)} cannot be checked. {' '.join(told)}")
    return said


def _names(names: Sequence[str]) -> str:
    return listed([inert(quoted(capitalised(name))) for name in names])


def validity_table(ledger: Ledger, seen: Readout) -> pd.DataFrame | Instead:
    """List all checks: what came out, what that says, in numbers, and what to do.

    Returns
    -------
    DataFrame
        Indexed by `Check`: `Result`, `What it says`, `In numbers`, and `What to do` unless all
        checks passed. Nothing where the sentence beside it says why there are none.
    """
    found = seen.validity
    if found is None:
        return Instead("")
    rows = [
        {
            "Check": capitalised(one.name),
            "Result": _result(one, found),
            "What it says": one.why.replace(", or hand them to from_frames", ""),
            "In numbers": _number(ledger, one),
            _TO_DO: one.remedy,
        }
        for one in found.checks
    ]
    table = pd.DataFrame(rows).set_index("Check")
    if not table[_TO_DO].any():
        return table.drop(columns=_TO_DO)
    return table.replace({_TO_DO: {"": "Nothing."}})


def _result(check: Check, found: Validity) -> str:
    if check.value is None:
        return "cannot be checked"
    if check.name in found.accepted:
        return "failed, which the plan accepts"
    return _RESULTS[check.status]


def _number(ledger: Ledger, check: Check) -> str:
    if check.value is None:
        return "None."
    if named(check.name) not in ledger:
        return f"Not shown, as it would tell of fewer than {SMALL} customers."
    claim = ledger[named(check.name)]
    if check.is_luck:
        return f"By luck alone, {in_hundred(claim)} tests would look like this or worse."
    who = {0.0: "no customer", 1.0: "all customers"}
    said = capitalised(who.get(claim.value, f"{in_hundred(claim)} customers"))
    if check.name == words.REACH.name:
        said = f"{said} reached, in the arm with the fewest"
    return f"{said}; {check.threshold}."
