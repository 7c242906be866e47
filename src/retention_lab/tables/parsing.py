"""From raw values to canonical ones: text, whole numbers, minor units, times in naive UTC.

Nothing is guessed. A value that does not parse becomes missing; the caller counts or refuses it.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import ibis
import ibis.expr.types as ir
from ibis.expr.datatypes import Timestamp

from retention_lab import checks
from retention_lab.tables.clocks import FIRST_YEAR, LAST_YEAR
from retention_lab.tables.contracts import NumberStyle

# Currencies whose smallest unit is not a hundredth (ISO 4217).
_WHOLE = ("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "VND", "VUV",
          "XAF", "XOF", "XPF")  # fmt: skip
_THOUSANDTHS = ("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND")
NUMBER = r"^[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?$"
# How a file writes 1234.56, by that example; then what divides groups of three, and decimals.
_BLANKS = " \u00a0\u2009\u202f"  # a plain blank, and those that do not break
_STYLES: dict[NumberStyle, tuple[str, str]] = {
    "1234.56": ("", "."),
    "1,234.56": (",", "."),
    "1234,56": ("", ","),
    "1.234,56": (".", ","),
    "1 234,56": (_BLANKS, ","),
    "1'234.56": ("'\u2019", "."),
}
# What an amount may carry instead of the code of its currency.
NO_CURRENCY = "XXX"  # in ISO 4217
SYMBOLS: dict[str, tuple[str, ...]] = {
    "AUD": ("A$", "$"),
    "BRL": ("R$",),
    "CAD": ("CA$", "C$", "$"),
    "CHF": ("SFr.", "Fr.", "Fr"),
    "CNY": ("\u00a5", "\u5143"),
    "CZK": ("K\u010d",),
    "DKK": ("kr.", "kr"),
    "EUR": ("\u20ac",),
    "GBP": ("\u00a3",),
    "HUF": ("Ft",),
    "ILS": ("\u20aa",),
    "INR": ("\u20b9", "Rs.", "Rs"),
    "JPY": ("\u00a5", "\uffe5", "\u5186"),
    "KRW": ("\u20a9",),
    "MXN": ("$",),
    "NOK": ("kr.", "kr"),
    "NZD": ("NZ$", "$"),
    "PLN": ("z\u0142",),
    "SEK": ("kr.", "kr"),
    "TRY": ("\u20ba",),
    "UAH": ("\u20b4",),
    "USD": ("US$", "$"),
    NO_CURRENCY: ("$", "kr.", "kr", "\u00a5"),  # what may stand for several
}
_TRUE, _FALSE = ("true", "yes", "1"), ("false", "no", "0")
_LIMIT = 1e15  # beyond it, neither pence nor thousandths are exact in the engines' numbers
_OFFSET = r"(Z|UTC|[+-]\d{2}(:?\d{2})?)$"
ISO = r"^\d{4}-\d{2}-\d{2}([ T]\d{2}:\d{2}(:\d{2}(\.\d+)?)?( ?" + _OFFSET[:-1] + ")?)?$"
_DIRECTIVES = {
    "%Y": r"(\d{4})",
    "%y": r"(\d{2})",
    "%m": r"(\d{1,2})",
    "%d": r"(\d{1,2})",
    "%b": r"([A-Za-z]{3})",
    "%H": r"(\d{1,2})",
    "%I": r"(\d{1,2})",
    "%M": r"(\d{1,2})",
    "%S": r"(\d{1,2})",
    "%f": r"(\d+)",
    "%p": r"([AaPp]\.?[Mm]\.?)",
}
_COMPACT = dict.fromkeys(("%m", "%d", "%H", "%I", "%M", "%S"), r"(\d{2})")
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")


class Time(NamedTuple):
    """A raw column as naive times; where an offset made them UTC, the others are wall times."""

    value: ir.TimestampValue
    is_utc: ir.BooleanValue


def minor_digits(currency: str) -> int:
    """Return how many decimal digits the currency's smallest unit has."""
    return 0 if currency in _WHOLE else 3 if currency in _THOUSANDTHS else 2


def text(raw: ir.Value, *, missing_as: Sequence[str] = ()) -> ir.StringValue:
    """Trim, and read empty text, NaN and the stated words as missing.

    A whole float (13085.0) is the id that it once was.
    """
    if raw.type().is_floating():
        near = ibis.ifelse(_is_near(raw), raw, ibis.null("float64"))
        whole = ibis.ifelse(near == near.floor(), near, ibis.null("float64")).cast("int64")
        raw = whole.cast("string").coalesce(raw.cast("string").nullif("nan").nullif("NaN"))
    words = raw.cast("string")
    # Few texts begin or end with a blank, and to strip them all is slow.
    padded = ibis.or_(words < "!", *(words.endswith(blank) for blank in (" ", "\t", "\n", "\r")))
    words = ibis.ifelse(padded, words.strip(), words)
    for word in ("", *missing_as):
        words = words.nullif(word)
    return words


