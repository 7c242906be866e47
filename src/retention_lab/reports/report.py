"""The report of one day: wait for the data, execute and show each notebook, publish at once."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from retention_lab.reports import (
    calendar,
    erasure,
    keeping,
    making,
    manifest,
    past,
    prepared,
    privacy,
    publish,
    readiness,
    unchanged,
)
from retention_lab.reports.kernel import Stopped
from retention_lab.reports.making import Edition, Keyed, Made
from retention_lab.reports.prepared import Chapter
from retention_lab.reports.ran import Failure, Ran
from retention_lab.reports.run import Call, moment, told
from retention_lab.reports.suite import Suite
from retention_lab.state import State
from retention_lab.tables import annotations as happenings
from retention_lab.tables import engine, pruning, snapshot, store
from retention_lab.tables.completeness import Arrival
from retention_lab.tables.snapshot import Snapshot
from retention_lab.tables.source import Source

HEAD = ("suite", "as_of", "source", "snapshot", "status", "warnings", "code")  # of results.json


def make(
    suite: Suite,
    chapters: Sequence[Chapter],
    call: Call,
    *,
    as_of: dt.date | None,
    begun: float,
) -> Ran:
    """Make the report of a day, by default of the last period that the data are complete for.

    Raises as `run.run` does.
    """
    deadline = time.monotonic() + 60 * suite.minutes
    prepared.refuse_own_files(suite)
    shelf = call.out / suite.name
    with publish.locked(shelf):
        state = past.opened(call.state, shelf=shelf)
        past.keep(state, shelf)
        erasure.keep_out(unchanged.source_of(suite), state)
        taken, late = _ready(suite, call, as_of=as_of)
        earlier = call.before or past.before(state, suite, as_of=taken.as_of)
        edition = _edition(
            suite, taken, late, told=_told(suite, taken, call, earlier), deadline=deadline
        )
        notebooks = [making.keyed(chapter, edition) for chapter in chapters]
        there = shelf / str(taken.as_of)
        if not call.force and _is_there(there, notebooks):
            about = publish.read_json(there / publish.MANIFEST)
            return told(suite, about, status="unchanged", begun=begun, folder=there)
        return _anew(notebooks, edition, call, state=state, earlier=earlier, begun=begun)


def _anew(
    notebooks: Sequence[Keyed],
    edition: Edition,
    call: Call,
    *,
    state: State,
    earlier: Path | None,
    begun: float,
) -> Ran:
    """Execute and publish the notebooks, or keep what failed."""
    suite, as_of = edition.suite, edition.snapshot.as_of
    shelf = call.out / suite.name
    about = _about(edition, state=state, earlier=earlier)
    made, failures = making.make(notebooks, edition, jobs=call.jobs, watch=call.watch)
    about |= _clock(begun)
    if failures:
        kept = publish.keep_failed(failures, about, shelf=shelf, as_of=as_of)
        return _failed(suite, about, failures, kept=kept, begun=begun)
    if call.only is None:
        chapters = [each.chapter for each in notebooks]
        about["fingerprint"] = unchanged.fingerprint(
            suite, chapters, as_of=as_of, before=earlier, state=call.memory
        )
    _publish(made, about, shelf=shelf, as_of=as_of, add=call.only is not None)
    past.keep(state, shelf)
    _prune(suite, shelf)
    return _done(suite, about, made, folder=shelf / str(as_of), begun=begun)


def _ready(
    suite: Suite, call: Call, *, as_of: dt.date | None
) -> tuple[Snapshot, tuple[Arrival, ...]]:
    """Take the snapshot that each notebook will find: bad data start no kernel.

    Whether the tables reach its day is asked of the newest period only: of older ones it is known.
    """
    source = unchanged.source_of(suite)
    day = as_of or _last(source, suite)
    newest = calendar.last_complete(call.now, period=suite.period, zone=source.zone)
    if source.simulated or suite.as_of == "data" or day < newest:
        return snapshot.take(source, as_of=day, where=suite.where), ()
    wait = suite.wait_until
    until = None if wait is None else calendar.today_at(call.now, wait, zone=source.zone)
    file = suite.own_file("annotations")
    happened = happenings.load(file, as_of=day) if file else ()
    taken, late = readiness.ready(
        lambda: snapshot.take(source, as_of=day),
        until=until,
        excused=readiness.quiet_days(happened),
        stated=source.complete_to,
    )
    return (snapshot.only(taken, suite.where) if suite.where.strip() else taken), late


def _last(source: Source, suite: Suite) -> dt.date:
    known = snapshot.complete_to(source, con=engine.connect(source.engine))
    store.remember_end(source, known)
    return calendar.period_end(known, period=suite.period)


def _edition(
    suite: Suite,
    taken: Snapshot,
    late: Sequence[Arrival],
    *,
    told: Mapping[str, str],
    deadline: float,
) -> Edition:
    return Edition(
        suite=suite,
        snapshot=taken,
        told=told,
        shown=_shown(taken),
        deadline=deadline,
        warnings={each.name: readiness.warnings(late, each) for each in suite.notebooks},
        secrets=privacy.secrets(suite.place(suite.source)),
        brand=suite.place(suite.brand) if suite.brand else None,
    )


def _told(suite: Suite, taken: Snapshot, call: Call, earlier: Path | None) -> dict[str, str]:
    known = {"as_of": str(taken.as_of), "previous": str(earlier or ""), "ledgers": str(call.memory)}
    return prepared.told(suite) | known


def _shown(taken: Snapshot) -> str:
    words = f"{taken.name}, {taken.main} complete to {calendar.long_date(taken.complete_to)}"
    return f"{words}; only customers with {taken.where}" if taken.where else words


def _is_there(folder: Path, notebooks: Sequence[Keyed]) -> bool:
    """Tell whether the pages of these notebooks are published, and as they were made."""
    made = publish.read_json(folder / publish.MANIFEST).get("notebooks", {})
    return all(
        (about := made.get(each.chapter.part.name))
        and about["run_key"] == each.key
        and unchanged.is_as_made(folder, each.chapter.part.name, about)
        for each in notebooks
    )


def _about(edition: Edition, *, state: State, earlier: Path | None) -> dict[str, Any]:
    """Return what all notebooks of the report share in its manifest."""
    suite, taken = edition.suite, edition.snapshot
    source = suite.place(suite.source)
    about = manifest.of_run(suite, taken, shown=edition.shown, source=source, before=earlier)
    warnings = dict.fromkeys(each for told in edition.warnings.values() for each in told)
    own = {
        "status": "published with warnings" if warnings else "published",
        "warnings": list(warnings),
        "code": manifest.code(),
        "state": state.id,
        "period": suite.period if suite.as_of == "today" else "",  # else nobody waits for the next
        "time_zone": taken.zone,
    }
    return {**about, **own}


def _clock(begun: float) -> dict[str, object]:
    """Say when a run took place: the manifest is the only place that a clock is read for."""
    ended = time.time()
    return {"started": moment(begun), "finished": moment(ended), "seconds": round(ended - begun, 1)}


def _publish(
    made: Mapping[str, Made],
    about: Mapping[str, object],
    *,
    shelf: Path,
    as_of: dt.date,
    add: bool,
) -> None:
    head = {name: about[name] for name in HEAD}
    with publish.building(shelf, as_of=as_of, add=add) as partial:
        for name, page_made in made.items():
            publish.write(partial / f"{name}.html", page_made.html)
        results = {name: each.results for name, each in made.items()}
        publish.write_json(partial / publish.RESULTS, head, notebooks=results)
        manifests = {name: each.manifest for name, each in made.items()}
        publish.write_json(partial / publish.MANIFEST, about, notebooks=manifests)


def _prune(suite: Suite, shelf: Path) -> None:
    """Keep the newest reports only, and the snapshots of those that are left."""
    if suite.keep is not None:
        publish.prune(shelf, keep=suite.keep)
        pruning.prune(unchanged.source_of(suite), needed=keeping.needed(shelf.parent))


def _failed(
    suite: Suite,
    about: Mapping[str, Any],
    failures: Mapping[str, Stopped],
    *,
    kept: Path,
    begun: float,
) -> Ran:
    told_of = tuple(
        Failure(notebook=name, sentence=str(each), exit_code=each.exit_code)
        for name, each in failures.items()
    )
    worst = max(each.exit_code for each in told_of)
    words: dict[str, Any] = {"failures": told_of, "exit_code": worst, "kept": str(kept)}
    return told(suite, about, status="failed", begun=begun, **words)


def _done(
    suite: Suite, about: Mapping[str, Any], made: Mapping[str, Made], *, folder: Path, begun: float
) -> Ran:
    headlines = {str(each.results["title"]): each.results["headline"] for each in made.values()}
    words: dict[str, Any] = {
        "pages": tuple(str(folder / f"{name}.html") for name in made),
        "headlines": {title: said for title, said in headlines.items() if said},
        "warnings": tuple(about["warnings"]),
    }
    return told(suite, about, status=about["status"], begun=begun, folder=folder, **words)
