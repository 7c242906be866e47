"""What changes, cheaply, when a source may have: nothing is read but what a query was given for.

An unchanged suite is told by this before any engine is imported.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import os
from importlib import resources
from pathlib import Path

from retention_lab.tables import erased
from retention_lab.tables import source as sources
from retention_lab.tables.contracts import VERSION
from retention_lab.tables.location import Location, paths
from retention_lab.tables.source import Source

# These make a shop, write its source file, or ask something of a snapshot: none makes one, nor do
# `drafts`.
_OTHERS = {
    *("simulator.py", "truth.py", "annotations.py", "period.py", "population.py", "saved.py"),
    *("saving.py", "metrics.py", "aggregates.py", "ibis_expressions.py", "completeness.py"),
    *("pruning.py", "unlisting.py", "playbook.py", "people.py", "drawing.py", "membership.py"),
}


def source_key(source: Source, as_of: dt.date | None) -> str | None:
    """Return what changes when a file, the source file, the contracts or this room's code does.

    None where the source reads a database table without a `fingerprint` query: then only reading
    can tell.

    Raises
    ------
    BadParameter
        When a file or an environment variable is missing.
    BadData
        When the query of a `fingerprint` fails.
    """
    parts = [source.model_dump_json(), str(VERSION), str(as_of), _code()]
    parts += sorted(one.hash for one in erased.listed(source))
    for location in sources.locations(source):
        found = of_location(location, source=source)
        if not found:
            return None
        parts += found
    for lookup in sources.lookups(source):
        parts += map(stamp, paths(Location(path=lookup.file), file=source.file))
    return sha(*parts)


def of_location(location: Location, *, source: Source) -> list[str]:
    """Return what changes when the rows of one place may have.

    It is path, size and time of each file, or the answer to a query. A database table without a
    `fingerprint` query gives nothing: it must be read again each time.
    """
    if location.connection is None:
        return [stamp(path) for path in paths(location, file=source.file)]
    if location.fingerprint is None:
        return []
    from retention_lab.tables import readers  # noqa: PLC0415  only a database needs an engine

    return [readers.answer(location.fingerprint, location, source=source)]


def stamp(path: Path) -> str:
    """Return the path, size and time of change of a file."""
    stat = path.stat()
    return f"{path.resolve()} {stat.st_size} {stat.st_mtime_ns}"


def cohorts() -> Path:
    """Return where the saved cohorts lie, or would."""
    return sources.find(os.environ.get("RETENTION_LAB_COHORTS", "data/cohorts"))


def of_cohorts() -> str:
    """Return what changes when a saved cohort does: the file of a list holds the hash of it."""
    files = sorted(cohorts().glob("*.yml"))
    return sha(*(f"{file.name} {file.read_text(encoding='utf-8')}" for file in files))


def _code() -> str:
    """Hash the code that makes snapshots: a snapshot of older code is not reused."""
    room = {file.name: file for file in resources.files("retention_lab.tables").iterdir()}
    names = sorted(name for name in room if name.endswith(".py") and name not in _OTHERS)
    return sha(*(room[name].read_text(encoding="utf-8") for name in names))


def sha(*parts: str) -> str:
    """Return the SHA-256 of some texts in order."""
    return hashlib.sha256("\x1e".join(parts).encode()).hexdigest()
