"""Sentences on the looks of a test: which this is, what may come, what an early stop flatters."""

from __future__ import annotations

import datetime as dt
from math import isfinite

import pandas as pd

from retention_lab.experiments.readout import Readout
from retention_lab.experiments.sequential import Looked
from retention_lab.record import Claim, Ledger
from retention_lab.record.looking import shown, told
from retention_lab.wording.annotations import inert
from retention_lab.wording.phrases import Instead, capitalised, full_day, in_hundred
from retention_lab.wording.sizes import spelt

NO_LOOKS = "Nothing is known of the looks of this test."
_STOPS = {
    "gain": "the test stopped for a gain",
    "loss": "the test stopped for a loss",
    "futility": "the test stopped, as a gain has become unlikely",
    "end": "that was the last one, and it shows neither a gain nor a loss",
}
_SHOWS = {
    "gain": "it shows a gain",
    "loss": "it shows a loss",
    "futility": "it shows that a gain is unlikely",
    "end": "it shows neither a gain nor a loss",
}  # of the only look
_CAME = {
    "": "went on",
    "gain": "stopped for a gain",
    "loss": "stopped for a loss",
    "futility": "stopped, a gain being unlikely",
    "end": "the last one, no bound crossed",
}
_RATE = {"retained": "leave less often", "returned": "return more often"}


def looking_sentence(ledger: Ledger, seen: Readout) -> str:
    """Say of each arm which look it is at, when the next one is, and what it may still show.

    `record.looking.record` recorded the numbers before.
    """
    if not seen.looked:
        return NO_LOOKS
    several, numbers, lines = len(seen.looked) > 1, {each.arm for each in shown(seen)}, []
    for looked in seen.looked:
        parts = [_which(looked, shows=seen.shows)]
        if looked.arm in numbers:
            parts += [_chance(ledger, looked), _early(ledger, seen, looked), _moved(ledger, looked)]
        said = " ".join(filter(None, [*parts, inert(looked.why)]))
        lines.append(f"- {inert(capitalised(looked.arm))}: {said}" if several else said)
    return "\n".join(lines)


def looking_rule(seen: Readout) -> str:
    """Say in a line which adjustment for looks applies."""
    return "\n".join(dict.fromkeys(each.rule_words for each in seen.looked)) or NO_LOOKS


def unit(seen: Readout, looked: Looked) -> str:
    """Say what effects of the looks are told in."""
    return "points" if looked.unit == "points" else f"% ({_RATE[seen.plan.endpoint.kind]})"


def effect(seen: Readout, looked: Looked, value: float) -> str:
    """Write an effect with its sign, such as `+1.2`; a dash where there is none."""
    if not isfinite(value):
        return "\N{EN DASH}"
    return f"{round(100 * told(seen, looked, value), 1) + 0.0:+.1f}"


def looking_table(ledger: Ledger, seen: Readout) -> pd.DataFrame | Instead:
    """Give all looks of all arms, and those to come: what is known, and what stops the test.

    Indexed by `Look`; the arm stands in it where there are several.

    Numbers are those of arms of which `record.looking.record` recorded an effect.
    """
    rows = []
    below = "Stops for a loss from" if seen.plan.primary.sides == 2 else "May give up at"
    for looked in seen.looked:
        shows = f"looking_effect:{looked.arm}" in ledger
        past = looked.raw.to_dict("records") if shows else []
        for row in [*past, *looked.coming.to_dict("records")]:
            seen_then = "estimate" in row
            low, high = (row[bound] * row["std_error"] for bound in ("lower", "upper"))
            rows.append(
                {
                    "Arm": inert(looked.arm),
                    "Look": f"{row['look']:.0f}{'' if seen_then else ' (to come)'}",
                    "Day": _day(row["on"]),
                    "Known, %": f"{100 * row['fraction']:.0f}",
                    f"Stops for a gain from, {unit(seen, looked)}": effect(seen, looked, high),
                    below: effect(seen, looked, low),
                    "Effect then": effect(seen, looked, row["estimate"]) if seen_then else "",
                    "What came of it": _CAME[row["stopped"]] if seen_then else "",
                }
            )
    if not rows:
        return Instead(NO_LOOKS)
    table = pd.DataFrame(rows).set_index("Look")
    return table if len(seen.looked) > 1 else table.drop(columns="Arm")


def _which(looked: Looked, *, shows: bool) -> str:
    """Say which look of how many this is, and about when the next one is."""
    look = f"look {looked.look} of {looked.of}" if looked.of > 1 else "the only look"
    said = _STOPS if looked.of > 1 else _SHOWS
    ended = f"; {said[looked.stopped]}" if looked.stopped else ""
    match looked.state:
        case "before":
            first = f"the first of {spelt(looked.of)}" if looked.of > 1 else "the only one"
            return f"No look yet{_next(looked, what=first)}."
        case "between":
            return f"Today is no look; the last was {look}, on {_day(looked.on)}{_next(looked)}."
        case "look" if looked.row is not None and not shows:
            return f"Today would be {look}, and is none: the test may not be read."
        case "look":
            return f"Today is {look}{ended or _next(looked)}."
        case "over":
            return f"The test is over since {look}, on {_day(looked.on)}{ended}."


def _next(looked: Looked, *, what: str = "the next") -> str:
    if looked.next_on is None:
        return ""
    return f"; {what} is about {full_day(looked.next_on)}"


def _chance(ledger: Ledger, looked: Looked) -> str:
    """Say how likely the test still finds the smallest effect."""
    if f"looking_power:{looked.arm}" not in ledger:
        return ""
    power = in_hundred(ledger[f"looking_power:{looked.arm}"])
    trend = in_hundred(ledger[f"looking_trend:{looked.arm}"])
    return (
        f"If the smallest effect of the plan is there, {power} such tests still end with a gain; "
        f"if it goes on as it has so far, {trend}."
    )


def _early(ledger: Ledger, seen: Readout, looked: Looked) -> str:
    """Say what an early stop has flattered."""
    if f"looking_corrected:{looked.arm}" not in ledger:
        return ""
    raw, fair = (ledger[f"looking_{name}:{looked.arm}"] for name in ("raw", "corrected"))
    of, between = unit(seen, looked), f"{_plus(fair.low)} to {_plus(fair.high)}"
    if _signed(raw) == _signed(fair):
        return (
            f"Stopped early; corrected for that, the effect stays {_signed(fair)} {of} ({between})."
        )
    flatters = "is flattering" if looked.stopped == "gain" else "looks worse than it is"
    return (
        f"Stopped early, so the raw effect ({_signed(raw)}) {flatters}; the corrected one is "
        f"{_signed(fair)} {of} ({between})."
    )


def _moved(ledger: Ledger, looked: Looked) -> str:
    """Say how far data that came late would move the numbers of the look."""
    if f"looking_moved:{looked.arm}" not in ledger:
        return ""
    moved = ledger[f"looking_moved:{looked.arm}"]
    if not round(100 * moved.value, 1):
        return ""
    what = "points" if looked.unit == "points" else "%"
    return (
        f"Data that came in since would move the effect of that day by {_signed(moved)} {what}; "
        "the numbers of the look stand."
    )


def _signed(claim: Claim) -> str:
    return _plus(claim.value)


def _plus(value: float | None) -> str:
    return f"{round(100 * (value or 0.0), 1) + 0.0:+.1f}"


def _day(value: dt.date | None) -> str:
    return "not known" if value is None or pd.isna(value) else full_day(value)
