"""The folder in which the snapshots of a source lie, and who may change what is in it."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from retention_lab.tables.source import Source

PARTIAL = ".partial-"


def place(source: Source) -> Path:
    """Return the folder of the snapshots of a source."""
    beside = source.file.parent / "snapshots"
    return Path(os.environ.get("RETENTION_LAB_SNAPSHOTS", beside)) / source.file.stem


@contextmanager
def making(source: Source) -> Iterator[None]:
    """Say that a snapshot is being made; several may be."""
    with _locked(source, fcntl.LOCK_SH):
        yield


@contextmanager
def changing(source: Source) -> Iterator[None]:
    """Wait until no snapshot is being made, and let none begin meanwhile."""
    with _locked(source, fcntl.LOCK_EX):
        yield


@contextmanager
def idle(source: Source) -> Iterator[bool]:
    """As `changing`, but without waiting: say whether no snapshot is being made."""
    try:
        with _locked(source, fcntl.LOCK_EX | fcntl.LOCK_NB):
            yield True
    except BlockingIOError:
        yield False


@contextmanager
def _locked(source: Source, how: int) -> Iterator[None]:
    with (place(source) / ".lock").open("w") as file:  # the system frees it, however a run ends
        fcntl.flock(file, how)
        yield
