"""How the times and numbers of an export can be read: decided on whole columns, inside the engine.

A head of a file may fit two readings that its last line tells apart.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import get_args

import ibis
import ibis.expr.types as ir

from retention_lab.tables import parsing
from retention_lab.tables.engine import collect
from retention_lab.tables.parsing import NumberStyle

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


@dataclass(frozen=True, kw_only=True)
class Fit:
    """What a reading makes of a whole column: how many values it reads, and how many alone does.

    `total` adds up numbers; `clock` counts times that are not midnight, `utc` those with an offset.
    """

    reading: Reading
    filled: int
    read: int
    alone: int
    total: float
    clock: int
    utc: int


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


def fits(
    tables: Sequence[ir.Table],
    *,
    times: Mapping[str, Sequence[Reading]],
    numbers: Mapping[str, Sequence[Reading]],
) -> dict[str, list[Fit]]:
    """Count what each reading makes of each column: one scan of every table, of these columns."""
    wanted = {**times, **numbers}
    total = _added_up(table.aggregate(**_sums(table, times, numbers)) for table in tables)
    places = {name: place for place, name in enumerate(wanted)}
    return {
        name: [
            Fit(
                reading=reading,
                filled=int(total[f"filled_{places[name]}"]),
                total=float(total[f"total_{places[name]}_{i}"]),
                **{
                    key: int(total[f"{key}_{places[name]}_{i}"])
                    for key in ("read", "alone", "clock", "utc")
                },
            )
            for i, reading in enumerate(readings)
        ]
        for name, readings in wanted.items()
    }


def _added_up(rows: Iterable[ir.Table]) -> Counter[Hashable]:
    """Add up tables of one row; sums of floats differ in their last digits from run to run."""
    total: Counter[Hashable] = Counter()
    for row in rows:
        total.update(collect(row).iloc[0].to_dict())
    return total


def _sums(
    table: ir.Table,
    times: Mapping[str, Sequence[Reading]],
    numbers: Mapping[str, Sequence[Reading]],
) -> dict[str, ir.Scalar]:
    found: dict[str, ir.Scalar] = {}
    for place, (name, readings) in enumerate({**times, **numbers}.items()):
        raw = table[name]
        cell = parsing.text(raw) if raw.type().is_string() else raw
        found[f"filled_{place}"] = parsing.text(raw).count()
        values = [_value(cell, reading, is_time=name in times) for reading in readings]
        for i, (value, is_utc) in enumerate(values):
            others = [other.notnull() for j, (other, _) in enumerate(values) if j != i]
            alone = value.notnull() & ~ibis.or_(ibis.literal(False), *others)
            nothing = ibis.literal(0)
            is_time, clock = name in times, value.truncate("D") != value if name in times else None
            found |= {
                f"read_{place}_{i}": value.count(),
                f"alone_{place}_{i}": alone.sum().fill_null(0),
                f"utc_{place}_{i}": is_utc.sum().fill_null(0) if is_time else nothing,
                f"clock_{place}_{i}": clock.sum().fill_null(0) if is_time else nothing,
                f"total_{place}_{i}": nothing if is_time else value.sum().fill_null(0),
            }
    return found


def _value(cell: ir.Value, reading: Reading, *, is_time: bool) -> tuple[ir.Value, ir.BooleanValue]:
    if is_time:
        read = parsing.time(cell, formats=reading.formats, where="--dates")
        return read.value, read.is_utc & read.value.notnull()
    if reading.style is None:
        return parsing.number(cell), ibis.literal(False)
    value = parsing.styled_number(cell, style=reading.style, currency=reading.currency)
    return value, ibis.literal(False)


def examples(
    tables: Sequence[ir.Table], name: str, reading: Reading, *, is_time: bool
) -> list[str]:
    """Return three values of a column that a reading does not read."""
    return list(_unread(tables, name, reading, is_time=is_time))[:3]


def _unread(
    tables: Sequence[ir.Table], name: str, reading: Reading, *, is_time: bool
) -> Iterator[str]:
    for table in tables:
        cell = parsing.text(table[name])
        value, _ = _value(cell, reading, is_time=is_time)
        bad = table.select(cell=cell, value=value).filter(value.isnull() & cell.notnull())
        yield from collect(bad.select("cell").distinct().order_by("cell").limit(3))["cell"]


@dataclass(frozen=True, kw_only=True)
class Keys:
    """How rows stand to orders: `orders` in all, `several` with more than one row.

    Of those, `same` have one amount on all rows, `single` have it on one row only.
    """

    orders: int
    several: int
    same: int
    single: int


def keys(tables: Sequence[ir.Table], order_id: str, amount: str | None) -> Keys:
    """Count how the rows of each file stand to its orders."""
    found = []
    for table in tables:
        worth = parsing.text(table[amount]) if amount else ibis.literal("")
        rows = table.select(key=parsing.text(table[order_id]), worth=worth)
        by = rows.filter(rows.key.notnull()).group_by("key")
        one = by.aggregate(
            rows=rows.count(), there=rows.worth.count(), a=rows.worth.min(), b=rows.worth.max()
        )
        several = one.rows > 1
        sums = one.aggregate(
            orders=one.count(),
            several=several.sum().fill_null(0),
            same=(several & (one.there == one.rows) & (one.a == one.b)).sum().fill_null(0),
            single=(several & (one.there == 1)).sum().fill_null(0),
        )
        found.append(sums)
    total = _added_up(found)
    return Keys(**{name: int(total[name]) for name in ("orders", "several", "same", "single")})


def one_to_one(tables: Sequence[ir.Table], a: str, b: str) -> bool:
    """Tell whether two columns are one to one in all rows of all files, and neither has gaps."""
    parts = [t.select(a=parsing.text(t[a]), b=parsing.text(t[b])).distinct() for t in tables]
    pairs = ibis.union(*parts, distinct=True) if len(parts) > 1 else parts[0]
    # A row with neither is no evidence; one with a single of them does not count as a pair's half.
    known = pairs.filter(pairs.a.notnull() | pairs.b.notnull())
    one = known.aggregate(pairs=known.count(), a=known.a.nunique(), b=known.b.nunique())
    found = collect(one).iloc[0]
    return bool(found["pairs"] == found["a"] == found["b"])


def values(tables: Sequence[ir.Table], name: str) -> dict[str, int]:
    """Count the values of a column of few, the commonest first; at most twenty."""
    counted: Counter[str] = Counter()
    for table in tables:
        cell = parsing.text(table[name])
        rows = table.select(cell=cell).filter(cell.notnull()).group_by("cell")
        top = rows.aggregate(rows=lambda t: t.count()).order_by(ibis.desc("rows"), "cell").limit(20)
        counted.update(dict(collect(top).itertuples(index=False)))
    return dict(counted.most_common(20))
