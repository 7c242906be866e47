from __future__ import annotations

import datetime as dt
import zoneinfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from retention_lab.checks import BadParameter
from retention_lab.reports import calendar

DAY = dt.timedelta(days=1)
PERIODS = ["day", "week", "month"]
# East and west of UTC, clocks that change at midnight, by half an hour, or that skipped a day.
ZONES = [
    *("UTC", "Europe/London", "America/New_York", "Asia/Kolkata", "Pacific/Auckland"),
    *("America/Havana", "America/Sao_Paulo", "America/St_Johns", "Asia/Beirut", "Pacific/Apia"),
    *("Australia/Lord_Howe", "Pacific/Kiritimati", "Etc/GMT+12", "Africa/Casablanca"),
]


def day(text):
    return dt.date.fromisoformat(text)


def last(now, period="day", zone="UTC"):
    return calendar.last_complete(dt.datetime.fromisoformat(now), period=period, zone=zone)


@pytest.mark.parametrize(
    ("date", "period", "end"),
    [
        # 29 November 2026 is a Sunday.
        ("2026-11-29", "week", "2026-11-29"),
        ("2026-11-30", "week", "2026-11-29"),
        ("2026-12-05", "week", "2026-11-29"),
        ("2026-12-06", "week", "2026-12-06"),
        ("2026-11-30", "month", "2026-11-30"),
        ("2026-11-29", "month", "2026-10-31"),
        ("2024-03-28", "month", "2024-02-29"),
        ("2023-03-28", "month", "2023-02-28"),
        ("2027-01-02", "week", "2026-12-27"),
        ("2027-01-02", "month", "2026-12-31"),
        ("2026-12-02", "day", "2026-12-02"),
    ],
)
def test_period_ends_on_the_last_day_that_completes_it(date, period, end):
    assert calendar.period_end(day(date), period=period) == day(end)


@given(st.dates(min_value=dt.date(1971, 1, 1), max_value=dt.date(2100, 12, 31)))
def test_week_ends_where_the_next_iso_week_begins(date):
    end = calendar.period_end(date, period="week")
    after = (end + DAY).isocalendar()
    assert after.weekday == 1
    assert end <= date < end + 7 * DAY


@pytest.mark.parametrize(
    ("now", "period", "zone", "end"),
    [
        # The week that ends on Sunday 29 November 2026 is over at midnight, local time.
        ("2026-11-29T23:59:59Z", "week", "UTC", "2026-11-22"),
        ("2026-11-30T00:00:00Z", "week", "UTC", "2026-11-29"),
        ("2026-11-30T04:59:59Z", "week", "America/New_York", "2026-11-22"),
        ("2026-11-30T05:00:00Z", "week", "America/New_York", "2026-11-29"),
        ("2026-11-29T10:59:59Z", "week", "Pacific/Auckland", "2026-11-22"),
        ("2026-11-29T11:00:00Z", "week", "Pacific/Auckland", "2026-11-29"),
        ("2026-11-30T06:00:00+13:00", "week", "Europe/London", "2026-11-22"),
        # In summer London is an hour ahead: 31 August is over at 23:00 UTC.
        ("2026-08-31T22:59:59Z", "month", "Europe/London", "2026-07-31"),
        ("2026-08-31T23:00:00Z", "month", "Europe/London", "2026-08-31"),
        # The clocks go forward on 29 March and back on 25 October 2026, both Sundays.
        ("2026-03-29T22:59:59Z", "week", "Europe/London", "2026-03-22"),
        ("2026-03-29T23:00:00Z", "week", "Europe/London", "2026-03-29"),
        ("2026-10-25T23:59:59Z", "week", "Europe/London", "2026-10-18"),
        ("2026-10-26T00:00:00Z", "week", "Europe/London", "2026-10-25"),
        ("2024-03-01T00:00:00Z", "month", "UTC", "2024-02-29"),
        ("2024-02-29T23:59:59Z", "month", "UTC", "2024-01-31"),
        ("2026-12-31T23:59:59Z", "month", "UTC", "2026-11-30"),
        ("2027-01-01T00:00:00Z", "month", "UTC", "2026-12-31"),
        ("2027-01-01T00:00:00Z", "week", "UTC", "2026-12-27"),
        ("2027-01-01T00:00:00Z", "day", "UTC", "2026-12-31"),
        # In Sao Paulo 4 November 2018 began at one o'clock; in St John's the clock of 29 October
        # 2006 went back from 0:01 to 23:01, when the 28th had been over for a minute.
        ("2018-11-04T02:59:59Z", "day", "America/Sao_Paulo", "2018-11-02"),
        ("2018-11-04T03:00:00Z", "day", "America/Sao_Paulo", "2018-11-03"),
        ("2006-10-29T02:29:59Z", "day", "America/St_Johns", "2006-10-27"),
        ("2006-10-29T02:30:00Z", "day", "America/St_Johns", "2006-10-28"),
        ("2006-10-29T02:45:00Z", "day", "America/St_Johns", "2006-10-28"),
    ],
)
def test_period_is_over_at_local_midnight(now, period, zone, end):
    assert last(now, period, zone) == day(end)


