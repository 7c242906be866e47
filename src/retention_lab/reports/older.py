"""A suite run by older code: another environment's or a checkout's, as a process of its own."""

from __future__ import annotations

import datetime as dt
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from retention_lab import checks
from retention_lab.reports import again, prepared
from retention_lab.reports.again import SNAPSHOTS, Published
from retention_lab.reports.suite import OWN_FILES, Part, Suite
from retention_lab.tables import fingerprint


@dataclass(frozen=True, kw_only=True)
class Code:
    """What runs the older code: an interpreter, with variables that show it the code."""

    folder: Path
    python: Path
    environment: Mapping[str, str] = field(default_factory=dict)


def code_of(folder: Path) -> Code:
    """Find the code in an environment or in a checkout of the project.

    Raises
    ------
    BadParameter
        When the folder is neither.
    """
    if (folder / "bin/python").exists():
        return Code(folder=folder, python=folder.absolute() / "bin/python")
    if (folder / "src/retention_lab").is_dir():
        path = {"PYTHONPATH": str(folder.absolute() / "src")}
        return Code(folder=folder, python=Path(sys.executable), environment=path)
    raise checks.BadParameter(
        f"{folder} is neither an environment (it has no bin/python) nor a checkout (it has no "
        "src/retention_lab)."
    )


def run(suite: Suite, *, code: Code, as_of: dt.date, room: Path) -> Published:
    """Run a suite with older code and return its report; all that it writes is in `room`.

    Nothing is asked of it that the first version did not know.

    Raises
    ------
    Refusal
        When it does not come to its end; the last line that it said is told.
    """
    file, out = room / "suite.yml", room.absolute() / "old"
    file.write_text(yaml.safe_dump(_plain(suite, code)), encoding="utf-8")
    source = suite.place(suite.source).absolute()
    options = [f"--source={source}", f"--as-of={as_of}", f"--out={out}"]
    apart = {
        SNAPSHOTS: str(room.absolute() / "old snapshots"),
        "RETENTION_LAB_COHORTS": str(fingerprint.cohorts().absolute()),
    }
    done = subprocess.run(
        [str(code.python), "-m", "retention_lab", "run", file.name, *options],
        cwd=room,
        env={**os.environ, **apart, **code.environment},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        last = next(reversed(done.stderr.strip().splitlines()), "it said nothing.")
        raise checks.Refusal(f"The old code in {code.folder} ended with {done.returncode}: {last}")
    return again.published(out / suite.name / str(as_of))


def _plain(suite: Suite, code: Code) -> dict[str, object]:
    """Write a suite as any version understands it: where all lies, and nobody to deliver it to."""
    files = prepared.told(suite)
    parts = [
        {
            "notebook": str(_notebook(suite, part, code)),
            "title": part.title,
            "parameters": part.parameters,
        }
        for part in suite.notebooks
    ]
    notebooks = [Path(str(part["notebook"])).read_text(encoding="utf-8") for part in parts]
    own = {
        name: str(suite.place(files[name]).absolute()) if files[name] else ""
        for name in OWN_FILES
        # Older versions knew fewer files; a notebook that reads one goes with code that does.
        if name in ("metrics", "annotations") or any(f'"{name}: ' in text for text in notebooks)
    }
    kept = ["name", "title", "source", "owner", "period", "time_zone", "where", "cell_minutes"]
    if "smallest_cell" in suite.model_fields_set:  # who does not know it would show more
        kept.append("smallest_cell")
    return {name: getattr(suite, name) for name in kept} | own | {"notebooks": parts}


def _notebook(suite: Suite, part: Part, code: Code) -> Path:
    """Return a notebook as the checkout has it: such a notebook goes with its code."""
    theirs = code.folder / part.notebook
    return (theirs if theirs.is_file() else suite.notebook(part)).absolute()
