"""How the times and numbers of an export can be read: decided on whole columns, inside the engine.

A head of a file may fit two readings that its last line tells apart.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import ibis
import ibis.expr.types as ir

from retention_lab.tables import parsing
from retention_lab.tables.drafts.readings import Reading
from retention_lab.tables.engine import collect

_COUNTS = ("filled", "read", "alone", "total", "clock", "utc")


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


def fits(tables: Sequence[ir.Table], ways: Mapping[str, Sequence[Reading]]) -> dict[str, list[Fit]]:
    """Count what each reading makes of each column: one scan of every table, of these columns."""
    pairs = [(name, reading) for name, readings in ways.items() for reading in readings]
    counted = _added_up(_counts(table, pairs) for table in tables)
    found: dict[str, list[Fit]] = {name: [] for name in ways}
    for i, (name, reading) in enumerate(pairs):
        counts = {key: counted[f"{key}_{i}"] for key in _COUNTS}
        found[name].append(Fit(reading=reading, **counts))
    return found


def _counts(table: ir.Table, pairs: Sequence[tuple[str, Reading]]) -> ir.Table:
    """Read each column in each way once, then count; columns go by the place of their pair."""
    read = [reading.read(table[name]) for name, reading in pairs]
    cells = {f"cell_{i}": parsing.text(table[name]) for i, (name, _) in enumerate(pairs)}
    values = {f"value_{i}": value for i, (value, _) in enumerate(read)}
    rows = table.select(**cells, **values, **{f"utc_{i}": utc for i, (_, utc) in enumerate(read)})
    found: dict[str, ir.Scalar] = {}
    for i, (name, reading) in enumerate(pairs):
        value = rows[f"value_{i}"]
        others = [rows[f"value_{j}"] for j, pair in enumerate(pairs) if pair[0] == name and j != i]
        is_alone = ibis.and_(value.notnull(), *(other.isnull() for other in others))
        found |= {
            f"filled_{i}": rows[f"cell_{i}"].count(),
            f"read_{i}": value.count(),
            f"alone_{i}": rows.count(where=is_alone),
            f"utc_{i}": rows.count(where=rows[f"utc_{i}"] & value.notnull()),
        }
        if reading.is_time:
            found[f"clock_{i}"] = rows.count(where=value.truncate("D") != value)
        else:
            found[f"total_{i}"] = value.sum().fill_null(0)
    return rows.aggregate(**found)


def _added_up(rows: Iterable[ir.Table]) -> Counter[str]:
    """Add up tables of one row; sums of floats differ in their last digits from run to run."""
    total: Counter[str] = Counter()
    for row in rows:
        total.update({str(name): n for name, n in collect(row).to_dict("records")[0].items()})
    return total


def examples(tables: Sequence[ir.Table], name: str, reading: Reading) -> list[str]:
    """Return at most three values of a column that a reading does not read."""
    found: list[str] = []
    for table in tables:
        rows = table.select(cell=parsing.text(table[name]), value=reading.read(table[name])[0])
        bad = rows.filter(rows.value.isnull() & rows.cell.notnull()).select("cell").distinct()
        found += collect(bad.order_by("cell").limit(3))["cell"].tolist()
    return found[:3]


@dataclass(frozen=True, kw_only=True)
class Keys:
    """How rows stand to orders: `orders` in all, `several` with more than one row.

    Of those, `same` have one amount on all rows, `single` have it on one row only.
    """

    orders: int
    several: int
    same: int
    single: int


def keys(tables: Sequence[ir.Table], order_id: str, amount: str) -> Keys:
    """Count how the rows of each file stand to its orders."""
    found = []
    for table in tables:
        rows = table.select(key=parsing.text(table[order_id]), worth=parsing.text(table[amount]))
        one = rows.filter(rows.key.notnull()).group_by("key")
        one = one.aggregate(
            rows=ibis._.count(), there=ibis._.worth.count(), unlike=ibis._.worth.nunique()
        )
        several = one.rows > 1
        sums = one.aggregate(
            orders=one.count(),
            several=one.count(where=several),
            same=one.count(where=several & (one.there == one.rows) & (one.unlike == 1)),
            single=one.count(where=several & (one.there == 1)),
        )
        found.append(sums)
    return Keys(**_added_up(found))


def one_to_one(tables: Sequence[ir.Table], a: str, b: str) -> bool:
    """Tell whether two columns are one to one in all rows of all files, and neither has gaps."""
    pairs = ibis.union(*(t.select(a=parsing.text(t[a]), b=parsing.text(t[b])) for t in tables))
    # A row with neither is no evidence; one with a single of them does not count as a pair's half.
    known = pairs.filter(pairs.a.notnull() | pairs.b.notnull()).distinct()
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
