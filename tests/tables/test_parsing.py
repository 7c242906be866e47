"""Text, numbers, money and times as the files write them."""

# ruff: noqa: DTZ001  all times in here are naive on purpose
from __future__ import annotations

import datetime as dt

import ibis
import pandas as pd
import pyarrow as pa
import pytest

from retention_lab.checks import BadParameter
from retention_lab.tables import parsing
from retention_lab.tables.engine import collect


def parsed(values, expression, kind=None):
    """Apply an expression to a column, keeping the order; missing answers are None."""
    rows = pa.table({"i": range(len(values)), "raw": pa.array(values, kind)})
    table = ibis.memtable(rows)
    kept = collect(table.select("i", answer=expression(table.raw)).order_by("i"))["answer"]
    return [None if pd.isna(value) else value for value in kept]


def time(text, *formats):
    [found] = parsed([text], lambda raw: parsing.time(raw, formats=formats, where="here").value)
    return found


def test_text_is_trimmed_and_empty_or_stated_words_are_missing():
    values = ["  a b\t", "x ", "\n", "", "n/a", "A", None]
    found = parsed(values, lambda raw: parsing.text(raw, missing_as=["n/a"]))
    assert found == ["a b", "x", None, None, None, "A", None]


def test_truth_is_read_from_words_and_digits_in_any_case():
    words = ["true", "TRUE", "Yes", "1", "false", "No", "0", "granted", "", None]
    found = parsed(words, parsing.truth)
    assert found == [True, True, True, True, False, False, False, None, None, None]
    assert parsed([True, False, None], parsing.truth) == [True, False, None]
    assert parsed([1, 0, 2], parsing.truth, pa.int64()) == [True, False, None]
    assert parsed([1.0, 0.0, 0.5], parsing.truth, pa.float64()) == [True, False, None]


def test_whole_float_is_the_id_it_once_was():
    found = parsed([13085.0, 0.5, float("nan"), None, -1.0], parsing.text, pa.float64())
    assert found == ["13085", "0.5", None, None, "-1"]


def test_number_is_read_with_a_decimal_point():
    assert set(parsed(["12.50", "+12.5", "1250e-2", "012.5"], parsing.number)) == {12.5}


NOT_A_NUMBER = (
    "12,50", "1,250.00", "£12.50", "nan", "inf", "-Infinity", "1_000", "0x1A", "1e16", "-", "1 2",
)  # fmt: skip


def test_text_that_is_no_plain_number_is_missing():
    read = parsed(list(NOT_A_NUMBER), parsing.number)
    assert {text: value for text, value in zip(NOT_A_NUMBER, read, strict=True) if value} == {}


NBSP, NARROW, MINUS = "\u00a0", "\u202f", "\u2212"
STYLED = {
    "1234.56": ["1234.56", "1234,56", "1,234.56"],
    "1,234.56": ["1,234.56", "1234.56", "12,34,567.00", "1,234,567.5", ",234", "1.234,56"],
    "1234,56": ["1234,56", "1.234,56", "1234.56"],
    "1.234,56": ["1.234,56", "1234,56", "1.23,00", "1.234", "1,234.56", ".234"],
    "1 234,56": ["1 234,56", f"1{NBSP}234,56", f"1{NARROW}234,56", "1  234,56", "1 23,00", "12"],
    "1'234.56": ["1'234.56", "1\u2019234.56", "1,234.56", "1'23"],
}  # fmt: skip
READ = {
    "1234.56": [1234.56, None, None],
    "1,234.56": [1234.56, 1234.56, None, 1234567.5, None, None],
    "1234,56": [1234.56, None, None],
    "1.234,56": [1234.56, 1234.56, None, 1234, None, None],
    "1 234,56": [1234.56, 1234.56, 1234.56, None, None, 12],
    "1'234.56": [1234.56, 1234.56, None, None],
}


@pytest.mark.parametrize("style", STYLED)
def test_styled_number_is_read_in_groups_of_three_or_not_at_all(style):
    assert parsed(STYLED[style], lambda raw: parsing.styled_number(raw, style=style)) == READ[style]


