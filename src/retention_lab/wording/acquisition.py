"""Sentences about cohorts: what they brought, who came back first, and how they had come."""

from __future__ import annotations

import datetime as dt
from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import pandas as pd

from retention_lab.customers.acquisition import Acquired
from retention_lab.customers.newest import newest_complete
from retention_lab.inference.interval import Interval, minus
from retention_lab.record import Claim, Ledger, comeback
from retention_lab.record.ledger import Unit
from retention_lab.record.why import kind
from retention_lab.wording.annotations import inert
from retention_lab.wording.answer import overview_body
from retention_lab.wording.phrases import counted, in_hundred, listed, span
from retention_lab.wording.why import dimension_label

MONTHS = 3  # after the first, by which cohorts are compared, or as many as there are
LESS_TIME = "Newer customers have had less time; compare only complete months."
DIFFER = (
    "Groups differ in more than how they came: this is a comparison, not proof. Only a randomized "
    "test can say whether bringing others in would change it."
)
NO_ATTRIBUTE = (
    "The data do not tell how customers came: no attribute of theirs, no coupon and no product "
    "family is mapped in the source file, so no groups are compared."
)
_CLEAR = 0.05  # of all tests together, by Holm


def revenue_triangle(drawn: pd.DataFrame, *, currency: str) -> str:
    """Say what the newest two cohorts had brought by the same month, and what a cell holds.

    `drawn` is the data table of the picture, as `charts.listed` gives it; nothing where there is
    no picture.
    """
    if drawn.empty:
        return ""
    told = drawn[drawn["mean"].notna()]
    last = told[told["period"] == told["period"].max()]
    return (
        f"{_newest_two(told, currency=currency)} Everybody who first bought in the month counts, "
        "also those who never came back; what was sent back is not taken off. Hatched cells are "
        f"incomplete and excluded; the last column rests on {counted(len(last), 'cohort')}."
    )


def _newest_two(told: pd.DataFrame, *, currency: str) -> str:
    period = min(MONTHS, int(told["period"].max()))
    rows = told[told["period"] == period].to_dict("records")[-2:]
    found = [Interval(value=row["mean"], low=row["low"], high=row["high"]) for row in rows]
    now = _claim(found[-1], unit="money", currency=currency)
    *earlier, month = [f"{pd.to_datetime(row['cohort'], format='%b %Y'):%B %Y}" for row in rows]
    said = (
        f"By the end of {_after(period)}, the {rows[-1]['size']:,} customers who first bought in "
        f"{month} had brought {now.text} each on average ({now.between})"
    )
    if not earlier:
        return f"{said}."
    before = _claim(found[0], unit="money", currency=currency)
    change = _claim(minus(found[1], found[0]), unit="money", currency=currency)
    return f"{said}, those of {earlier[0]} {before.full}; {_difference(change)}."


def _after(period: int) -> str:
    first = "the month of their first purchase"
    return f"{counted(period, 'calendar month')} after {first}" if period else first


def _difference(change: Claim) -> str:
    if change.low is not None and change.high is not None and change.low <= 0 <= change.high:
        return f"the difference may be chance ({span(change)})"
    side = "lower" if change.value < 0 else "higher"
    return f"that is {change.written(abs(change.value))} {side} ({span(change)})"


def _claim(found: Interval, *, unit: Unit, currency: str = "") -> Claim:
    """Give a number that stands only here the formats of a result."""
    return Ledger().record("said", found, unit=unit, definition="", currency=currency)


def first_repeat(frame: pd.DataFrame, *, days: int) -> str:
    """Say how many of the newest complete month bought again, beside the month before.

    `frame` is what `customers.cohorts.returned` gave for so many days.
    """
    found, ledger = newest_complete(frame), Ledger()
    comeback.newest(ledger, found, days=days)
    # Where the records begin is said beside the picture.
    said = overview_body(ledger, found, days=days, records_from=dt.date.min)
    return f"{said} {LESS_TIME}"


def acquired(parts: Sequence[Acquired]) -> str:
    """Say which attributes tell groups apart beyond chance, and how far apart the furthest lie."""
    if not parts:
        return NO_ATTRIBUTE
    tested = [one for one in parts if one.p_value is not None]
    clear = [one for one in tested if one.p_value is not None and one.p_value < _CLEAR]
    missing = [not_compared(one) for one in parts if one.p_value is None]
    if not tested:
        return " ".join(missing)
    said = [_apart(tested, clear), *map(_gap, clear), *missing, DIFFER]
    return " ".join(filter(None, said))


def not_compared(one: Acquired) -> str:
    """Say why the groups of an attribute are not compared."""
    return f"Not compared by {_label(one)}: {one.why}."


def _apart(tested: Sequence[Acquired], clear: Sequence[Acquired]) -> str:
    others = [_label(one) for one in tested if one not in clear]
    if not clear:
        return (
            f"How soon customers come back differs no more than chance may give, compared by "
            f"{' and by '.join(others)}: read nothing into the order of the lines."
        )
    said = (
        f"How soon customers come back differs by {listed([_label(one) for one in clear])}, more "
        f"than chance gives ({counted(len(tested), 'attribute')} compared, which is allowed for)"
    )
    return f"{said}; by {listed(others)} it may be chance." if others else f"{said}."


def _gap(one: Acquired) -> str:
    """Say how far the two groups that lie furthest apart do; nothing where there are no two."""
    if one.gap is None:
        return ""
    rows = one.shares.set_index("group").to_dict("index")
    most, least = (_of_group(name, rows[name], by=one.by) for name in (one.gap.high, one.gap.low))
    points = _claim(one.gap.points, unit="points")
    sure = "" if one.gap.points.low > 0 else ", which may be chance"
    return (
        f"By {_label(one)}, the furthest apart within {one.days} days are {most} and {least}: "
        f"{points.text} points ({points.between}){sure}."
    )


def _of_group(name: str, row: Mapping[Hashable, Any], *, by: str) -> str:
    found = Interval(value=row["share"], low=row["low"], high=row["high"])
    share = _claim(found, unit="share")
    return f"{in_hundred(share)} {inert(kind(by, name))} ({share.ranged})"


def _label(one: Acquired) -> str:
    return inert(dimension_label(one.by))
