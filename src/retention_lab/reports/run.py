"""A run of a suite: refuse what can be refused, execute and show each notebook, publish at once."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from nbformat import NotebookNode

import retention_lab
from retention_lab import checks
from retention_lab.reports import kernel, manifest, page, parameters, publish
from retention_lab.reports.kernel import Stopped, Watch
from retention_lab.reports.parameters import Parameter
from retention_lab.reports.suite import Part, Suite, period_end
from retention_lab.tables import annotations as happenings
from retention_lab.tables import contracts, engine, metrics, snapshot
from retention_lab.tables import source as sources
from retention_lab.tables.snapshot import Snapshot

MINUTES = 240  # the longest that a whole run may take
READ = ("metrics", "annotations", "previous")  # what a notebook is told of and reads itself


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What a run left: the front page, and its pages, or why there are none.

    `kept` is the folder of the executed notebooks of a failed run.
    """

    index: Path
    pages: tuple[Path, ...] = ()
    failures: tuple[checks.Refusal, ...] = ()
    kept: Path | None = None

    @property
    def exit_code(self) -> int:
        """The worst of the notebooks: 0 when all are done."""
        return max((failure.exit_code for failure in self.failures), default=0)


@dataclass(frozen=True, kw_only=True)
class _Chapter:
    """A notebook that has passed the checks, with the values that the suite gives it."""

    part: Part
    path: Path
    notebook: NotebookNode
    schema: Mapping[str, Parameter]
    values: Mapping[str, object]


@dataclass(frozen=True, kw_only=True)
class _Made:
    """An executed notebook as its page, its claims and its part of the manifest."""

    html: str
    results: Mapping[str, object]
    manifest: Mapping[str, object]


def run(
    suite: Suite,
    *,
    as_of: dt.date | None = None,
    out: Path,
    only: str | None = None,
    watch: Watch = lambda *_: None,
) -> Outcome:
    """Run a suite and publish its pages, results and manifest under `out`; all of it or nothing.

    Parameters
    ----------
    suite
        A loaded suite.
    as_of
        The last business-local day that the report knows; default the end of the last period that
        the source is complete for.
    out
        Where reports lie; see `publish`.
    only
        One notebook, by name or number; the day's other pages stay as they are.
    watch
        Told of each cell that begins.

    Raises
    ------
    BadParameter
        When a setting, a notebook or a parameter does not fit: before any kernel starts.
    BadData
        When the source cannot answer: before any kernel starts.
    Locked
        When the suite is being run already.
    """
    chapters = [_prepared(suite, part) for part in suite.chosen(only)]
    _refuse_own_files(suite)
    shelf = out / suite.name
    deadline = time.monotonic() + 60 * MINUTES
    with kernel.stoppable(), publish.locked(shelf), kernel.surroundings({}):
        begun = time.time()
        taken = _snapshot(suite, as_of)
        source = suite.place(suite.source)
        about = manifest.of_run(suite, taken, shown=_shown(taken), source=source)
        told = _told(suite) | _previous(shelf, about) | {"as_of": str(taken.as_of)}
        made: dict[str, _Made] = {}
        failures: dict[str, Stopped] = {}
        for chapter in chapters:
            try:
                made[chapter.part.name] = _made(
                    chapter, suite, taken, told=told, deadline=deadline, watch=watch
                )
            except Stopped as failure:
                failures[chapter.part.name] = failure
        about |= _clock(begun)
        if failures:
            kept = publish.keep_failed(failures, about, shelf=shelf, as_of=taken.as_of)
            return Outcome(
                index=publish.write_index(out), failures=tuple(failures.values()), kept=kept
            )
        folder = _publish(made, about, shelf=shelf, as_of=taken.as_of, add=only is not None)
    return Outcome(
        index=publish.write_index(out), pages=tuple(folder / f"{name}.html" for name in made)
    )


def _prepared(suite: Suite, part: Part) -> _Chapter:
    path = suite.notebook(part)
    notebook = kernel.read(path)
    schema = parameters.declared(notebook, name=path.name)
    values = parameters.checked(part.parameters, schema=schema, name=path.name)
    parameters.filled_in(_told(suite), schema=schema, name=path.name)
    return _Chapter(part=part, path=path, notebook=notebook, schema=schema, values=values)


def _told(suite: Suite) -> dict[str, str]:
    """Say what a notebook is told before the day and the report before it are known."""
    return {
        "source": suite.source_for_notebooks,
        "as_of": "",
        "where": suite.where,
        "time_zone": suite.time_zone,
        "owner": suite.owner,
        "metrics": suite.own_file("metrics"),
        "annotations": suite.own_file("annotations"),
        "previous": "",
    }


def _refuse_own_files(suite: Suite) -> None:
    told = _told(suite)
    if told["metrics"]:
        metrics.load(told["metrics"])
    if told["annotations"]:
        happenings.load(told["annotations"], as_of=dt.date.max)


def _previous(shelf: Path, about: Mapping[str, object]) -> dict[str, str]:
    found = publish.before(shelf, about=about)
    return {"previous": "" if found is None else str(found)}


