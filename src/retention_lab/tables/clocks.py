"""The one place that knows about clocks: naive UTC inside, business-local dates for people.

Engines disagree on casts to a zone and on day differences, so a zone is a list of its own
transitions, taken from `zoneinfo` and written into the query as plain comparisons; DuckDB and Spark
then give the same integers.
"""

from __future__ import annotations

import datetime as dt
import zoneinfo
from bisect import bisect_left
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING

from retention_lab import checks

if TYPE_CHECKING:
    import ibis.expr.types as ir

FIRST_YEAR, LAST_YEAR = 1970, 2100  # a time outside of these years is no time of a shop


def zone(name: str) -> zoneinfo.ZoneInfo:
    """Return the time zone, or refuse its name.

    Raises
    ------
    BadParameter
        When the name is no IANA zone.
    """
    try:
        return zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError) as error:
        near = checks.did_you_mean(name, zoneinfo.available_timezones())
        raise checks.BadParameter(
            f"{name!r} is not a time zone.{near} Use a name such as Europe/London or UTC."
        ) from error


@lru_cache(maxsize=16)
def transitions(name: str) -> tuple[tuple[dt.datetime, ...], tuple[int, ...]]:
    """Return when a zone's offset changes, 1970 to 2100, and the offsets around these instants.

    Instants are naive UTC, offsets seconds. There is one offset more than there are instants:
    `offsets[i]` holds before `instants[i]`.
    """
    where = zone(name)
    day = dt.datetime(FIRST_YEAR, 1, 1, tzinfo=dt.UTC)
    instants: list[dt.datetime] = []
    offsets = [_offset(day, where)]
    while day.year <= LAST_YEAR:
        after = day + dt.timedelta(days=7)  # no zone changes twice within a week
        if _offset(after, where) != offsets[-1]:
            instants.append(_instant_of_change(day, after, where).replace(tzinfo=None))
            offsets.append(_offset(after, where))
        day = after
    return tuple(instants), tuple(offsets)


def _offset(moment: dt.datetime, where: zoneinfo.ZoneInfo) -> int:
    offset = moment.astimezone(where).utcoffset()
    return int(offset.total_seconds()) if offset else 0


def _instant_of_change(
    before: dt.datetime, after: dt.datetime, where: zoneinfo.ZoneInfo
) -> dt.datetime:
    low, high = int(before.timestamp()), int(after.timestamp())
    old = _offset(before, where)
    while high - low > 1:
        middle = (low + high) // 2
        if _offset(dt.datetime.fromtimestamp(middle, dt.UTC), where) == old:
            low = middle
        else:
            high = middle
    return dt.datetime.fromtimestamp(high, dt.UTC)


def _shifted(
    time: ir.TimestampValue, limits: tuple[dt.datetime, ...], seconds: tuple[int, ...]
) -> ir.TimestampValue:
    """Add `seconds[i]`, where i counts the limits at or before the time.

    A balanced tree keeps it to eight comparisons for each time.
    """
    import ibis  # noqa: PLC0415  settings name zones, too, and are checked without an engine

    if not limits:
        return time + ibis.interval(seconds=seconds[0]) if seconds[0] else time
    middle = len(limits) // 2
    return ibis.ifelse(
        time < ibis.timestamp(limits[middle].isoformat()),
        _shifted(time, limits[:middle], seconds[: middle + 1]),
        _shifted(time, limits[middle + 1 :], seconds[middle + 1 :]),
    )


@dataclass(frozen=True, kw_only=True)
class Clock:
    """A zone's clock over a span of time: only the changes within it are written into a query.

    `first` and `last` are naive; times outside of them take the offset at the nearer end.
    """

    zone: str
    first: dt.datetime
    last: dt.datetime

    def to_utc(self, wall: ir.TimestampValue) -> ir.TimestampValue:
        """Turn a naive local time into naive UTC.

        An hour that happens twice is read as its first time, one that a zone skips as if the clock
        had not moved yet (PEP 495, fold 0); both agree with `zoneinfo`.
        """
        instants, offsets = self._changes()
        # The clock jumps at the later of the two wall times: both the skipped and the repeated hour
        # keep the old offset.
        limits = tuple(
            instant + dt.timedelta(seconds=max(around))
            for instant, around in zip(instants, pairwise(offsets), strict=True)
        )
        return _shifted(wall, limits, tuple(-offset for offset in offsets))

    def local_date(self, utc: ir.TimestampValue) -> ir.DateValue:
        """Return the business-local calendar date of a naive UTC time."""
        return _shifted(utc, *self._changes()).date()

    def _changes(self) -> tuple[tuple[dt.datetime, ...], tuple[int, ...]]:
        instants, offsets = transitions(self.zone)
        begin = bisect_left(instants, self.first - dt.timedelta(days=2))
        end = bisect_left(instants, self.last + dt.timedelta(days=2))
        return instants[begin:end], offsets[begin : end + 1]


def end_of_day(day: dt.date, zone_name: str) -> dt.datetime:
    """Return the first naive UTC instant after a local day; its snapshot knows what is earlier."""
    midnight = dt.datetime.combine(day + dt.timedelta(days=1), dt.time(), tzinfo=zone(zone_name))
    return midnight.astimezone(dt.UTC).replace(tzinfo=None)


def date_of(value: dt.date | str) -> dt.date:
    """Return a date from ISO text.

    Raises
    ------
    BadParameter
        When there is no such day.
    """
    try:
        day = value if isinstance(value, dt.date) else dt.date.fromisoformat(value)
        day = dt.date(day.year, day.month, day.day)  # a datetime is a date, too
    except (ValueError, TypeError) as error:
        raise checks.BadParameter(
            f"as_of must be a day such as 2026-11-29, got {value!r}."
        ) from error
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        raise checks.BadParameter(
            f"as_of must be a day from {FIRST_YEAR} to {LAST_YEAR}, got {day}."
        )
    return day
