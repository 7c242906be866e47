"""A published report made once more, apart: with the data that it was made of, disturbing nothing.

It takes no part in what is published: pages, history and snapshots of the second run lie in a place
of their own.
"""

from __future__ import annotations

import datetime as dt
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from retention_lab import checks
from retention_lab.reports import manifest, unchanged
from retention_lab.reports import suite as suites
from retention_lab.reports.ran import Failure, Ran
from retention_lab.reports.suite import Suite
from retention_lab.tables import fingerprint, shelf, snapshot, store
from retention_lab.tables.source import Source

SNAPSHOTS = "RETENTION_LAB_SNAPSHOTS"


class Runner(Protocol):
    """Runs a suite into an empty folder: nothing delivered, nothing skipped, no history but there.

    `as_of` is None for the day that the suite chooses, `before` the results that it is compared
    with, `now` the moment of the run, None for the present.
    """

    def __call__(
        self,
        suite: Suite,
        *,
        as_of: dt.date | None,
        out: Path,
        before: Path | None,
        now: dt.datetime | None,
    ) -> Ran:
        """Run it."""


@dataclass(frozen=True, kw_only=True)
class Published:
    """A report as it lies in its folder: its manifest and its results."""

    folder: Path
    about: Mapping[str, Any]
    results: Mapping[str, Any]

    @property
    def as_of(self) -> dt.date:
        """Its day."""
        return dt.date.fromisoformat(self.about["as_of"])


@dataclass(frozen=True, kw_only=True)
class Again:
    """A second run: its report, None where notebooks failed, and what to know of its data."""

    report: Published | None
    failures: tuple[Failure, ...] = ()
    notes: tuple[str, ...] = ()


def published(folder: Path) -> Published:
    """Read the report that lies in a folder.

    Raises
    ------
    BadParameter
        When none lies there, or one that cannot be read.
    """
    try:
        about, results = (
            json.loads((folder / name).read_bytes())
            for name in (manifest.MANIFEST, manifest.RESULTS)
        )
        return Published(folder=folder.resolve(), about={**about}, results={**results})
    except FileNotFoundError as error:
        raise checks.BadParameter(
            f"{folder} holds no report. Give a folder such as reports/weekly/2026-11-29."
        ) from error
    except (OSError, ValueError, TypeError) as error:
        raise checks.BadParameter(f"The manifest or the results in {folder} are broken.") from error


def suite_of(report: Published) -> Suite:
    """Load the suite of a report as it is here, of the customers and the source of the report.

    Raises
    ------
    BadParameter
        When the manifest names no suite file, or the suite, its source or a notebook is not here.
    """
    about = report.about
    if "suite_file" not in about:
        raise checks.BadParameter(
            f"The manifest in {report.folder} names no suite file, as an older version made it. "
            "Run the suite again."
        )
    loaded = suites.load(about["suite_file"], source=about["source"]["file"]).expanded()
    named = {each.name: each for each in loaded}
    checks.known(about["suite_file"], "suite", [about["suite"]], named)
    suite = named[about["suite"]]
    parts = [part for name in about["notebooks"] for part in suite.chosen(name)]
    where = about["snapshot"]["where"]
    return suite.model_copy(update={"where": where, "notebooks": parts})


def run_again(
    report: Published, suite: Suite, *, run: Runner, room: Path, history: Sequence[Path] = ()
) -> Again:
    """Run a suite as of the day of a report, on the data that the report was made of.

    Parameters
    ----------
    report
        What lies there.
    suite
        What to run.
    run
        Runs it.
    room
        An empty folder for all that comes of it.
    history
        Results of older reports of the suite, where those beside the report are gone.

    Raises
    ------
    BadParameter, BadData
        As a run does.
    """
    before, notes = _before(report, history)
    out = room / "reports"
    with _data_of(report, unchanged.source_of(suite), room=room) as more:
        # What was late then is asked of that moment.
        now = dt.datetime.fromisoformat(report.about["started"])
        ran = run(suite, as_of=report.as_of, out=out, before=before, now=now)
    if ran.failures:
        return Again(report=None, failures=ran.failures, notes=(*notes, *more))
    made = published(out / suite.name / str(report.as_of))
    return Again(report=made, notes=(*notes, *more, *_of_data(report, made)))


def _before(report: Published, history: Sequence[Path]) -> tuple[Path | None, list[str]]:
    """Find the results that the report was compared with, by their day and their hash."""
    said = report.about.get("before")
    if said is None:
        return None, []
    day = str(said["as_of"])
    found = [report.folder.parent / day / manifest.RESULTS, *(f for f in history if f.stem == day)]
    there = [each for each in found if each.is_file()]
    if not there:
        return None, [f"The results of the report before it, of {day}, are not here."]
    same = next((each for each in there if manifest.of_results(each) == said["sha256"]), None)
    note = f"The report before it, of {day}, says something else than it did."
    return same or there[0], [] if same else [note]


@contextmanager
def _data_of(report: Published, source: Source, *, room: Path) -> Iterator[list[str]]:
    """Let a run find the snapshot of a report, and that of the report before if it was there."""
    own = store.named(source, report.about["snapshot"]["name"])
    needed = {str(each["parts"].get("earlier", "")) for each in report.about["notebooks"].values()}
    earlier = {name: store.named(source, name) for name in needed if name}
    unset = os.environ.get(SNAPSHOTS)
    os.environ[SNAPSHOTS] = str(room.absolute() / "snapshots")
    try:
        store.prepare(source)
        if own is not None:
            _link(own, source)
            store.remember(source, own, [fingerprint.source_key(source, report.as_of)])
        for kept in earlier.values():
            if kept is not None:
                _link(kept, source)
            else:  # what is taken again has the same name if it has the same content
                snapshot.take(source, as_of=report.about["before"]["as_of"])
        yield [] if own is not None else [_GONE.format(name=report.about["snapshot"]["name"])]
    finally:
        os.environ.pop(SNAPSHOTS)
        if unset is not None:
            os.environ[SNAPSHOTS] = unset


_GONE = "Its snapshot, {name}, is not kept here: it was taken again from the source."


def _link(kept: Path, source: Source) -> None:
    place = shelf.place(source) / kept.name
    if not place.exists():
        place.symlink_to(kept.resolve())


def _of_data(report: Published, made: Published) -> list[str]:
    if report.about["snapshot"]["sha256"] == made.about["snapshot"]["sha256"]:
        return []
    return [f"The source now holds other data as of {report.as_of} than the report was made of."]
