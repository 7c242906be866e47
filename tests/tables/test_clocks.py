"""UTC and business-local dates, against `zoneinfo`."""

# ruff: noqa: DTZ001  all times in here are naive on purpose
from __future__ import annotations

import datetime as dt
import zoneinfo
from itertools import pairwise

import ibis
import numpy as np
import pyarrow as pa
import pytest

from retention_lab.checks import BadParameter
from retention_lab.tables import clocks
from retention_lab.tables.engine import collect

ZONES = ["Europe/London", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "UTC"]
# Clocks that change at midnight, skip a whole day, or move for a month only.
ODD_ZONES = ["America/Havana", "Asia/Beirut", "Pacific/Apia", "Africa/Casablanca"]
SPAN = (dt.datetime(2009, 1, 1), dt.datetime(2027, 12, 31))
ALL_YEARS = (dt.datetime(1970, 1, 1), dt.datetime(2100, 12, 31))
MINUTE = dt.timedelta(minutes=1)


def edges(zone, *, wall):
    """Instants around every change of the years 2009 to 2027, as UTC or as wall times."""
    instants, offsets = clocks.transitions(zone)
    found = []
    for instant, around in zip(instants, pairwise(offsets), strict=True):
        if 2009 <= instant.year <= 2027:
            starts = {instant + dt.timedelta(seconds=shift) for shift in around}
            for start in starts if wall else {instant}:
                found += [start + minutes * MINUTE for minutes in (-61, -31, -1, 0, 1, 29, 59)]
    return found


def anywhere(first, last):
    seconds = np.random.default_rng(5).integers(0, (last - first).total_seconds(), 300)
    return [first + dt.timedelta(seconds=int(second)) for second in seconds]


def sample(zone, *, wall):
    return [*anywhere(*SPAN), *edges(zone, wall=wall)]


def answers(moments, expression):
    table = ibis.memtable(pa.table({"time": pa.array(moments, pa.timestamp("us"))}))
    kept = collect(table.select("time", answer=expression(table.time)))
    return dict(zip(kept["time"], kept["answer"], strict=True))


def clock(zone, span=None):
    first, last = span or SPAN
    return clocks.Clock(zone=zone, first=first, last=last)


@pytest.mark.parametrize("zone", ZONES + ODD_ZONES)
def test_wall_time_becomes_the_utc_of_zoneinfo(zone):
    moments = sample(zone, wall=True)
    found = answers(moments, clock(zone).to_utc)
    info = zoneinfo.ZoneInfo(zone)
    for wall in moments:
        expected = wall.replace(tzinfo=info).astimezone(dt.UTC).replace(tzinfo=None)
        assert found[wall] == expected, wall


@pytest.mark.parametrize("zone", ZONES + ODD_ZONES)
def test_local_date_is_that_of_zoneinfo(zone):
    moments = sample(zone, wall=False)
    found = answers(moments, clock(zone).local_date)
    for utc in moments:
        local = utc.replace(tzinfo=dt.UTC).astimezone(zoneinfo.ZoneInfo(zone))
        assert found[utc].date() == local.date(), utc


def test_clock_over_all_years_agrees_with_zoneinfo():
    moments, info = anywhere(*ALL_YEARS), zoneinfo.ZoneInfo("America/New_York")
    found = answers(moments, clock("America/New_York", ALL_YEARS).local_date)
    for utc in moments:
        assert found[utc].date() == utc.replace(tzinfo=dt.UTC).astimezone(info).date(), utc


def test_clock_knows_the_changes_at_the_ends_of_its_span():
    change = dt.datetime(2025, 3, 30, 1)  # UTC, when London's clock goes forward
    moments = [change - MINUTE, change]
    narrow, wide = clock("Europe/London", moments), clock("Europe/London")
    assert answers(moments, narrow.to_utc) == answers(moments, wide.to_utc)
    assert answers(moments, narrow.local_date) == answers(moments, wide.local_date)


@pytest.mark.parametrize("zone", ZONES + ODD_ZONES)
def test_end_of_day_is_the_first_instant_of_the_next_local_date(zone):
    info = zoneinfo.ZoneInfo(zone)
    for edge in edges(zone, wall=True):
        day = edge.date()
        end = clocks.end_of_day(day, zone).replace(tzinfo=dt.UTC)
        assert end.astimezone(info).date() > day
        assert (end - dt.timedelta(seconds=1)).astimezone(info).date() <= day


def test_day_of_a_change_has_23_or_25_hours():
    def hours(day):
        last = clocks.end_of_day(day - dt.timedelta(days=1), "Europe/London")
        return (clocks.end_of_day(day, "Europe/London") - last) / dt.timedelta(hours=1)

    assert hours(dt.date(2025, 3, 30)) == 23
    assert hours(dt.date(2025, 10, 26)) == 25
    assert hours(dt.date(2025, 10, 27)) == 24


@pytest.mark.parametrize("name", ["Europe/Londn", "", "../etc/passwd", "Europe", "GMT+25"])
def test_name_that_is_no_zone_is_refused(name):
    with pytest.raises(BadParameter, match=r"is not a time zone.*Europe/London or UTC"):
        clocks.zone(name)


def test_misspelt_zone_gets_the_nearest_name():
    with pytest.raises(BadParameter, match="Did you mean 'Europe/London'"):
        clocks.zone("Europe/Londn")
