"""The calendar of reports: which periods are over, in the zone that its readers live in.

A period is over at the local midnight that follows its last day. What time it is now is always
handed in.
"""

from __future__ import annotations

import datetime as dt
import zoneinfo
from typing import Literal

from retention_lab import checks

Period = Literal["day", "week", "month"]
_DAY = dt.timedelta(days=1)


def zone_of(name: str) -> zoneinfo.ZoneInfo:
    """Return the time zone, as `tables.clocks` does; that one loads the query engine.

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


def period_end(day: dt.date, *, period: Period) -> dt.date:
    """Return the last day, on or before `day`, that completes a period; a week ends on Sunday."""
    match period:
        case "day":
            return day
        case "week":
            return day - dt.timedelta(days=day.isoweekday() % 7)
        case "month":
            return (day + _DAY).replace(day=1) - _DAY


def last_complete(now: dt.datetime, *, period: Period, zone: str) -> dt.date:
    """Return the last day of the latest period that is over at the moment `now`.

    Parameters
    ----------
    now
        A moment of any zone, which it must name.
    period
        What a report covers.
    zone
        The zone in which days begin.

    Raises
    ------
    BadParameter
        When the zone is none, or `now` names none.
    """
    today = _local(now, zone).date()
    # A clock that goes back at midnight shows the day before again, though that is over.
    over = next(day for day in (today, today - _DAY) if _midnight_after(day, zone) <= now)
    return period_end(over, period=period)


def ends(since: dt.date, until: dt.date, *, period: Period) -> list[dt.date]:
    """Return the last day of each period that ends from `since` to `until`, oldest first.

    Raises
    ------
    BadParameter
        When none does.
    """
    days = (since + dt.timedelta(days=n) for n in range((until - since).days + 1))
    found = [day for day in days if period_end(day, period=period) == day]
    if not found:
        raise checks.BadParameter(
            f"No {period} ends from {since} to {until}, so there is nothing to report. Use an "
            "earlier --since or a later --until."
        )
    return found


def today_at(now: dt.datetime, time: dt.time, *, zone: str) -> dt.datetime:
    """Return the moment at which the clocks of a zone show a time on the local day of `now`.

    A time that happens twice is taken as its first, one that is skipped as if no clock had moved.
    """
    return dt.datetime.combine(_local(now, zone).date(), time, tzinfo=zone_of(zone))


def _local(now: dt.datetime, name: str) -> dt.datetime:
    if now.tzinfo is None:
        raise checks.BadParameter(f"now must name its time zone, got {now}.")
    return now.astimezone(zone_of(name))


def _midnight_after(day: dt.date, name: str) -> dt.datetime:
    """The end of the day by `tables.clocks`, where snapshots are cut."""
    midnight = dt.datetime.combine(day + _DAY, dt.time(), tzinfo=zone_of(name))
    return midnight.astimezone(dt.UTC)  # moments of one zone would be compared by their clocks
