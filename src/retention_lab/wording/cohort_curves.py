"""Sentences beside cohorts that are explored: one period of them, a cell, and what is compared."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence

from retention_lab.record import SMALL, Claim, Ledger
from retention_lab.wording.asked import NO_EFFECT
from retention_lab.wording.phrases import capitalised, counted, full_day, month, of_all
from retention_lab.wording.sizes import apart

COHORTS, YEARS = "cohorts", "years"  # what is compared besides the values of an attribute

_CHANCE = {
    COHORTS: (
        "Two cohorts picked by hand out of many: of all such pairs, about one in 20 would be so "
        "far apart as its interval says by chance alone."
    ),
    YEARS: (
        "The two years hold other customers and other months: a difference is of who came and when "
        "as much as of what was done for them."
    ),
}
_LATER = (
    "Older cohorts have had more time to buy later, so a comparison by this measure favours them."
)


def when(at: int, *, clock: str, period: str, window: int, later: bool) -> str:
    """Say which period is meant: `on days 30 to 59 after their first purchase`."""
    if clock == "own":
        first, last = at * window, (at + 1) * window - 1
        days = f"on day {first} or later" if later else f"on days {first} to {last}"
        return f"{days} after their first purchase"
    more = " or later" if later else ""
    return f"in calendar {period} {at}{more} after that of their first purchase"


def cohort(first: dt.date, *, weekly: bool) -> str:
    """Name a cohort: `August 2026`, `the week of 3 August 2026`."""
    return f"the week of {full_day(first)}" if weekly else month(first)


def curves_headline(ledger: Ledger, *, compare: str, when: str) -> str:
    """Say in a line what one period of the curves shows."""
    if compare in (COHORTS, YEARS) and "difference_1" in ledger:
        found = ledger["difference_1"]
        if found.low is not None and found.high is not None and found.low <= 0 <= found.high:
            both = f"{capitalised(found.label)} and {found.about}"
            return f"{both} cannot be told apart by who bought {when}."
        share = "larger" if found.value > 0 else "smaller"
        return f"Of {found.label} a {share} share bought {when} than of {found.about}."
    if "share_1" not in ledger:
        return f"Too few customers can be shown {when}."
    claim = ledger["share_1"]
    whose = "" if compare == "" else f" ({claim.label})"
    return f"{capitalised(of_all(claim, 'customers'))}{whose} bought {when}."


def curves(ledger: Ledger, *, compare: str, when: str, later: bool) -> str:
    """Say what each side did in one period and how far they are apart, with its caution."""
    shares = _numbered(ledger, "share")
    if not shares:
        return (
            f"No group of {SMALL} customers or more has had all of that period ({when}), or each "
            "would tell of fewer. Choose an earlier one."
        )
    if not compare:
        mean = shares[0]
        return (
            f"{capitalised(of_all(mean, 'customers'))} ({mean.ranged}) of {mean.about} bought "
            f"{when}."
        )
    each = "; ".join(f"{claim.label} {claim.full} of {claim.n:,}" for claim in shares)
    found = _numbered(ledger, "difference")
    parts = [f"Bought {when}: {each}.", _apart(found), _caution(compare, found)]
    return " ".join(filter(None, [*parts, _LATER if later else ""]))


def _apart(found: Sequence[Claim]) -> str:
    if not found:
        return "There are no two sides to compare in that period."
    each = "; ".join(f"{claim.label} less {claim.about} {apart(claim)}" for claim in found)
    return f"Apart by: {each}."


def _caution(compare: str, found: Sequence[Claim]) -> str:
    if compare in _CHANCE:
        return _CHANCE[compare] if found else ""
    many = (
        f"{capitalised(counted(len(found), 'difference'))} are looked at, of which about one in 20 "
        "would leave out zero by chance alone. "
        if len(found) > 1
        else ""
    )
    return f"{many}{NO_EFFECT}"


def cell(ledger: Ledger, *, first: dt.date, weekly: bool, complete: bool, when: str) -> str:
    """Say how many of the picked cohort bought in the period, if that can be shown."""
    name = cohort(first, weekly=weekly)
    if "cell" not in ledger:
        return (
            f"Of {name}, the number who bought {when} cannot be shown: the period has not begun, "
            f"or it would tell of fewer than {SMALL} customers."
        )
    claim = ledger["cell"]
    did = round(claim.value * (claim.n or 0))
    still = "" if complete else " The period is not over for all of them, so this still grows."
    return (
        f"Of the {claim.n:,} who first bought in {name}, {did:,} ({claim.ranged}) bought {when}."
        f"{still}"
    )


def view(name: str, *, as_of: dt.date, chosen: Mapping[str, str], when: str) -> str:
    """Say in a line whom a view shows: `Shop as of 29 November 2026, country UK: ...`."""
    like = "".join(f", {each.replace('_', ' ')} {value}" for each, value in chosen.items())
    return f"{name} as of {full_day(as_of)}{like}: who bought {when}."


def left_out(names: Sequence[str]) -> str:
    """Say which attributes have too many values to choose from; nothing where none has."""
    if not names:
        return ""
    return (
        f"Too many values to choose from: {', '.join(names)}. A condition (`where`) can choose by "
        "them."
    )


def _numbered(ledger: Ledger, name: str) -> list[Claim]:
    return [claim for claim in ledger.claims() if claim.name.startswith(f"{name}_")]
