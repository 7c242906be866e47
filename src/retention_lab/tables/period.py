"""A stretch of business-local days, as people write and name it."""

from __future__ import annotations

import datetime as dt
import re
from calendar import monthrange
from dataclasses import dataclass

from retention_lab import checks
from retention_lab.tables import clocks

_FORMS = (
    "2026-08 (a month), 2026-W32 (a week), 2026-Q3, 2026, 2026-08-03 or 2026-08-03/2026-08-09 "
    "(the first and the last day)"
)
_ORDINALS = ("first", "second", "third", "fourth")
_UNIT = re.compile(r"(\d{4})(?:-(?:Q([1-4])|W(0[1-9]|[1-5]\d)|(0[1-9]|1[0-2])(?:-([0-3]\d))?))?")
_WEEKDAYS_ALIGN = dt.timedelta(days=364)  # 52 weeks


@dataclass(frozen=True, kw_only=True)
class Period:
    """Days from `first` to `last`, both included.

    Raises
    ------
    BadParameter
        When the last day lies before the first.
    """

    first: dt.date
    last: dt.date

    def __post_init__(self) -> None:
        if self.last < self.first:
            raise checks.BadParameter(
                f"A period must not end before it begins, got {self.first} to {self.last}."
            )

    def __str__(self) -> str:
        return f"{self.first}/{self.last}"

    @property
    def days(self) -> int:
        """How many days it has, first and last included."""
        return (self.last - self.first).days + 1

    @property
    def name(self) -> str:
        """What people call it: `August 2026`, `3 to 9 August 2026`, `2026`."""
        first, last = self.first, self.last
        match self._months:
            case 12:
                return f"{first.year}"
            case 3:
                return f"the {_ORDINALS[first.month // 3]} quarter of {first.year}"
            case 1:
                return f"{first:%B %Y}"
        end = f"{last.day} {last:%B %Y}"
        if first == last:
            return end
        month = "" if (first.year, first.month) == (last.year, last.month) else f" {first:%B}"
        year = "" if first.year == last.year else f" {first.year}"
        return f"{first.day}{month}{year} to {end}"

    @property
    def before(self) -> Period:
        """The month, quarter or year before, else as many days just before the first."""
        last = self.first - dt.timedelta(days=1)
        if self._months:
            return _months(_back(self.first, self._months), self._months)
        return Period(first=self.first - dt.timedelta(days=self.days), last=last)

    @property
    def year_before(self) -> Period:
        """The same month, quarter or year a year before, else 364 days earlier: same weekdays."""
        if self._months:
            return _months(_back(self.first, 12), self._months)
        return Period(first=self.first - _WEEKDAYS_ALIGN, last=self.last - _WEEKDAYS_ALIGN)

    @property
    def _months(self) -> int:
        """How many months a calendar month, quarter or year has: 1, 3 or 12; else 0."""
        first, last = self.first, self.last
        count = 12 * (last.year - first.year) + last.month - first.month + 1
        whole = first.day == 1 and last.day == monthrange(last.year, last.month)[1]
        return count if whole and count in (1, 3, 12) and (first.month - 1) % count == 0 else 0


def parse(text: str | Period) -> Period:
    """Read a period from the text that people write; a period is returned as it is.

    Raises
    ------
    BadParameter
        When it is none of the forms, or there is no such day or week.

    Examples
    --------
    >>> parse("2026-W32").name
    '3 to 9 August 2026'
    >>> parse("2026-08-03/2026-08-09") == parse("2026-W32")
    True
    """
    if isinstance(text, Period):
        return text
    first, to, last = str(text).strip().partition("/")
    begin = _unit(first, text=text)
    return Period(first=begin.first, last=_unit(last, text=text).last) if to else begin


def against(period: Period, text: str | Period) -> Period:
    """Read the period that another is compared with: `before`, `last year` or what `parse` reads.

    Raises
    ------
    BadParameter
        As `parse` does.
    """
    match text:
        case "before":
            return period.before
        case "last year":
            return period.year_before
    try:
        return parse(text)
    except checks.BadParameter as error:
        raise checks.BadParameter(f"{error} Or write 'before' or 'last year'.") from error


def _unit(part: str, *, text: str) -> Period:
    form = _UNIT.fullmatch(part)
    try:
        if form is None or not clocks.FIRST_YEAR <= int(form[1]) <= clocks.LAST_YEAR:
            raise ValueError
        return _of(form)
    except ValueError as error:
        raise checks.BadParameter(f"{text!r} is not a period. Write one as {_FORMS}.") from error


def _of(form: re.Match[str]) -> Period:
    year, quarter, week, month = (int(part or 0) for part in form.groups()[:4])
    if week:
        monday = dt.date.fromisocalendar(year, week, 1)
        return Period(first=monday, last=monday + dt.timedelta(days=6))
    if form[5]:
        day = dt.date(year, month, int(form[5]))
        return Period(first=day, last=day)
    if quarter:
        return _months(dt.date(year, 3 * quarter - 2, 1), 3)
    return _months(dt.date(year, month or 1, 1), 1 if month else 12)


def _months(first: dt.date, count: int) -> Period:
    """Give `count` months that do not leave the year of the first."""
    month = first.month + count - 1
    return Period(first=first, last=dt.date(first.year, month, monthrange(first.year, month)[1]))


def _back(first: dt.date, months: int) -> dt.date:
    """Go back by months from the first day of one."""
    year, month = divmod(12 * first.year + first.month - 1 - months, 12)
    return dt.date(year, month + 1, 1)
