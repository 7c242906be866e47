"""What is claimed of the validity of a test: how many checks passed, and the number of each.

A number that would tell of a few customers is not recorded, whatever the check says of it.
"""

from __future__ import annotations

import pandas as pd

from retention_lab.experiments import validity_words as words
from retention_lab.experiments.plan import Plan
from retention_lab.experiments.readout import Readout
from retention_lab.experiments.validity_tables import Collapsed
from retention_lab.experiments.validity_words import Check
from retention_lab.record.ledger import Ledger
from retention_lab.record.small import few, splits

_COLUMNS = {
    words.STRANGERS.name: "stranger",
    words.CROSSED.name: "crossed",
    words.REPEATED.name: "repeated",
    words.ZERO.name: "off",
    words.EARLY.name: "early",
    words.FIRST.name: "outcome_first",
    words.LEFT_OUT.name: "left_out",
    words.BEFORE.name: "earlier",
    words.WRONG.name: "wrong",
}
_LUCK = "How often luck does as much or more in tests without a fault"
_SHARE = "Share of the customers whom the check is about"


def named(check: str) -> str:
    """Name the claim about the number of a check."""
    return f"validity:{check}"


def record(ledger: Ledger, seen: Readout) -> None:
    """Record how many checks there are, how many passed, and the number of each."""
    if seen.validity is None:
        return
    made = seen.validity.checks
    for name, label, some in (
        ("validity_checks", "Checks of validity", made),
        ("validity_passed", "Checks passed", [one for one in made if one.status == "pass"]),
    ):
        about = "Of all checks of the test that could be looked at as of the day."
        ledger.record(name, len(some), unit="count", label=label, definition=about)
    for check in made:
        if check.value is None or seen.collapsed is None:
            continue
        if not hidden(check, seen.collapsed, seen.plan):
            ledger.record(
                named(check.name),
                check.value,
                unit="share",
                label=check.name.capitalize(),
                definition=f"{_LUCK if check.is_luck else _SHARE}; {check.threshold}.",
            )


def hidden(check: Check, found: Collapsed, plan: Plan) -> bool:
    """Say whether the number of a check would tell of a few customers."""
    rows = found.arms.set_index("arm").reindex([*plan.weights], fill_value=0)
    if check.name == words.ARMS.name:
        known, everybody = rows["customers"].sum(), found.arms["customers"].sum()
        return bool(splits(everybody - known, everybody))
    if check.name == words.REACH.name:
        return _splits_an_arm(rows, "delivered" if "delivered" in rows else "sent", of="due")
    column = _COLUMNS.get(check.name)
    if column is None:  # a comparison of all customers of the arms
        return bool(few(rows["customers"]).any())
    if check.is_luck:
        return _splits_an_arm(rows, column, of="customers")
    whole = rows["due" if check.name == words.WRONG.name else "customers"]
    return bool(splits(rows[column].sum(), whole.sum()))


def _splits_an_arm(rows: pd.DataFrame, column: str, *, of: str) -> bool:
    return bool(splits(rows[column], rows[of]).any())
