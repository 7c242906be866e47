"""Whether a suite need not run: its report is there, and nothing that it rests on has changed.

This is asked first and often, so it reads no table and imports no engine. Only a source with a
`fingerprint` query must ask its database.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import platform
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from retention_lab.reports import manifest, prepared, remembered
from retention_lab.reports.calendar import period_end
from retention_lab.reports.prepared import Chapter
from retention_lab.reports.suite import OWN_FILES, Suite
from retention_lab.tables import fingerprint as of_source
from retention_lab.tables import source as sources
from retention_lab.tables import store
from retention_lab.tables.source import Source


def fingerprint(
    suite: Suite, chapters: Sequence[Chapter], *, as_of: dt.date, before: Path | None, state: Path
) -> str | None:
    """Return what changes when the report of a day may come out otherwise.

    Parameters
    ----------
    suite
        A loaded suite, with what the command line put in the place of its settings.
    chapters
        Those of its notebooks that are to run.
    as_of
        The day of the report.
    before
        The results of the report before it.
    state
        What notebooks read of tests.

    Returns
    -------
    str or None
        64 hexadecimal digits; None where only reading the source can tell.

    Raises
    ------
    BadParameter
        When a file or an environment variable of the source is missing.
    BadData
        When its `fingerprint` query fails.
    """
    key = of_source.source_key(source_of(suite), as_of)
    if key is None:
        return None
    return of_source.sha(
        suite.model_dump_json(),
        key,
        str(as_of),
        manifest.code(),
        of_source.of_cohorts() if suite.where or suite.plan else "",
        "" if before is None else manifest.of_results(before),
        *_files(suite),
        *_of_test(suite, chapters, state=state, as_of=as_of),
        *(part for chapter in chapters for part in _of_chapter(chapter)),
        platform.python_version(),
        json.dumps(manifest.packages()),
    )


def unchanged(folder: Path, fingerprint: str | None) -> bool:
    """Tell whether a published report has a fingerprint, and all its pages as they were made."""
    try:
        about = json.loads((folder / manifest.MANIFEST).read_bytes())
        there = (folder / manifest.RESULTS).is_file()
        same = there and all(
            is_as_made(folder, name, each) for name, each in about["notebooks"].items()
        )
    except (OSError, ValueError, LookupError, TypeError):  # none there, or none of ours
        return False
    return same and fingerprint is not None and about.get("fingerprint") == fingerprint


def is_as_made(folder: Path, name: str, about: Mapping[str, Any]) -> bool:
    """Tell whether the page of a notebook is the one that the manifest tells `about`."""
    page = folder / f"{name}.html"
    return page.is_file() and _sha(page) == about["sha256"]


def as_of_of_data(suite: Suite) -> dt.date | None:
    """Return the end of the last period that the source is complete for, without reading it.

    None where that is not known: `store.remember_end` notes it once the source was read.
    """
    end = store.end(source_of(suite))
    return None if end is None else period_end(end, period=suite.period)


def source_of(suite: Suite) -> Source:
    """Load the source of a suite, with the business time zone that the suite gives it.

    Raises
    ------
    BadParameter
        When its file cannot be read or a setting does not fit.
    """
    source = sources.load(suite.place(suite.source))
    zone = {"business_time_zone": suite.time_zone} if suite.time_zone else {}
    return source.model_copy(update=zone)


def _of_chapter(chapter: Chapter) -> Iterable[str]:
    lock = manifest.lock_file(chapter.path)
    yield chapter.part.model_dump_json()
    yield manifest.of_notebook(chapter.notebook)
    yield "" if lock is None else manifest.of_file(lock)


def _files(suite: Suite) -> Iterable[str]:
    """Name what the suite reads beside its source, and hash it."""
    told = prepared.told(suite)
    for kind in OWN_FILES:
        yield manifest.of_file(suite.place(told[kind])) if told[kind] else ""
    yield manifest.of_brand(suite.place(suite.brand)) if suite.brand else ""


def _of_test(
    suite: Suite, chapters: Sequence[Chapter], *, state: Path, as_of: dt.date
) -> Iterable[str]:
    """Name what is remembered of the test, where a notebook asks for it."""
    plan = suite.own_file("plan")
    if plan and any("ledgers" in chapter.schema for chapter in chapters):
        yield remembered.of_test(state, suite.place(plan), as_of=as_of)


def _sha(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
