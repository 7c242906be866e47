"""What is published, copied to a folder, share or mounted bucket under addresses that stay.

Under the folder there are `index.html`, `weekly/2026-11-29/` with the pages of that day and their
`results.json`, and `weekly/latest/` with the newest pages as files: a bucket has no links. What
failed, executed notebooks and manifests, which name hosts and paths, stay where they are.
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import unquote, urlsplit

from bs4 import BeautifulSoup

from retention_lab import checks
from retention_lab.reports import publish as shelves

COPIED = {".html", ".pdf"}
SENT = ".sent.json"  # in a suite's folder: the days that were copied, by where to
_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_PARTIAL = ".retention-lab-"
_NO_RENAMING = {errno.EPERM, errno.ENOSYS, errno.EOPNOTSUPP, errno.EXDEV}


class Undelivered(checks.Refusal):
    """What is published did not reach its readers; it stays published (exit code 1)."""

    exit_code = 1


def publish(out: Path, to: Path, suite: str) -> list[Path]:
    """Copy a suite's reports to the folder `to`, the front page last; return the files written.

    A file appears whole, one that is there already with this content is left alone, and days that
    were pruned here since the last copy are removed there. The front page shows the suites that lie
    there. `to` must exist: a share that is not mounted is not made on the local disk. It takes the
    reports of one `out` only.

    Raises
    ------
    Undelivered
        When `to` is missing, full, no longer what it was, or cannot rename files.
    """
    shelf = out / suite
    _refuse_elsewhere(to, shelf=shelf)
    try:
        with _alone(out):
            return _copied(shelf, to)
    except OSError as error:
        raise Undelivered(_cause(error, to)) from error


def _copied(shelf: Path, to: Path) -> list[Path]:
    days = sorted(_days(shelf))
    if not days:
        return []
    there = to / shelf.name
    written = [path for day in days for path in _mirrored(shelf / day, there / day)]
    written += _mirrored(shelf / days[-1], there / shelves.LATEST)
    index = _front_page((shelf.parent / "index.html").read_text(encoding="utf-8"), to=to)
    written += _written(to / "index.html", index.encode())
    gone = set(_sent(shelf).get(str(to.resolve()), [])) - set(days)
    for day in gone:
        _removed(there / day)
    _remember(shelf, to, days=days)
    return written


def _days(folder: Path) -> list[str]:
    found = folder.iterdir() if folder.is_dir() else ()
    return [
        each.name
        for each in found
        if _DAY.fullmatch(each.name) and (each / shelves.RESULTS).is_file()
    ]


def _mirrored(here: Path, there: Path) -> list[Path]:
    """Make a folder hold what is for readers of another, and no page that the other lacks."""
    there.mkdir(parents=True, exist_ok=True)
    wanted = {file.name: file for file in sorted(here.iterdir()) if _is_for_readers(file)}
    written = [
        path for name, file in wanted.items() for path in _written(there / name, file.read_bytes())
    ]
    for file in there.iterdir():
        if file.name not in wanted and _is_ours(file):
            file.unlink()
    return written


def _is_for_readers(file: Path) -> bool:
    named = file.suffix in COPIED or file.name == shelves.RESULTS
    return named and not file.name.startswith(".") and file.is_file()


def _is_ours(file: Path) -> bool:
    return _is_for_readers(file) or file.name.startswith(_PARTIAL)


def _written(path: Path, content: bytes) -> list[Path]:
    if path.is_file() and path.stat().st_size == len(content) and path.read_bytes() == content:
        return []
    partial = path.with_name(f"{_PARTIAL}{os.getpid()}-{path.name}")
    try:
        partial.write_bytes(content)
        os.replace(partial, path)  # noqa: PTH105 - what a full or odd mount refuses is tested here
    finally:
        partial.unlink(missing_ok=True)
    return [path]


def _removed(folder: Path) -> None:
    """Remove a day's pages, and its folder unless somebody put something of their own there."""
    for file in folder.iterdir() if folder.is_dir() else ():
        if _is_ours(file):
            file.unlink()
    if folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()


def _front_page(html: str, *, to: Path) -> str:
    """Leave out suites that do not lie there: their numbers may be for other readers."""
    soup = BeautifulSoup(html, "html.parser")
    for section in soup.select("main > section"):
        if not any(_leads(str(link["href"]), to=to) for link in section.select("a[href]")):
            section.decompose()
    for link in soup.select("a[href]"):
        address = urlsplit(str(link["href"]))
        if address.path and not address.scheme and not _leads(address.path, to=to):
            link.unwrap()
    return str(soup)


def _leads(href: str, *, to: Path) -> bool:
    path = unquote(urlsplit(href).path)
    return bool(path) and (to / path).is_file()


def _sent(shelf: Path) -> dict[str, list[str]]:
    file = shelf / SENT
    found: dict[str, list[str]] = json.loads(file.read_text("utf-8")) if file.is_file() else {}
    return found


def _remember(shelf: Path, to: Path, *, days: list[str]) -> None:
    content = {**_sent(shelf), str(to.resolve()): days}
    shelves.write(shelf / SENT, json.dumps(content, indent=1) + "\n")


def _refuse_elsewhere(to: Path, *, shelf: Path) -> None:
    kept = f"The reports stay published in {shelf}."
    if not to.is_dir():
        raise Undelivered(
            f"There is no folder {to} to publish to. Mount it, or make it: mkdir -p {to}. {kept}"
        )
    if _sent(shelf).get(str(to.resolve())) and not (to / "index.html").is_file():
        raise Undelivered(
            f"{to} is not what was published to before: its index.html is missing. Mount it, or, "
            f"if it was emptied on purpose, delete {shelf / SENT}. {kept}"
        )


@contextmanager
def _alone(out: Path) -> Iterator[None]:
    """Let no other suite write the front page from what it saw before this one was copied."""
    with (out / ".lock-delivery").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _cause(error: OSError, to: Path) -> str:
    words = (error.strerror or str(error)).rstrip(".")
    if error.filename2 and error.errno in _NO_RENAMING:
        remedy = (
            "It cannot rename files, so none would appear whole: mount it in a way that can, or "
            "copy the reports by the bucket's own tool with --on-success"
        )
    else:
        remedy = "Make room there or mend it, and run again with --force"
    return f"Publishing to {to} failed: {words}. {remedy}. The reports stay published here."
