"""The ways in which times and numbers of an export may be read, by what its cells look like."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import get_args

from retention_lab.tables import parsing
from retention_lab.tables.contracts import NumberStyle

_DATE = re.compile(r"(\d{1,4})([./-])(\d{1,2}|[A-Za-z]{3})\2(\d{4}|\d{1,2})(.*)")
_WORDED = (
    (re.compile(r"(19|20)\d{6}()"), "%Y%m%d"),
    (re.compile(r"\d{1,2} [A-Za-z]{3} \d{4}(.*)"), "%d %b %Y"),
    (re.compile(r"[A-Za-z]{3} \d{1,2}, \d{4}(.*)"), "%b %d, %Y"),
    (re.compile(r"[A-Za-z]{3} \d{1,2} \d{4}(.*)"), "%b %d %Y"),
)
_CLOCK = re.compile(r"(,? |T)\d{1,2}:\d{2}(:\d{2})?(\.\d+)?(?:( ?)[AaPp]\.?[Mm]\.?)?")
_ORDERS = {"%d %m": "day first", "%m %d": "month first"}


@dataclass(frozen=True, kw_only=True)
class Reading:
    """One way to read a column: `formats` of times or the `style` of numbers.

    Neither is ISO 8601, or plain numbers. `answer` is how a person names it.
    """

    answer: str
    formats: tuple[str, ...] = ()
    style: NumberStyle | None = None
    currency: str | None = None


def time_readings(cells: Sequence[str]) -> list[Reading]:
    """List the ways to read a column of times, by what its cells look like."""
    found = Counter(shape for shape in map(_shape_of_time, cells) if shape is not None)
    if not found or all(re.search(parsing.ISO, cell) for cell in cells):
        return [Reading(answer="%Y-%m-%d")]
    dates = [date for (date, _), _ in found.most_common(6)]
    clocks = [clock for (_, clock), _ in found.most_common(6)]
    orders = ["%d %m", "%m %d"] if any("?" in date for date in dates) else [""]
    if "?" in dates[0] and dates[0].endswith("%y") and _ends_vary_most(cells):
        orders.append("%y")
    readings = []
    for order in orders:
        read = [_ordered(date, order) for date in dates]
        formats = dict.fromkeys(date + clock for date, clock in zip(read, clocks, strict=True))
        readings.append(Reading(answer=read[0], formats=tuple(formats)))
    return readings


def with_clocks(answer: str, cells: Sequence[str]) -> Reading:
    """Read a column by a person's format; the clocks that the cells show may follow a date."""
    shapes = [shape for shape in map(_shape_of_time, cells) if shape is not None]
    clocks = {clock for _, clock in shapes} if not re.search("%[HI]", answer) else {""}
    formats = tuple(answer + clock for clock in sorted(clocks or {""}))
    return Reading(answer=answer, formats=formats)


def _shape_of_time(cell: str) -> tuple[str, str] | None:
    """Return the formats of date and clock, `?` where day or month may stand."""
    for pattern, date in _WORDED:
        if (worded := pattern.fullmatch(cell)) is not None:
            clock = _clock(worded.groups()[-1])
            return None if clock is None else (date, clock)
    found = _DATE.fullmatch(cell)
    clock = _clock(found[5]) if found else None
    if found is None or clock is None:
        return None
    first, sign, middle, last, _ = found.groups()
    if len(first) == 4:
        return f"%Y{sign}{'%b' if middle.isalpha() else '%m'}{sign}%d", clock
    year = "%Y" if len(last) == 4 else "%y"
    return (f"%d{sign}%b{sign}{year}" if middle.isalpha() else f"?{sign}?{sign}{year}"), clock


def _clock(rest: str) -> str | None:
    if not rest:
        return ""
    found = _CLOCK.fullmatch(rest)
    if found is None:
        return None
    gap, seconds, parts, noon = found.groups()
    hour = "%H" if noon is None else "%I"
    end = "" if noon is None else f"{noon}%p"
    return f"{gap}{hour}:%M{':%S' if seconds else ''}{'.%f' if parts else ''}{end}"


def _ordered(date: str, order: str) -> str:
    if order == "%y" and "?" in date:  # year, month, day
        sign = date[1]
        return f"%y{sign}%m{sign}%d"
    for directive in order.split():
        date = date.replace("?", directive, 1)
    return date


def _ends_vary_most(cells: Sequence[str]) -> bool:
    """Does the last of three numbers vary more than the first? Then it is hardly a year."""
    found = [match for match in map(_DATE.fullmatch, cells) if match is not None]
    return len({match[4] for match in found}) > len({match[1] for match in found})


def marks(cells: Sequence[str]) -> list[str]:
    """List what stands beside the digits of a column of numbers, the commonest first."""
    rest = (re.sub(r"[\d.,'\u2019\s\u00a0\u2009\u202f+\-\u2212()]", "", cell) for cell in cells)
    return [mark for mark, _ in Counter(filter(None, rest)).most_common()]


def number_readings(
    cells: Sequence[str], *, currency: str | None, said: str | None = None
) -> list[Reading]:
    """List the ways to read most cells of a column of numbers, the plainest first.

    Only the one that was `said`, if any.
    """
    ways = [Reading(answer="1234.56")] + [
        Reading(answer=style, style=style, currency=currency) for style in get_args(NumberStyle)
    ]
    ways = [way for way in ways if said in (None, way.answer)]
    patterns = [
        re.compile(parsing.NUMBER if way.style is None else parsing.shape(way.style, currency))
        for way in ways
    ]
    fits = [sum(bool(pattern.search(cell)) for cell in cells) for pattern in patterns]
    return [way for way, fit in zip(ways, fits, strict=True) if fit == max(fits)]


def likely(readings: Sequence[Reading], cells: Sequence[str]) -> Sequence[Reading]:
    """Keep of the ways to read times the one that the cells tell already, if they do.

    Where it then reads a whole column, the others need no look.
    """
    found = [match for match in map(_DATE.fullmatch, cells) if match and match[3].isdigit()]
    late = {
        "%d": any(len(match[1]) < 3 and int(match[1]) > 12 for match in found),
        "%m": any(int(match[3]) > 12 for match in found),
    }
    sure = [one for one in readings if late.get(one.answer[:2])]
    return sure if len(readings) == 2 and sure else readings


def telling(readings: Sequence[Reading]) -> Sequence[Reading]:
    """Keep of the ways to read numbers that are plain at first sight those that may differ.

    Only a style with points between thousands makes something else of plain numbers.
    """
    if readings[0].style is not None:
        return readings
    return [one for one in readings if one.style in (None, "1.234,56")]
