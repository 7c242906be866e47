"""The ways in which times and numbers of an export may be read, by what its cells look like."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import get_args

import ibis
import ibis.expr.types as ir

from retention_lab.tables import parsing
from retention_lab.tables.contracts import NumberStyle

_DATE = re.compile(r"(\d{1,4})([./-])(\d{1,2}|[A-Za-z]{3})\2(\d{4}|\d{1,2})(.*)")
# Beginnings of a cell, and the format of each: `?` where day or month may stand.
_SHAPES = [
    (re.compile(shape), date)
    for shape, date in (
        (r"(?:19|20)\d{6}$", "%Y%m%d"),
        (r"\d{4}([./-])\d{1,2}\1(\d{4}|\d{1,2})", r"%Y\1%m\1%d"),
        (r"\d{4}([./-])[A-Za-z]{3}\1(\d{4}|\d{1,2})", r"%Y\1%b\1%d"),
        (r"\d{1,3}([./-])\d{1,2}\1\d{4}", r"?\1?\1%Y"),
        (r"\d{1,3}([./-])\d{1,2}\1\d{1,2}", r"?\1?\1%y"),
        (r"\d{1,3}([./ -])[A-Za-z]{3}\1\d{4}", r"%d\1%b\1%Y"),
        (r"\d{1,3}([./-])[A-Za-z]{3}\1\d{1,2}", r"%d\1%b\1%y"),
        (r"[A-Za-z]{3} \d{1,2}(,?) \d{4}", r"%b %d\1 %Y"),
    )
]
_CLOCK = re.compile(r"(,? |T)\d{1,2}:\d{2}(:\d{2})?(\.\d+)?(?:( ?)[AaPp]\.?[Mm]\.?)?")


@dataclass(frozen=True, kw_only=True)
class Reading:
    """One way to read a column: `formats` of times or the `style` of numbers.

    Neither is ISO 8601, or plain numbers. `answer` is how a person names it.
    """

    answer: str
    is_time: bool = False
    formats: tuple[str, ...] = ()
    style: NumberStyle | None = None
    currency: str | None = None

    @property
    def habit(self) -> str | None:
        """What a column has in common with its neighbours: how its dates begin, or the style."""
        return self.answer[:2] if self.is_time else self.style

    def read(self, raw: ir.Value) -> tuple[ir.Value, ir.BooleanValue]:
        """Return a raw column as read, missing where it cannot be, and where it is known as UTC."""
        cell = parsing.text(raw) if raw.type().is_string() else raw
        if self.is_time:
            return parsing.time(cell, formats=self.formats, where="--dates")
        if self.style is None:
            return parsing.number(cell), ibis.literal(False)
        value = parsing.styled_number(cell, style=self.style, currency=self.currency)
        return value, ibis.literal(False)


def time_readings(cells: Sequence[str]) -> list[Reading]:
    """List the ways to read a column of times, by what its cells look like."""
    found = Counter(filter(None, map(_shape_of_time, cells)))
    if not found or all(re.search(parsing.ISO, cell) for cell in cells):
        return [Reading(answer="%Y-%m-%d", is_time=True)]
    shapes = [shape for shape, _ in found.most_common(6)]
    commonest = shapes[0][0]
    orders = ["%d %m", "%m %d"] if any("?" in date for date, _ in shapes) else [""]
    if "?" in commonest and commonest.endswith("%y") and _ends_vary_most(cells):
        orders.append("%y %m %d")
    return [
        Reading(
            is_time=True,
            answer=_ordered(commonest, order),
            formats=tuple(dict.fromkeys(_ordered(date, order) + clock for date, clock in shapes)),
        )
        for order in orders
    ]


def with_clocks(answer: str, cells: Sequence[str]) -> Reading:
    """Read a column by a person's format; the clocks that the cells show may follow a date."""
    shapes = filter(None, map(_shape_of_time, cells))
    clocks = {clock for _, clock in shapes} if not re.search("%[HI]", answer) else {""}
    formats = tuple(answer + clock for clock in sorted(clocks or {""}))
    return Reading(answer=answer, is_time=True, formats=formats)


def _shape_of_time(cell: str) -> tuple[str, str] | None:
    """Return the formats of date and clock, `?` where day or month may stand."""
    for pattern, date in _SHAPES:
        if found := pattern.match(cell):
            clock = _clock(cell[found.end() :])
            return None if clock is None else (found.expand(date), clock)
    return None


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
    if order.startswith("%y"):
        date = re.sub(r"\?(.)\?.%.", r"?\1?\1?", date)
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

    def fit(way: Reading) -> int:
        shape = parsing.NUMBER if way.style is None else parsing.shape(way.style, currency)
        return sum(bool(re.search(shape, cell)) for cell in cells)

    fits = [fit(way) for way in ways]
    return [way for way, fits_of in zip(ways, fits, strict=True) if fits_of == max(fits)]


def likely(readings: Sequence[Reading], cells: Sequence[str]) -> Sequence[Reading]:
    """Keep of the ways to read a column those that its first cells leave open, if they tell.

    Where one then reads the whole column, the others need no look. A number above twelve is a day;
    of plain numbers only a style with points between thousands makes something else.
    """
    if not readings[0].is_time:
        plain = readings[0].style is None
        return [one for one in readings if not plain or one.style in (None, "1.234,56")]
    found = [match for match in map(_DATE.fullmatch, cells) if match and match[3].isdigit()]
    late = {
        "%d": any(len(match[1]) < 3 and int(match[1]) > 12 for match in found),
        "%m": any(int(match[3]) > 12 for match in found),
    }
    sure = [one for one in readings if late.get(one.answer[:2])]
    return sure if len(readings) == 2 and sure else readings
