"""The first screen of the churn page: what to expect, how sure that is, and what to do."""

from __future__ import annotations

import datetime as dt

from retention_lab.churn.endpoints import Endpoint
from retention_lab.churn.outlook import Outlook
from retention_lab.record import BEFORE, SMALL, Ledger
from retention_lab.record.churn import TOP
from retention_lab.wording.phrases import (
    capitalised,
    counted_unless_few,
    full_day,
    in_hundred,
    possessive,
    quoted,
)

COMPARED = "This is a comparison, not proof: only a randomized test can tell."
SPACE = "\N{NO-BREAK SPACE}"
_RARELY = 0.75  # of forecasts that hold: fewer, and the ranges are called too narrow
_ENOUGH = 4  # forecasts to say so of


def churn_headline(ledger: Ledger, seen: Outlook) -> str:
    """Say in one line how many customers are expected to leave, or to buy again."""
    returned = seen.endpoint.kind == "returned"
    if "churn_expected" not in ledger or seen.forecast is None:
        return f"How many customers will {'buy again' if returned else 'leave'} cannot be said yet."
    expected, now = ledger["churn_expected"], ledger["churn_customers"]
    by = f"by {full_day(seen.forecast.until)} ({expected.between})"
    if returned:
        return f"We expect about {expected.text} of our {now.text} customers to buy again {by}."
    today = possessive("today")
    whose = f"{now.text} of {today}" if seen.not_told else f"{today} {now.text}"
    return f"We expect to lose about {expected.text} of {whose} subscribers {by}."


def churn_body(ledger: Ledger, seen: Outlook, *, day: int) -> str:
    """Say how the last forecasts fared, who carries the risk, and what it goes with.

    `day` is that by which a milestone was reached, or not.
    """
    if "churn_expected" not in ledger:
        return seen.why or f"It would tell of fewer than {SMALL} customers."
    did = "bought again" if seen.endpoint.kind == "returned" else "left"
    parts = [
        _unchecked(seen) if seen.backtest is None else _past(ledger, did=did),
        "" if no_better(ledger) else top(ledger, seen.endpoint),
        _reached(ledger, did=did, day=day, horizon=seen.horizon),
    ]
    if "churn_involuntary" in ledger:
        share = ledger["churn_involuntary"]
        parts.append(
            f"Of the cancellations of {share.about}, {in_hundred(share)} ({share.between}) were "
            "not asked for, such as failed payments: these need Billing, not messages."
        )
    return " ".join(filter(None, parts))


def churn_action(
    ledger: Ledger, seen: Outlook, *, owner: str, as_of: dt.date, consents: bool
) -> str:
    """Say what to do, who does it and by when; and what is tempting, and wrong."""
    by = full_day(as_of + dt.timedelta(days=7))
    if "churn_expected" not in ledger:
        return "**Do:** nothing yet."
    if no_better(ledger):
        return (
            f"**Do** ({owner}, by {by}): have more mapped of what is known of customers, such as "
            "events, tickets and attributes. **Do not** contact anybody by their chances: they do "
            "no better than the average for everybody."
        )
    if not consents:
        return (
            f"**Do** ({owner}, by {by}): have the consents of customers mapped, so that a list of "
            "whom to contact can be made. **Do not** contact anybody without one."
        )
    wrong = "buys again as won back" if seen.endpoint.kind == "returned" else "stays as saved"
    return (
        f"**Do** ({owner}, by {by}): contact those on the list that `retention-lab score` writes; "
        "a few of them, chosen at random, are left alone, so that the next one tells whether "
        f"contact helped. **Do not** count whoever is contacted and {wrong}."
    )


def _unchecked(seen: Outlook) -> str:
    said = "This forecast is unchecked: no earlier one can be compared with what came."
    if not seen.not_told:
        return said
    others = counted_unless_few(seen.not_told, "other subscriber")
    return f"{capitalised(others)} have been here too long for a forecast. {said}"


def no_better(ledger: Ledger) -> bool:
    """Say whether the chances were no better than the average for everybody."""
    if "churn_brier" not in ledger:
        return False
    return ledger["churn_brier"].value >= ledger["churn_brier_null"].value


def _past(ledger: Ledger, *, did: str) -> str:
    if "churn_came" not in ledger:
        return f"What came of the last forecast would tell of fewer than {SMALL} customers."
    then, came = ledger["churn_expected" + BEFORE], ledger["churn_came"]
    held = ledger["churn_forecasts_held"]
    said = (
        f"On {then.about} the same model would have said {then.full}; {came.text} {did}. "
        f"{_held(int(held.value), held.n or 0)}"
    )
    if held.n and held.n >= _ENOUGH and held.value < _RARELY * held.n:
        said += " Its ranges are too narrow: expect larger misses."
    return said


def _held(held: int, of: int) -> str:
    if of == 1:
        return f"That forecast {'held' if held else 'did not hold'}; there is no earlier one."
    number = {0: "None", of: "All"}.get(held, str(held))
    return f"{number} of the last {of} such forecasts held."


def top(ledger: Ledger, endpoint: Endpoint) -> str:
    """Say how much of what is expected falls on the most likely; nothing where that is few."""
    if "churn_top" not in ledger:
        return ""
    top = ledger["churn_top"]
    tenth, share = (f"{100 * each:.0f}{SPACE}%" for each in (TOP, top.value))
    if endpoint.kind == "returned":
        return (
            f"The {top.n:,} most likely to buy again ({tenth}) are {share} of those who are "
            "expected to."
        )
    return f"The {top.n:,} most likely to leave ({tenth}) carry {share} of the expected loss."


def _reached(ledger: Ledger, *, did: str, day: int, horizon: int) -> str:
    if "milestone_reached" not in ledger:
        return ""
    reached, others = ledger["milestone_reached"], ledger["milestone_not"]
    return (
        f"Of those who reached {quoted(reached.about)} by day {day}, {in_hundred(reached)} "
        f"({reached.between}) {did} in the {horizon} days after; of the others "
        f"{in_hundred(others)} ({others.between}). {COMPARED}"
    )
