"""The folder in which the snapshots of a source lie, and who may change what is in it."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from retention_lab.tables.source import Source

PARTIAL = ".partial-"


def place(source: Source) -> Path:
    """Return the folder of the snapshots of a source."""
    beside = source.file.parent / "snapshots"
    return Path(os.environ.get("RETENTION_LAB_SNAPSHOTS", beside)) / source.file.stem


def use(folder: Path) -> Path:
    """Note that a snapshot was opened, for `pruning`."""
    with suppress(OSError):  # of a place that may only be read, nothing is removed either
        os.utime(folder)
    return folder


def used(folder: Path) -> float:
    """Return when a snapshot was made or last opened, in seconds of the disk's clock."""
    return folder.stat().st_mtime


def now(source: Source) -> float:
    """Return the disk's clock: that of another machine may be wrong by a day."""
    lock = place(source) / ".lock"
    os.utime(lock)
    return lock.stat().st_mtime


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
