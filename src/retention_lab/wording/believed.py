"""The sentences of what a test takes for granted: whose word it is, and what if it is wrong."""

from __future__ import annotations

from math import floor, log10

import pandas as pd

from retention_lab.experiments.believed import Belief, Believed, Name
from retention_lab.record import Ledger
from retention_lab.record.believed import BELIEVED, LOST_IN, WEAKEST, label, told, weakest, whose
from retention_lab.wording.phrases import capitalised

CLEAR = 1.05  # times as many: less is not worth a sentence
_PERCENT = "\N{NO-BREAK SPACE}%"
_SHARES = ("baseline", "contact_rate", "dropout_per_day")


def believed_weakest(ledger: Ledger, wrong: pd.DataFrame) -> str:
    """Say which assumption costs most if it is wrong, and how much."""
    dearest = weakest(wrong)
    if WEAKEST not in ledger or dearest is None or ledger[WEAKEST].value < CLEAR:
        return (
            "Whichever assumption is wrong, within its range it makes the test no more than "
            f"{100 * (CLEAR - 1):.0f} in 100 larger."
        )
    name, times = dearest.name, f"{ledger[WEAKEST].value:.1f}"
    value, at = (written(name, each) for each in (dearest.value, dearest.at))
    that = {
        "entry_per_day": f"{value} customers enter a day",
        "baseline": f"{value} are {ledger[BELIEVED + name].about} as things are",
        "contact_rate": f"{value} receive the message",
        "dropout_per_day": f"{value} are lost from view in {LOST_IN} days",
        "onset_days": f"it takes {value} days to have any effect",
    }[name]
    if name == "entry_per_day":
        return (
            f"The weakest assumption is that {that}: at {at} enrolment takes {times} times as long."
        )
    return f"The weakest assumption is that {that}: at {at} we need {times} times as many."


def believed_table(believed: Believed) -> pd.DataFrame:
    """List what is assumed, from what to what it may be, whose word it is, what the plan says."""
    rows = [
        {
            "Assumption": label(belief, believed),
            "Believed": written(belief.name, belief.value),
            "May be": ranged(belief.name, belief.low, belief.high),
            "Whose word": capitalised(whose(belief)),
            "The plan says": _planned(belief),
            "Why": belief.why,
        }
        for belief in believed.beliefs
    ]
    return pd.DataFrame(rows).set_index("Assumption")


def believed_differs(believed: Believed) -> list[str]:
    """Say where the plan lies outside what history makes plausible, and what is used here."""
    return [
        _differs(belief, believed)
        for belief in believed.beliefs
        if belief.source == "history"
        and belief.planned is not None
        and not belief.low <= belief.planned <= belief.high
    ]


def _differs(belief: Belief, believed: Believed) -> str:
    planned, seen = _planned(belief), written(belief.name, belief.value)
    if belief.name == "contact_rate":
        return (
            f"{label(belief, believed)}: the plan says {planned}, but only {seen} of the messages "
            "were delivered; that is used here."
        )
    return (
        f"{label(belief, believed)}: the plan says {planned}, history says {seen} "
        f"({ranged(belief.name, belief.low, belief.high)}); that is used here."
    )


def ranged(name: Name, low: float, high: float) -> str:
    """Write a range: 60 to 80 %."""
    return f"{written(name, low).removesuffix(_PERCENT)} to {written(name, high)}"


def written(name: Name, value: float) -> str:
    """Write a value as people do: shares in percent, all to three digits."""
    number = told(name, value) * (100 if name in _SHARES else 1)
    places = max(0, 2 - floor(log10(number))) if number > 0 else 0
    text = f"{number:,.{places}f}"
    plain = text.rstrip("0").rstrip(".") if "." in text else text
    return f"{plain}{_PERCENT}" if name in _SHARES else plain


def _planned(belief: Belief) -> str:
    return "nothing" if belief.planned is None else written(belief.name, belief.planned)