@pytest.mark.parametrize(
    ("currency", "text", "value"),
    [
        ("EUR", "12,50 \u20ac", 12.5),
        ("EUR", f"\u20ac{NBSP}12,50", 12.5),
        ("EUR", "EUR 1.212,50", 1212.5),
        ("EUR", "-12,50 EUR", -12.5),
        ("EUR", "\u20ac -12,50", -12.5),
        ("EUR", "12,50-", -12.5),
        ("EUR", "12,50- \u20ac", -12.5),
        ("EUR", f"{MINUS}12,50", -12.5),
        ("EUR", "(12,50)", -12.5),
        ("EUR", "(\u20ac12,50)", -12.5),
        ("EUR", "(12,50 \u20ac)", -12.5),
        ("EUR", "-(12,50)", None),  # twice negative is a riddle
        ("EUR", "-12,50-", None),
        ("EUR", "(12,50", None),
        ("EUR", "$12,50", None),  # another currency
        ("EUR", "12,50 GBP", None),
        ("EUR", "12\u20ac50", None),
        ("DKK", "kr. 1.212,50", 1212.5),  # a mark with a point of its own
        (None, "12,50 \u20ac", None),  # a count carries no currency
    ],
)
def test_styled_amount_may_carry_its_currency_and_one_sign(currency, text, value):
    found = parsed(
        [text], lambda raw: parsing.styled_number(raw, style="1.234,56", currency=currency)
    )
    assert found == [value]


def test_style_says_nothing_about_what_is_a_number_already():
    found = parsed([1.5], lambda raw: parsing.styled_number(raw, style="1.234,56"), pa.float64())
    assert found == [1.5]


def test_nan_infinity_and_what_int64_cannot_hold_are_no_numbers():
    values = [1.5, float("nan"), float("inf"), float("-inf"), 1e300, None]
    assert parsed(values, parsing.number, pa.float64()) == [1.5, None, None, None, None, None]


def test_truth_values_and_times_are_no_numbers():
    assert parsed([True], parsing.number) == [None]
    assert parsed([dt.datetime(2025, 1, 1)], parsing.number) == [None]


@pytest.mark.parametrize(
    ("currency", "amount", "minor"),
    [("GBP", 12.345, 1235), ("JPY", 1200.0, 1200), ("KWD", 1.234, 1234), ("GBP", -0.005, -1)],
)
def test_amounts_become_minor_units_of_their_currency(currency, amount, minor):
    digits = parsing.minor_digits(currency)
    assert parsed([amount], lambda raw: parsing.minor_units(raw, digits=digits)) == [minor]


def test_every_penny_up_to_a_million_survives():
    pence = list(range(0, 100_000_000, 9_973))
    found = parsed([f"{p / 100:.2f}" for p in pence], lambda raw: parsing.minor_units(
        parsing.number(raw), digits=2
    ))  # fmt: skip
    assert found == pence


ISO = {  # text: its time, and whether that is UTC
    "2025-03-04": ("2025-03-04 00:00:00", False),
    "2025-03-04 05:06": ("2025-03-04 05:06:00", False),
    "2025-03-04T05:06:07": ("2025-03-04 05:06:07", False),
    "2025-03-04 05:06:07.999999999": ("2025-03-04 05:06:07", False),
    "2025-03-04T05:06:07Z": ("2025-03-04 05:06:07", True),
    "2025-03-04 05:06:07 UTC": ("2025-03-04 05:06:07", True),
    "2025-03-04 05:06:07.5+02:00": ("2025-03-04 03:06:07", True),
    "2025-03-04T05:06-0530": ("2025-03-04 10:36:00", True),
    "2025-03-04 05:06:07+00": ("2025-03-04 05:06:07", True),
    "1970-01-01": ("1970-01-01 00:00:00", False),
    "2100-12-31": ("2100-12-31 00:00:00", False),
}


def test_iso_text_is_read_and_its_offset_honoured():
    read = parsed(list(ISO), lambda raw: parsing.time(raw, formats=(), where="").value)
    is_utc = parsed(list(ISO), lambda raw: parsing.time(raw, formats=(), where="").is_utc)
    assert dict(zip(ISO, zip(map(str, read), is_utc, strict=True), strict=True)) == ISO


NOT_ISO = (
    "03/04/2025", "2025-02-30", "2025-3-4", "20250304", "4 March 2025", "2025-03-04 25:00:00",
    "2025-03-04x", "0001-01-01", "1969-12-31", "2101-01-01", "9999-12-31", "nan", "1741064767",
)  # fmt: skip


