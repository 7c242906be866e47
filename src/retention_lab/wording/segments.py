"""The first screen on who the customers are: what they bring, who slipped, and what to do."""

from __future__ import annotations

import datetime as dt

from retention_lab.customers.standing import Standing
from retention_lab.record import BEFORE, SMALL, Claim, Ledger
from retention_lab.record.segments import REVENUE, SHARE, SIZE, best, named
from retention_lab.record.usual import CHANGE
from retention_lab.record.usual import SLIPPED as LONG
from retention_lab.tables.segment import Segment
from retention_lab.wording.annotations import inert
from retention_lab.wording.phrases import (
    capitalised,
    direction,
    full_day,
    in_hundred,
    of_all,
    quoted,
    some,
    span,
)

_AGEING = "; that is so as well where old customers simply stop for good"
YEAR = (365, 366)  # days
SLIPPED, RISING = (f"`retention-lab list {name} SOURCE`" for name in ("slipped", "rising"))
_BOTH = (
    f"contact those who slipped and those whose interest rises; {SLIPPED} and {RISING} write the "
    "lists. **Do not** look for what made them slip: no more did"
)


def segments_headline(ledger: Ledger, standing: Standing) -> str:
    """Say in one line who brings how much of the revenue, and whether more slipped than usual."""
    if "segments_customers" not in ledger:
        return f"There are fewer than {SMALL} customers, too few to tell apart."
    if _silent(ledger):
        return f"Nobody has bought in the last {standing.within} days."
    top = best(standing.rules.cohorts)
    if top is None or named(SHARE, top.name) not in ledger:
        return _all_alike(ledger, standing)
    said = _are(ledger[named(SHARE, top.name)], _name(top))
    clauses = [_brought(ledger, standing, top), _luck(ledger, standing)]
    return f"{'; '.join(filter(None, [said, ', and '.join(filter(None, clauses))]))}."


def _silent(ledger: Ledger) -> bool:
    return "segments_purchases" in ledger and not ledger["segments_purchases"].value


def _name(rule: Segment) -> str:
    return inert(quoted(rule.name))


def _all_alike(ledger: Ledger, standing: Standing) -> str:
    n, rules = ledger["segments_customers"].text, standing.rules.cohorts
    if len(rules) == 1:
        return f"All {n} customers are in one cohort, {_name(rules[0])}."
    if "segments_once" in ledger:
        return f"{capitalised(of_all(ledger['segments_once'], 'customers'))} have bought only once."
    return f"{n} customers have bought so far."


def _are(share: Claim, name: str) -> str:
    if share.value in (0, 1):
        return f"{'All' if share.value else 'None'} of the {share.n:,} customers are {name}"
    return f"{capitalised(in_hundred(share))} customers are {name}"


def _brought(ledger: Ledger, standing: Standing, top: Segment) -> str:
    if named(REVENUE, top.name) not in ledger or not ledger[named(SIZE, top.name)].value:
        return ""
    year = standing.within in YEAR
    span = "year" if year else f"{standing.within} days"
    return f"they brought {ledger[named(REVENUE, top.name)].text} of the revenue of the last {span}"


def _luck(ledger: Ledger, standing: Standing) -> str:
    """Say whether more slipped than would by luck; nothing where that cannot be said."""
    if "segments_left" in ledger and not ledger["segments_left"].value:
        return f"nobody slipped in {standing.days} days"
    if CHANGE in ledger:
        return _than_usual(ledger, standing)
    if "segments_by_chance" not in ledger:
        return ""
    return f"{_compared(ledger)} of the long-standing ones slipped than would by luck alone"


def _than_usual(ledger: Ledger, standing: Standing) -> str:
    before = f"in the {standing.days} days before"
    match direction(ledger[CHANGE]):
        case "more":
            return f"more of the long-standing ones slipped than {before}"
        case "fewer":
            return f"fewer of the long-standing ones slipped than {before}"
        case _:
            return f"about as many of the long-standing ones slipped as {before}"


def _compared(ledger: Ledger) -> str:
    left, chance = ledger["segments_left_long"].value, ledger["segments_by_chance"]
    if chance.high is not None and left > chance.high:
        return "more"
    if chance.low is not None and left < chance.low:
        return "fewer"
    return "no more"


def segments_body(ledger: Ledger, standing: Standing) -> str:
    """Say who they are and what they bring, who slipped, and whether the cut lines moved."""
    if "segments_customers" not in ledger:
        return ""
    top = best(standing.rules.cohorts)
    parts = [_size(ledger, standing, top)]
    if "segments_once" in ledger:
        once = ledger["segments_once"]
        parts.append(f"{capitalised(some(once))} ({once.between}) have bought only once.")
    if standing.then is None:
        day = full_day(standing.as_of - dt.timedelta(days=standing.days))
        parts.append(f"Nobody had bought by {day}, so nobody can have moved yet.")
        return " ".join(filter(None, parts))
    parts.append(_slipped(ledger, standing, standing.then, top) if top else "")
    lines = full_day(standing.thresholds.as_of)
    parts.append(
        f"The cut lines are those frozen on {lines}, so nobody changed cohort because they were "
        "redrawn."
        if standing.frozen
        else f"Both days are judged by the cut lines of {lines}, so nobody changed cohort because "
        "lines were redrawn."
    )
    return " ".join(filter(None, parts))


