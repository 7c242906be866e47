"""What a test is worth in money, in sentences, and what would change its verdict."""

from __future__ import annotations

from collections.abc import Mapping
from math import floor, log10

from retention_lab.experiments.readout import Readout
from retention_lab.experiments.stakes import LEAST_DAYS
from retention_lab.experiments.verdicts import Because
from retention_lab.record import Claim, Ledger, money, signed
from retention_lab.record.verdict import looked_of
from retention_lab.wording import endpoint
from retention_lab.wording.annotations import inert
from retention_lab.wording.phrases import full_day, in_hundred, plainly
from retention_lab.wording.sizes import apart
from retention_lab.wording.verdict_found import thing

_AT_ONCE = "If only one thing changes, this would change it:"
_SETTLED: Mapping[Because, str] = {
    "invalid": "Nothing but mending what has failed would change this.",
    "loss": "A loss is shown, and nothing within this test would change that.",
    "harm": "Only a margin that somebody agrees to bear would change this: the harm is shown.",
    "guardrails to come": "If they are shown to hold when they are read once more, ship it.",
    "not shown harmless": "Only a guardrail that is shown to hold would change this.",
}


def worth(ledger: Ledger, seen: Readout) -> str:
    """Say what sending to all is worth, with the chance of a loss and the caution of a year."""
    if "verdict_effect" not in ledger or seen.decision.because == "harm":
        return ""
    if "verdict_per_customer" not in ledger:
        return f"What this is worth in money is not known. {inert(plainly(_why(seen)))}".strip()
    day, each = seen.plan.endpoint.day, money(seen.plan.cost_per_message, seen.currency)
    what = thing(seen) if len(seen.plan.arms) > 2 else "this"
    said = (
        f"After {each} a message {what} is worth {ledger['verdict_per_customer'].full} a customer"
    )
    chance = f"the chance that it loses money is {_chance(ledger['verdict_chance_of_loss'])}"
    if "verdict_per_year" not in ledger:
        few = f"a year cannot be told by fewer than {LEAST_DAYS} days of enrolment"
        return f"{said}, counting {day} days only; {few}; {chance}."
    year = ledger["verdict_per_year"]
    low, high = year.low or 0.0, year.high or 0.0
    a_year = (
        f"about {_round(year, year.value)} a year at current volume ({_round(year, low)} to "
        f"{_round(year, high)})"
    )
    return (
        f"{said}, {a_year}, counting {day} days only; {chance}. The yearly figure assumes that the "
        f"{day}-day effect neither grows nor fades and volume stays; nobody has measured beyond "
        f"day {day}."
    )


def _why(seen: Readout) -> str:
    return seen.why.get(f"money:{seen.decision.arm}", "")


def readout_money(ledger: Ledger, seen: Readout) -> str:
    """Say what the money rests on, what being wrong costs, and what another look is worth."""
    found = seen.decision.money
    if found is None or "verdict_worth" not in ledger:
        return inert(_why(seen)) if "verdict_effect" in ledger else ""
    cost, why = ledger["verdict_break_even"], found.worth_why
    more = f"whom {thing(seen)} brings " if len(seen.plan.arms) > 2 else ""
    said = [
        f"One more customer {more}counts for {ledger['verdict_worth'].full}: {why[:1].lower()}"
        f"{why[1:]}",
        f"At {cost.full} a message it would neither gain nor lose."
        if cost.value > 0
        else "By this effect even messages that cost nothing would not pay.",
    ]
    if "verdict_regret" in ledger:
        regret = ledger["verdict_regret"]
        if regret.value >= 1:
            said.append(
                "The better choice of today may prove the worse: on average that loses about "
                f"{_round(regret, regret.value)} a year against knowing the truth."
            )
    if "verdict_waiting" in ledger and seen.decision.verdict == "continue":
        look = ledger["verdict_waiting"]
        said.append(
            f"Waiting for one more look is worth about {_round(look, look.value)} in the first "
            "year, after what the wait costs."
            if look.value > 0
            else "In money alone, waiting for the next look costs more than it teaches; the test "
            "goes on because nothing is shown yet."
        )
    return " ".join(said)