def number(raw: ir.Value) -> ir.FloatingValue:
    """Read a number; trimmed text must use a decimal point and no thousands separator.

    NaN and infinity are no numbers, nor is a truth value, a time or what is too large for money.
    """
    if raw.type().is_numeric() and not raw.type().is_boolean():
        parsed = raw.cast("float64")
    else:
        words = raw if raw.type().is_string() else text(raw)
        digits = ibis.ifelse(words.re_search(NUMBER), words, ibis.null("string"))
        parsed = digits.try_cast("float64")
    return ibis.ifelse(_is_near(parsed), parsed, ibis.null("float64"))


def styled_number(
    raw: ir.Value, *, style: NumberStyle, currency: str | None = None
) -> ir.FloatingValue:
    """Read a number as the files write it; groups must be of three digits, or none be divided.

    With a `currency`, its code or symbol may stand before or after. A minus may stand behind, too,
    and accounting's brackets mean less than nothing.
    """
    if not raw.type().is_string():
        return number(raw)
    _, decimal = _STYLES[style]
    plain = raw
    for mark in _marks(currency):
        plain = plain.replace(mark, "")
    plain = plain.re_replace(rf"[^0-9{decimal}]", "").replace(decimal, ".")
    # Engines compute an expression again wherever it is used, so each stands here once.
    signed = ibis.ifelse(raw.re_search("[-\u2212(]"), "-", "") + plain
    fits = raw.re_search(shape(style, currency))
    return ibis.ifelse(fits, signed, ibis.null("string")).try_cast("float64")


def _marks(currency: str | None) -> list[str]:
    return [currency, *SYMBOLS.get(currency, ())] if currency else []


def shape(style: NumberStyle, currency: str | None) -> str:
    """Return the pattern of all that a styled number may look like: one sign at most."""
    group, decimal = _STYLES[style]
    grouped = rf"|\d{{1,3}}([{group}]\d{{3}}){{1,4}}" if group else ""  # below `_LIMIT`, too
    digits = rf"((\d{{1,15}}{grouped})([{decimal}]\d*)?|[{decimal}]\d+)"
    marks = _marks(currency)
    mark = f"({'|'.join(re.escape(one) for one in marks)})?" if marks else ""
    gap, sign = f"[{_BLANKS}]*", "[-+\u2212]"
    amount = gap.join((mark, digits, mark))
    shapes = (
        f"{sign}?{gap}{amount}",
        gap.join((mark, sign, digits, mark)),
        gap.join((mark, digits, sign, mark)),
        gap.join((amount, sign)),
        gap.join((mark, r"\(", amount, r"\)", mark)),
    )
    return f"^{gap}({'|'.join(shapes)}){gap}$"


def _is_near(value: ir.FloatingValue) -> ir.BooleanValue:
    """Compare, as engines differ in isnan() of a missing value; NaN sorts above infinity."""
    return ((value > -_LIMIT) & (value < _LIMIT)).fill_null(False)


def whole(value: ir.FloatingValue) -> ir.IntegerValue:
    """Cut a number to int64; the caller has refused fractions."""
    return value.floor().cast("int64")


def minor_units(value: ir.FloatingValue, *, digits: int) -> ir.IntegerValue:
    """Round an amount to whole minor units, half away from zero."""
    return (value * 10**digits).round(0).cast("int64")


def truth(raw: ir.Value) -> ir.BooleanValue:
    """Read a truth value; trimmed text must be true, yes or 1, false, no or 0, in any case."""
    words = (raw if raw.type().is_string() else text(raw)).lower()
    return ibis.cases((words.isin(_TRUE), True), (words.isin(_FALSE), False))


def time(raw: ir.Value, *, formats: Sequence[str], where: str) -> Time:
    """Read a time to the whole second; missing where it does not parse.

    Trimmed text must be ISO 8601 (a stated offset is honoured) unless `formats` name what else it
    may be; the first that fits counts. `03/04/2025` without a format is not read, nor is a year
    before 1970 or after 2100.

    Raises
    ------
    BadParameter
        When a format is incomplete, uses another directive than those of this module, or differs
        from another one only in the order of day and month.
    """
    kind = raw.type()
    words = raw if kind.is_string() else text(raw)
    if isinstance(kind, Timestamp):  # one that knows its zone is cast to UTC, as every session is
        read = Time(raw.cast("timestamp(6)"), ibis.literal(kind.timezone is not None))
    elif kind.is_date():
        read = Time(raw.cast("timestamp(6)"), ibis.literal(False))
    elif formats:
        _refuse_confusable(formats, where=where)
        tried = [_by_format(words, one, where=where) for one in formats]
        read = Time(ibis.coalesce(*tried), ibis.literal(False))
    else:
        read = _iso(words)
    second = read.value.truncate("s")
    plausible = second.year().between(FIRST_YEAR, LAST_YEAR).fill_null(False)
    return Time(ibis.ifelse(plausible, second, ibis.null(second.type())), read.is_utc)


