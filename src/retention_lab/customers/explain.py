"""Why a figure moved: restated data, another definition or method, who they are, what they did."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import pandas as pd

from retention_lab import checks
from retention_lab.checks import BadData, BadParameter
from retention_lab.customers.measures import Estimate, Measure, estimate
from retention_lab.customers.splitting import Side, Split, best, revised, split
from retention_lab.inference.interval import Interval, minus
from retention_lab.tables.period import Period
from retention_lab.tables.snapshot import Snapshot

PartName = Literal["restated", "definition", "restated or definition", "later", "mix", "rate"]


@dataclass(frozen=True, kw_only=True)
class Printed:
    """What an earlier report said of the period that is compared with, as of a day.

    `same_method`: were the definition and the version of the method those of today? `earlier` is
    the snapshot that the report rested on, if it still exists; `then` is today's data cut at the
    day of that report, if that cut was made.
    """

    value: float
    as_of: dt.date
    same_method: bool
    earlier: Snapshot | None = None
    then: Snapshot | None = None


@dataclass(frozen=True, kw_only=True)
class Part:
    """One part of a change, in the unit of the measure.

    The interval is None where nothing is estimated: two known figures differ by exactly so much.
    """

    name: PartName
    value: float
    interval: Interval | None


@dataclass(frozen=True, kw_only=True)
class Explained:
    """A change of a measure and the parts that add up to it; money in whole units.

    `called` names the two sides. `change` is `now` minus `before`, both on today's data; the parts
    add up to it, or to `now` minus what was printed. `groups` splits mix and rate by the dimensions
    `by` taken together: the columns of `Decomposition.groups`. `dimensions` has a row for each
    alone: `dimension`, `mix`, `low`, `high`; they overlap, so they do not add up. `singles` is
    `groups` for each dimension alone, headed by `dimension`.
    """

    measure: Measure
    period: Period
    against: Period
    called: tuple[str, str]
    now: Estimate
    before: Estimate
    change: Interval
    printed: Printed | None
    by: tuple[str, ...]
    parts: tuple[Part, ...]
    groups: pd.DataFrame
    dimensions: pd.DataFrame
    singles: pd.DataFrame
    _split: Split = field(repr=False)
    _shop: Snapshot = field(repr=False)

    def part(self, name: PartName) -> Part:
        """Return a part by its name.

        Raises
        ------
        BadParameter
            When the change has no such part.
        """
        checks.known("explain", "part", [name], [part.name for part in self.parts])
        return next(part for part in self.parts if part.name == name)

    def customers(self, name: PartName) -> pd.DataFrame:
        """List the customers behind a part; their contributions add up to it.

        Returns
        -------
        DataFrame
            `customer_id`, `side` ("now" or "before"), `group`, `y`, `x` (as the measure counts
            them), `contribution`. Of "restated" and "later", those whose figures differ between the
            newer data ("now") and the older ("before").

        Raises
        ------
        BadParameter
            When the change has no such part.
        BadData
            When no customers stand behind it, or more than 1,000,000.
        """
        self.part(name)
        match name:
            case "mix" | "rate":
                return self._split.customers(name)
            case "restated" | "later":
                return self._revised(name)
        raise BadData(
            f"No customers stand behind {name!r}: the same customers are counted in another way, "
            "or the data of the earlier report are no longer there to compare with."
        )

    def _revised(self, name: Literal["restated", "later"]) -> pd.DataFrame:
        then = self.printed.then if self.printed else None
        older = self.printed.earlier if self.printed and name == "restated" else then
        if older is None:
            raise BadData(
                "The data of the earlier report are no longer there, so the customers whose "
                "figures were restated cannot be listed."
            )
        newer = then if name == "restated" and then else self._shop
        sides = Side(shop=newer, period=self.against), Side(shop=older, period=self.against)
        return revised(*sides, measure=self.measure)


def explain(
    shop: Snapshot,
    measure: Measure,
    *,
    period: Period,
    against: Period,
    by: Sequence[str] = (),
    printed: Printed | None = None,
) -> Explained:
    """Split the change of a measure from one period to another into parts that add up exactly.

    Parameters
    ----------
    shop
        Today's data.
    measure
        What changed, as `measures.measure` gives it.
    period, against
        Measured in the first, compared with the second.
    by
        Dimensions of `groups.dimensions` that say who the customers are, taken together; default as
        many of them as leave few customers in groups too small to show, first those by which the
        two sides differ most. Outcomes have no say in the choice.
    printed
        What an earlier report said of `against`, if any.

    Raises
    ------
    BadParameter
        When both periods are the same, or there is no such dimension.
    BadData
        When a period is not complete or has too few customers, or all are alike.
    """
    if period == against:
        raise BadParameter(f"{period.name} cannot be compared with itself; choose another period.")
    new, old = Side(shop=shop, period=period), Side(shop=shop, period=against)
    return _explained(new, old, measure, by=by, printed=printed)


def explain_populations(
    shop: Snapshot,
    other: Snapshot,
    measure: Measure,
    *,
    period: Period,
    by: Sequence[str] = (),
) -> Explained:
    """Split the difference between two groups of customers in one period, as `explain` does.

    `shop` is what is measured and `other` what it is compared with, both chosen from one snapshot
    by its condition; they may share customers.

    Raises
    ------
    BadParameter
        When both are chosen by the same condition, or from different snapshots.
    BadData
        As `explain` does.
    """
    if shop.where == other.where:
        raise BadParameter(
            f"Both populations are {shop.where or 'all customers'!r}; choose another condition."
        )
    if shop.orders.get_backend() is not other.orders.get_backend():
        raise BadParameter("Two populations are compared within one snapshot; choose both from it.")
    new, old = Side(shop=shop, period=period), Side(shop=other, period=period)
    return _explained(new, old, measure, by=by, printed=None)


def _explained(
    new: Side, old: Side, measure: Measure, *, by: Sequence[str], printed: Printed | None
) -> Explained:
    now, before = (estimate(side.shop, measure, period=side.period) for side in (new, old))
    if by:
        found = split(new, old, measure=measure, by=list(dict.fromkeys(by)))
    else:
        found = best(new, old, measure=measure)
    whole = found.decomposition
    change = whole.change if found.overlap else minus(now.value, before.value)
    # Without a dimension nobody can tell who joined: no estimate, so no interval either.
    mix = Part(name="mix", value=whole.mix.value, interval=whole.mix if found.by else None)
    parts = [mix, Part(name="rate", value=whole.rate.value, interval=whole.rate)]
    if printed is not None:
        parts = [*_restated(measure, printed, old.period, now=before.value.value), *parts]
    alone = found.alone()
    return Explained(
        measure=measure,
        period=new.period,
        against=old.period,
        called=_called(new, old),
        now=now,
        before=before,
        change=change,
        printed=printed,
        by=tuple(found.by),
        parts=tuple(parts),
        groups=whole.groups,
        dimensions=_dimensions(alone),
        singles=_singles(alone),
        _split=found,
        _shop=new.shop,
    )


def _restated(measure: Measure, printed: Printed, period: Period, *, now: float) -> list[Part]:
    """Tell restated data from another way of counting, as far as the earlier data are there."""
    earlier, then = (
        estimate(shop, measure, period=period).value.value if shop else None
        for shop in (printed.earlier, printed.then)
    )
    later = now if then is None else then
    known = printed.value if earlier is None and printed.same_method else earlier
    # A complete period does not grow: anything is left here only for figures that look beyond it.
    grown = [Part(name="later", value=now - later, interval=None)] if now != later else []
    if known is None:
        both = Part(name="restated or definition", value=later - printed.value, interval=None)
        return [both, *grown]
    return [
        Part(name="restated", value=later - known, interval=None),
        Part(name="definition", value=known - printed.value, interval=None),
        *grown,
    ]


def _called(new: Side, old: Side) -> tuple[str, str]:
    if new.period != old.period:
        return new.period.name, old.period.name
    first, second = (side.shop.where or "all customers" for side in (new, old))
    return first, second


def _dimensions(alone: Mapping[str, Split]) -> pd.DataFrame:
    rows = [(name, found.decomposition.mix) for name, found in alone.items()]
    return pd.DataFrame(
        [(name, mix.value, mix.low, mix.high) for name, mix in rows],
        columns=["dimension", "mix", "low", "high"],
    )


def _singles(alone: Mapping[str, Split]) -> pd.DataFrame:
    frames = [found.decomposition.groups.assign(dimension=name) for name, found in alone.items()]
    if not frames:
        return pd.DataFrame(columns=["dimension"])
    every = pd.concat(frames, ignore_index=True)
    return every[["dimension", *every.columns.drop("dimension")]]
