"""What columns are called elsewhere, by what they mean here: the words are in `names.yml`.

Names are compared without case, accents, blanks and signs.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from importlib import resources

import yaml

_WORDS: dict[str, dict[str, list[str]]] = yaml.safe_load(
    resources.files(__package__).joinpath("names.yml").read_text(encoding="utf-8")
)
# Names divided by blanks, the surest first: by what they mean, and by what of customers they tell.
NAMES = {role: " ".join(lines) for role, lines in _WORDS["meanings"].items()}
ATTRIBUTES = {each: " ".join(lines) for each, lines in _WORDS["attributes"].items()}
_CODE = re.compile(
    "(?<![a-z])(EUR|USD|GBP|CHF|CAD|AUD|JPY|SEK|NOK|DKK|PLN|CZK|INR)(?![a-z])|([\u20ac\u00a3$])",
    re.IGNORECASE,
)
_SIGNS = {"\u20ac": "EUR", "\u00a3": "GBP"}  # a dollar may be that of many countries


def plain(name: str) -> str:
    """Reduce the name of a column to its letters and digits, without a currency in it."""
    words = _CODE.sub(" ", name.replace("_", " "))
    letters = unicodedata.normalize("NFKD", words.replace("\u00df", "ss")).encode("ascii", "ignore")
    return re.sub("[^a-z0-9]", "", letters.decode().lower())


def likely(names: Sequence[str], role: str) -> list[str]:
    """List the names that fit a role by themselves, the surest first."""
    return ranked(names, NAMES.get(role, "").split())


def ranked(names: Sequence[str], words: Sequence[str]) -> list[str]:
    """List the names that are among the words, in their order."""
    fits = [name for name in names if plain(name) in words]
    return sorted(fits, key=lambda name: words.index(plain(name)))


def currency_in(name: str) -> str | None:
    """Return the currency that a column's name states, such as `Amount (EUR)` or `total_gbp`."""
    found = _CODE.search(name.replace("_", " "))
    if found is None:
        return None
    return found[1].upper() if found[1] else _SIGNS.get(found[2])
