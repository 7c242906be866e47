"""The first screen of the churn page, and the sentences that must stand beside its numbers."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import pandas as pd

from retention_lab.churn.endpoints import Endpoint
from retention_lab.record import BEFORE, SMALL, Ledger
from retention_lab.record.churn import TOP
from retention_lab.tables.playbook import Factor, Milestone, Support
from retention_lab.wording.phrases import full_day, in_hundred, possessive

MILESTONE = (
    "This is a comparison, not proof: people who were going to stay anyway also tend to do it. "
    "Only a randomized test can say whether causing it helps."
)
SUPPORT = (
    "Hard problems get slow answers and lose customers; part of the gap by answer is the problem, "
    "not the wait."
)
LIST = (
    "Likely to leave is not the same as likely to be saved by a call; the customers held back at "
    "random tell which."
)
_RARELY = 0.75  # of forecasts that hold: fewer, and the ranges are called too narrow
_ENOUGH = 4  # forecasts to say so of


def churn_headline(ledger: Ledger, *, endpoint: Endpoint, until: dt.date) -> str:
    """Say in one line how many customers are expected to leave, or to buy again."""
    if "churn_expected" not in ledger:
        who = "buy again" if endpoint.kind == "returned" else "leave"
        return f"How many customers will {who} cannot be said yet."
    expected, now = ledger["churn_expected"], ledger["churn_customers"]
    by = f"by {full_day(until)} ({expected.between})"
    if endpoint.kind == "returned":
        return f"About {expected.text} of our {now.text} customers will buy again {by}."
    whose = possessive("today")
    return f"We expect to lose about {expected.text} of {whose} {now.text} subscribers {by}."


def churn_body(ledger: Ledger, *, endpoint: Endpoint, why: str = "") -> str:
    """Say how the last forecasts fared, who carries the risk, and what it goes with.

    `why` is the reason where there is no forecast, or where it could not be checked.
    """
    if "churn_expected" not in ledger:
        return why or f"Fewer than {SMALL} customers would be told of."
    did = _did(endpoint)
    parts = [_past(ledger, did=did) or why, _top(ledger, endpoint), _reached(ledger, did=did)]
    if "churn_involuntary" in ledger:
        share = ledger["churn_involuntary"]
        parts.append(
            f"Of the cancellations of {share.about}, {share.ranged}, were not asked for, such as "
            "failed payments: these need Billing, not messages."
        )
    return " ".join(filter(None, parts))


def churn_action(*, endpoint: Endpoint, owner: str, as_of: dt.date, consents: bool) -> str:
    """Say what to do, who does it and by when; and what is tempting, and wrong."""
    by = full_day(as_of + dt.timedelta(days=7))
    if not consents:
        return (
            f"**Do** (owner: {owner}, by {by}): map the table of consents, so that a list of whom "
            "to contact can be made. **Do not** contact anybody without one."
        )
    counted_as = "won back" if endpoint.kind == "returned" else "saved"
    return (
        f"**Do** ({owner}, by {by}): contact those on the list that `retention-lab score` writes; "
        "one in ten on it, chosen at random, is left alone, so that the next one tells whether "
        f"contact helped. **Do not** count whoever is contacted and stays as {counted_as}."
    )


def _did(endpoint: Endpoint) -> str:
    return "bought again" if endpoint.kind == "returned" else "left"


def _past(ledger: Ledger, *, did: str) -> str:
    if "churn_came" not in ledger:
        return ""
    then, came = ledger["churn_expected" + BEFORE], ledger["churn_came"]
    held = ledger["churn_forecasts_held"]
    day = full_day(dt.date.fromisoformat(then.about))
    said = (
        f"On {day} the same model would have said {then.full}; {came.text} {did}. "
        f"{_held(int(held.value), held.n or 0)}"
    )
    if held.n and held.n >= _ENOUGH and held.value < _RARELY * held.n:
        said += " Its ranges are too narrow: expect larger misses."
    return said


def _held(held: int, of: int) -> str:
    if of == 1:
        return "No earlier forecast can be checked."
    return f"{held if held < of else 'All'} of the last {of} such forecasts held."


def _top(ledger: Ledger, endpoint: Endpoint) -> str:
    if "churn_top" not in ledger:
        return ""
    top = ledger["churn_top"]
    what = "buy again" if endpoint.kind == "returned" else "leave"
    whole = "returns" if endpoint.kind == "returned" else "loss"
    return (
        f"The {top.n:,} most likely to {what} ({100 * TOP:.0f} %) carry {100 * top.value:.0f} % of "
        f"the expected {whole}."
    )


def _reached(ledger: Ledger, *, did: str) -> str:
    if "milestone_reached" not in ledger:
        return ""
    reached, others = ledger["milestone_reached"], ledger["milestone_not"]
    return (
        f"{reached.about}: of those who got there in time {in_hundred(reached)} "
        f"({reached.between}) {did}, of the others {in_hundred(others)} ({others.between}). "
        f"{MILESTONE}"
    )


def churn_curves(endpoint: Endpoint, *, horizon: int) -> str:
    """Say what the curves count."""
    match endpoint.kind:
        case "cancelled":
            return (
                "Days since the subscription began. Who is still subscribed counts for the time "
                "that they were followed."
            )
        case "returned":
            return (
                "Days since the first purchase. Who has not bought again yet counts as waiting, "
                "for the time that they were followed."
            )
        case "lost":
            return (
                f"Called lost after {endpoint.days} silent days, never earlier; a return does not "
                f"undo it. Shares {horizon} days ahead are estimates."
            )


def churn_factors(factors: Sequence[Factor], changing: Sequence[str]) -> str:
    """Say how to read the ratios, and which cautions belong to them.

    `changing` names factors whose ratio is not the same at all times.
    """
    said = [
        "A ratio of 0.7 means that 30 in 100 fewer do so on a day than in the group named first, "
        "all else in the picture alike; lines are 95 % intervals."
    ]
    if any(isinstance(factor, Milestone) for factor in factors):
        said.append(MILESTONE)
    if any(isinstance(factor, Support) for factor in factors):
        said.append(SUPPORT)
    if changing:
        said.append(
            f"The ratio changes with time for {_listed(changing)}: read it there as an average."
        )
    return " ".join(said)


def churn_immortal(frame: pd.DataFrame, *, label: str, disagree: bool) -> str:
    """Say why three estimates of one milestone differ, and which to believe."""
    by = frame.set_index("method")["hazard_ratio"]
    ever, when = by["ever reached"], by["from when reached"]
    said = (
        f"Whoever reached “{label}” had to stay until then. Counted as having had it from the "
        f"start, their ratio is {ever:.2f}; counted from the day they reached it, {when:.2f}."
    )
    if disagree:
        return f"{said} The first is flattered by those days; only the others can be read."
    return f"{said} Here the difference is small."


def churn_calibration(ledger: Ledger, calibration: pd.DataFrame) -> str:
    """Say how far the chances were from what came, and whether they beat the average."""
    gap = 100 * (calibration["predicted"] - calibration["observed"]).abs().max()
    said = (
        f"In {len(calibration)} groups of past customers by their chance, what was forecast and "
        f"what came differ by at most {gap:.1f} points."
    )
    if "churn_brier" not in ledger:
        return said
    brier, null, order = (
        ledger[name] for name in ("churn_brier", "churn_brier_null", "churn_concordance")
    )
    if brier.value >= null.value:
        return (
            f"{said} The chances do no better than the average for everybody (error {brier.full} "
            f"against {null.full}), so do not rank customers by them."
        )
    return (
        f"{said} The error of the chances is {brier.full}, of the average for everybody "
        f"{null.full}; of two customers {in_hundred(order)} pairs are put in the right order."
    )


def churn_gaps(evidence: pd.DataFrame) -> str:
    """Say how often customers called lost after so many silent days came back later."""
    told = evidence.dropna(subset=["later_returned"])
    if told.empty:
        return f"Fewer than {SMALL} customers were silent for long enough to say how many return."
    said = [
        f"after {row['days']} silent days {100 * row['later_returned']:.0f} in 100"
        for row in told.to_dict("records")
    ]
    return f"Of customers called lost, some return later: {_listed(said)}."


def _listed(words: Sequence[str]) -> str:
    return " and ".join(filter(None, (", ".join(words[:-1]), words[-1])))


def left_out_of_model(sentences: Sequence[str], unused: Sequence[str]) -> str:
    """Say which factors the data cannot tell, and which states were put together."""
    said = [f"The data do not tell: {_listed(unused)}."] if unused else []
    return " ".join([*said, *sentences])
