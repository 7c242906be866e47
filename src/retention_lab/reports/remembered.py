"""What a state remembers of the test that a suite is about, as part of what a page rests on.

A look is taken by the page of its own day, so those of earlier days count here: then a day's page
rests on the same, however often it is made.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from pathlib import Path

from retention_lab import state as states
from retention_lab.state.about import ABOUT
from retention_lab.tables.settings import read_yaml

# Each ledger that tells of tests, the day of its rows, and whether those of the day itself count.
LEDGERS = {
    "plans": ("frozen_on", True),
    "assignment-runs": ("as_of", True),
    "looks": ("on", False),
}


def of_test(folder: Path, plan: Path, *, as_of: dt.date) -> str:
    """Hash what the ledgers of a state say of a plan's test up to a day; empty where there is none.

    Raises
    ------
    BadData
        When a ledger is damaged.
    """
    if not (folder / ABOUT).is_file():
        return ""
    name = dict(read_yaml(plan.read_text(encoding="utf-8"), file=plan)).get("name")
    said = []
    for ledger in states.opened(folder).ledgers:
        day, inclusive = LEDGERS.get(ledger.name, ("", False))
        for row in ledger.rows() if day else ():
            known = row[day] < str(as_of) or (inclusive and row[day] == str(as_of))
            if row["experiment"] == name and known:
                said.append(json.dumps(row, sort_keys=True))
    return hashlib.sha256("\n".join(said).encode()).hexdigest() if said else ""
