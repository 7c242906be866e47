"""Folders for what a kernel writes besides its results: its sockets, profile, temporary files."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_PREFIX = "retention-lab-kernel-"


@contextmanager
def lent() -> Iterator[Path]:
    """Lend an empty folder that only its owner may enter; it is removed afterwards.

    Its path is short, as that of a socket must be. It is locked for as long as it is lent, and the
    system frees the lock when the process ends, however it ends: so `sweep` knows what was left.
    """
    room, lock = _locked()
    try:
        yield room
    finally:
        shutil.rmtree(room, ignore_errors=True)
        os.close(lock)


def _locked() -> tuple[Path, int]:
    while True:
        room = Path(tempfile.mkdtemp(prefix=_PREFIX))
        with suppress(FileNotFoundError):  # when it was swept before it could be locked
            lock = os.open(room, os.O_RDONLY)
            fcntl.flock(lock, fcntl.LOCK_EX)
            if room.exists():
                return room, lock
            os.close(lock)


def sweep() -> None:
    """Remove the folders of processes that ended without doing so."""
    for room in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        with suppress(OSError):  # it is lent, or somebody else's
            lock = os.open(room, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(room)
            finally:
                os.close(lock)
