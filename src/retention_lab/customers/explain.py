"""Why a figure moved: restated data, another definition or method, who they are, what they did."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

import pandas as pd

from retention_lab import checks
from retention_lab.checks import BadData
from retention_lab.customers.compare import Comparison, Side, compare
from retention_lab.customers.measures import Measure, estimate
from retention_lab.customers.splitting import Split, best, revised, split
from retention_lab.inference.decomposition import Decomposition
from retention_lab.inference.interval import Interval
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

    The parts add up to the difference of `comparison`, both of its sides being on today's data; or,
    if something was `printed`, to the difference from that. `groups` splits mix and rate by the
    dimensions `by` taken together: the columns of `Decomposition.groups`. `dimensions` has a row
    for each alone: `dimension`, `mix`, `low`, `high`; they overlap, so they do not add up.
    `singles` is `groups` for each dimension alone, headed by `dimension`.
    """

    comparison: Comparison
    printed: Printed | None
    by: tuple[str, ...]
    parts: tuple[Part, ...]
    groups: pd.DataFrame
    dimensions: pd.DataFrame
    singles: pd.DataFrame
    _split: Split = field(repr=False)
    _sides: tuple[Side, Side] = field(repr=False)

    @property
    def measure(self) -> Measure:
        """What changed."""
        return self.comparison.now.measure

    @property
    def start(self) -> float:
        """From where the parts lead to the figure now: what was printed, else the figure before."""
        return self.printed.value if self.printed else self.comparison.before.value.value

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
        today = self._sides[1]
        newer = replace(today, shop=then) if name == "restated" and then else today
        return revised(newer, replace(today, shop=older), measure=self.measure)


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
        many of them as `splitting.best` takes.
    printed
        What an earlier report said of `against`, if any.

    Raises
    ------
    BadParameter
        When both periods are the same, or there is no such dimension.
    BadData
        When a period is not complete or has too few customers, or all are alike.
    """
    new, old = Side(shop=shop, period=period), Side(shop=shop, period=against)
    return explain_sides(measure, new, old, by=by, printed=printed)


def explain_sides(
    measure: Measure,
    now: Side,
    before: Side,
    *,
    by: Sequence[str] = (),
    printed: Printed | None = None,
) -> Explained:
    """Split a change as `explain` does, where the sides may also be other customers.

    Customers who stand on both sides are allowed for in the intervals.

    Raises
    ------
    BadParameter
        When both sides are the same, or of different shops, or there is no such dimension.
    BadData
        As `explain` does.
    """
    compared = compare(measure, now, before)
    if by:
        found = split(now, before, measure=measure, by=list(dict.fromkeys(by)))
    else:
        found = best(now, before, measure=measure)
    whole = found.decomposition
    # Without a dimension nobody can tell who joined: no estimate, so no interval either.
    mix = Part(name="mix", value=whole.mix.value, interval=whole.mix if found.by else None)
    rate = whole.rate if found.by else compared.difference  # the same change, the same interval
    parts = [mix, Part(name="rate", value=rate.value, interval=rate)]
    if printed is not None:
        known = compared.before.value.value
        parts = [*_restated(measure, printed, before.period, now=known), *parts]
    return Explained(
        comparison=compared,
        printed=printed,
        by=found.by,
        parts=tuple(parts),
        groups=whole.groups,
        dimensions=_dimensions(found.alone),
        singles=_singles(found.alone),
        _split=found,
        _sides=(now, before),
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


def _dimensions(alone: Mapping[str, Decomposition]) -> pd.DataFrame:
    rows = [(name, found.mix) for name, found in alone.items()]
    return pd.DataFrame(
        [(name, mix.value, mix.low, mix.high) for name, mix in rows],
        columns=["dimension", "mix", "low", "high"],
    )


def _singles(alone: Mapping[str, Decomposition]) -> pd.DataFrame:
    frames = [found.groups.assign(dimension=name) for name, found in alone.items()]
    if not frames:
        return pd.DataFrame(columns=["dimension"])
    every = pd.concat(frames, ignore_index=True)
    return every[["dimension", *every.columns.drop("dimension")]]
