"""What identifies a run: enough to repeat it, and to tell why two runs differ.

A source is named as it was written, its variables unexpanded: no secret is in here, and no folder
of a machine. Nothing heavy is imported before it is needed: an unchanged suite is told by the
manifest.
"""

from __future__ import annotations

import hashlib
import json
import platform
import socket
import subprocess
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

import retention_lab
from retention_lab.reports import brand
from retention_lab.reports.suite import OWN_FILES, Suite
from retention_lab.tables import store
from retention_lab.tables.contracts import VERSION

if TYPE_CHECKING:
    from retention_lab.tables.snapshot import Snapshot

MANIFEST, RESULTS = "manifest.json", "results.json"
LOCK = "requirements.lock"
PACKAGES = (
    "papermill", "nbconvert", "pandas", "numpy", "scipy", "statsmodels", "lifelines", "altair",
    "ibis-framework", "duckdb",
)  # fmt: skip
READ = (*OWN_FILES, "previous")  # what a notebook is told of and reads itself
PLACES = (*READ, "ledgers")  # of which a key has what is in them, not where they lie
_ROOTS = (".git", LOCK, "pyproject.toml")  # what lies at the top of a project


def key_parts(
    notebook: Mapping[str, Any],
    *,
    parameters: Mapping[str, object],
    snapshot: Snapshot,
    path: Path,
    files: Mapping[str, Path],
    environment: Mapping[str, str] | None = None,
) -> dict[str, object]:
    """Return the parts of a run's key: alike for two runs whose pages must be alike, byte for byte.

    A file enters by its content and never by its name, so that a copy of the project elsewhere has
    the same keys.

    Parameters
    ----------
    notebook
        The notebook as it is written.
    parameters
        All that it is told.
    snapshot
        Its tables.
    path
        The notebook's; the lock file is the next one in a folder above it.
    files
        What the page rests on beside the snapshot: files that the notebook reads, by the name of
        its parameter, and `brand`.
    environment
        The variables by which the runner changes what notebooks show.
    """
    lock, previous = lock_file(path), files.get("previous")
    return {
        "notebook": of_notebook(notebook),
        "code": code(),
        "parameters": {name: each for name, each in parameters.items() if name not in PLACES},
        "snapshot": snapshot.content_hash,
        "population": _population(snapshot.where),
        "files": {name: _of(name, each) for name, each in sorted(files.items())},
        "earlier": "" if previous is None else _earlier(previous, snapshot),
        "environment": dict(environment or {}),
        "lock": None if lock is None else of_file(lock),
    }


def key(parts: Mapping[str, object]) -> str:
    """Return a run's key: 64 hexadecimal digits, of which a page shows twelve."""
    return _sha(json.dumps(parts, sort_keys=True))


def of_page(html: str) -> str:
    """Return the SHA-256 of a page."""
    return _sha(html)


def of_notebook(notebook: Mapping[str, Any]) -> str:
    """Hash what a notebook does and says, whether it was read as bare JSON or by nbformat."""
    cells = [
        [cell["cell_type"], "".join(cell["source"]), cell.get("metadata", {}).get("tags", [])]
        for cell in notebook["cells"]
    ]
    return _sha(json.dumps(cells))


def of_file(path: Path) -> str:
    """Hash a text file."""
    return _sha(path.read_text(encoding="utf-8"))


def of_results(path: Path) -> str:
    """Hash the results of a report by what they say, in whatever order and layout."""
    report = json.loads(path.read_text(encoding="utf-8"))
    said = {name: each.get("results", []) for name, each in report["notebooks"].items()}
    return _sha(json.dumps([report["as_of"], report["snapshot"]["name"], said], sort_keys=True))


def of_brand(path: Path) -> str:
    """Hash a brand with its logo."""
    return _sha(repr(brand.load(path)))


def _of(name: str, path: Path) -> str:
    hashed = {"previous": of_results, "brand": of_brand}
    return hashed.get(name, of_file)(path)


