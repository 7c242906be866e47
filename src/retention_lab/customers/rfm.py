"""RFM scores by cut lines: the value alone decides, so ties are never split, in whatever order.

A bin holds the values from its lower line up to, but not including, its upper one. A high score is
good: recency is scored in reverse. The lines of a quantile are the type-7 quantiles (Hyndman and
Fan 1996) plus one day, one purchase or one whole unit of money, as in the R package rfm. Lines may
coincide, as they do where most bought once; then a score between them is nobody's.

Frequency and monetary value are those of the days within which the summary looks, recency is of all
time. Every customer who ever bought has exactly one score of each measure: with no purchase within,
the lowest. Whoever brought nothing, or sent back more than was bought, has a monetary score as
well: the value is compared as it is.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from itertools import pairwise, product

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd
from ibis import _
from pydantic import field_validator, model_validator

from retention_lab import checks
from retention_lab.checks import BadData
from retention_lab.tables.engine import collect
from retention_lab.tables.location import Strict
from retention_lab.tables.parsing import minor_digits

MEASURES = {
    "recency": "last_days",
    "frequency": "purchases_within",
    "monetary": "revenue_within",
}
EVERYBODY = "all"  # the key of lines that do not depend on other scores

Lines = dict[str, tuple[float, ...]]


class Cuts(Strict):
    """Cut lines of each measure: days, purchases, and whole units of `currency`.

    Each maps a key to the inner edges of its bins. The key is "all"; or, for nested lines, the
    scores before it: frequency has lines for each recency score ("1" to "5"), monetary value for
    each pair of them ("11" to "55"). Fixed lines are just written down.
    """

    currency: str
    recency: Lines
    frequency: Lines
    monetary: Lines

    @field_validator("recency", "frequency", "monetary")
    @classmethod
    def _do_not_fall(cls, lines: Lines) -> Lines:
        for key, cuts in lines.items():
            finite = all(math.isfinite(cut) for cut in cuts)
            if not (1 <= len(cuts) <= 8 and finite and all(a <= b for a, b in pairwise(cuts))):
                raise ValueError(f"{key}: give 1 to 8 numbers that do not fall, got {[*cuts]}")
        return lines

    @model_validator(mode="after")
    def _are_for_everybody(self) -> Cuts:
        for depth, name in enumerate(MEASURES):
            keys = set(getattr(self, name))
            if keys not in ({EVERYBODY}, set(_keys(depth, self.bins))):
                raise ValueError(
                    f"{name} must have lines for {EVERYBODY!r}, or for each score before it, "
                    f"got {sorted(keys)}"
                )
            if any(len(cuts) != self.bins - 1 for cuts in getattr(self, name).values()):
                raise ValueError(f"{name} must have {self.bins - 1} lines, as recency has")
        return self

    @property
    def bins(self) -> int:
        """How many scores there are: one more than lines of recency."""
        return len(next(iter(self.recency.values()), ())) + 1

    def edges(self, measure: str, key: str = EVERYBODY) -> list[int]:
        """Inner edges in days, purchases or minor units: the least whole number in each bin."""
        unit = 10 ** minor_digits(self.currency) if measure == "monetary" else 1
        lines: Lines = getattr(self, measure)
        # By way of text, as 19.99 in floats is a little less than 1,999 hundredths.
        return [math.ceil(Fraction(str(cut)) * unit) for cut in lines[key]]


def quantile_cuts(summary: ir.Table, *, currency: str, bins: int = 5) -> Cuts:
    """Draw lines so that each bin holds about as many customers, as far as ties allow.

    Parameters
    ----------
    summary
        Columns `customer_id`, `last_days`, `purchases_within`, `revenue_within` (minor units), as
        `customers.summary.purchases` makes them. Who bought nothing within the window is no
        measure of those who did: lines are drawn among the others.
    currency
        Of the revenue.
    bins
        Scores of each measure, 2 to 9.

    Raises
    ------
    BadParameter
        If there are too few or too many bins.
    BadData
        If there is no customer with a purchase within.
    """
    _check(bins)
    summary = summary.filter(_.purchases_within > 0)
    lines = {name: {EVERYBODY: _overall(summary, name, bins, currency)} for name in MEASURES}
    return Cuts(currency=currency, **lines)


def nested_cuts(summary: ir.Table, *, currency: str, bins: int = 5) -> Cuts:
    """Draw lines of frequency within each recency score, and of monetary value within both.

    Scores that nobody has take the lines of everybody. Parameters, and what is refused, are those
    of `quantile_cuts`.
    """
    cuts = quantile_cuts(summary, currency=currency, bins=bins)
    summary = summary.filter(_.purchases_within > 0)
    for depth, name in enumerate(MEASURES):
        if depth:
            scored = scores(summary, cuts)
            before = [f"{each}_score" for each in list(MEASURES)[:depth]]
            within = _quantiles(scored, name, bins=bins, currency=currency, by=before)
            overall = getattr(cuts, name)[EVERYBODY]
            lines = {key: within.get(key, overall) for key in _keys(depth, bins)}
            cuts = cuts.model_copy(update={name: lines})
    return cuts


def scores(summary: ir.Table, cuts: Cuts) -> ir.Table:
    """Add `recency_score`, `frequency_score` and `monetary_score`, 1 to the number of bins."""
    for depth, (name, column) in enumerate(MEASURES.items()):
        before = [summary[f"{each}_score"] for each in list(MEASURES)[:depth]]
        choices = [
            (_is(before, key), _bin(summary[column], cuts.edges(name, key)))
            for key in getattr(cuts, name)
        ]
        number = ibis.cases(*choices, else_=ibis.null("int64"))
        # Few days are recent, which is good; few purchases or little money are not.
        score = cuts.bins + 1 - number if name == "recency" else number
        summary = summary.mutate(score.name(f"{name}_score"))
    return summary


def counts(scored: ir.Table, cuts: Cuts) -> pd.DataFrame:
    """Count the customers of each score: one row per `score` from 1 on, a column per measure.

    A count may be of a single customer, so no page shows it.
    """
    columns = {name: f"{name}_score" for name in MEASURES}
    cells = collect(scored.group_by(list(columns.values())).agg(customers=_.count()))
    every = pd.RangeIndex(1, cuts.bins + 1, name="score")
    tables = {
        name: cells.groupby(column)["customers"].sum().reindex(every, fill_value=0)
        for name, column in columns.items()
    }
    return pd.DataFrame(tables).reset_index()


def _check(bins: int) -> None:
    if bins not in range(2, 10):
        raise checks.BadParameter(f"bins must be a whole number from 2 to 9, got {bins!r}.")


def _keys(depth: int, bins: int) -> Iterator[str]:
    """Scores of the `depth` measures before, as they are written: "11", "12", ..."""
    marks = [str(score) for score in range(1, bins + 1)]
    return ("".join(each) for each in product(marks, repeat=depth)) if depth else iter(())


def _is(before: Sequence[ir.IntegerColumn], key: str) -> ir.BooleanValue:
    if key == EVERYBODY:
        return ibis.literal(value=True)
    return ibis.and_(*(score == int(mark) for score, mark in zip(before, key, strict=True)))


def _bin(value: ir.IntegerColumn, edges: Sequence[int]) -> ir.IntegerValue:
    """Number of the bin, from 1: how many edges the value has reached, and one."""
    return sum(((value >= edge).cast("int64") for edge in edges), ibis.literal(1, "int64"))


def _overall(summary: ir.Table, name: str, bins: int, currency: str) -> tuple[float, ...]:
    lines = _quantiles(summary, name, bins=bins, currency=currency, by=[])
    if not lines:
        raise BadData(
            "There is no customer with a purchase within the days that are scored, so no cut line "
            "can be drawn. Score more days, or say `thresholds` with lines of your own."
        )
    return lines[""]


def _quantiles(
    scored: ir.Table, name: str, *, bins: int, currency: str, by: list[str]
) -> Mapping[str, tuple[float, ...]]:
    """Lines by the scores before, from the few values on both sides of each quantile.

    Everything is reckoned in whole numbers, so a quantile that is a value is exactly that value,
    and all engines draw the same lines: their own quantiles differ in kind and in rounding.
    """
    valued = scored.group_by([*by, scored[MEASURES[name]].name("value")]).agg(n=_.count())
    upto = ibis.cumulative_window(group_by=by, order_by="value")
    ranked = valued.mutate(upto=_.n.sum().over(upto), total=_.n.sum().over(group_by=by))
    places = [(part * (_.total - 1)) // bins + side for part in range(1, bins) for side in (0, 1)]
    near = [(place >= _.upto - _.n) & (place < _.upto) for place in places]
    kept = ranked.filter(ibis.or_(*near)).mutate(key=ibis.literal(""))
    for column in by:
        kept = kept.mutate(key=_.key + _[column].cast("string"))
    rows = collect(kept.select("key", "value", "upto", "total")).sort_values("upto")
    unit = 10 ** minor_digits(currency) if name == "monetary" else 1
    return {str(key): _lines(part, bins=bins, unit=unit) for key, part in rows.groupby("key")}


def _lines(values: pd.DataFrame, *, bins: int, unit: int) -> tuple[float, ...]:
    """Type-7 quantiles plus one `unit`, in units."""
    last, upto = int(values["total"].iloc[0]) - 1, values["upto"].to_numpy()
    lines = []
    for part in range(1, bins):
        place, rest = divmod(part * last, bins)
        low, high = (
            int(values["value"].iloc[np.searchsorted(upto, min(at, last), side="right")])
            for at in (place, place + 1)
        )
        lines.append(float((low + Fraction((high - low) * rest, bins) + unit) / unit))
    return tuple(lines)
