"""What identifies a run: enough to repeat it, and to tell why two runs differ.

A source is named as it was written, its variables unexpanded: no secret is in here.
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

from nbformat import NotebookNode

import retention_lab
from retention_lab.reports.suite import Suite
from retention_lab.tables import population
from retention_lab.tables.contracts import VERSION
from retention_lab.tables.snapshot import Snapshot

PACKAGES = (
    "papermill", "nbconvert", "pandas", "numpy", "scipy", "statsmodels", "lifelines", "altair",
    "ibis-framework", "duckdb",
)  # fmt: skip


def key_parts(
    notebook: NotebookNode,
    *,
    parameters: Mapping[str, object],
    snapshot: Snapshot,
    path: Path,
    files: Mapping[str, Path],
) -> dict[str, object]:
    """Return the parts of a run's key: alike for two runs whose pages must be alike, byte for byte.

    `path` is the notebook's; the lock file is the next one in a folder above it. `files` are those
    that the notebook reads beside the snapshot.
    """
    cells = [
        [cell.cell_type, cell.source, cell.metadata.get("tags", [])] for cell in notebook.cells
    ]
    lock = next(
        (
            each
            for above in path.resolve().parents
            if (each := above / "requirements.lock").is_file()
        ),
        None,
    )
    return {
        "notebook": _sha(json.dumps(cells)),
        "code": _code(),
        "parameters": dict(parameters),
        "snapshot": snapshot.content_hash,
        "population": population.identified(snapshot.where),
        "files": {name: _sha(each.read_text(encoding="utf-8")) for name, each in files.items()},
        "lock": None if lock is None else _sha(lock.read_text(encoding="utf-8")),
    }


def key(parts: Mapping[str, object]) -> str:
    """Return a run's key: 64 hexadecimal digits, of which a page shows twelve."""
    return _sha(json.dumps(parts, sort_keys=True))


def of_page(html: str) -> str:
    """Return the SHA-256 of a page."""
    return _sha(html)


def of_run(suite: Suite, snapshot: Snapshot, *, shown: str, source: Path) -> dict[str, object]:
    """Return what all notebooks of a run share; `shown` is the source in words, `source` a file."""
    return {
        "suite": suite.name,
        "title": suite.title,
        "owner": suite.owner,
        "as_of": str(snapshot.as_of),
        "source": {
            "name": snapshot.name,
            "shown": shown,
            "simulated": snapshot.simulated,
            "file": suite.source,
            "sha256": _sha(source.read_text(encoding="utf-8")),
        },
        "snapshot": {
            "name": snapshot.folder.name,
            "rows": dict(snapshot.rows),
            "sha256": snapshot.content_hash,
            "contract": VERSION,
            "time_zone": snapshot.zone,
            "where": snapshot.where,
        },
        "git": _git(suite.file.resolve().parent),
        "version": retention_lab.__version__,
        "python": platform.python_version(),
        "packages": {name: metadata.version(name) for name in PACKAGES},
        "host": socket.gethostname(),
    }


def _code() -> str:
    """Hash the package itself: every module and every asset, with its place."""
    root = Path(retention_lab.__file__).parent
    files = sorted(
        file for file in root.rglob("*") if file.is_file() and "__pycache__" not in file.parts
    )
    return _sha(
        "\n".join(
            f"{file.relative_to(root)} {hashlib.sha256(file.read_bytes()).hexdigest()}"
            for file in files
        )
    )


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
