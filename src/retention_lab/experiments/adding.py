"""Both sides of outcomes, added up over customers; those that rest on the same rows in one query.

Only customers to whom something happened are gone through: all others count 0, and how many they
are is counted apart. That is half of the work, and the rest is shared by outcomes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations_with_replacement
from typing import TYPE_CHECKING, Any

import ibis
import ibis.expr.types as ir
import pandas as pd
from ibis import _

from retention_lab.checks import Refusal
from retention_lab.churn.endpoints import UNKNOWN, end_of
from retention_lab.customers.measures import sum_of_products
from retention_lab.experiments.sides import Sides
from retention_lab.experiments.windows import BEFORE, Window
from retention_lab.tables import clocks, engine
from retention_lab.tables.snapshot import Snapshot

if TYPE_CHECKING:
    from retention_lab.experiments.outcomes import Outcome

GROUPS = 100_000  # rows of sums at most
_SIDES = ("y", "x", "y_before", "x_before")
_PAIRS = [*combinations_with_replacement(_SIDES, 2)]
_COUNTS = ("customers", "left_out", "reaching")

Row = Mapping[Any, Any]


@dataclass(frozen=True, kw_only=True, eq=False)
class Adding:
    """Customers of whom outcomes are added up, of some days from their own time zero on.

    Parameters
    ----------
    people
        One row per customer: `customer_id`, `reached_at` (naive UTC), and the columns of `by` and
        `cluster`.
    days
        Days from time zero in which an outcome counts.
    by
        Columns of `people` to keep apart.
    before
        Whether what happened in as many days before time zero is added up beside it.
    cluster
        The column that says whose customers are one unit; "unknown" is nobody else's.
    """

    shop: Snapshot
    people: ir.Table
    days: int
    by: Sequence[str]
    before: bool = False
    cluster: str | None = None

    def sums(self, made: Sequence[Outcome]) -> dict[str, pd.DataFrame | Refusal]:
        """Add outcomes up, by their names; or say why one cannot be.

        Returns
        -------
        dict
            Frames of one row per combination of `by`, in order: `customers` (followed for so long),
            `left_out` (not followed), `reaching` (those of `customers` of whom the shop would know
            what they did before), `units` (clusters, or customers), `counted` (of whom y or x is
            not 0), `did` (y is not 0), and exact whole sums over units: `y`, `x`, of before
            `y_before` and `x_before`, and of their products (`y*y`, `y*x_before`).
        """
        people = self._followed()
        everybody = self._everybody(people) if made else []
        window = Window(
            shop=self.shop,
            people=people.filter(_.customers == 1).drop(*_COUNTS),
            keys=self._keys,
            before=self.before,
        )
        found: dict[str, pd.DataFrame | Refusal] = {}
        shared: dict[Any, dict[str, Sides]] = {}
        for each in made:
            try:
                sides = each.within(window)
            except Refusal as refusal:
                found[each.name] = refusal
            else:
                shared.setdefault(sides.rows.op(), {})[each.name] = sides
        for asked in shared.values():
            added = self._added(asked, people)
            for name, sides in asked.items():
                rows = [
                    _whole(row, added.get(self._group(row), {}), name, is_ratio=sides.x is not None)
                    for row in everybody
                ]
                found[name] = pd.DataFrame(rows).rename(columns=self._by)
        return {each.name: found[each.name] for each in made}

    @property
    def _by(self) -> dict[str, str]:
        """Columns of `by`, under names that no table of a shop has."""
        return {f"_by_{place}": name for place, name in enumerate(self.by)}

    @property
    def _keys(self) -> tuple[str, ...]:
        return (*self._by, "_unit") if self.cluster else (*self._by,)

    def _followed(self) -> ir.Table:
        """Say of everybody when the days begin and end, and whether they are over."""
        people, length = self.people, ibis.interval(days=int(self.days))
        zero, until = people.reached_at, people.reached_at + length
        since = zero - length if self.before else zero
        seen = reaching = until <= end_of(self.shop)
        if self.before:
            records = clocks.end_of_day(self.shop.records_from, self.shop.zone)
            reaching = seen & (since >= ibis.timestamp(records.isoformat()))
        kept = {key: people[name] for key, name in self._by.items()}
        if self.cluster:
            own = people[self.cluster]
            kept["_unit"] = (own == UNKNOWN).ifelse(people.customer_id, own)
        return people.select(
            _whose="customer_id",
            _since=since,
            _zero=zero,
            _until=until,
            customers=seen.cast("int64"),
            left_out=1 - seen.cast("int64"),
            reaching=reaching.cast("int64"),
            **kept,
        )

    def _everybody(self, people: ir.Table) -> list[Row]:
        """Count customers and units by the columns of `by`, in order."""
        rows = people
        if self.cluster:
            counts = {name: _[name].sum().cast("int64") for name in _COUNTS}
            rows = people.group_by(*self._keys).agg(**counts)
        counts = {name: _[name].sum().fill_null(0) for name in _COUNTS}
        units = (_.customers > 0).cast("int64").sum().fill_null(0)
        found = engine.collect(
            rows.aggregate(by=[*self._by], **counts, units=units), max_rows=GROUPS
        )
        ordered = found.sort_values([*self._by]) if self.by else found
        return [*ordered.to_dict("records")]

    def _added(self, asked: Mapping[str, Sides], people: ir.Table) -> dict[tuple[Any, ...], Row]:
        """Add up outcomes that rest on the same rows, by the values of `by`; no row, all 0."""
        each = _by_customer(asked, self._keys, before=self.before)
        if self.cluster:
            each = self._by_unit(each, people, asked)
        sums = {name: _[name].sum().fill_null(0) for name in each.columns if ":" in name}
        for name in asked:
            there = [side for side in _SIDES if f"{side}:{name}" in each.columns]
            for pair in combinations_with_replacement(there, 2):
                one, other = (each[f"{side}:{name}"] for side in pair)
                sums[f"{'*'.join(pair)}:{name}"] = sum_of_products(one, other)
        found = engine.collect(each.aggregate(by=[*self._by], **sums), max_rows=GROUPS)
        return {self._group(row): row for row in found.to_dict("records")}

    def _group(self, row: Row) -> tuple[Any, ...]:
        return tuple(row[key] for key in self._by)

    def _by_unit(self, each: ir.Table, people: ir.Table, asked: Mapping[str, Sides]) -> ir.Table:
        """Add customers up to clusters, those to whom nothing happened with the rest."""
        sums = {name: _[name].sum().cast("int64") for name in each.columns if ":" in name}
        theirs = each.group_by(*self._keys).agg(**sums)
        theirs = theirs.rename({f"{key}_too": key for key in self._keys})
        every = people.group_by(*self._keys).agg(customers=_.customers.sum().cast("int64"))
        units = every.left_join(theirs, [every[key] == theirs[f"{key}_too"] for key in self._keys])
        filled = {name: units[name].fill_null(0) for name in sums}
        for name, sides in asked.items():
            if sides.x is None:
                filled |= {f"{side}:{name}": units.customers for side in ("x", "x_before")}
        return units.select(*self._by, **filled)


def _by_customer(asked: Mapping[str, Sides], keys: Sequence[str], *, before: bool) -> ir.Table:
    """Add up outcomes of the same rows: one row per customer who has any."""
    given = next(iter(asked.values())).rows
    numbers = {
        f"{side}:{name}": value.cast("int64")
        for name, sides in asked.items()
        for side, value in (("y", sides.y), ("x", sides.x))
        if value is not None
    }
    rows = given.select("customer_id", *keys, BEFORE, **numbers)
    totals = {}
    for part in numbers:
        side, name = part.split(":")
        add = rows[part].max if asked[name].once else rows[part].sum
        totals[part] = add(where=~rows[BEFORE])
        if before and not asked[name].once:  # nothing adjusts a share
            totals[f"{side}_before:{name}"] = add(where=rows[BEFORE])
    whole = {part: value.cast("int64").fill_null(0) for part, value in totals.items()}
    each = rows.group_by("customer_id", *keys).agg(**whole)
    marks: dict[str, ir.Value] = {}
    for name, sides in asked.items():
        did = each[f"y:{name}"] != 0
        counted = did if sides.x is None else did | (each[f"x:{name}"] != 0)
        marks |= {f"did:{name}": did.cast("int64"), f"counted:{name}": counted.cast("int64")}
    return each.mutate(**marks)


def _whole(everybody: Row, added: Row, name: str, *, is_ratio: bool) -> Row:
    """Tell all sums of an outcome of a group; of a mean, x is 1 of everybody."""
    one = 0 if is_ratio else everybody["customers"]
    told = {side: added.get(f"{side}:{name}", one if side[0] == "x" else 0) for side in _SIDES}
    for pair in _PAIRS:
        # A product with 1 is what stands beside it, and that of two ones is one.
        others = [told[side] for side in pair if side[0] == "y"] or [one]
        plain = 0 if is_ratio or len(others) == 2 else others[0]
        told["*".join(pair)] = added.get(f"{'*'.join(pair)}:{name}", plain)
    did, counted = (added.get(f"{part}:{name}", 0) for part in ("did", "counted"))
    return {**everybody, "did": did, "counted": counted if is_ratio else one, **told}
