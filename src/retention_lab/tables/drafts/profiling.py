"""How the times and numbers of an export can be read: decided on whole columns, inside the engine.

A head of a file may fit two readings that its last line tells apart.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import ibis
import ibis.expr.types as ir

from retention_lab.tables import parsing
from retention_lab.tables.drafts.readings import Reading
from retention_lab.tables.engine import collect


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

    @property
    def whole(self) -> bool:
        """Whether every value is read."""
        return self.read == self.filled


def fits(
    tables: Sequence[ir.Table],
    *,
    times: Mapping[str, Sequence[Reading]],
    numbers: Mapping[str, Sequence[Reading]],
) -> dict[str, list[Fit]]:
    """Count what each reading makes of each column: one scan of every table, of these columns."""
    wanted = {**times, **numbers}
    read = [_valued(table, times, numbers) for table in tables]
    total = _added_up(one.aggregate(**_sums(one, wanted, times=times)) for one in read)
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


def _valued(
    table: ir.Table,
    times: Mapping[str, Sequence[Reading]],
    numbers: Mapping[str, Sequence[Reading]],
) -> ir.Table:
    """Read each column in each way, once for all sums: `text_<column>`, `value_` and `utc_` of it.

    Columns go by their place, and ways, too.
    """
    found: dict[str, ir.Value] = {}
    for place, (name, readings) in enumerate({**times, **numbers}.items()):
        raw = table[name]
        cell = parsing.text(raw) if raw.type().is_string() else raw
        found[f"text_{place}"] = parsing.text(raw).notnull()
        for i, reading in enumerate(readings):
            value, is_utc = _value(cell, reading, is_time=name in times)
            found |= {f"value_{place}_{i}": value, f"utc_{place}_{i}": is_utc}
    return table.select(**found)


def _sums(
    read: ir.Table, wanted: Mapping[str, Sequence[Reading]], *, times: Mapping[str, object]
) -> dict[str, ir.Scalar]:
    found: dict[str, ir.Scalar] = {}
    for place, (name, readings) in enumerate(wanted.items()):
        found[f"filled_{place}"] = read[f"text_{place}"].sum().fill_null(0)
        values = [read[f"value_{place}_{i}"] for i in range(len(readings))]
        for i, value in enumerate(values):
            others = [other.isnull() for j, other in enumerate(values) if j != i]
            alone = ibis.and_(value.notnull(), *others)
            late = value.truncate("D") != value if name in times else ibis.ifelse(value > 0, 0, 0)
            worth = ibis.ifelse(value.notnull(), 0, 0) if name in times else value
            found |= {
                f"read_{place}_{i}": value.count(),
                f"alone_{place}_{i}": alone.sum().fill_null(0),
                f"utc_{place}_{i}": read[f"utc_{place}_{i}"].sum().fill_null(0),
                f"clock_{place}_{i}": late.sum().fill_null(0),
                f"total_{place}_{i}": worth.sum().fill_null(0),
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
        bad = table.select(cell=cell, value=value)
        bad = bad.filter(bad.value.isnull() & bad.cell.notnull())
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
        rows = rows.filter(rows.key.notnull())
        one = rows.group_by("key").aggregate(
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
        rows = table.select(cell=cell).filter(ibis._.cell.notnull())
        counts = rows.group_by("cell").aggregate(rows=rows.count())
        top = counts.order_by(ibis.desc("rows"), "cell").limit(20)
        counted.update(dict(collect(top).itertuples(index=False)))
    return dict(counted.most_common(20))


def unlike_orders(
    tables: Sequence[ir.Table], names: Sequence[str], pattern: str, *, empty: Sequence[str]
) -> list[dict[str, str]]:
    """List rows with a cell of a pattern, in lower case, or with nothing in the `empty` columns.

    Each row is once there, as trimmed text by column; at most a hundred of each file.
    """
    found: list[dict[str, str]] = []
    for table in tables:
        rows = table.select(**{name: parsing.text(table[name]).fill_null("") for name in names})
        fits = [rows[name].lower().re_search(pattern) for name in names]
        rows = rows.filter(ibis.or_(ibis.and_(*(rows[name] == "" for name in empty)), *fits))
        few = collect(rows.distinct().order_by(list(rows.columns)).limit(100))
        found += [dict(zip(few.columns, row, strict=True)) for row in few.itertuples(index=False)]
    return found
