"""Files that are the old one or the new one whatever happens, and a lock for who writes them."""

from __future__ import annotations

import fcntl
import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, BinaryIO

from retention_lab import checks

CHUNK = 2**20
TAIL = 4096  # bytes at the end of a file that its checksum is of


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the one lock of a state; the system frees it when the process ends, however it ends.

    Raises
    ------
    BadParameter
        When the disk refuses something meanwhile: what was there is there still.
    """
    try:
        with _held(folder):
            yield
    except OSError as error:
        raise checks.BadParameter(
            f"The state in {folder} cannot be changed ({error.strerror}); it is as it was. "
            "Make room or mend the permissions, and try again."
        ) from error


def _held(folder: Path) -> IO[str]:
    """Lock a folder by a file in it that is still there once the lock is ours.

    `restore` puts another folder in its place.
    """
    place = folder / ".lock"
    while True:
        file = open(place, "a", encoding="utf-8", opener=private)  # noqa: SIM115  closed by `with`
        try:
            fcntl.flock(file, fcntl.LOCK_EX)
            if _is(file, place):
                return file
        except BaseException:
            file.close()
            raise
        file.close()


def _is(file: IO[str], place: Path) -> bool:
    return place.exists() and os.path.samestat(os.fstat(file.fileno()), place.stat())


def private(path: str, flags: int) -> int:
    """Open a file that only its owner may read: an opener for `open`."""
    return os.open(path, flags, mode=0o600)


def new_name(path: Path) -> Path:
    """Return where the next content of a file is written, under the lock."""
    return path.with_name(f".{path.name}.new")


def write(path: Path, content: bytes) -> None:
    """Replace a file; all of it is on the disk before the old one goes."""
    prepare(path, [content])
    settle(path)


def prepare(path: Path, chunks: Iterator[bytes] | list[bytes]) -> None:
    """Write the next content of a file beside it, for `settle` to put in its place."""
    make(path.parent)
    fresh = new_name(path)
    try:
        with open(fresh, "wb", opener=private) as file:
            file.writelines(chunks)
            to_disk(file)
    except BaseException:
        fresh.unlink(missing_ok=True)
        raise


def make(folder: Path) -> None:
    """Make a folder, and those above it, for their owner only."""
    if not folder.is_dir():
        make(folder.parent)
        folder.mkdir(mode=0o700, exist_ok=True)
        folder_to_disk(folder.parent)


def settle(path: Path) -> None:
    """Put what was prepared in the place of a file."""
    new_name(path).replace(path)
    folder_to_disk(path.parent)


def to_disk(file: BinaryIO) -> None:
    """Return when the disk holds what was written."""
    file.flush()
    os.fsync(file.fileno())


def folder_to_disk(folder: Path) -> None:
    """Return when the disk holds the names of the files in a folder."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def tail(path: Path, size: int) -> str:
    """Return a checksum of the last bytes before `size`."""
    with path.open("rb") as file:
        file.seek(max(0, size - TAIL))
        return hashlib.sha256(file.read(min(size, TAIL))).hexdigest()


def sha(path: Path) -> str:
    """Return the SHA-256 of a whole file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
