"""What the cells of an export tell of how its times and numbers are written."""

from __future__ import annotations

import pytest

from retention_lab.tables.drafts import readings


@pytest.mark.parametrize(
    ("cells", "answers"),
    [
        (["2025-03-04", "2025-03-04T05:06:07+02:00"], ["%Y-%m-%d"]),
        (["03/04/2025"], ["%d/%m/%Y", "%m/%d/%Y"]),
        (["3.4.25", "7.4.25"], ["%d.%m.%y", "%m.%d.%y"]),
        (["04-Mar-2025"], ["%d-%b-%Y"]),
        (["4 Mar 2025"], ["%d %b %Y"]),
        (["Mar 4, 2025"], ["%b %d, %Y"]),
        (["20250304"], ["%Y%m%d"]),
        (["2025/03/04"], ["%Y/%m/%d"]),
        # The last number varies most: it may be the day.
        (["25/03/04", "25/03/05"], ["%d/%m/%y", "%m/%d/%y", "%y/%m/%d"]),
    ],
)
def test_times_are_read_in_every_way_that_their_cells_allow(cells, answers):
    assert [one.answer for one in readings.time_readings(cells)] == answers


def test_every_clock_of_the_cells_is_a_format_of_its_own():
    [day, _] = readings.time_readings(["1/2/2025 3:04 PM", "1/2/2025", "1/2/2025 3:04:05 PM"])
    assert set(day.formats) == {"%d/%m/%Y %I:%M %p", "%d/%m/%Y", "%d/%m/%Y %I:%M:%S %p"}


@pytest.mark.parametrize(
    ("cells", "answers"),
    [
        (["13/04/2025", "03/04/2025"], ["%d/%m/%Y"]),
        (["04/13/2025"], ["%m/%d/%Y"]),
        (["03/04/2025"], ["%d/%m/%Y", "%m/%d/%Y"]),
        (["13/04/2025", "04/13/2025"], ["%d/%m/%Y", "%m/%d/%Y"]),
    ],
)
def test_only_a_number_above_twelve_tells_day_from_month(cells, answers):
    likely = readings.likely(readings.time_readings(cells), cells)
    assert [one.answer for one in likely] == answers


def test_a_format_of_a_person_takes_the_clocks_of_the_cells():
    found = readings.with_clocks("%d/%m/%Y", ["03/04/2025 10:00", "03/04/2025"])
    assert found.formats == ("%d/%m/%Y", "%d/%m/%Y %H:%M")


@pytest.mark.parametrize(
    ("cells", "styles"),
    [
        (["12.50"], ["", "1234.56", "1,234.56", "1'234.56"]),
        (["1.234,50", "3,10"], ["1.234,56"]),
        (["1.234"], ["", "1234.56", "1,234.56", "1.234,56", "1'234.56"]),
        (["1 234,50"], ["1 234,56"]),
        (["12,50 \u20ac"], ["1234,56", "1.234,56", "1 234,56"]),
    ],
)
def test_numbers_are_read_in_every_way_that_fits_most_cells(cells, styles):
    found = readings.number_readings(cells, currency="EUR")
    assert [one.style or "" for one in found] == styles


def test_marks_are_what_stands_beside_the_digits():
    assert readings.marks(["\u20ac12", "\u20ac-3.5", "(4) EUR"]) == ["\u20ac", "EUR"]
