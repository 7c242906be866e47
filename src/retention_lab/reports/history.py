"""What the key numbers of a suite were, report by report, and where they stop being comparable."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from retention_lab import checks
from retention_lab.reports.assets import listed
from retention_lab.reports.calendar import short_date

MOST = 53  # reports that a line shows: a year of weeks

Report: TypeAlias = Mapping[str, Any]  # the content of results.json
Claim: TypeAlias = Mapping[str, Any]  # a number as the ledger shows it


@dataclass(frozen=True, kw_only=True)
class Point:
    """A number as one report printed it; `broken` says why it does not go on from the one before.

    `about` is the period or group described, `low` and `high` its interval, where it has one, and
    `between` that interval as people write it.
    """

    as_of: dt.date
    value: float
    text: str
    low: float | None = None
    high: float | None = None
    between: str = ""
    about: str = ""
    broken: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Series:
    """A key number through at least one report, oldest first."""

    label: str
    points: tuple[Point, ...]

    @property
    def heading(self) -> str:
        """What the newest number is of."""
        about = self.points[-1].about
        return f"{self.label}, {about}" if about and about not in self.label else self.label

    @property
    def change(self) -> str:
        """The newest number beside the one before, in words; empty for a first one."""
        if len(self.points) < 2:
            return ""
        before, now = self.points[-2:]
        when = f"in the report of {short_date(before.as_of)}"
        same = before.about == now.about
        was = before.text if same or not before.about else f"{before.text} ({before.about})"
        if now.broken:
            return f"Not comparable with {was} {when}: {' and '.join(now.broken)}."
        if now.text == before.text:
            return f"{'As' if same else f'{was}, the same,'} {when}."
        if same and now.about:
            return f"Restated: {was} {when}."
        return f"{'Up' if now.value > before.value else 'Down'} from {was} {when}."


def read(file: Path) -> Report:
    """Read what a report said.

    Raises
    ------
    BadData
        When the file is damaged.
    """
    try:
        content: Report = json.loads(file.read_text(encoding="utf-8"))
        dt.date.fromisoformat(content["as_of"])
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise checks.BadData(
            f"{file} does not hold the results of a report. Bring it back from a backup, or "
            "remove it: its report is then missing from the front page."
        ) from error
    return content


def series(reports: Sequence[Report]) -> list[Series]:
    """Follow the key numbers of the newest of `reports`, which come oldest first."""
    return [
        _followed(notebook, claim, reports[-MOST:])
        for notebook, page in reports[-1].get("notebooks", {}).items()
        for claim in page["results"]
        if claim.get("key") and claim.get("text")
    ]


def breaks(lines: Sequence[Series]) -> list[str]:
    """Say where lines break and why, each reason once."""
    broken: dict[tuple[dt.date, str], list[str]] = {}
    for line in lines:
        for point in line.points:
            for reason in point.broken:
                broken.setdefault((point.as_of, reason), []).append(line.label)
    days: dict[str, list[str]] = {}
    for (day, reason), labels in sorted(broken.items()):
        every = len(labels) == len(lines) > 1
        who = "Every line" if every else f"The line of {listed(labels)}"
        days.setdefault(f"{who} breaks where {reason}", []).append(short_date(day))
    return [f"{words}: {listed(when)}." for words, when in days.items()]


def _followed(notebook: str, newest: Claim, reports: Sequence[Report]) -> Series:
    points: list[Point] = []
    last: tuple[Report, Claim] | None = None
    skipped = False
    for report in reports:
        claim = _claim(report, notebook, newest)
        if claim is not None:
            broken = tuple(_reasons(last, (report, claim), skipped=skipped)) if last else ()
            points.append(_point(report, claim, broken=broken))
            last = report, claim
        skipped = claim is None
    return Series(label=newest.get("label") or newest["name"], points=tuple(points))


def _claim(report: Report, notebook: str, newest: Claim) -> Claim | None:
    """Find a number of that name in a report; one of another unit has no place on its line."""
    claims: Sequence[Claim] = report.get("notebooks", {}).get(notebook, {}).get("results", ())
    alike = ("name", "unit", "currency")
    wanted = [newest.get(each) for each in alike]
    return next((one for one in claims if [one.get(each) for each in alike] == wanted), None)


def _point(report: Report, claim: Claim, *, broken: tuple[str, ...]) -> Point:
    return Point(
        as_of=dt.date.fromisoformat(report["as_of"]),
        value=claim["value"],
        text=claim.get("text") or str(claim["value"]),
        low=claim.get("low"),
        high=claim.get("high"),
        between=claim.get("between", ""),
        about=claim.get("about", ""),
        broken=broken,
    )


def _reasons(
    before: tuple[Report, Claim], now: tuple[Report, Claim], *, skipped: bool
) -> Iterator[str]:
    (report_before, claim_before), (report, claim) = before, now
    if skipped:
        yield "a report in between has no such number"
    if _whose(report_before) != _whose(report):
        yield "the source, the choice of customers or the time zone changed"
    if _differs(claim_before, claim, "definition_hash"):
        yield "the definition changed"
    if _differs(claim_before, claim, "method_version"):
        yield f"version {claim['method_version']} replaced {claim_before['method_version']}"
    elif _differs(report_before, report, "code"):
        yield "the code changed"


def _differs(before: Mapping[str, Any], now: Mapping[str, Any], key: str) -> bool:
    """Say whether both tell, and tell otherwise: what older reports did not tell breaks no line."""
    return bool(before.get(key) and now.get(key)) and before[key] != now[key]


def _whose(report: Report) -> tuple[object, ...]:
    source, cut = report.get("source", {}), report.get("snapshot", {})
    return source.get("name"), cut.get("where"), cut.get("time_zone")


def oldest_first(reports: Iterable[Report]) -> list[Report]:
    """Sort reports by their day; of one day the last one counts."""
    return [report for _, report in sorted({each["as_of"]: each for each in reports}.items())]
