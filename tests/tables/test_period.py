"""Periods: read from text, named, and moved back by one of their kind or by a year."""

from __future__ import annotations

import datetime as dt

import pytest

from retention_lab.checks import BadParameter
from retention_lab.tables.period import Period, against, parse


def period(first, last):
    return Period(first=dt.date.fromisoformat(first), last=dt.date.fromisoformat(last))


CASES = [  # what people write: first day, last day, name, the one before, the year before
    ("2026-08", "2026-08-01", "2026-08-31", "August 2026", "2026-07", "2025-08"),
    ("2026-01", "2026-01-01", "2026-01-31", "January 2026", "2025-12", "2025-01"),
    ("2024-02", "2024-02-01", "2024-02-29", "February 2024", "2024-01", "2023-02"),
    ("2025-02", "2025-02-01", "2025-02-28", "February 2025", "2025-01", "2024-02"),
    ("2026-Q3", "2026-07-01", "2026-09-30", "the third quarter of 2026", "2026-Q2", "2025-Q3"),
    ("2026-Q1", "2026-01-01", "2026-03-31", "the first quarter of 2026", "2025-Q4", "2025-Q1"),
    ("2025-Q4", "2025-10-01", "2025-12-31", "the fourth quarter of 2025", "2025-Q3", "2024-Q4"),
    ("2026", "2026-01-01", "2026-12-31", "2026", "2025", "2025"),
    ("2026-W32", "2026-08-03", "2026-08-09", "3 to 9 August 2026", "2026-W31", "2025-W32"),
    # 2026 begins on a Thursday, so by ISO 8601 it has 53 weeks; a year earlier is 52 weeks back.
    (
        "2026-W53",
        "2026-12-28",
        "2027-01-03",
        "28 December 2026 to 3 January 2027",
        "2026-W52",
        "2026-W01",
    ),
    ("2026-W01", "2025-12-29", "2026-01-04", None, "2025-W52", "2025-W01"),
    ("2026-08-03", "2026-08-03", "2026-08-03", "3 August 2026", "2026-08-02", "2025-08-04"),
    ("2024-02-29", "2024-02-29", "2024-02-29", "29 February 2024", "2024-02-28", "2023-03-02"),
    ("2024-03-01", "2024-03-01", "2024-03-01", "1 March 2024", "2024-02-29", "2023-03-03"),
    (
        "2026-07-28/2026-08-03",
        "2026-07-28",
        "2026-08-03",
        "28 July to 3 August 2026",
        "2026-07-21/2026-07-27",
        "2025-07-29/2025-08-04",
    ),
    # Whole months that are no quarter are a stretch of days: 62 here.
    (
        "2026-07/2026-08",
        "2026-07-01",
        "2026-08-31",
        "1 July to 31 August 2026",
        "2026-04-30/2026-06-30",
        "2025-07-02/2025-09-01",
    ),
    (
        "2026-02/2026-04",
        "2026-02-01",
        "2026-04-30",
        "1 February to 30 April 2026",
        "2025-11-04/2026-01-31",
        "2025-02-02/2025-05-01",
    ),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case[0])
def test_period_is_read_named_and_moved(case):
    text, first, last, name, before, year_before = case
    read = parse(text)
    assert read == period(first, last)
    assert name in (None, read.name)
    assert read.before == parse(before)
    assert read.year_before == parse(year_before)
    assert parse(str(read)) == parse(read) == read


@pytest.mark.parametrize("text", [case[0] for case in CASES])
def test_period_before_ends_on_the_eve_and_weekdays_align_a_year_before(text):
    read = parse(text)
    assert read.before.last + dt.timedelta(days=1) == read.first
    assert read.days == len(range(read.first.toordinal(), read.last.toordinal() + 1))
    if "Q" not in text and len(text) > 7:
        assert read.year_before.first.weekday() == read.first.weekday()
        assert read.year_before.days == read.days


@pytest.mark.parametrize(
    "text",
    [
        "",
        "August 2026",
        "2026-13",
        "2026-00",
        "2026-8",
        "2026-Q5",
        "2026-W54",
        "2025-W53",  # 2025 has 52 weeks
        "2026-W00",
        "2025-02-29",  # no leap year
        "2026-08-03/",
        "2026-08-00",
        "/2026-08-03",
        "2026-08-01/2026-08-02/2026-08-03",
        "20260803",
        "2026-W32-1",
        "1969",
        "2101-01",
    ],
)
def test_text_that_is_no_period_is_refused_with_the_forms(text):
    with pytest.raises(BadParameter) as refused:
        parse(text)
    assert str(refused.value).startswith(f"{text!r} is not a period. Write one as 2026-08 (a month")


def test_period_that_ends_before_it_begins_is_refused():
    with pytest.raises(BadParameter, match="got 2026-08-09 to 2026-08-03"):
        parse("2026-08-09/2026-08-03")


def test_against_reads_words_and_periods():
    week = parse("2026-W32")
    assert against(week, "before") == parse("2026-W31")
    assert against(week, "last year") == period("2025-08-04", "2025-08-10")
    assert against(week, "2026-W30") == against(week, parse("2026-W30")) == parse("2026-W30")
    with pytest.raises(
        BadParameter, match=r"'last yaer' is not a period.* 'before' or 'last year'"
    ):
        against(week, "last yaer")