@given(
    st.datetimes(
        min_value=dt.datetime(1971, 1, 1),  # noqa: DTZ001  hypothesis adds the zone
        max_value=dt.datetime(2099, 12, 31),  # noqa: DTZ001
        timezones=st.just(dt.UTC),
    ),
    st.sampled_from(ZONES),
    st.sampled_from(PERIODS),
)
@example(dt.datetime(2006, 10, 29, 2, 45, tzinfo=dt.UTC), "America/St_Johns", "day")
@example(dt.datetime(2018, 11, 4, 3, tzinfo=dt.UTC), "America/Sao_Paulo", "day")
@example(dt.datetime(2011, 12, 30, 12, tzinfo=dt.UTC), "Pacific/Apia", "day")
def test_last_complete_period_is_the_latest_whose_midnight_has_passed(now, zone, period):
    def over(end):
        clock = dt.datetime.combine(end + DAY, dt.time(), tzinfo=zoneinfo.ZoneInfo(zone))
        return clock.timestamp() <= now.timestamp()

    found = calendar.last_complete(now, period=period, zone=zone)
    later = calendar.ends(found + DAY, found + 40 * DAY, period=period)
    assert calendar.period_end(found, period=period) == found
    assert over(found)
    assert not any(map(over, later))


def test_moment_without_a_zone_is_refused():
    with pytest.raises(BadParameter, match="must name its time zone, got 2026-11-29"):
        last("2026-11-29T12:00:00")


def test_zone_that_is_none_is_refused_with_the_nearest():
    with pytest.raises(BadParameter, match="Did you mean 'Europe/London'"):
        last("2026-11-29T12:00:00Z", zone="Europe/Londn")


@pytest.mark.parametrize(
    ("since", "until", "period", "ends"),
    [
        ("2023-12-01", "2024-03-30", "month", ["2023-12-31", "2024-01-31", "2024-02-29"]),
        ("2026-12-20", "2027-01-03", "week", ["2026-12-20", "2026-12-27", "2027-01-03"]),
        ("2026-12-21", "2027-01-02", "week", ["2026-12-27"]),
        ("2024-02-28", "2024-03-01", "day", ["2024-02-28", "2024-02-29", "2024-03-01"]),
    ],
)
def test_backfill_has_each_period_that_ends_within_oldest_first(since, until, period, ends):
    assert [str(end) for end in calendar.ends(day(since), day(until), period=period)] == ends


@given(st.dates(min_value=dt.date(1971, 1, 1)), st.integers(62, 400), st.sampled_from(PERIODS))
def test_backfill_leaves_no_period_out(since, days, period):
    until = min(since, dt.date(2099, 1, 1)) + days * DAY
    since = until - days * DAY
    found = calendar.ends(since, until, period=period)
    assert found == sorted(set(found))
    dates = (since + n * DAY for n in range(days + 1))
    assert {calendar.period_end(each, period=period) for each in dates} - {*found} <= {
        calendar.period_end(since, period=period)
    }


@pytest.mark.parametrize(
    ("since", "until", "period"),
    [("2026-11-30", "2026-12-05", "week"), ("2026-12-05", "2026-11-01", "day")],
)
def test_backfill_of_nothing_is_refused(since, until, period):
    with pytest.raises(BadParameter, match=f"No {period} ends from {since} to {until}"):
        calendar.ends(day(since), day(until), period=period)


@pytest.mark.parametrize(
    ("now", "zone", "moment"),
    [
        ("2026-11-30T05:00:00Z", "Europe/London", "2026-11-30T09:00:00Z"),
        ("2026-07-06T05:00:00Z", "Europe/London", "2026-07-06T08:00:00Z"),
        ("2026-11-30T02:00:00Z", "America/New_York", "2026-11-29T14:00:00Z"),
        ("2026-11-29T12:00:00Z", "Pacific/Auckland", "2026-11-29T20:00:00Z"),
        ("2026-11-30T23:00:00Z", "UTC", "2026-11-30T09:00:00Z"),  # over already
    ],
)
def test_time_of_day_is_that_of_the_zone_on_its_own_day(now, zone, moment):
    found = calendar.today_at(dt.datetime.fromisoformat(now), dt.time(9), zone=zone)
    assert found == dt.datetime.fromisoformat(moment)
