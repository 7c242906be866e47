"""Chances, effects and durations of a test, as people say them."""

from __future__ import annotations

from fractions import Fraction

from retention_lab.experiments.sizing import TOO_LONG
from retention_lab.record import Claim
from retention_lab.wording.phrases import counted

_WORDS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
_YEAR = 365.25 / 7  # weeks


def spelt(number: int) -> str:
    """Return for example `four`, or `12`."""
    return _WORDS[number] if number < len(_WORDS) else f"{number:,}"


def often(share: float) -> str:
    """Say how often in small numbers: `four times in five`, `1 time in 40`."""
    near = Fraction(share).limit_denominator(10)
    if abs(near - share) < 1e-9 and near.numerator > 1:
        return f"{spelt(near.numerator)} times in {spelt(near.denominator)}"
    if abs(round(1 / share) * share - 1) < 1e-9:
        return f"1 time in {round(1 / share):,}"
    return f"about {100 * share:.3g} times in 100"


def points(share: float) -> str:
    """Write a difference of shares: `3.5 points`; a small one with two digits that count."""
    number = f"{100 * share:.1f}".removesuffix(".0") if abs(share) >= 0.01 else f"{100 * share:.2g}"
    return f"{number} point{'' if number == '1' else 's'}"


def apart(claim: Claim) -> str:
    """Write a difference with its sign and its range: `+0.3 points (-0.1 to +0.7)`."""
    return f"{unranged(claim)}{'' if claim.low is None else f' ({claim.between})'}"


def unranged(claim: Claim) -> str:
    """Write the same without its range: `+0.3 points`."""
    return f"{claim.text}{' points' if claim.unit == 'points' else ''}"


def lasts(weeks: float) -> str:
    """Say how long: `30 weeks`; from two years on `about 3.5 years`."""
    if weeks <= TOO_LONG:
        return counted(max(1, round(weeks)), "week")
    years = weeks / _YEAR
    if years > 100:
        return "more than a hundred years"
    return f"about {years:.0f} years" if years >= 5 else f"about {round(years, 1):g} years"
