"""The front page: every suite with its latest reports, their key numbers, and the older ones."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Literal
from urllib.parse import urlsplit

from markupsafe import Markup

from retention_lab import checks
from retention_lab.reports import assets
from retention_lab.reports.page import long_date

Status = Literal["good", "failed"]


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One run of a suite.

    `pages` gives the title of each page and where it lies, relative to the catalogue; `headlines`
    by the same titles what a page says first; `key_numbers` are labels with their text, in the
    order to show them in.
    """

    suite: str
    as_of: dt.date
    status: Status
    simulated: bool
    source: str
    pages: Mapping[str, str] = field(default_factory=dict)
    headlines: Mapping[str, str] = field(default_factory=dict)
    key_numbers: Sequence[tuple[str, str]] = ()


def render(entries: Sequence[Entry]) -> str:
    """Return the catalogue as one HTML page without any script: suites by name, newest run first.

    Raises
    ------
    BadParameter
        If a page does not lie beside the catalogue.
    """
    for entry in entries:
        for href in entry.pages.values():
            _refuse_elsewhere(href)
    newest_first = sorted(entries, key=lambda entry: entry.as_of, reverse=True)
    by_suite = sorted(newest_first, key=lambda entry: entry.suite)
    return assets.TEMPLATES.get_template("catalogue.html").render(
        suites=[(suite, *_fold(list(runs))) for suite, runs in groupby(by_suite, _suite)],
        made_up=bool(entries) and all(entry.simulated for entry in entries),
        long_date=long_date,
        policy=assets.policy(),
        css=Markup(assets.text("page.css")),
    )


def _suite(entry: Entry) -> str:
    return entry.suite


def _fold(newest_first: list[Entry]) -> tuple[list[Entry], list[Entry]]:
    """Keep in sight the runs back to the last good one; fold the older ones away."""
    good = (place for place, entry in enumerate(newest_first) if entry.status == "good")
    shown = next(good, 0) + 1
    return newest_first[:shown], newest_first[shown:]


def _refuse_elsewhere(href: str) -> None:
    parts = urlsplit(href)
    if parts.scheme or parts.netloc or href.startswith(("/", "\\")):
        raise checks.BadParameter(
            f"A page of the catalogue must be linked by a path relative to it, got {href!r}."
        )
