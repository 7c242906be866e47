"""Where reports lie: a folder for each suite and day that appears whole, and a front page.

Under `reports/` there are

- `index.html`, the front page;
- `weekly/2026-11-29/`, the pages of that day with `results.json` and `manifest.json`;
- `weekly/latest`, a link to the newest day;
- `weekly/failed/2026-11-29/`, what a failed run leaves: its manifest and executed notebooks.
"""

from __future__ import annotations

import ctypes
import datetime as dt
import errno
import fcntl
import json
import os
import re
import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from retention_lab import checks
from retention_lab.reports.ran import RAN

if TYPE_CHECKING:
    from retention_lab.reports.kernel import Stopped

MANIFEST, RESULTS = "manifest.json", "results.json"
FAILED, LATEST = "failed", "latest"
FAILED_DAYS = 14  # how long an executed notebook is kept: it holds more than readers may see
_ASIDE, _PARTIAL = ".aside-", ".partial-"
_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_HERE, _EXCHANGE = -100, 2  # of renameat2 on Linux: paths from here; swap them
_EXCHANGES = getattr(ctypes.CDLL(None), "renameat2", None)


class Locked(checks.Refusal):
    """Another run of the same suite is under way (exit code 75)."""

    exit_code = 75


class Full(checks.Refusal):
    """There is no room for a file; what was published before is as it was (exit code 1)."""

    exit_code = 1


@contextmanager
def locked(shelf: Path) -> Iterator[None]:
    """Hold the lock of a suite's folder, mended first if an earlier run was cut off.

    Raises
    ------
    Locked
        When another process holds it; the system frees it when that process ends, however it ends.
    Full
        When the disk is full, in here or in what is done under the lock.
    """
    with _telling_full(shelf):
        shelf.mkdir(parents=True, exist_ok=True)
        with (shelf / ".lock").open("w") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise Locked(
                    f"The suite {shelf.name} is being run already, into {shelf.parent}. "
                    "Try again when it is done."
                ) from error
            _mend(shelf)
            yield


