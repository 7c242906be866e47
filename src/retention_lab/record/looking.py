"""What is claimed of a test's looks: its chance to end with a gain, what an early stop flatters.

Nothing is recorded of an effect that may not be shown, nor of an arm of few customers.
"""

from __future__ import annotations

from math import exp
from typing import Literal

from retention_lab.experiments.readout import Readout
from retention_lab.experiments.sequential import Looked
from retention_lab.experiments.stakes import corrected
from retention_lab.inference.interval import Interval
from retention_lab.record.ledger import Ledger
from retention_lab.record.small import few

_RATES = {
    "retained": "One less the ratio of the rates of leaving",
    "returned": "Ratio of the rates of returning, less one",
}


def shown(seen: Readout) -> tuple[Looked, ...]:
    """Keep the arms with a look whose numbers may be shown."""
    small = {
        each.arm for each in seen.effects if few([each.customers, each.customers_control]).any()
    }
    looked = seen.looked if seen.shows else ()
    return tuple(each for each in looked if each.look and each.arm not in small)


def told(seen: Readout, looked: Looked, value: float) -> float:
    """Turn an effect in the unit of the test into one that is told, a gain positive.

    A difference of shares stays; of a log-rank test it is told by how much less often customers
    leave, or how much more often they return.
    """
    if looked.unit == "points":
        return value
    return 1 - exp(-value) if seen.plan.endpoint.kind == "retained" else exp(value) - 1


def record(ledger: Ledger, seen: Readout) -> None:
    """Record what the looks of a test say of the arms that may be shown."""
    for looked in shown(seen):
        _effect(ledger, seen, looked)
        _chances(ledger, looked)
        _corrected(ledger, seen, looked)
        if looked.moved is not None and looked.estimate is not None:
            ends = [looked.estimate, looked.estimate + looked.moved]
            before, after = (told(seen, looked, each) for each in ends)
            ledger.record(
                f"looking_moved:{looked.arm}",
                after - before,
                unit=_unit(looked),
                difference=True,
                about=looked.arm,
                label="Moved by data that came late",
                definition="Effect as of the day of the last look by today's data, less that of "
                "the look, which stands.",
            )


def _effect(ledger: Ledger, seen: Readout, looked: Looked) -> None:
    if looked.interval is None:
        return
    held = looked.interval
    value, low, high = (told(seen, looked, each) for each in (held.value, held.low, held.high))
    ledger.record(
        f"looking_effect:{looked.arm}",
        Interval(value=value, low=low, high=high),
        unit=_unit(looked),
        difference=True,
        about=looked.arm,
        label="Effect at the last look",
        definition=f"{_what(seen, looked)}. The range holds at all looks together.",
    )


def _chances(ledger: Ledger, looked: Looked) -> None:
    cases = {
        "looking_power": (looked.conditional_power, "if the smallest effect of the plan is there"),
        "looking_trend": (looked.trend_power, "if it goes on as it has so far"),
    }
    for name, (chance, case) in cases.items():
        if chance is not None:
            ledger.record(
                f"{name}:{looked.arm}",
                chance,
                unit="share",
                about=looked.arm,
                label=f"Chance to end with a gain {case}",
                definition="That the last look stops the test for a gain, given what the latest "
                "one saw.",
            )


def _corrected(ledger: Ledger, seen: Readout, looked: Looked) -> None:
    """Record the effect of a test that stopped early, as it was seen and corrected."""
    found = corrected(looked)
    if found is None or looked.estimate is None:
        return
    numbers = (told(seen, looked, each) for each in (found.value, found.low, found.high))
    value, low, high = numbers
    what = _what(seen, looked)
    ledger.record(
        f"looking_raw:{looked.arm}",
        told(seen, looked, looked.estimate),
        unit=_unit(looked),
        difference=True,
        about=looked.arm,
        label="Effect as seen at the early stop",
        definition=f"{what}, not corrected for the stop.",
    )
    ledger.record(
        f"looking_corrected:{looked.arm}",
        Interval(value=value, low=low, high=high),
        unit=_unit(looked),
        difference=True,
        about=looked.arm,
        label="Effect, corrected for the early stop",
        definition=f"{what}: as likely too high as too low, by the order of the looks.",
    )


def _what(seen: Readout, looked: Looked) -> str:
    if looked.unit == "points":
        return "Difference of shares, a gain positive"
    rates = _RATES[seen.plan.endpoint.kind]
    return f"{rates}, by the log-rank test, a gain positive"


def _unit(looked: Looked) -> Literal["points", "share"]:
    return "points" if looked.unit == "points" else "share"
