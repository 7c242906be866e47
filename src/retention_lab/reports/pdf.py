"""Published pages as PDF beside them, printed by a browser without window or network."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterable
from pathlib import Path

from retention_lab.reports import hooks
from retention_lab.reports.delivery import Undelivered

OWN = "RETENTION_LAB_CHROMIUM"
NAMES = ("chromium", "chromium-browser", "google-chrome")
SECONDS = 60  # for one page
FLAGS = (
    "--headless",
    "--disable-gpu",
    "--disable-dev-shm-usage",  # 64 MB in most containers
    "--disable-extensions",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-breakpad",
    "--no-first-run",
    "--no-default-browser-check",
    "--no-pdf-header-footer",
    # A page fetches nothing; these hold the browser itself to that.
    "--proxy-server=http://127.0.0.1:9",
    "--host-resolver-rules=MAP * ~NOTFOUND",
)


def print_pages(pages: Iterable[Path]) -> list[Path]:
    """Print each page to a PDF beside it, and return the PDFs.

    Its browser is the one that RETENTION_LAB_CHROMIUM names, or the first of `NAMES` on the path.
    Each page gets a profile of its own, which goes with all that the browser wrote. A PDF appears
    whole; it holds the hour of its making, so two of one page differ.

    Raises
    ------
    Undelivered
        When there is no browser, or it does not print a page within a minute.
    """
    browser = _browser()
    return [_printed(page, browser=browser) for page in pages]


def _browser() -> str:
    own = os.environ.get(OWN)
    found = shutil.which(own) if own else next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        sought = f"{OWN} names {own}, which is not" if own else f"none of {', '.join(NAMES)} is"
        raise Undelivered(
            f"No PDF was made: {sought} on this machine. Install Chromium, or set pdf: false."
        )
    return found


def _printed(page: Path, *, browser: str) -> Path:
    target = page.with_suffix(".pdf")
    partial = target.with_name(f".{target.name}-{os.getpid()}")
    with tempfile.TemporaryDirectory(prefix="retention-lab-", ignore_cleanup_errors=True) as room:
        made = Path(room, "page.pdf")
        sandbox = ("--no-sandbox",) if os.geteuid() == 0 else ()  # it refuses to start as root
        argv = [browser, *FLAGS, *sandbox, f"--user-data-dir={room}/profile"]
        argv += [f"--print-to-pdf={made}", page.resolve().as_uri()]
        code = hooks.ended(
            argv, environment=_surroundings(room), seconds=SECONDS, output=subprocess.DEVNULL
        )
        if code or not made.is_file():
            raise Undelivered(f"{browser} did not print {page}; its exit code is {code}.")
        try:
            shutil.copyfile(made, partial)
            partial.replace(target)
        except OSError as error:
            raise Undelivered(f"{target} cannot be written: {error.strerror}.") from error
        finally:
            partial.unlink(missing_ok=True)
    return target


def _surroundings(room: str) -> dict[str, str]:
    """Give a browser no secret, and no home but the folder that goes with it."""
    path = os.environ.get("PATH", os.defpath)
    return {"PATH": path, "HOME": room, "TMPDIR": room, "TZ": "UTC", "LC_ALL": "C.UTF-8"}
