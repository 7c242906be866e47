"""The notebooks of one report: executed at once, each shown as a page with its claims."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from nbformat import NotebookNode

import retention_lab
from retention_lab import checks
from retention_lab.reports import (
    brand,
    kernel,
    manifest,
    page,
    parameters,
    privacy,
    remembered,
)
from retention_lab.reports.kernel import Stopped, Watch
from retention_lab.reports.prepared import Chapter
from retention_lab.reports.suite import Part, Suite
from retention_lab.tables import contracts
from retention_lab.tables import source as sources
from retention_lab.tables.snapshot import Snapshot


@dataclass(frozen=True, kw_only=True)
class Edition:
    """What all pages of one report share.

    `told` is what the runner tells each notebook, `shown` the source in words, `warnings` what
    stands above a page, by notebook; `secrets` are scrubbed from what a failed notebook leaves.
    `deadline` is a moment of `time.monotonic()`.
    """

    suite: Suite
    snapshot: Snapshot
    told: Mapping[str, str]
    shown: str
    deadline: float
    warnings: Mapping[str, tuple[str, ...]]
    secrets: frozenset[str]
    brand: Path | None

    @property
    def environment(self) -> dict[str, str]:
        """The variables by which the suite changes what notebooks show."""
        return {checks.SMALLEST_CELL: str(self.suite.smallest_cell)}


@dataclass(frozen=True, kw_only=True)
class Keyed:
    """A notebook with all that it is told, and the parts of the key of its page."""

    chapter: Chapter
    values: Mapping[str, object]
    parts: Mapping[str, object]

    @property
    def key(self) -> str:
        """The run key."""
        return manifest.key(self.parts)


@dataclass(frozen=True, kw_only=True)
class Made:
    """An executed notebook as its page, its claims and its part of the manifest."""

    html: str
    results: Mapping[str, object]
    manifest: Mapping[str, object]


def keyed(chapter: Chapter, edition: Edition) -> Keyed:
    """Fill in what the runner tells a notebook, and name what its page will rest on."""
    told = dict(edition.told)
    if told["previous"]:
        told["previous"] += f"#{chapter.part.name}"
    filled = parameters.filled_in(told, schema=chapter.schema, name=chapter.path.name)
    values = {**chapter.values, **filled}
    files = {
        each: sources.find(str(filled[each]).partition("#")[0])
        for each in manifest.READ
        if filled.get(each)
    }
    parts = manifest.key_parts(
        chapter.notebook,
        parameters=values,
        snapshot=edition.snapshot,
        path=chapter.path,
        files=files | ({"brand": edition.brand} if edition.brand else {}),
        environment=edition.environment,
    )
    warned = edition.warnings.get(chapter.part.name, ())
    titles = [edition.suite.title, chapter.part.title, edition.suite.owner, edition.shown]
    told_of: dict[str, object] = {"warnings": list(warned), "titles": titles}
    if "ledgers" in filled and filled["plan"]:
        told_of["ledgers"] = remembered.of_test(
            Path(str(filled["ledgers"])), files["plan"], as_of=edition.snapshot.as_of
        )
    return Keyed(chapter=chapter, values=values, parts={**parts, **told_of})


def make(
    notebooks: Sequence[Keyed], edition: Edition, *, jobs: int | None, watch: Watch
) -> tuple[dict[str, Made], dict[str, Stopped]]:
    """Execute notebooks, `jobs` at once; return what was made, and what stopped, by name."""
    made: dict[str, Made] = {}
    failures: dict[str, Stopped] = {}
    with (
        kernel.surroundings(edition.environment),
        ThreadPoolExecutor(max_workers=jobs or os.cpu_count()) as pool,
    ):
        futures = {
            each.chapter.part.name: pool.submit(_made, each, edition, watch=watch)
            for each in notebooks
        }
        for name, future in futures.items():
            try:
                made[name] = future.result()
            except Stopped as failure:
                failures[name] = failure
            except BaseException:  # a full disk, or Ctrl-C: nothing more is begun
                pool.shutdown(wait=False, cancel_futures=True)
                raise
    return made, failures


def _made(notebook: Keyed, edition: Edition, *, watch: Watch) -> Made:
    part, name = notebook.chapter.part, notebook.chapter.path.name
    begun = time.monotonic()
    try:
        executed = kernel.execute(
            notebook.chapter.path,
            parameters=notebook.values,
            cell_seconds=60 * edition.suite.cell_minutes,
            deadline=edition.deadline,
            watch=watch,
        )
    except Stopped as failure:
        raise _scrubbed(failure, edition.secrets) from None  # the cause may hold a secret
    # What papermill injected goes to the end: messages number cells as their author does.
    executed.cells.sort(key=_is_injected)
    told = {name: str(notebook.values.get(name, "")) for name in ("previous", "ledgers")}
    told["previous"] = told["previous"].partition("#")[0]
    for cell in filter(_is_injected, executed.cells):
        cell.source = manifest.placeless(cell.source, **told, suite=edition.suite)
    try:
        privacy.refuse_personal(executed, name=name)
        html = page.render(executed, facts=_facts(part, edition, run_key=notebook.key))
        results = {"title": part.title, "run_key": notebook.key, **_claims(executed)}
    except checks.Refusal as error:
        sentence = str(error) if str(error).startswith(name) else f"{name}: {error}"
        refused = Stopped(sentence, exit_code=1, executed=executed)
        raise _scrubbed(refused, edition.secrets) from None
    about = {
        "title": part.title,
        "run_key": notebook.key,
        "parts": notebook.parts,
        "sha256": manifest.of_page(html),
        "seconds": round(time.monotonic() - begun, 1),
    }
    return Made(html=html, results=results, manifest=about)


def _scrubbed(failure: Stopped, secrets: frozenset[str]) -> Stopped:
    executed = failure.executed and privacy.scrub_notebook(failure.executed, secrets)
    sentence = privacy.scrub(str(failure), secrets)
    return Stopped(sentence, exit_code=failure.exit_code, executed=executed)


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
    kept = {name: value for each in ledgers for name, value in each.get("kept", {}).items()}
    found = {"headline": headlines[-1] if headlines else "", "results": results}
    return found | ({"kept": kept} if kept else {})


def _facts(part: Part, edition: Edition, *, run_key: str) -> page.PageFacts:
    suite, taken = edition.suite, edition.snapshot
    return page.PageFacts(
        title=part.title,
        suite=suite.title,
        as_of=taken.as_of,
        source=edition.shown,
        simulated=taken.simulated,
        owner=suite.owner,
        warnings=edition.warnings.get(part.name, ()),
        brand=brand.load(edition.brand) if edition.brand else None,
        footer={
            "Run": run_key[:12],
            "Code": retention_lab.__version__,
            "Snapshot": taken.content_hash[:12],
            "Contract": str(contracts.VERSION),
            "Days as in": taken.zone,
        },
    )
