"""Waiting for the data: a report of a day that the tables do not reach would mislead."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable, Collection, Iterable, Sequence

from retention_lab import checks
from retention_lab.reports.suite import Part
from retention_lab.tables import completeness
from retention_lab.tables.annotations import Annotation
from retention_lab.tables.completeness import Arrival
from retention_lab.tables.snapshot import Snapshot

PAUSE = 60.0  # seconds between two looks


def _utc_now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


def ready(
    take: Callable[[], Snapshot],
    *,
    until: dt.datetime | None,
    excused: Collection[dt.date] = (),
    stated: dt.date | None = None,
    sleep: Callable[[float], None] = time.sleep,
    clock: Callable[[], dt.datetime] = _utc_now,
) -> tuple[Snapshot, tuple[Arrival, ...]]:
    """Take a snapshot whose orders (or else subscriptions) are complete, waiting if need be.

    Parameters
    ----------
    take
        Takes the snapshot of everybody as of the day of the report.
    until
        How long to look again each minute; None means not at all.
    excused, stated
        As `completeness.arrivals` takes them.
    sleep, clock
        How time passes.

    Returns
    -------
    The snapshot, and those of its other tables that are late or thin: a report can do without.

    Raises
    ------
    BadData
        When the source still cannot answer for that day, or that table is late or thin.
    """
    while True:
        try:
            return _judged(take(), excused=excused, stated=stated)
        except checks.BadData:  # also where an export is only half written
            left = 0.0 if until is None else (until - clock()).total_seconds()
            if left <= 0:
                raise
        sleep(min(PAUSE, left))


def _judged(
    shop: Snapshot, *, excused: Collection[dt.date], stated: dt.date | None
) -> tuple[Snapshot, tuple[Arrival, ...]]:
    found = completeness.arrivals(shop, stated=stated, excused=excused)
    mains = ("orders", "order_lines", "subscriptions")  # the first that is there must be complete
    needed = min((each.table for each in found if each.table in mains), key=mains.index)
    wanting = [each for each in found if each.state != "complete"]
    for each in wanting:
        if each.table == needed:
            raise checks.BadData(
                f"{shop.name}: {each.sentence} Load the rest, or say in the annotations that these "
                "days were a holiday or an outage."
            )
    return shop, tuple(wanting)


def quiet_days(happened: Iterable[Annotation]) -> frozenset[dt.date]:
    """Return the days on which little is no fault: those of holidays and outages."""
    return frozenset(
        each.period.first + dt.timedelta(days=n)
        for each in happened
        if each.kind in ("holiday", "outage")
        for n in range(each.period.days)
    )


def warnings(arrivals: Sequence[Arrival], part: Part) -> tuple[str, ...]:
    """Return what the page of a notebook must say of the tables that it rests on."""
    used = (each for each in arrivals if not part.tables or each.table in part.tables)
    return tuple(each.sentence for each in used if each.state != "complete")
