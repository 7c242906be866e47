"""Where reports lie: a folder for each suite and day that appears whole, and a front page.

Under `reports/` there are

- `index.html`, the front page;
- `weekly/2026-11-29/`, the pages of that day with `results.json` and `manifest.json`;
- `weekly/latest`, a link to the newest day;
- `weekly/failed/2026-11-29/`, what a failed run leaves: its manifest and executed notebooks.
"""

from __future__ import annotations

import datetime as dt
import fcntl
import json
import os
import re
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import nbformat

from retention_lab import checks
from retention_lab.reports import catalogue
from retention_lab.reports.catalogue import Entry
from retention_lab.reports.kernel import Stopped

MANIFEST, RESULTS = "manifest.json", "results.json"
FAILED, LATEST = "failed", "latest"
_ASIDE, _PARTIAL = ".aside-", ".partial-"
_DAY = re.compile(r"\d{4}-\d\d-\d\d")


class Locked(checks.Refusal):
    """Another run of the same suite is under way (exit code 75)."""

    exit_code = 75


@contextmanager
def locked(shelf: Path) -> Iterator[None]:
    """Hold the lock of a suite's folder, mended first if an earlier run was cut off.

    Raises
    ------
    Locked
        When another process holds it; the system frees it when that process ends, however it ends.
    """
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


def _mend(shelf: Path) -> None:
    for aside in shelf.glob(f"{_ASIDE}*"):
        target = shelf / aside.name.removeprefix(_ASIDE)
        if target.exists():
            shutil.rmtree(aside)
        else:
            aside.rename(target)
    for partial in shelf.glob(f"{_PARTIAL}*"):
        shutil.rmtree(partial)


@contextmanager
def building(shelf: Path, *, as_of: dt.date, add: bool = False) -> Iterator[Path]:
    """Lend a folder that becomes the report of that day if all goes well.

    It is empty, or, to `add` to a report that is there, a copy of it.
    """
    partial = shelf / f"{_PARTIAL}{os.getpid()}"
    partial.mkdir()
    try:
        if add and (shelf / str(as_of)).exists():
            shutil.copytree(shelf / str(as_of), partial, dirs_exist_ok=True)
        yield partial
        _swap(partial, shelf / str(as_of))
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    shutil.rmtree(shelf / FAILED / str(as_of), ignore_errors=True)
    _point_to_latest(shelf)


def _swap(fresh: Path, target: Path) -> None:
    """Put a folder in the place of another.

    Between the two renames the old one lies aside, where `_mend` finds it after a crash.
    """
    aside = target.with_name(_ASIDE + target.name)
    if target.exists():
        target.rename(aside)
    try:
        fresh.rename(target)
    except OSError:
        if aside.exists():
            aside.rename(target)
        raise
    shutil.rmtree(aside, ignore_errors=True)


def _point_to_latest(shelf: Path) -> None:
    fresh = shelf / f".{LATEST}-{os.getpid()}"
    fresh.unlink(missing_ok=True)
    fresh.symlink_to(str(max(_days(shelf))))
    fresh.replace(shelf / LATEST)


def keep_failed(
    failures: Mapping[str, Stopped], about: Mapping[str, object], *, shelf: Path, as_of: dt.date
) -> Path:
    """Keep what a failed run leaves: its manifest, and notebooks that only their owner may read."""
    folder = shelf / FAILED / str(as_of)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    told = {name: {"failure": str(failure)} for name, failure in failures.items()}
    write_json(folder / MANIFEST, about, notebooks=told)
    for name, failure in failures.items():
        if failure.executed is not None:
            with open(folder / f"{name}.ipynb", "x", encoding="utf-8", opener=_private) as file:
                nbformat.write(failure.executed, file)  # type: ignore[no-untyped-call]
    return folder


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, mode=0o600)


def write(path: Path, text: str) -> None:
    """Write a file that is either the old one or the new one, never a part."""
    partial = path.with_name(f".{path.name}-{os.getpid()}")
    try:
        partial.write_text(text, encoding="utf-8")
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


def before(shelf: Path, *, about: Mapping[str, Any]) -> Path | None:
    """Find the results of the newest older report of the same shop, customers and time zone."""
    for day in sorted(_days(shelf), reverse=True):
        folder = shelf / str(day)
        if str(day) < about["as_of"] and _whose(read_json(folder / MANIFEST)) == _whose(about):
            return folder / RESULTS
    return None


def _whose(about: Mapping[str, Any]) -> tuple[str, ...]:
    snapshot = about["snapshot"]
    return about["source"]["name"], snapshot["where"], snapshot["time_zone"]


def write_index(out: Path) -> Path:
    """Write the front page from what lies in the folders, and return its path."""
    out.mkdir(parents=True, exist_ok=True)
    with (out / ".lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)  # two suites may end at once: neither overlooks the other
        index = out / "index.html"
        write(index, catalogue.render(entries(out)))
    return index


def entries(out: Path) -> list[Entry]:
    """Return every run that lies under `out`.

    Of one day, a failed one comes before the good one that it did not replace.
    """
    shelves = sorted(folder for folder in out.iterdir() if folder.is_dir())
    failed = [
        _entry(shelf / FAILED / str(day), status="failed")
        for shelf in shelves
        for day in _days(shelf / FAILED)
    ]
    good = [_entry(shelf / str(day), status="good") for shelf in shelves for day in _days(shelf)]
    return failed + good


def _days(folder: Path) -> list[dt.date]:
    found = folder.iterdir() if folder.is_dir() else ()
    return [dt.date.fromisoformat(each.name) for each in found if _is_report(each)]


def _is_report(folder: Path) -> bool:
    return bool(_DAY.fullmatch(folder.name)) and (folder / MANIFEST).is_file()


def _entry(folder: Path, *, status: catalogue.Status) -> Entry:
    manifest, results = read_json(folder / MANIFEST), read_json(folder / RESULTS)
    shelf = quote(manifest["suite"])
    notebooks = results.get("notebooks", {})
    return Entry(
        suite=manifest["title"],
        as_of=dt.date.fromisoformat(manifest["as_of"]),
        status=status,
        simulated=manifest["source"]["simulated"],
        source=manifest["source"]["shown"],
        pages={
            each["title"]: f"{shelf}/{folder.name}/{quote(name)}.html"
            for name, each in notebooks.items()
        },
        headlines={
            each["title"]: each["headline"] for each in notebooks.values() if each.get("headline")
        },
        key_numbers=[
            _key_number(result)
            for each in notebooks.values()
            for result in each["results"]
            if _is_key(result)
        ],
    )


def _is_key(result: Mapping[str, Any]) -> bool:
    return bool(result.get("key") and result.get("text"))


def _key_number(result: Mapping[str, Any]) -> tuple[str, str]:
    label, about = result.get("label") or result["name"], result.get("about", "")
    return f"{label}, {about}" if about and about not in label else label, result["text"]