def lock_file(path: Path) -> Path | None:
    """Find the next lock file in a folder above a file."""
    above = (each / LOCK for each in path.resolve().parents)
    return next((each for each in above if each.is_file()), None)


def code() -> str:
    """Hash the package itself: every module and every asset, with its place."""
    root = Path(retention_lab.__file__).parent
    files = sorted(
        file for file in root.rglob("*") if "__pycache__" not in file.parts and file.is_file()
    )
    return _sha(
        "\n".join(
            f"{file.relative_to(root)} {hashlib.sha256(file.read_bytes()).hexdigest()}"
            for file in files
        )
    )


def packages() -> dict[str, str]:
    """Return the versions of the packages that a page rests on."""
    return {name: metadata.version(name) for name in PACKAGES}


def of_run(
    suite: Suite,
    snapshot: Snapshot,
    *,
    shown: str,
    source: Path,
    before: Path | None = None,
) -> dict[str, object]:
    """Return what all notebooks of a run share.

    `shown` is the source in words, `source` its file, and `before` the results of the report before
    it. Files are named from the top of the project.
    """
    return {
        "suite": suite.name,
        "suite_file": from_project(suite.file, suite=suite),
        "title": suite.title,
        "owner": suite.owner,
        "as_of": str(snapshot.as_of),
        "source": {
            "name": snapshot.name,
            "shown": shown,
            "simulated": snapshot.simulated,
            "file": from_project(source, suite=suite),
            "sha256": of_file(source),
        },
        "snapshot": {
            "name": snapshot.folder.name,
            "rows": dict(snapshot.rows),
            "sha256": snapshot.content_hash,
            "contract": VERSION,
            "time_zone": snapshot.zone,
            "where": snapshot.where,
        },
        "before": None if before is None else _before(before),
        "git": _git(suite.file.resolve().parent),
        "version": retention_lab.__version__,
        "python": platform.python_version(),
        "packages": packages(),
        "host": socket.gethostname(),
    }


def from_project(path: Path, *, suite: Suite) -> str:
    """Name a file from the top of the project of a suite; one outside of it by its mere name."""
    here = Path.cwd()
    above = suite.file.absolute().parents
    top = next((each for each in above if any((each / root).exists() for root in _ROOTS)), here)
    for place in (path.absolute(), path.resolve()):
        if place.is_relative_to(top):
            return str(place.relative_to(top))
    return path.name


def placeless(code: str, *, previous: str, ledgers: str, suite: Suite) -> str:
    """Name the report before by its suite and day in code that a page shows, and the state so.

    Where they lie is another in each copy of the project, and the page must not be.
    """
    if previous:
        before = _before(Path(previous))
        code = code.replace(previous, f"{suite.name}/{before['as_of']}/{RESULTS}")
    return code.replace(ledgers, "state") if ledgers else code


def _population(where: str) -> list[str]:
    """Spell out whom a condition means."""
    from retention_lab.tables import population  # noqa: PLC0415  it needs the engine

    return population.identified(where)


def _earlier(previous: Path, snapshot: Snapshot) -> str:
    """Name the snapshot of the report before, if it is still there for a notebook to look at."""
    name = json.loads(previous.read_text(encoding="utf-8"))["snapshot"]["name"]
    kept = snapshot.folder.parent / Path(name).name / store.ABOUT
    return str(name) if kept.is_file() else ""


def _before(results: Path) -> dict[str, str]:
    report = json.loads(results.read_text(encoding="utf-8"))
    return {"as_of": report["as_of"], "sha256": of_results(results)}


def _git(folder: Path) -> dict[str, object] | None:
    """Return the commit of the suite's folder and whether anything differs; None without git."""
    try:
        commit, changes = (
            subprocess.run(
                ["git", "--no-optional-locks", "-C", str(folder), *words],
                capture_output=True,
                text=True,
                check=True,
                timeout=30,
            ).stdout.strip()
            for words in (["rev-parse", "HEAD"], ["status", "--porcelain"])
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return {"commit": commit, "dirty": bool(changes)}


def _sha(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
