"""Removing snapshots that no report needs any more, and what runs that were cut off left behind."""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Collection
from pathlib import Path

from retention_lab.tables import shelf, store
from retention_lab.tables.source import Source

UNUSED = 24 * 60 * 60  # seconds: somebody may still read what was opened since


def prune(source: Source, *, needed: Collection[str]) -> list[Path]:
    """Remove the snapshots of a source that are not `needed`, and return what they were.

    One that was made or opened within a day stays, as a run that is under way may read it. While a
    snapshot is being made nothing is removed: the next call will.

    Parameters
    ----------
    source
        A loaded source.
    needed
        Names of the folders that stay, such as those that manifests of reports name.
    """
    place = shelf.place(source)
    if not place.is_dir():
        return []
    with shelf.idle(source) as alone:
        if not alone:
            return []
        latest = shelf.now(source) - UNUSED
        found = sorted(file.parent for file in place.glob(f"[!.]*/{store.ABOUT}"))
        gone = [each for each in found if each.name not in needed and shelf.used(each) < latest]
        for folder in gone:
            folder.rename(place / f"{shelf.PARTIAL}{uuid.uuid4().hex}")  # never seen half removed
        for partial in place.glob(f"{shelf.PARTIAL}*"):
            shutil.rmtree(partial)
        _forget_notes(place)
    return gone


def _forget_notes(place: Path) -> None:
    """Remove the notes that point to no snapshot; those that name a day point nowhere anyway."""
    for note in (place / "known").iterdir():
        named = place / note.read_text(encoding="utf-8")
        if not (note.name.endswith("-end") or named.is_dir()):
            note.unlink()