def test_text_that_is_no_iso_time_of_our_years_is_missing():
    read = parsed(list(NOT_ISO), lambda raw: parsing.time(raw, formats=(), where="").value)
    assert {text: value for text, value in zip(NOT_ISO, read, strict=True) if value} == {}


@pytest.mark.parametrize(
    ("form", "text", "expected"),
    [
        ("%d/%m/%Y", "3/4/2025", "2025-04-03"),
        ("%m/%d/%Y", "03/04/2025", "2025-03-04"),
        ("%m/%d/%Y %H:%M", "3/4/2025 7:05", "2025-03-04 07:05"),
        ("%m/%d/%Y %I:%M %p", "3/4/2025 7:05 PM", "2025-03-04 19:05"),
        ("%m/%d/%Y %I:%M %p", "3/4/2025 12:05 am", "2025-03-04 00:05"),
        ("%m/%d/%Y %I:%M %p", "3/4/2025 12:05 PM", "2025-03-04 12:05"),
        ("%Y%m%d", "20250304", "2025-03-04"),
        ("%Y%m%d%H%M%S", "20250304070509", "2025-03-04 07:05:09"),
        ("%d-%b-%y", "04-Mar-25", "2025-03-04"),
        ("%d.%m.%y", "04.03.97", "1997-03-04"),
        ("%d.%m.%Y %H:%M:%S.%f", "04.03.2025 07:05:09.123", "2025-03-04 07:05:09"),
        ("[%Y|%m|%d]", "[2025|03|04]", "2025-03-04"),
    ],
)
def test_format_says_how_text_is_read(form, text, expected):
    assert time(text, form) == pd.Timestamp(expected)


@pytest.mark.parametrize(
    ("form", "text"),
    [
        ("%d/%m/%Y", "04/13/2025"),
        ("%d/%m/%Y", "2025-04-03"),
        ("%d.%m.%Y", "04x03x2025"),
        ("%Y%m%d", "2025034"),
        ("%d-%b-%Y", "04-Mai-2025"),
        ("%m/%d/%Y %I:%M %p", "3/4/2025 13:05 PM"),
        ("%m/%d/%Y %I:%M %p", "3/4/2025 0:05 AM"),
    ],
)
def test_text_in_another_format_is_missing(form, text):
    assert time(text, form) is None


def test_first_format_that_fits_counts():
    assert time("2025-03-04", "%d/%m/%Y", "%Y-%m-%d") == pd.Timestamp("2025-03-04")


@pytest.mark.parametrize(
    "form", ["%d/%m/%Q", "%d/%m", "%H:%M", "%Y-%m-%d %Y", "%Y-%m-%d %", "plain", "%Y%m%d %I"]
)
def test_incomplete_or_unknown_format_is_refused(form):
    with pytest.raises(
        BadParameter, match=r"here: the format .* must hold a year, a month and a day"
    ):
        time("x", form)


def test_formats_that_swap_day_and_month_are_refused():
    with pytest.raises(BadParameter, match="read the same text as different days"):
        time("03/04/2025", "%d/%m/%Y", "%m/%d/%Y")


def test_stored_time_with_a_zone_is_utc_and_one_without_is_not():
    moment = dt.datetime(2025, 7, 1, 12, 0, 0, 600_000)
    for zone, hour, is_utc in ((None, 12, False), ("Europe/Paris", 10, True)):
        aware = moment if zone is None else pd.Timestamp(moment, tz=zone)
        table = ibis.memtable(pa.table({"raw": pa.array([aware], pa.timestamp("us", zone))}))
        found = parsing.time(table.raw, formats=(), where="")
        row = collect(table.select(value=found.value, is_utc=found.is_utc)).iloc[0]
        assert row["value"] == pd.Timestamp(2025, 7, 1, hour)
        assert row["is_utc"] == is_utc


def test_date_is_midnight_of_the_wall_clock():
    found = parsed([dt.date(2025, 7, 1)], lambda raw: parsing.time(raw, formats=(), where="").value)
    assert found == [pd.Timestamp("2025-07-01")]


def test_whole_numbers_are_cut_to_int64():
    assert parsed([3.0, None], parsing.whole) == [3, None]