def _size(ledger: Ledger, standing: Standing, top: Segment | None) -> str:
    if top is None:
        many = len(standing.rules.cohorts) > 1
        why = "names no cohort of high value" if many else "tells no cohorts apart"
        return f"The playbook {why}, so nobody is told to slip."
    if named(SIZE, top.name) not in ledger:
        return f"How many are {_name(top)} would tell of fewer than {SMALL} customers."
    size, share = ledger[named(SIZE, top.name)], ledger[named(SHARE, top.name)]
    said = f"{size.text} of {size.n:,} customers ({share.ranged}) are {_name(top)}."
    if named(REVENUE, top.name) not in ledger or not size.value:
        return said
    brought = ledger[named(REVENUE, top.name)]
    return (
        f"{said} They brought {brought.text} of the revenue of the {brought.about}, less what was "
        "sent back."
    )


def _slipped(ledger: Ledger, standing: Standing, then: dt.date, top: Segment) -> str:
    day = full_day(then)
    if "segments_left" not in ledger:
        return f"Too few were {_name(top)} on {day}, or have slipped since, to say how many."
    left, share = ledger["segments_left"], ledger["segments_slipped"]
    if not left.value:
        return f"None of the {left.n:,} who were so on {day} slipped."
    said = (
        f"Of the {left.n:,} who were so on {day}, {left.text} ({share.ranged}) slipped to another "
        "cohort; some always do by luck."
    )
    if "segments_by_chance" not in ledger:
        return f"{said} Too few have long been customers to say how many."
    long, came, chance = (
        ledger[f"segments_{name}"] for name in ("left_long", "came_long", "by_chance")
    )
    word = _compared(ledger)
    ageing = _AGEING if word == "more" else ""
    verdict = f" So {word} of them slipped than would by luck{ageing}."
    return (
        f"{said} Of those who first bought by {full_day(standing.long_since)}, {long.text} slipped "
        f"and {came.text} rose into it; by luck alone about {chance.full} of these {chance.n:,} "
        f"would have slipped.{_usually(ledger) or verdict}"
    )


def _usually(ledger: Ledger) -> str:
    """Say which share of the long-standing slipped, beside that of as many days before."""
    if CHANGE not in ledger:
        return ""
    now, before, change = ledger[LONG], ledger[LONG + BEFORE], ledger[CHANGE]
    higher = "lower" if change.value < 0 else "higher"
    return (
        f" Those who slipped are {in_hundred(now)} of the {now.n:,} who were in it ({now.ranged}); "
        f"in {before.about} it was {before.text}, so this is {change.written(abs(change.value))} "
        f"points {higher} (plausibly {span(change)})."
    )


def segments_action(ledger: Ledger, standing: Standing, *, owner: str, consents: bool) -> str:
    """Say what to do, who does it and by when; and what is tempting, and wrong."""
    if "segments_customers" not in ledger:
        return "**Do:** nothing yet."
    do = f"**Do** ({owner}, by {full_day(standing.as_of + dt.timedelta(days=7))}):"
    if _silent(ledger):
        return f"{do} find out whether the orders are complete. **Do not** contact anybody by this."
    if standing.then is None:
        return (
            "**Do:** nothing yet. **Do not** read a trend into one day: who slips or rises is told "
            f"{standing.days} days after the first purchases."
        )
    if not consents:
        return (
            f"{do} have the consents of customers mapped, so that a list of whom to contact can be "
            "made. **Do not** contact anybody without one."
        )
    return f"{do} {_whom(ledger)}"


def _whom(ledger: Ledger) -> str:
    """Say whom to contact, by which list, and what not to do."""
    if "segments_left" not in ledger or not ledger["segments_left"].value:
        return (
            f"contact those whose interest rises; {RISING} writes their list. **Do not** draw new "
            "cut lines to find more of them: whoever moves then has done nothing."
        )
    if "segments_by_chance" in ledger and _compared(ledger) != "more":
        return f"{_BOTH} than would by luck."
    if CHANGE in ledger and direction(ledger[CHANGE]) != "more":
        return f"{_BOTH} than usual."
    return (
        f"contact those who slipped and ask what changed for them; {SLIPPED} writes their list. "
        "**Do not** count whoever comes back as won back: some come back by themselves."
    )
