"""What became of one run of a suite: the one line and the file that a scheduler reads."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict

RAN = "run.json"  # beside the folders of the days, replaced by each run

Status = Literal["published", "published with warnings", "unchanged", "failed"]


class Failure(BaseModel):
    """Why a notebook, or the whole run where `notebook` is empty, came to nothing."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    notebook: str = ""
    sentence: str
    exit_code: int


class Ran(BaseModel):
    """One run: whose, of which day, what came of it, and where it lies.

    Paths are as they were asked for, relative where `--out` is. `as_of` is empty where a run failed
    before its day was known; `folder` holds the published pages, `kept` the executed notebooks of a
    failed run; `headlines` give, by the title of a page, what it says first; `undelivered` is what
    went wrong after the publishing, to be tried again by the next run. `seconds` is the duration of
    the whole run, `started` and `finished` are UTC in ISO text.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    suite: str
    title: str
    owner: str
    as_of: str = ""
    status: Status
    exit_code: int
    simulated: bool = False
    folder: str = ""
    kept: str = ""
    pages: tuple[str, ...] = ()
    headlines: Mapping[str, str] = {}
    warnings: tuple[str, ...] = ()
    failures: tuple[Failure, ...] = ()
    undelivered: tuple[str, ...] = ()
    started: str
    finished: str
    seconds: float


def note(ran: Ran, shelf: Path) -> Path:
    """Write what became of a run into the folder of its suite, in one step."""
    file = shelf / RAN
    shelf.mkdir(parents=True, exist_ok=True)
    partial = shelf / f".{RAN}-{os.getpid()}"
    try:
        partial.write_text(ran.model_dump_json(indent=1) + "\n", encoding="utf-8")
        partial.replace(file)
    finally:
        partial.unlink(missing_ok=True)
    return file


def last(shelf: Path) -> Ran | None:
    """Return what became of the last run of a suite, if there was one."""
    file = shelf / RAN
    return Ran.model_validate_json(file.read_bytes()) if file.is_file() else None


def every(out: Path) -> list[Ran]:
    """Return what became of the last run of each suite under `out`, by name."""
    found = (last(file.parent) for file in sorted(out.glob(f"*/{RAN}")))
    return [ran for ran in found if ran is not None]