def _snapshot(suite: Suite, as_of: dt.date | None) -> Snapshot:
    """Take the snapshot that each notebook will find: bad data start no kernel."""
    source = sources.load(suite.place(suite.source))
    if suite.time_zone:
        source = source.model_copy(update={"business_time_zone": suite.time_zone})
    if as_of is None:
        known = snapshot.complete_to(source, con=engine.connect(source.engine))
        as_of = period_end(known, period=suite.period)
    return snapshot.take(source, as_of=as_of, where=suite.where)


def _made(
    chapter: _Chapter,
    suite: Suite,
    taken: Snapshot,
    *,
    told: Mapping[str, str],
    deadline: float,
    watch: Watch,
) -> _Made:
    name = chapter.path.name
    if told["previous"]:
        told = {**told, "previous": f"{told['previous']}#{chapter.part.name}"}
    filled = parameters.filled_in(told, schema=chapter.schema, name=name)
    values = {**chapter.values, **filled}
    files = {
        each: sources.find(str(filled[each]).partition("#")[0]) for each in READ if filled.get(each)
    }
    parts = manifest.key_parts(
        chapter.notebook, parameters=values, snapshot=taken, path=chapter.path, files=files
    )
    facts = _facts(chapter.part, suite, taken, run_key=manifest.key(parts))
    begun = time.monotonic()
    executed = kernel.execute(
        chapter.path,
        parameters=values,
        cell_seconds=60 * suite.cell_minutes,
        deadline=deadline,
        watch=watch,
    )
    # What papermill injected goes to the end: messages number cells as their author does.
    executed.cells.sort(key=_is_injected)
    try:
        html = page.render(executed, facts=facts)
        results = {"title": chapter.part.title, **_claims(executed)}
    except checks.Refusal as error:
        raise Stopped(f"{name}: {error}", exit_code=1, executed=executed) from error
    told_of = {
        "title": chapter.part.title,
        "run_key": manifest.key(parts),
        "parts": parts,
        "sha256": manifest.of_page(html),
        "seconds": round(time.monotonic() - begun, 1),
    }
    return _Made(html=html, results=results, manifest=told_of)


def _is_injected(cell: NotebookNode) -> bool:
    return "injected-parameters" in cell.metadata.get("tags", [])


def _claims(executed: NotebookNode) -> dict[str, object]:
    """Gather the claims of a notebook, over all its ledgers.

    Raises
    ------
    BadData
        When a number is none: what cannot be computed must not be claimed.
    """
    outputs = [
        output.get("data", {}) for cell in executed.cells for output in cell.get("outputs", [])
    ]
    ledgers = [data[page.RESULTS] for data in outputs if page.RESULTS in data]
    results = [result for ledger in ledgers for result in ledger.get("results", [])]
    for result in results:
        # A kernel sends nan and infinity as text.
        if any(isinstance(result.get(each), str) for each in ("value", "low", "high")):
            raise checks.BadData(
                f"the result {result.get('name')!r} holds nan or infinity. "
                "What cannot be computed must not be recorded."
            )
    headlines = [ledger["headline"] for ledger in ledgers if ledger.get("headline")]
    return {"headline": headlines[-1] if headlines else "", "results": results}


def _shown(taken: Snapshot) -> str:
    words = f"{taken.name}, orders complete to {page.long_date(taken.complete_to)}"
    return f"{words}; only customers with {taken.where}" if taken.where else words


def _facts(part: Part, suite: Suite, taken: Snapshot, *, run_key: str) -> page.PageFacts:
    return page.PageFacts(
        title=part.title,
        suite=suite.title,
        as_of=taken.as_of,
        source=_shown(taken),
        simulated=taken.simulated,
        owner=suite.owner,
        footer={
            "Run": run_key[:12],
            "Code": retention_lab.__version__,
            "Snapshot": taken.content_hash[:12],
            "Contract": str(contracts.VERSION),
            "Days as in": taken.zone,
        },
    )


def _clock(begun: float) -> dict[str, object]:
    """Say when a run took place: the manifest is the only place that a clock is read for."""
    ended = time.time()
    start, end = (
        dt.datetime.fromtimestamp(moment, tz=dt.UTC).isoformat(timespec="seconds")
        for moment in (begun, ended)
    )
    return {"started": start, "finished": end, "seconds": round(ended - begun, 1)}


def _publish(
    made: Mapping[str, _Made],
    about: Mapping[str, object],
    *,
    shelf: Path,
    as_of: dt.date,
    add: bool,
) -> Path:
    head = {name: about[name] for name in ("suite", "as_of", "source", "snapshot")}
    with publish.building(shelf, as_of=as_of, add=add) as partial:
        for name, page_made in made.items():
            publish.write(partial / f"{name}.html", page_made.html)
        results = {name: each.results for name, each in made.items()}
        publish.write_json(partial / publish.RESULTS, head, notebooks=results)
        manifests = {name: each.manifest for name, each in made.items()}
        publish.write_json(partial / publish.MANIFEST, about, notebooks=manifests)
    return shelf / str(as_of)
