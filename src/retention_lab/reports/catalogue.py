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
from retention_lab.reports import assets, history, sparkline
from retention_lab.reports.brand import Brand
from retention_lab.reports.history import Series

Status = Literal["good", "warned", "failed"]


@dataclass(frozen=True, kw_only=True)
class Due:
    """The last day on which the next report is in time; `late_from` is the moment after it."""

    day: dt.date
    late_from: dt.datetime
    late: bool = False


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One run of a suite.

    `pages` gives the title of each page and where it lies, relative to the catalogue, or nothing
    where it is no longer kept; `headlines` by the same titles what a page says first. `series` are
    the key numbers of a suite's newest report. `remarks` are sentences about what went wrong.
    """

    suite: str
    as_of: dt.date
    status: Status
    simulated: bool
    source: str
    pages: Mapping[str, str] = field(default_factory=dict)
    headlines: Mapping[str, str] = field(default_factory=dict)
    series: Sequence[Series] = ()
    remarks: Sequence[str] = ()
    due: Due | None = None


def render(entries: Sequence[Entry], *, brand: Brand | None = None) -> str:
    """Return the catalogue as one HTML page: suites by name, newest run first.

    Its only script marks what has become late since it was written.

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
    late = assets.text("late.js") if any(entry.due for entry in entries) else ""
    return assets.TEMPLATES.get_template("catalogue.html").render(
        suites=[(suite, *_fold(list(runs))) for suite, runs in groupby(by_suite, _suite)],
        made_up=bool(entries) and all(entry.simulated for entry in entries),
        brand=brand or Brand(),
        breaks=history.breaks,
        picture=sparkline.picture,
        policy=assets.policy(scripts=(late,) if late else ()),
        css=Markup(assets.text("page.css")),
        late=Markup(late),
    )


def _suite(entry: Entry) -> str:
    return entry.suite


def _fold(newest_first: list[Entry]) -> tuple[list[Entry], list[Entry]]:
    """Keep in sight the runs back to the last good one; fold the older ones away."""
    good = (place for place, entry in enumerate(newest_first) if entry.status != "failed")
    shown = next(good, 0) + 1
    return newest_first[:shown], newest_first[shown:]


def _refuse_elsewhere(href: str) -> None:
    parts = urlsplit(href)
    if parts.scheme or parts.netloc or href.startswith(("/", "\\")):
        raise checks.BadParameter(
            f"A page of the catalogue must be linked by a path relative to it, got {href!r}."
        )
