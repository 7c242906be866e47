"""The front page of all reports, written from what lies in the folders and in the state."""

from __future__ import annotations

import datetime as dt
import fcntl
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import quote

from retention_lab.reports import catalogue, publish
from retention_lab.reports.catalogue import Entry

_DAY = re.compile(r"\d{4}-\d\d-\d\d")


class Kept(Protocol):
    """Where the results of every report stay, also of those whose pages are gone."""

    def results(self, suite: str) -> list[Path]:
        """Return the results of each report of a suite, oldest first."""


def write(out: Path, *, state: Kept | None, now: dt.datetime) -> Path:  # noqa: ARG001
    """Write the front page and return its path.

    Parameters
    ----------
    out
        Where the suites' folders lie.
    state
        Where the results of older reports are kept; without it, those in the folders are shown.
    now
        An aware time: a suite whose next report was due by then is marked late.
    """
    out.mkdir(parents=True, exist_ok=True)
    with (out / ".lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)  # two suites may end at once: neither overlooks the other
        index = out / "index.html"
        publish.write(index, catalogue.render(entries(out)))
    return index


def entries(out: Path) -> list[Entry]:
    """Return every run that lies under `out`.

    Of one day, a failed one comes before the good one that it did not replace.
    """
    shelves = sorted(folder for folder in out.iterdir() if folder.is_dir())
    failed = [
        _entry(shelf / publish.FAILED / str(day), status="failed")
        for shelf in shelves
        for day in _days(shelf / publish.FAILED)
    ]
    good = [_entry(shelf / str(day), status="good") for shelf in shelves for day in _days(shelf)]
    return failed + good


def _days(folder: Path) -> list[dt.date]:
    found = folder.iterdir() if folder.is_dir() else ()
    return [dt.date.fromisoformat(each.name) for each in found if _is_report(each)]


def _is_report(folder: Path) -> bool:
    return bool(_DAY.fullmatch(folder.name)) and (folder / publish.MANIFEST).is_file()


def _entry(folder: Path, *, status: catalogue.Status) -> Entry:
    manifest = publish.read_json(folder / publish.MANIFEST)
    results = publish.read_json(folder / publish.RESULTS)
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
