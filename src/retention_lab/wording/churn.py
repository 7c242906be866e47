"""The first screen of the churn page, and the sentences that must stand beside its numbers."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence

import pandas as pd

from retention_lab.churn.associations import Associations
from retention_lab.churn.endpoints import Endpoint
from retention_lab.churn.evidence import Missing
from retention_lab.churn.milestones import disagree
from retention_lab.churn.model import coefficients
from retention_lab.churn.outlook import Outlook
from retention_lab.record import BEFORE, SMALL, Ledger
from retention_lab.record.churn import TOP
from retention_lab.survival.logrank import LogRank
from retention_lab.tables.playbook import Milestone, Support
from retention_lab.wording.phrases import Instead, full_day, in_hundred, possessive, quoted

COMPARED = "This is a comparison, not proof: only a randomized test can tell."
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
LIST_RETURNED = (
    "Unlikely to buy again is not the same as likely to be won back by a message; the customers "
    "held back at random tell which."
)
_RARELY = 0.75  # of forecasts that hold: fewer, and the ranges are called too narrow
_ENOUGH = 4  # forecasts to say so of
_CLEAR = 0.01  # of a test of curves: less is more than chance


def churn_headline(ledger: Ledger, seen: Outlook) -> str:
    """Say in one line how many customers are expected to leave, or to buy again."""
    returned = seen.endpoint.kind == "returned"
    if "churn_expected" not in ledger or seen.forecast is None:
        return f"How many customers will {'buy again' if returned else 'leave'} cannot be said yet."
    expected, now = ledger["churn_expected"], ledger["churn_customers"]
    by = f"by {full_day(seen.forecast.until)} ({expected.between})"
    if returned:
        return f"We expect about {expected.text} of our {now.text} customers to buy again {by}."
    whose = possessive("today")
    return f"We expect to lose about {expected.text} of {whose} {now.text} subscribers {by}."


def churn_body(ledger: Ledger, seen: Outlook, *, day: int) -> str:
    """Say how the last forecasts fared, who carries the risk, and what it goes with.

    `day` is that by which a milestone was reached, or not.
    """
    if "churn_expected" not in ledger:
        return seen.why or f"It would tell of fewer than {SMALL} customers."
    did = "bought again" if seen.endpoint.kind == "returned" else "left"
    tested = _past(ledger, did=did) or f"This forecast is unchecked: {_lowered(seen.why)}"
    parts = [
        tested,
        _top(ledger, seen.endpoint),
        _reached(ledger, did=did, day=day, horizon=seen.horizon),
    ]
    if "churn_involuntary" in ledger:
        share = ledger["churn_involuntary"]
        parts.append(
            f"Of the cancellations of {share.about}, {share.ranged}, were not asked for, such as "
            "failed payments: these need Billing, not messages."
        )
    return " ".join(filter(None, parts))


def churn_action(
    ledger: Ledger, seen: Outlook, *, owner: str, as_of: dt.date, consents: bool
) -> str:
    """Say what to do, who does it and by when; and what is tempting, and wrong."""
    by = full_day(as_of + dt.timedelta(days=7))
    if "churn_expected" not in ledger:
        return "**Do:** nothing yet."
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


def _lowered(sentence: str) -> str:
    return sentence[:1].lower() + sentence[1:]


def _past(ledger: Ledger, *, did: str) -> str:
    if "churn_came" not in ledger:
        return ""
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


def _reached(ledger: Ledger, *, did: str, day: int, horizon: int) -> str:
    if "milestone_reached" not in ledger:
        return ""
    reached, others = ledger["milestone_reached"], ledger["milestone_not"]
    return (
        f"Of those who reached {quoted(reached.about)} by day {day}, {in_hundred(reached)} "
        f"({reached.between}) {did} in the {horizon} days after; of the others "
        f"{in_hundred(others)} ({others.between}). {COMPARED}"
    )


def churn_curves(endpoint: Endpoint, differ: LogRank | Missing) -> str:
    """Say what the curves count, and whether the groups differ."""
    said = (
        "Days since the first purchase. Who has not bought again yet counts as waiting, for the "
        "time that they were followed."
        if endpoint.kind == "returned"
        else "Days since the subscription began. Who is still subscribed counts for the time that "
        "they were followed."
    )
    if isinstance(differ, Missing):
        return said
    if differ.p_value < _CLEAR:
        return f"{said} The groups differ by more than chance gives ({_test(differ)})."
    return f"{said} The groups differ by no more than chance may give ({_test(differ)})."


def _test(found: LogRank) -> str:
    p_value = "p < 0.001" if found.p_value < 0.001 else f"p = {found.p_value:.3f}"
    return f"log-rank test, {p_value}"


def churn_ratios(found: Associations | Missing) -> str:
    """Say how to read the ratios, and which cautions belong to them."""
    if isinstance(found, Missing):
        return ""
    said = [
        "A ratio of 0.7 means 30 in 100 fewer on a day than among those it is held against, all "
        "else in the picture alike.",
        _references(found),
    ]
    if found.unwished:
        said.append("Cancellations that nobody asked for, such as failed payments, are set apart.")
    if any(isinstance(factor, Milestone) for factor in found.factors):
        said.append(MILESTONE)
    if any(isinstance(factor, Support) for factor in found.factors):
        said.append(SUPPORT)
    if found.changing:
        said.append(
            f"The ratio is not the same at all times for {_listed(found.changing)}: read it as an "
            "average."
        )
    return " ".join(said)


def _references(found: Associations) -> str:
    told = coefficients(found)
    against = told.groupby("reference", sort=False)["label"].unique()
    listed = [f"{quoted(str(state))} of {_listed(labels)}" for state, labels in against.items()]
    return f"Held against: {'; '.join(listed)}."


def churn_proportional(found: Associations | Missing) -> pd.DataFrame | Instead:
    """List for each ratio whether it is the same at all times, and how sure that is."""
    if isinstance(found, Missing):
        return Instead(found.why)
    rows = found.proportional
    return pd.DataFrame(
        {
            "State": rows["label"] + ": " + rows["state"],
            "The ratio": rows["changes"].map({True: "changes with time", False: "may be constant"}),
            "Score test": rows["statistic"].map("{:.1f}".format),
            "p": rows["p_value"].map("{:.3f}".format),
        }
    ).set_index("State")


def churn_immortal(frames: Mapping[str, pd.DataFrame]) -> str:
    """Say for which milestones three estimates differ, why, and which to believe."""
    if not frames:
        return ""
    flattered = [label for label, frame in frames.items() if disagree(frame)]
    said = (
        f"{quoted('Ever reached')} counts customers as having had it from the start, although "
        "whoever got there had to stay until then; the other two do not."
    )
    if not flattered:
        return f"{said} Here all three agree within their ranges."
    return (
        f"{said} For {_listed(flattered)} they differ by more than their ranges: do not believe "
        "the first."
    )


def churn_calibration(ledger: Ledger, seen: Outlook) -> str:
    """Say how far the chances were from what came, and whether they beat the average."""
    if seen.backtest is None:
        return seen.why
    calibration = seen.backtest.calibration
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


def churn_lost(evidence: pd.DataFrame | Missing) -> str:
    """Say how often customers called lost after so many silent days came back later."""
    if isinstance(evidence, Missing):
        return evidence.why
    told = evidence[evidence["customers"] >= SMALL]
    if told.empty:
        return f"Fewer than {SMALL} customers were silent for long enough to say how many return."
    said = [
        f"after {row['days']} silent days {100 * row['later_returned']:.0f} in 100"
        for row in told.to_dict("records")
    ]
    return f"Of customers called lost, some return later: {_listed(said)}."


def _listed(words: Sequence[str]) -> str:
    return " and ".join(filter(None, (", ".join(words[:-1]), words[-1])))


def churn_list(ledger: Ledger, seen: Outlook) -> str:
    """Say whom a list takes, and what it does not tell."""
    if seen.forecast is None:
        return ""
    if seen.endpoint.kind == "returned":
        return f"{_top(ledger, seen.endpoint)} {LIST_RETURNED}".strip()
    return f"{_top(ledger, seen.endpoint)} {LIST}".strip()


def churn_repeat(found: pd.DataFrame | Missing) -> str:
    """Say how to read the ratios of repeat purchases."""
    if isinstance(found, Missing):
        return ""
    return (
        "A ratio of 1.2 means 20 in 100 more purchases on a day than among those it is held "
        "against. "
        "Customers who differ so differ in much else, too: a comparison, not proof."
    )


def churn_left_out(seen: Outlook) -> str:
    """Say which factors the data cannot tell, which states were put together, and who is not in."""
    said = [f"The data do not tell: {_listed(seen.unused)}."] if seen.unused else []
    told = () if seen.forecast is None else seen.forecast.left_out
    return " ".join([*said, *told])
