"""Parts of sentences: days, months, counts, shares in 100, and which way a difference points."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from retention_lab.record import SMALL, Claim
from retention_lab.record.small import few

# What only those need who look after data and plan: it stands where they look, not for leadership.
_TO_MEND = re.compile(
    r"; map them in its source file to use this, or hand them to from_frames"
    r"| \((?:\w+_\w+|\w+: \d+)\)"
    r"| (?:Map (?:it|them) in the source file|Name `\w+` in the plan)\."
)
Direction = Literal["more", "fewer", "the same", "perhaps more", "perhaps fewer"]


@dataclass(frozen=True)
class Instead:
    """A sentence in the place of a picture or a table that cannot be shown; or, empty, nothing."""

    why: str

    def _repr_markdown_(self) -> str:
        return f"*{self.why}*" if self.why else ""


def plainly(why: str) -> str:
    """Leave out of a reason how it is mended, with the names of settings."""
    return _TO_MEND.sub("", why)


def day(value: dt.date) -> str:
    """Return for example `29 December`; for use where no reader could doubt the year."""
    return f"{value.day} {value:%B}"


def full_day(value: dt.date) -> str:
    """Return for example `29 December 2026`."""
    return f"{day(value)} {value.year}"


def month(value: dt.date) -> str:
    """Return for example `August 2026`."""
    return f"{value:%B %Y}"


def possessive(name: str) -> str:
    """Return for example `August 2026's`, with the apostrophe that printers use."""
    return f"{name}\N{RIGHT SINGLE QUOTATION MARK}s"


def quoted(words: str) -> str:
    """Put words between the quotation marks that printers use."""
    return f"\N{LEFT DOUBLE QUOTATION MARK}{words}\N{RIGHT DOUBLE QUOTATION MARK}"


def counted(number: int, thing: str) -> str:
    """Return for example `1 customer` or `1,204 customers`."""
    return f"{number:,} {thing}{'' if number == 1 else 's'}"


def counted_unless_few(number: int, thing: str) -> str:
    """Return for example `1,204 customers`, or `fewer than 10 customers`."""
    return f"fewer than {SMALL} {thing}s" if few(number) else counted(number, thing)


def listed(words: Sequence[str]) -> str:
    """Return for example `one, two and three`."""
    return " and ".join(filter(None, (", ".join(words[:-1]), words[-1])))


def capitalised(words: str) -> str:
    """Make the first letter a capital and leave the others."""
    return words[:1].upper() + words[1:]


def in_hundred(claim: Claim) -> str:
    """Return for example `about 26 in 100`; what would round to 0 or 100 says more exactly."""
    per = 100 * claim.value
    if per in (0, 100):
        return f"{per:.0f} in 100"
    if per < 0.05:
        return "fewer than 1 in 1,000"
    if 99.95 <= per < 100:
        return "more than 999 in 1,000"
    digits = 1 if per < 1 or 99 < per < 100 else 0
    return f"about {per:.{digits}f} in 100"


def of_all(claim: Claim, who: str) -> str:
    """Return for example `about 26 in 100 of all 1,204 customers` or `none of the 40 customers`."""
    if claim.value in (0, 1):
        return f"{some(claim)} of the {claim.n:,} {who}"
    return f"{in_hundred(claim)} of all {claim.n:,} {who}"


def some(claim: Claim) -> str:
    """Return for example `about 26 in 100`, or `none`, or `all`, of whom a sentence has named."""
    if claim.value in (0, 1):
        return "all" if claim.value else "none"
    return in_hundred(claim)


def direction(change: Claim) -> Direction:
    """Read a difference of shares: only an interval that leaves out zero earns a plain word."""
    if round(100 * change.value, 1) == 0:
        return "the same"
    if change.low is not None and change.low > 0:
        return "more"
    if change.high is not None and change.high < 0:
        return "fewer"
    return "perhaps more" if change.value > 0 else "perhaps fewer"


def span(claim: Claim) -> str:
    """Write a range as people say it: `0.3 to 1.5 lower`, `2.5 lower to 0.1 higher`."""
    low, high = claim.low or 0.0, claim.high or 0.0
    first, last = sorted((low, high), key=abs)
    if low * high > 0:
        side = "lower" if last < 0 else "higher"
        return f"{claim.written(abs(first))} to {claim.written(abs(last))} {side}"
    return f"{claim.written(abs(low))} lower to {claim.written(abs(high))} higher"