@contextmanager
def _telling_full(shelf: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise Full(
            f"{error.filename or shelf} cannot be written: {error.strerror}. What was published "
            f"before is as it was; make room and run {shelf.name} again."
        ) from error


def _mend(shelf: Path) -> None:
    for aside in shelf.glob(f"{_ASIDE}*"):
        target = shelf / aside.name.removeprefix(_ASIDE)
        if target.exists():
            _remove(aside)
        else:
            aside.rename(target)
    for partial in shelf.glob(f"{_PARTIAL}*"):
        _remove(partial)
    _remove_what_nobody_wants(shelf)
    latest, days = shelf / LATEST, _days(shelf)
    if days and latest.resolve().name != str(max(days)):
        _link(shelf, max(days)).replace(latest)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink()


def _remove_what_nobody_wants(shelf: Path) -> None:
    for note in shelf.glob(f".{RAN}-*"):  # written without the lock, by a process that may live
        if not _lives(int(note.name.rpartition("-")[2])):
            note.unlink(missing_ok=True)
    for failed in (shelf / FAILED).glob("*"):
        if failed.stat().st_mtime < time.time() - FAILED_DAYS * 24 * 3600:
            _remove(failed)


def _lives(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # somebody else's
        return True
    return True


@contextmanager
def building(shelf: Path, *, as_of: dt.date, add: bool = False) -> Iterator[Path]:
    """Lend a folder that becomes the report of that day if all goes well.

    It is empty, or, to `add` to a report that is there, a copy of it. All of it is on the disk
    before it takes its place, and `latest` moves last.
    """
    target = shelf / str(as_of)
    with _partial(shelf) as partial:
        if add and target.exists():
            for path in target.iterdir():
                shutil.copy(path, partial)
        yield partial
        _settle(partial)
        link = _link(shelf, max([as_of, *_days(shelf)]))
        try:
            _swap(partial, target)
            link.replace(shelf / LATEST)
        finally:
            link.unlink(missing_ok=True)
        _sync(shelf)
    shutil.rmtree(shelf / FAILED / str(as_of), ignore_errors=True)


@contextmanager
def _partial(shelf: Path, *, mode: int = 0o777) -> Iterator[Path]:
    """Lend a folder that nobody looks into, and remove what is left of it."""
    partial = shelf / f"{_PARTIAL}{os.getpid()}"
    partial.mkdir(mode=mode)
    try:
        yield partial
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _settle(folder: Path) -> None:
    """Wait until a folder and its files are on the disk: a name must not outlive its content."""
    for path in (*folder.iterdir(), folder):
        _sync(path)


def _sync(path: Path) -> None:
    file = os.open(path, os.O_RDONLY)
    try:
        os.fsync(file)
    finally:
        os.close(file)


def _swap(fresh: Path, target: Path) -> None:
    """Put a folder in the place of another: at once where the system can, else in two steps.

    Between the two the old one lies aside, where `_mend` finds it after a crash.
    """
    if target.exists() and _exchanged(fresh, target):
        return
    aside = target.with_name(_ASIDE + target.name)
    if target.exists():
        target.rename(aside)
    try:
        fresh.rename(target)
    finally:
        if aside.exists() and not target.exists():
            aside.rename(target)
    shutil.rmtree(aside, ignore_errors=True)


def _exchanged(one: Path, other: Path) -> bool:
    """Let two folders change places in one step, as Linux can on most of its file systems."""
    if _EXCHANGES is None:
        return False
    names = os.fsencode(one), os.fsencode(other)
    return _EXCHANGES(_HERE, names[0], _HERE, names[1], _EXCHANGE) == 0  # type: ignore[no-any-return]


def _link(shelf: Path, day: dt.date) -> Path:
    """Make the link that is to become `latest`: a full disk is to be told before anything moves."""
    link = shelf / f"{_PARTIAL}{LATEST}"
    link.unlink(missing_ok=True)
    link.symlink_to(str(day))
    return link


def prune(shelf: Path, *, keep: int) -> list[Path]:
    """Remove the folders of the oldest days, under the lock, and return what they were.

    The `keep` newest stay, and so does whatever is not older than the day that `latest` points to.
    """
    latest = (shelf / LATEST).resolve().name
    old = [day for day in sorted(_days(shelf), reverse=True)[keep:] if str(day) < latest]
    for day in old:
        gone = (shelf / str(day)).rename(shelf / f"{_PARTIAL}{day}")  # never seen half removed
        shutil.rmtree(gone)
    return [shelf / str(day) for day in old]


def keep_failed(
    failures: Mapping[str, Stopped], about: Mapping[str, object], *, shelf: Path, as_of: dt.date
) -> Path:
    """Keep what a failed run leaves, for its owner alone: its manifest and executed notebooks.

    Some run of the suite after `FAILED_DAYS` days, or a good one of that day, removes it.
    """
    import nbformat  # noqa: PLC0415  an unchanged or refused suite leaves no notebook

    kept = shelf / FAILED / str(as_of)
    kept.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    told = {name: {"failure": str(failure)} for name, failure in failures.items()}
    with _partial(shelf, mode=0o700) as partial:
        write_json(partial / MANIFEST, about, notebooks=told)
        for name, failure in failures.items():
            if failure.executed is not None:
                with open(partial / f"{name}.ipynb", "x", encoding="utf-8", opener=_private) as to:
                    nbformat.write(failure.executed, to)  # type: ignore[no-untyped-call]
        shutil.rmtree(kept, ignore_errors=True)
        partial.rename(kept)
    return kept


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, mode=0o600)


def write(path: Path, text: str) -> None:
    """Write a file that is either the old one or the new one, never a part."""
    partial = path.with_name(f"{_PARTIAL}{path.name}-{os.getpid()}")
    try:
        partial.write_text(text, encoding="utf-8")
        _sync(partial)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def write_json(path: Path, head: Mapping[str, object], *, notebooks: Mapping[str, object]) -> None:
    """Write what is known of each notebook under a common head; others in the file stay in it."""
    content = {**head, "notebooks": {**read_json(path).get("notebooks", {}), **notebooks}}
    write(path, json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False) + "\n")


def read_json(path: Path) -> dict[str, Any]:
    """Read JSON that `write_json` wrote, or nothing where there is no such file."""
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}


def _days(folder: Path) -> list[dt.date]:
    found = folder.iterdir() if folder.is_dir() else ()
    return [dt.date.fromisoformat(each.name) for each in found if _is_report(each)]


def _is_report(folder: Path) -> bool:
    return bool(_DAY.fullmatch(folder.name)) and (folder / MANIFEST).is_file()