def _iso(words: ir.StringValue) -> Time:
    """Read ISO 8601: by position, once a pattern has made sure of it."""
    fits = words.re_search(ISO)
    minute = ibis.ifelse(words.length() > 10, words.substr(11, 5), "00:00")
    second = ibis.ifelse(words.substr(16, 1) == ":", words.substr(16, 3), ":00")
    wall = words.substr(0, 10).concat(" ", minute, second)
    offset = ibis.ifelse(words.length() > 16, words.substr(16).re_extract(_OFFSET, 0), "")
    size = offset.length()
    hours = ibis.ifelse(size > 1, offset.substr(1, 2), "0").try_cast("int64").fill_null(0)
    minutes = ibis.ifelse(size > 3, offset.right(2), "0").try_cast("int64").fill_null(0)
    ahead = (hours * 60 + minutes) * ibis.ifelse(offset.startswith("-"), -60, 60)
    value = ibis.ifelse(fits, wall, ibis.null("string")).try_cast("timestamp(6)")
    return Time(value - ahead.as_interval("s"), (fits & (offset != "")).fill_null(False))


def _refuse_confusable(formats: Sequence[str], *, where: str) -> None:
    shapes = Counter(re.sub("%[md]", "%?", form) for form in formats)
    if shapes.most_common(1)[0][1] > 1:
        raise checks.BadParameter(
            f"{where}: the formats {', '.join(formats)} read the same text as different days. "
            "Keep the one that the files use."
        )


def _by_format(words: ir.StringValue, form: str, *, where: str) -> ir.TimestampValue:
    used = re.findall("%.?", form)
    dated = {"%Y" if d == "%y" else "%m" if d == "%b" else d for d in used}
    known = set(used) <= set(_DIRECTIVES) and len(used) == len(set(used))
    known &= ("%I" in used) == ("%p" in used) and not {"%H", "%I"} <= set(used)
    if not known or not {"%Y", "%m", "%d"} <= dated:
        raise checks.BadParameter(
            f"{where}: the format {form!r} must hold a year, a month and a day, once each, out of "
            f"{' '.join(_DIRECTIVES)} (%I together with %p)."
        )
    separated = re.search(r"%[A-Za-z]%", form) is None
    shapes = _DIRECTIVES if separated else _DIRECTIVES | _COMPACT
    pieces = re.split("(%.)", form)
    pattern = "^" + "".join(shapes.get(piece, re.escape(piece)) for piece in pieces) + "$"
    part = {directive: words.re_extract(pattern, i) for i, directive in enumerate(used, start=1)}
    month = part["%m"].lpad(2, "0") if "%m" in part else _month_number(part["%b"])
    if "%I" in part:
        part["%H"] = _afternoon(part)
    clock = [part[d].lpad(2, "0") if d in part else ibis.literal("00") for d in ("%H", "%M", "%S")]
    day = _year(part).concat("-", month, "-", part["%d"].lpad(2, "0"))
    wall = day.concat(" ", clock[0], ":", clock[1], ":", clock[2])
    return ibis.ifelse(words.re_search(pattern), wall, ibis.null("string")).try_cast("timestamp(6)")


def _afternoon(part: dict[str, ir.StringValue]) -> ir.StringValue:
    """Turn hours from 1 to 12 into hours of the day; what is none of them is no time."""
    hour = part["%I"].nullif("").try_cast("int64")
    hour = ibis.ifelse(hour.between(1, 12), hour % 12, 99)
    return (hour + ibis.ifelse(part["%p"].lower().startswith("p"), 12, 0)).cast("string")


def _year(part: dict[str, ir.StringValue]) -> ir.StringValue:
    """Four digits as they are; two of them are 1970 to 2069."""
    if "%Y" in part:
        return part["%Y"]
    return ibis.ifelse(part["%y"] >= "70", "19", "20") + part["%y"]


def _month_number(name: ir.StringValue) -> ir.StringValue:
    branches = [(name.lower() == month, f"{i:02d}") for i, month in enumerate(_MONTHS, start=1)]
    return ibis.cases(*branches, else_="00")
