"""What earlier reports said: the history that a run goes on from, and what it adds to it."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

from retention_lab import state as states
from retention_lab.reports import unchanged
from retention_lab.reports.manifest import MANIFEST, RESULTS
from retention_lab.reports.suite import Suite
from retention_lab.state import State


def opened(folder: Path, *, shelf: Path) -> State:
    """Open the state that the published reports of a suite go on from.

    Raises
    ------
    BadData
        When it is missing, or another one.
    """
    named = (_read(day / MANIFEST).get("state", "") for day in reversed(_days(shelf)))
    return states.opened(folder, expected=next(filter(None, named), ""))


def before(state: State, suite: Suite, *, as_of: dt.date) -> Path | None:
    """Find what the newest older report of the same shop, customers and time zone said."""
    source = unchanged.source_of(suite)
    whose = source.name, suite.where, source.zone
    older = (file for file in reversed(state.results(suite.name)) if file.stem < str(as_of))
    return next((file for file in older if _whose(_read(file)) == whose), None)


def keep(state: State, shelf: Path) -> None:
    """Keep what each published report of a suite said, also where a run was cut off before that."""
    known = {file.stem: file.read_bytes() for file in state.results(shelf.name)}
    for day in _days(shelf):
        said = (day / RESULTS).read_bytes()
        if known.get(day.name) != said:
            state.keep(shelf.name, dt.date.fromisoformat(day.name), json.loads(said))


def _days(shelf: Path) -> list[Path]:
    """List the folders of published reports, oldest first."""
    return sorted(file.parent for file in shelf.glob("????-??-??/" + MANIFEST))


def _whose(report: dict[str, Any]) -> tuple[str, ...]:
    cut = report["snapshot"]
    return report["source"]["name"], cut["where"], cut["time_zone"]


def _read(file: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(file.read_bytes())
    return found
