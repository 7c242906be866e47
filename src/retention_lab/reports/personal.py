"""What reads like one person: an address, a telephone number, a column that names individuals.

A page is full of numbers, dates and periods, so a telephone number is only what is written as one:
with a country code, or with an area code in the groups that people dial.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence

from retention_lab.tables.names import NAMES, plain

LONG, LABELLED = (
    20,
    100,
)  # rows of codes, and of any texts, no two alike: that is a list of somebody
FEW = 5  # rows of codes under a heading such as `customer`, which may also head a summary

EMAIL = re.compile(r"(?<![\w.+%'-])[\w.+%'-]+?(?:@|%40)(?:[\w-]+\.)+[^\W\d_]{2,24}(?![\w-])")
_GAP = r"[ \t\N{NO-BREAK SPACE}\N{NARROW NO-BREAK SPACE}.\-/]?"
_FORMS = (
    rf"\+(?=[1-9])(?!\d+[.,]\d+(?!\d))(?:\(?\d\)?{_GAP}(?:\(0\){_GAP})?){{8,15}}",  # +44 20 ...
    rf"\(0\d{{1,4}}\){_GAP}\d(?:{_GAP}\d){{5,8}}",  # (020) 7946 0958
    rf"0\d{{2,4}}{_GAP}\d{{3,4}}{_GAP}\d{{3,5}}",  # 020 7946 0958
    r"0[1-9](?:[ .\-]\d\d){4}",  # 01 23 45 67 89
    rf"\([2-9]\d\d\){_GAP}[2-9]\d\d{_GAP}\d{{4}}",  # (555) 234-5678
    r"[2-9]\d\d-[2-9]\d\d-\d{4}",  # 555-234-5678
    r"[2-9]\d\d\.[2-9]\d\d\.\d{4}",  # 555.234.5678
)
PHONE = re.compile(rf"(?<![\w.,+/:-])(?:{'|'.join(_FORMS)})(?![.,%+/:-]?\d|\w)")

_CODE = re.compile(r"(?=\S*\d)\S{4,}")
_FIGURE = re.compile(
    r"(?:[\d\s.,:;%()<>≤≥±~+/£$€¥\N{MINUS SIGN}\N{EN DASH}-]|to|million|k|M|lower|higher|points?"
    r"|[A-Z]{3}\N{NO-BREAK SPACE})*"  # USD 1.20
)
_DATE = re.compile(
    r"\d{4}-?(?:W\d\d|Q\d|\d\d)?(?:-\d\d)?(?:[T ][\d:.+Z-]*)?(?:/\d{4}-\d\d-\d\d)?"
    r"|(?:\d{1,2}\s)?[^\W\d_]{3,10}\s\d{2,4}"
)
_NUMBERED = re.compile(r"(?:id|no|nr|num|number|ref|reference|key|code|nummer)$|^(?:id|numero)")
_OF_ONE = [
    name for role in ("order_id", "customer_id", "return_id") for name in NAMES[role].split()
]
_NUMBERS = {name for name in _OF_ONE if _NUMBERED.search(name)}
_IDS = re.compile(r"(?:^|[^A-Za-z])(?i:ids?|uuid|guid)$|[a-z](?:Ids?|IDs?|Uuid|UUID)$", re.ASCII)
_THINGS = re.compile(
    r"product|item|article|sku|stock|variant|campaign|coupon|store|shop|branch|experiment|test|arm"
    r"|plan|cohort|segment|channel|region|category|family|suite|run|snapshot|metric"
)
_CONTACTS = {*NAMES["email"].split(), *NAMES["customer_name"].split()}
_CONTACT = re.compile(
    r"(?:^(?:tel|fax|mobile|street|zip|plz|dob|iban|ssn|ip|rue)"
    r"|email(?:address)?|(?:phone|mobile|telephone|telefon|telefono)(?:number|nummer|no|nr)?"
    r"|add?ress[eo]?|anschrift|indirizzo|strasse|postcode|postalcode|zipcode"
    r"|(?:first|last|sur|full|given|middle|billing|shipping)name|vorname|nachname|prenom|apellido"
    r"|cognome|birthday|birthdate|dateofbirth|geburtsdatum|courriel|passport(?:number)?)$"
)


def reads_like(text: str) -> str:
    """Say what in a text reads like one person's; empty where nothing does."""
    seen = "".join(
        each for each in unicodedata.normalize("NFKC", text) if unicodedata.category(each) != "Cf"
    )
    if ("@" in seen or "%40" in seen) and EMAIL.search(seen):
        return "an e-mail address"
    return "what reads like a telephone number" if PHONE.search(seen) else ""


def names_people(name: str, values: Sequence[object]) -> str:
    """Say why a column tells of individuals, by its name or by what stands in it; else empty."""
    texts = [text for value in values if value is not None and (text := str(value).strip())]
    word = plain(name)
    if not _THINGS.search(word):
        if word in _NUMBERS or _IDS.search(name.strip()):
            return "is named like the number of one person or order"
        if word in _OF_ONE and len(texts) >= FEW and _are_unlike(texts, _is_code):
            return "tells of one person or order in each row"
        if (word in _CONTACTS or _CONTACT.search(word)) and not all(map(_is_figure, texts)):
            return "is named like where one person is reached"
        if len(texts) >= LONG and _are_unlike(texts, lambda text: _is_code(text) and _says(text)):
            return "holds another code in each row"
    if len(texts) >= LABELLED and _are_unlike(texts, _says):
        return "holds another text in each row"
    return ""


def _are_unlike(texts: Sequence[str], fits: Callable[[str], bool]) -> bool:
    """Say whether nearly all texts are of a kind, and nearly none stands twice."""
    most = 0.95 * len(texts)
    return len(set(texts)) >= most and sum(map(fits, texts)) >= most


def _is_code(text: str) -> bool:
    return _CODE.fullmatch(text) is not None


def _is_figure(text: str) -> bool:
    """Tell a count, a share or an amount, not a number that somebody could be called by."""
    return _FIGURE.fullmatch(text) is not None and re.search(r"\d{7}", text) is None


def _says(text: str) -> bool:
    """Tell whether a text is more than a number, a day or a period."""
    return _FIGURE.fullmatch(text) is None and _DATE.fullmatch(text) is None
