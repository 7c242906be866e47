"""Sentences on the looks of a test: which this is, what may come, what an early stop flatters."""

from __future__ import annotations

import datetime as dt
from collections.abc import Hashable, Mapping
from math import inf, isfinite
from typing import Any

import pandas as pd

from retention_lab.experiments.readout import Readout
from retention_lab.experiments.sequential import Looked
from retention_lab.record import Ledger
from retention_lab.record.ledger import signed
from retention_lab.record.looking import shown, told
from retention_lab.wording import endpoint
from retention_lab.wording.annotations import inert
from retention_lab.wording.phrases import Instead, capitalised, full_day, in_hundred
from retention_lab.wording.sizes import spelt, unranged

NO_LOOKS = "Nothing is known of the looks of this test."
_NONE = "No look was taken of this test, and none is to come."
_STOPS = {
    "gain": "the test stopped for a gain",
    "loss": "the test stopped for a loss",
    "futility": "the test stopped, as a gain has become unlikely",
}
_LAST = {"gain": "a gain", "loss": "a loss", "end": "neither a gain nor a loss"}  # nothing stops
_CAME = {
    "": "went on",
    "gain": "stopped for a gain",
    "loss": "stopped for a loss",
    "futility": "stopped, a gain being unlikely",
}
_RATE = {"retained": "leaving", "returned": "returning"}
_MORE = {"retained": ("less", "more"), "returned": ("more", "less")}


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
            parts += [_chance(ledger, looked), _early(ledger, seen, looked), late(ledger, looked)]
        said = " ".join(filter(None, [*parts, inert(looked.why)]))
        lines.append(f"- **{inert(capitalised(looked.arm))}.** {said}" if several else said)
    return "\n".join(lines)


def looking_rule(seen: Readout) -> str:
    """Say in a line which adjustment for looks applies."""
    return "\n".join(dict.fromkeys(each.rule_words for each in seen.looked)) or NO_LOOKS


def no_looks(seen: Readout) -> str:
    """Say that there is no look to be shown."""
    return _NONE if seen.looked else NO_LOOKS


def unit(seen: Readout, looked: Looked) -> str:
    """Say what effects of the looks are told in, where a picture has their numbers."""
    if looked.unit == "points":
        return "points"
    better, _ = _MORE[seen.plan.endpoint.kind]
    return f"% ({_rate(seen)} {better} often)"


def effect(seen: Readout, looked: Looked, value: float) -> str:
    """Write an effect, such as `+1.2` or `8.1 % less often`; a dash where there is none."""
    if not isfinite(value):
        return "\N{EN DASH}"
    return _written(seen, looked, told(seen, looked, value))


def _written(seen: Readout, looked: Looked, value: float) -> str:
    """Write an effect that is in the unit that is told."""
    if looked.unit == "points":
        return signed(value)
    better, worse = _MORE[seen.plan.endpoint.kind]
    size = f"{abs(100 * value):.1f}"
    return "as often" if size == "0.0" else f"{size} % {better if value > 0 else worse} often"


def looking_table(ledger: Ledger, seen: Readout) -> pd.DataFrame | Instead:
    """Give all looks of all arms, and those to come: what is known, and what stops the test.

    Indexed by `Look`; the arm stands in it where there are several.

    Numbers are those of arms of which `record.looking.record` recorded an effect.
    """
    rows = []
    gain, below = _heads(seen)
    for looked in seen.looked:
        shows = f"looking_effect:{looked.arm}" in ledger
        past = looked.raw.to_dict("records") if shows else []
        for row in [*past, *looked.coming.to_dict("records")]:
            seen_then = "estimate" in row
            low, high = (row[bound] * row["std_error"] for bound in ("lower", "upper"))
            low = -inf if low == high else low  # of the last look: what is no gain is the end
            rows.append(
                {
                    "Arm": inert(looked.arm),
                    "Look": f"{row['look']:.0f}{'' if seen_then else ' (to come)'}",
                    "Day": _day(row["on"]),
                    "Known, %": f"{100 * row['fraction']:.0f}",
                    gain: effect(seen, looked, high),
                    below: effect(seen, looked, low),
                    "Effect then": effect(seen, looked, row["estimate"]) if seen_then else "",
                    "What came of it": _came(row) if seen_then else "",
                }
            )
    if not rows:
        return Instead(no_looks(seen))
    table = pd.DataFrame(rows).set_index("Look")
    return table if len(seen.looked) > 1 else table.drop(columns="Arm")


def _heads(seen: Readout) -> tuple[str, str]:
    """Head the columns of the two bounds: the only look stops nothing, it ends the test."""
    stops = any(looked.of > 1 for looked in seen.looked)
    gain = "Stops for a gain from" if stops else "A gain from"
    loss = "Stops for a loss from" if stops else "A loss from"
    points = seen.plan.primary.test == "retention"
    of = "points" if points else _rate(seen)
    return f"{gain}, {of}", loss if seen.plan.primary.sides == 2 else "May give up at"


def _rate(seen: Readout) -> str:
    """Name what happens more or less often, by the plan's own word if it has one."""
    named = seen.plan.endpoint.words is not None
    return endpoint.events(seen.plan) if named else _RATE[seen.plan.endpoint.kind]


def _came(row: Mapping[Hashable, Any]) -> str:
    return f"the last one: {_LAST[row['stopped']]}" if row["final"] else _CAME[row["stopped"]]


def _which(looked: Looked, *, shows: bool) -> str:
    """Say which look of how many this is, and about when the next one is."""
    look = f"look {looked.look} of {looked.of}" if looked.of > 1 else "the only look"
    ended = f"; {_ended(looked)}" if looked.stopped else ""
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
        case "over" if not looked.stopped:
            last = f"; the last look was {look}, on {_day(looked.on)}" if looked.on else ""
            return f"The test is over, and could not be read at its end{last}."
        case "over":
            return f"The test is over since {look}, on {_day(looked.on)}{ended}."


def _ended(looked: Looked) -> str:
    """Say why a test is over."""
    if not looked.raw["final"].iloc[-1]:
        return _STOPS[looked.stopped]
    shows = f"it shows {_LAST[looked.stopped]}"
    return shows if looked.of == 1 else f"that was the last one, and {shows}"


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
    points = looked.unit == "points"
    of, does = (" points", "") if points else ("", f"{_rate(seen)} ")
    value, low, high, seen_then = (
        _written(seen, looked, each or 0.0) for each in (fair.value, fair.low, fair.high, raw.value)
    )
    corrected = f"{'' if points else ':'} {does}{value}{of} ({low} to {high})."
    if seen_then == value:
        return f"Stopped early; corrected for that, the effect stays{corrected}"
    flatters = "is flattering" if looked.stopped == "gain" else "looks worse than it is"
    return (
        f"Stopped early, so the raw effect ({does}{seen_then}) {flatters}; the corrected one is"
        f"{corrected}"
    )


def late(ledger: Ledger, looked: Looked) -> str:
    """Say how far data that came late would move the effect of the look, and what stands."""
    if f"looking_moved:{looked.arm}" not in ledger:
        return ""
    moved = ledger[f"looking_moved:{looked.arm}"]
    if not round(100 * moved.value, 1):
        return ""
    points = looked.unit == "points"
    stands = (
        "the effect of the look stands, the shares of the arms are of today's data"
        if points
        else "what the test decides by stands, points and money are of today's data"
    )
    return (
        f"Data that came in since would move the effect of that day by {unranged(moved)}; {stands}."
    )


def _day(value: dt.date | None) -> str:
    return "not known" if value is None or pd.isna(value) else full_day(value)
