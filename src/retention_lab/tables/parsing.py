"""From raw values to canonical ones: text, whole numbers, money in minor units, times in naive UTC.

Nothing is guessed. A value that does not parse becomes missing, and the caller counts it or refuses it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

import ibis
import ibis.expr.types as ir

from ibis.expr.datatypes import Timestamp

from retention_lab import checks

# Currencies whose smallest unit is not a hundredth (ISO 4217).
_MINOR_DIGITS = {
    **dict.fromkeys(("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "VND", "XAF", "XOF"), 0),
    **dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3),
}  # fmt: skip
_ISO = r"^\d{4}-\d{2}-\d{2}([ T]\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:\d{2})?)?$"
_OFFSET = r":\d{2}(\.\d+)?(Z|[+-]\d{2}:\d{2})$"
_DIRECTIVES = {
    "%Y": r"(\d{4})", "%y": r"(\d{2})", "%m": r"(\d{1,2})", "%d": r"(\d{1,2})", "%b": r"([A-Za-z]{3})",
    "%H": r"(\d{1,2})", "%M": r"(\d{1,2})", "%S": r"(\d{1,2})",
}  # fmt: skip
_COMPACT = {"%m": r"(\d{2})", "%d": r"(\d{2})", "%H": r"(\d{2})", "%M": r"(\d{2})", "%S": r"(\d{2})"}
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")


class Time(NamedTuple):
    """A raw column as naive times, and whether a stated offset already made them UTC; the others are local wall times."""

    value: ir.TimestampValue
    is_utc: ir.BooleanValue


def minor_digits(currency: str) -> int:
    """Return how many decimal digits the currency's smallest unit has."""
    return _MINOR_DIGITS.get(currency, 2)


def text(raw: ir.Value, *, missing_as: Sequence[str] = ()) -> ir.StringValue:
    """Trim, and read empty text and the stated words as missing; a whole float (13085.0) is the id it once was."""
    if raw.type().is_floating():
        raw = ibis.ifelse(raw == raw.floor(), raw.cast("int64").cast("string"), raw.cast("string"))
    plain = raw.cast("string").strip()
    return ibis.ifelse(plain.isin(["", *missing_as]), ibis.null("string"), plain)


def number(raw: ir.Value) -> ir.FloatingValue:
    """Read a number; text must use a decimal point and no thousands separator. NaN and infinity are missing."""
    parsed = raw.try_cast("float64") if raw.type().is_string() else raw.cast("float64")
    # A comparison, because engines differ in isnan() of a missing value; NaN sorts above infinity in both.
    finite = ((parsed > -1e300) & (parsed < 1e300)).fill_null(False)
    return ibis.ifelse(finite, parsed, ibis.null("float64"))


def whole(value: ir.FloatingValue) -> ir.IntegerValue:
    """Cut a number to int64; the caller has refused fractions."""
    return value.floor().cast("int64")


def minor_units(value: ir.FloatingValue, *, digits: int) -> ir.IntegerValue:
    """Round an amount to whole minor units, half away from zero."""
    return (value * 10**digits).round(0).cast("int64")


def time(raw: ir.Value, *, formats: Sequence[str], where: str) -> Time:
    """Read a time; missing where it does not parse.

    Text must be ISO 8601 (a stated offset is honoured) unless `formats` name what else it may be; the first that fits counts.
    `03/04/2025` without a format is not read.

    Raises
    ------
    BadParameter
        When a format uses a directive other than %Y %y %m %d %b %H %M %S.
    """
    kind = raw.type()
    if isinstance(kind, Timestamp):
        plain = raw.cast("timestamp('UTC')").cast("timestamp") if kind.timezone else raw
        return Time(value=plain.truncate("s"), is_utc=ibis.literal(kind.timezone is not None))
    if kind.is_date():
        return Time(value=raw.cast("timestamp"), is_utc=ibis.literal(False))
    words = text(raw)
    if formats:
        tried = [_by_format(words, one, where=where) for one in formats]
        return Time(value=ibis.coalesce(*tried), is_utc=ibis.literal(False))
    iso = ibis.ifelse(words.re_search(_ISO), words, ibis.null("string")).try_cast("timestamp")
    return Time(value=iso.truncate("s"), is_utc=words.re_search(_OFFSET).fill_null(False))


def _by_format(words: ir.StringValue, form: str, *, where: str) -> ir.TimestampValue:
    used = re.findall("%.", form)
    unknown = [directive for directive in used if directive not in _DIRECTIVES]
    if unknown or not {"%m", "%d"} <= {"%m" if d == "%b" else d for d in used} or not {"%Y", "%y"} & set(used):
        raise checks.BadParameter(
            f"{where}: the format {form!r} must hold a year, a month and a day out of {' '.join(_DIRECTIVES)}."
        )
    separated = re.search(r"%[A-Za-z]%", form) is None
    shapes = _DIRECTIVES if separated else {**_DIRECTIVES, **_COMPACT}
    pattern = "^" + re.sub(r"%.", lambda found: shapes[found.group()], _escaped(form)) + "$"
    part = {directive: words.re_extract(pattern, place + 1) for place, directive in enumerate(used)}
    year = part["%Y"] if "%Y" in part else ibis.literal("20") + part["%y"]
    month = part["%m"].lpad(2, "0") if "%m" in part else _month_number(part["%b"])
    day = year.concat("-", month, "-", part["%d"].lpad(2, "0"))
    clock = [part[d].lpad(2, "0") if d in part else ibis.literal("00") for d in ("%H", "%M", "%S")]
    wall = day.concat(" ", clock[0], ":", clock[1], ":", clock[2]).try_cast("timestamp")
    return ibis.ifelse(words.re_search(pattern), wall, ibis.null("timestamp"))


def _escaped(form: str) -> str:
    return re.sub(r"([.^$*+?{}\[\]\\|()])", r"\\\1", form)


def _month_number(name: ir.StringValue) -> ir.StringValue:
    branches = [(name.lower() == month, f"{number:02d}") for number, month in enumerate(_MONTHS, start=1)]
    return ibis.cases(*branches, else_="00")
