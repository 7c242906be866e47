"""The front page, written from what lies in the folders and in the state; and what is overdue."""

from __future__ import annotations

import datetime as dt
import fcntl
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

from retention_lab.reports import calendar, catalogue, history, publish
from retention_lab.reports.brand import Brand
from retention_lab.reports.calendar import long_date, short_date
from retention_lab.reports.catalogue import Due, Entry
from retention_lab.reports.ran import RAN, Ran
from retention_lab.state import State
from retention_lab.tables import clocks

_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_WARNED = "published with warnings"
# What a failure may say to everybody: its own words may quote data, and are for its owner.
_CAUSES = {
    1: "a notebook failed",
    2: "a setting does not fit",
    3: "the data could not answer",
    4: "it took too long, or its kernel died",
    75: "another run was under way",
    143: "it was stopped",
}


@dataclass(frozen=True, kw_only=True)
class Overdue:
    """A suite whose next report should have come: its last one was of `as_of`."""

    suite: str
    title: str
    owner: str
    as_of: dt.date
    due: dt.date

    @property
    def sentence(self) -> str:
        """What is missing, and what to do."""
        return (
            f"{self.title} is late: its last report is of {long_date(self.as_of)}, and the next "
            f"was due by {long_date(self.due)}. See whether its schedule still runs; if the suite "
            "has ended, move its folder away."
        )


def write(out: Path, *, state: State | None, now: dt.datetime, brand: Brand | None = None) -> Path:
    """Write the front page and return its path.

    Parameters
    ----------
    out
        Where the suites' folders lie.
    state
        Where the results of all reports are kept, also of those whose pages are gone; without it,
        those in the folders are shown.
    now
        An aware time: a suite whose next report was due before it is marked late.
    brand
        Whose page it is.

    Raises
    ------
    BadData
        When results that are kept are damaged.
    """
    out.mkdir(parents=True, exist_ok=True)
    with (out / ".lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)  # two suites may end at once: neither overlooks the other
        for left in out.glob(".partial-*"):  # by a process that was killed
            left.unlink()
        index = out / "index.html"
        runs = entries(out, state=state, now=now)
        publish.write(index, catalogue.render(runs, brand=brand))
    return index


def entries(out: Path, *, state: State | None, now: dt.datetime) -> list[Entry]:
    """Return every run that lies under `out`, or is known to the state.

    Of one day, a failed one comes before the good one that it did not replace.
    """
    return [entry for shelf in _shelves(out) for entry in _runs(shelf, state=state, now=now)]


def overdue(out: Path, now: dt.datetime) -> list[Overdue]:
    """Return the suites whose next report was due before `now`, an aware time, by name.

    Made-up customers are never overdue: nobody waits for them.
    """
    found = []
    for shelf in _shelves(out):
        manifest = _newest(shelf)
        due = _due(manifest, now=now) if manifest else None
        if due is not None and due.late:
            found.append(
                Overdue(
                    suite=shelf.name,
                    title=manifest["title"],
                    owner=manifest.get("owner", ""),
                    as_of=dt.date.fromisoformat(manifest["as_of"]),
                    due=due.day,
                )
            )
    return found


def _shelves(out: Path) -> list[Path]:
    found = out.iterdir() if out.is_dir() else ()
    return sorted(folder for folder in found if folder.is_dir() and not folder.is_symlink())


def _newest(shelf: Path) -> Mapping[str, Any]:
    day = max(_days(shelf), default=None)
    return publish.read_json(shelf / str(day) / publish.MANIFEST) if day else {}


def _days(folder: Path) -> list[dt.date]:
    found = folder.iterdir() if folder.is_dir() else ()
    return sorted(dt.date.fromisoformat(each.name) for each in found if _is_report(each))


def _is_report(folder: Path) -> bool:
    return bool(_DAY.fullmatch(folder.name)) and (folder / publish.MANIFEST).is_file()


def _due(manifest: Mapping[str, Any], *, now: dt.datetime) -> Due | None:
    """Say when the next report is due: on the day after the next period ends, where days begin."""
    if manifest["source"]["simulated"] or not manifest.get("period"):
        return None
    as_of = dt.date.fromisoformat(manifest["as_of"])
    one = dt.timedelta(days=1)
    day = calendar.ends(as_of + one, as_of + 31 * one, period=manifest["period"])[0] + one
    zone = clocks.zone(manifest.get("time_zone") or manifest["snapshot"]["time_zone"])
    late_from = dt.datetime.combine(day + one, dt.time(), tzinfo=zone).astimezone(dt.UTC)
    return Due(day=day, late_from=late_from, late=now >= late_from)


def _runs(shelf: Path, *, state: State | None, now: dt.datetime) -> list[Entry]:
    manifest = _newest(shelf)
    good = list(_good(shelf, manifest, state=state)) if manifest else []
    if good:
        good[-1] = replace(good[-1], due=_due(manifest, now=now))
    return [*_failed(shelf), *good]


def _good(shelf: Path, newest: Mapping[str, Any], *, state: State | None) -> Iterator[Entry]:
    """Yield the reports of a suite, oldest first; the last one with the lines of its numbers."""
    days = {str(day) for day in _days(shelf)}
    kept = [] if state is None else state.results(shelf.name)
    files = [*kept, *(shelf / day / publish.RESULTS for day in sorted(days))]
    reports = history.oldest_first(map(history.read, files))
    for report in reports:
        day = report["as_of"]
        yield Entry(
            suite=newest["title"],
            as_of=dt.date.fromisoformat(day),
            status="warned" if report.get("status") == _WARNED else "good",
            simulated=report["source"]["simulated"],
            source=report["source"]["shown"],
            pages={
                each["title"]: f"{quote(shelf.name)}/{day}/{quote(name)}.html" * (day in days)
                for name, each in report["notebooks"].items()
            },
            headlines={
                each["title"]: each["headline"]
                for each in report["notebooks"].values()
                if each.get("headline")
            },
            series=history.series(reports) if report is reports[-1] else (),
            remarks=report.get("warnings", ()),
        )


def _failed(shelf: Path) -> Iterator[Entry]:
    """Yield the failed runs whose notebooks are still kept, and the last run, if that failed."""
    last = _ran(shelf)
    for day in _days(shelf / publish.FAILED):
        if last is None or last.as_of != str(day):
            manifest = publish.read_json(shelf / publish.FAILED / str(day) / publish.MANIFEST)
            yield Entry(
                suite=manifest["title"],
                as_of=day,
                status="failed",
                simulated=manifest["source"]["simulated"],
                source=manifest["source"]["shown"],
            )
    if last is not None:
        yield _of_ran(last)


def _ran(shelf: Path) -> Ran | None:
    """Return the last run of a suite, if it failed."""
    file = shelf / RAN
    ran = Ran.model_validate_json(file.read_bytes()) if file.is_file() else None
    return ran if ran is not None and ran.status == "failed" else None


def _of_ran(ran: Ran) -> Entry:
    run_on = dt.datetime.fromisoformat(ran.finished).date()
    causes = _causes(failure.exit_code for failure in ran.failures)
    return Entry(
        suite=ran.title,
        as_of=dt.date.fromisoformat(ran.as_of) if ran.as_of else run_on,
        status="failed",
        simulated=ran.simulated,
        source=f"Run on {short_date(run_on)}",
        remarks=[f"{cause}; {ran.owner} has the details." for cause in causes],
    )


def _causes(codes: Iterable[int]) -> list[str]:
    words = dict.fromkeys(_CAUSES.get(code, "it could not be finished") for code in codes)
    return [each[0].upper() + each[1:] for each in words]
