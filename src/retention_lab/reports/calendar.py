"""The calendar of reports: which periods are over, in the zone that its readers live in.

A period is over at the local midnight that follows its last day. What time it is now is always
handed in.
"""

from __future__ import annotations

import datetime as dt
from typing import Literal

from retention_lab import checks
from retention_lab.tables import clocks

Period = Literal["day", "week", "month"]
_DAY = dt.timedelta(days=1)


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
    utc = now.astimezone(dt.UTC).replace(tzinfo=None)
    # A clock that goes back at midnight shows the day before again, though that is over.
    over = next(day for day in (today, today - _DAY) if clocks.end_of_day(day, zone) <= utc)
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
    """Return the moment, in UTC, at which clocks of a zone show a time on the local day of `now`.

    A time that happens twice is taken as its first, one that is skipped as if no clock had moved.
    """
    local = dt.datetime.combine(_local(now, zone).date(), time, tzinfo=clocks.zone(zone))
    return local.astimezone(dt.UTC)  # moments of one zone are compared by its clocks


def long_date(day: dt.date) -> str:
    """Return for example `Sunday 29 November 2026`."""
    return f"{day:%A} {short_date(day)}"


def short_date(day: dt.date) -> str:
    """Return for example `29 November 2026`."""
    return f"{day.day} {day:%B %Y}"


def _local(now: dt.datetime, name: str) -> dt.datetime:
    if now.tzinfo is None:
        raise checks.BadParameter(f"now must name its time zone, got {now}.")
    return now.astimezone(clocks.zone(name))
