"""What became of one run of a suite: the one line and the file that a scheduler reads."""

from __future__ import annotations

from collections.abc import Mapping
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
    failed run; `headlines` give, by the title of a page, what it says first. `seconds` is the
    duration of the whole run, `started` and `finished` are UTC in ISO text.
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
    started: str
    finished: str
    seconds: float
