"""The view that a notebook was left with, so that running it again shows it again.

It lies beside the snapshots of the source and can be removed at any time. It belongs to the
settings that the notebook was opened with: who changes those begins with what they say.
"""

from __future__ import annotations

import hashlib
import json
from contextlib import suppress
from pathlib import Path

from retention_lab.explore.explorer import Explorer, Settings
from retention_lab.state import files
from retention_lab.tables import shelf
from retention_lab.tables import source as sources


def place(explorer: Explorer) -> Path:
    """Return the file in which the view is remembered."""
    opened = explorer.opened
    snapshots = shelf.place(sources.load(sources.find(opened.source)))
    about = [snapshots.name, str(opened.shop.as_of), opened.where, opened.time_zone]
    told = json.dumps([*about, dict(explorer.start)])
    mark = hashlib.sha256(told.encode()).hexdigest()[:12]
    return snapshots.parent / "views" / f"{explorer.name}-{mark}.json"


def left(file: Path, start: Settings) -> Settings:
    """Return the settings that were left, or those of the notebook where none were."""
    with suppress(OSError, ValueError, AttributeError):  # nothing left, or nothing to be understood
        kept = json.loads(file.read_text(encoding="utf-8"))
        if kept.keys() == start.keys():
            return {**kept}
    return dict(start)


def leave(file: Path, settings: Settings) -> None:
    """Remember settings; where the disk refuses, the view still works and is not remembered."""
    with suppress(OSError):
        files.write(file, json.dumps(dict(settings)).encode())