def unless(ledger: Ledger) -> str:
    """Say at which cost of a message it would pay after all, if at any."""
    if "verdict_break_even" not in ledger or ledger["verdict_break_even"].value <= 0:
        return ""
    cost = ledger["verdict_break_even"]
    return f", unless a message can be sent for less than {cost.written(cost.value)}"


def readout_change(ledger: Ledger, seen: Readout) -> str:
    """Say what would change the verdict: another effect, another cost, more customers."""
    because = seen.decision.because
    if because in _SETTLED:
        return _SETTLED[because]
    if because == "early" or "verdict_effect" not in ledger:
        return "Only a look can change this."
    least = ledger["verdict_matters"].text
    more = f"Only more {endpoint.who(seen.plan)} would change this"
    if because == "unclear" and "verdict_pace" in ledger:
        return (
            f"{more}: the range of the pace must come to lie on one side of no difference, or rule "
            f"out what is worth {least} points."
        )
    if because == "unclear":
        return f"{more}: the range must come to lie above 0, or below {least} points."
    said = [*_next(ledger, seen), *_effect(ledger, seen), *_cost(ledger, seen)]
    return f"{_AT_ONCE} {'; or '.join(said)}." if said else ""


def _next(ledger: Ledger, seen: Readout) -> list[str]:
    looked = looked_of(seen)
    if "verdict_next" not in ledger or looked is None or looked.next_on is None:
        return []
    least = ledger["verdict_next"].text
    return [f"about {least} points or more at the next look, about {full_day(looked.next_on)}"]


def _effect(ledger: Ledger, seen: Readout) -> list[str]:
    if seen.decision.verdict == "continue":
        return []
    now, least = ledger["verdict_effect"].value, ledger["verdict_matters"].value
    if seen.decision.verdict == "ship":
        return [f"an effect below {signed(least)} points, where it is {signed(now)} now"]
    if now >= least:
        return []
    more = f"{100 * (least - now):.1f} points more than were found"
    return [f"an effect of {signed(least)} points, {more}"]


def _cost(ledger: Ledger, seen: Readout) -> list[str]:
    """Say which cost of a message turns the money, if the money could decide."""
    if "verdict_break_even" not in ledger or seen.decision.because not in ("gain", "does not pay"):
        return []
    cost, now = ledger["verdict_break_even"], money(seen.plan.cost_per_message, seen.currency)
    if cost.value <= 0:
        return []
    side = "more" if seen.decision.verdict == "ship" else "less"
    return [
        f"a message that costs {side} than {cost.written(cost.value)}, where it costs {now} now"
    ]


def written(claim: Claim) -> str:
    """Write a number as the sentences do, with its range: it is no surer in a table."""
    match claim.name:
        case "verdict_chance_of_loss":
            return _chance(claim)
        case "verdict_per_year" | "verdict_regret" | "verdict_waiting":
            ends = [_round(claim, end) for end in (claim.low, claim.high) if end is not None]
            between = f" ({' to '.join(ends)})" if ends else ""
            return f"{_round(claim, claim.value)}{between}"
        case _:
            return apart(claim)


def _chance(claim: Claim) -> str:
    """Return for example `about 1 in 70`."""
    if not 0.001 <= claim.value <= 0.999:
        return "less than 1 in 1,000" if claim.value < 0.5 else "more than 999 in 1,000"
    if claim.value >= 0.1:
        return in_hundred(claim)
    return f"about 1 in {_two_digits(1 / claim.value):,.0f}"


def _round(claim: Claim, value: float) -> str:
    """Write an amount with two digits that count: nobody knows a year more exactly."""
    return claim.written(_two_digits(value)).removesuffix(".00")


def _two_digits(value: float) -> float:
    return round(value, 1 - floor(log10(abs(value)))) if value else 0.0
