"""One run of a suite: refuse what can be refused, skip what has not changed, make the rest.

Nothing heavy is imported before it is known that notebooks have to run.
"""

from __future__ import annotations

import datetime as dt
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from retention_lab.reports import calendar, past, prepared, unchanged
from retention_lab.reports.manifest import MANIFEST
from retention_lab.reports.ran import Ran, Status
from retention_lab.reports.suite import Suite

Watch = Callable[[str, int, int], None]  # a notebook's name, the cell that begins, of how many


@dataclass(frozen=True, kw_only=True)
class Call:
    """What is asked of a suite besides its own settings.

    Parameters
    ----------
    out
        Where reports lie; see `publish`.
    state
        Where their history and ledgers lie; see `retention_lab.state`.
    now
        An aware moment: what is the last complete period depends on it.
    only
        One notebook, by name or number; the day's other pages stay as they are.
    force
        Run although nothing has changed.
    jobs
        How many notebooks run at once; default as many as there are cores.
    before
        The results that the report is compared with; default those of the report before it.
    remembers
        The state that notebooks read of tests, if it is another than `state`.
    watch
        Told of each cell that begins.
    """

    out: Path
    state: Path
    now: dt.datetime
    only: str | None = None
    force: bool = False
    jobs: int | None = None
    before: Path | None = None
    remembers: Path | None = None
    watch: Watch = lambda *_: None

    @property
    def memory(self) -> Path:
        """The state that notebooks read of tests."""
        return (self.remembers or self.state).resolve()


def run(suite: Suite, call: Call, *, as_of: dt.date | None = None) -> Ran:
    """Run a suite and publish its pages, results and manifest; all of it or nothing.

    `as_of` is the last business-local day that the report knows, by default the end of the last
    period that is over, or that the data are complete for (`as_of` of the suite).

    Raises
    ------
    BadParameter
        When a setting, a notebook or a parameter does not fit: before any kernel starts.
    BadData
        When the source cannot answer, or the state is not the one that reports go on from: before
        any kernel starts.
    Locked
        When the suite is being run already.
    Ended
        When the run was stopped from outside.
    """
    begun = time.time()
    chapters = prepared.prepare(suite, only=call.only)
    day = as_of or _day(suite, call.now)
    same = None if day is None or call.force else _unchanged(suite, chapters, call, as_of=day)
    if same is not None:
        about = json.loads((same / MANIFEST).read_bytes())
        return told(suite, about, status="unchanged", begun=begun, folder=same)
    from retention_lab.reports import report  # noqa: PLC0415  it loads all that notebooks need

    return report.make(suite, chapters, call, as_of=day, begun=begun)


def told(
    suite: Suite,
    about: Mapping[str, Any],
    *,
    status: Status,
    begun: float,
    folder: Path | None = None,
    **rest: Any,  # noqa: ANN401  the other fields of `Ran`
) -> Ran:
    """Say what became of a run; `about` is the manifest of its report, or empty."""
    ended = time.time()
    names = about.get("notebooks", {}) if folder else {}
    fields = {
        "suite": suite.name,
        "title": suite.title,
        "owner": suite.owner,
        "as_of": about.get("as_of", ""),
        "simulated": about.get("source", {}).get("simulated", False),
        "status": status,
        "exit_code": 0,
        "folder": str(folder or ""),
        "pages": tuple(str(folder / f"{name}.html") for name in names) if folder else (),
        "started": moment(begun),
        "finished": moment(ended),
        "seconds": round(ended - begun, 1),
    }
    return Ran(**{**fields, **rest})


def moment(seconds: float) -> str:
    """Write a moment of the clock as UTC in ISO text."""
    return dt.datetime.fromtimestamp(seconds, tz=dt.UTC).isoformat(timespec="seconds")


def _day(suite: Suite, now: dt.datetime) -> dt.date | None:
    """Return the day of the report; None where only reading the data can tell."""
    source = unchanged.source_of(suite)
    if suite.as_of == "data" or source.simulated:  # a made-up shop has no today
        return unchanged.as_of_of_data(suite)
    return calendar.last_complete(now, period=suite.period, zone=source.zone)


def _unchanged(
    suite: Suite, chapters: list[prepared.Chapter], call: Call, *, as_of: dt.date
) -> Path | None:
    """Find the report of that day, if it is there and would come out alike."""
    folder = call.out / suite.name / str(as_of)
    if call.only or not folder.is_dir():
        return None
    state = past.opened(call.state, shelf=folder.parent)
    earlier = call.before or past.before(state, suite, as_of=as_of)
    mark = unchanged.fingerprint(suite, chapters, as_of=as_of, before=earlier, state=call.memory)
    return folder if unchanged.unchanged(folder, mark) else None
