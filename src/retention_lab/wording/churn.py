"""The sentences of the churn page: its first screen, and what must stand beside its numbers."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from retention_lab.churn.associations import Associations
from retention_lab.churn.endpoints import Endpoint
from retention_lab.churn.evidence import Missing
from retention_lab.churn.milestones import disagree
from retention_lab.churn.model import coefficients
from retention_lab.churn.outlook import Outlook
from retention_lab.record import SMALL, Ledger
from retention_lab.survival.logrank import LogRank
from retention_lab.tables.playbook import Milestone, Support
from retention_lab.wording.outlook import (
    churn_action,
    churn_body,
    churn_headline,
    no_better,
    top,
)
from retention_lab.wording.phrases import Instead, in_hundred, listed, quoted

__all__ = [
    "churn_action",
    "churn_body",
    "churn_calibration",
    "churn_curves",
    "churn_headline",
    "churn_immortal",
    "churn_left_out",
    "churn_list",
    "churn_lost",
    "churn_proportional",
    "churn_ratios",
    "churn_repeat",
]

DIFFER = "Customers who differ so differ in much else, too: this is a comparison, not proof."
MILESTONE = (
    "This is a comparison, not proof: people who were going to stay anyway also tend to do it. "
    "Only a randomized test can say whether causing it helps."
)
SUPPORT = (
    "Hard problems get slow answers and lose customers; part of the gap by answer is the problem, "
    "not the wait."
)
LIST = (
    "A list begins with those most likely to leave. Likely to leave is not the same as likely to "
    "be saved by a call; the customers held back at random tell which."
)
LIST_RETURNED = (
    "A list begins with those least likely to buy again. Unlikely to buy again is not the same as "
    "likely to be won back by a message; the customers held back at random tell which."
)
_CLEAR = 0.01  # of a test of curves: less is more than chance


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
        return f"{said} {differ.why}".strip()
    if differ.p_value < _CLEAR:
        return f"{said} The groups differ by more than chance gives ({_test(differ)})."
    return f"{said} The groups differ by no more than chance may give ({_test(differ)})."


def _test(found: LogRank) -> str:
    known = _p_value(found.p_value)
    return f"log-rank test, p {known if known.startswith('<') else f'= {known}'}"


def _p_value(value: float) -> str:
    return "< 0.001" if value < 0.001 else f"{value:.3f}"


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
    reached = any(isinstance(factor, Milestone) for factor in found.factors)
    said.append(MILESTONE if reached else DIFFER)
    if any(isinstance(factor, Support) for factor in found.factors):
        said.append(SUPPORT)
    if found.changing:
        said.append(
            f"The ratio is not the same at all times for {listed(found.changing)}: read it as an "
            "average."
        )
    return " ".join(said)


def _references(found: Associations) -> str:
    told = coefficients(found)
    against = told.groupby("reference", sort=False)["label"].unique()
    words = [f"{quoted(str(state))} of {listed(labels)}" for state, labels in against.items()]
    return f"Held against: {'; '.join(words)}."


def churn_proportional(found: Associations | Missing) -> pd.DataFrame | Instead:
    """List for each ratio whether it is the same at all times, and how sure that is."""
    if isinstance(found, Missing):
        return Instead("No table: there are no ratios to test.")
    rows = found.proportional
    if rows.empty:
        return Instead("No table: there are too few days on which somebody left or came back.")
    return pd.DataFrame(
        {
            "State": rows["label"] + ": " + rows["state"],
            "The ratio": rows["changes"].map({True: "changes with time", False: "may be constant"}),
            "Score test": rows["statistic"].map("{:.1f}".format),
            "p": rows["p_value"].map(_p_value),
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
        f"{said} For {listed(flattered)} they differ by more than their ranges allow: do not "
        "believe the first."
    )


def churn_calibration(ledger: Ledger, seen: Outlook) -> str:
    """Say how far the chances were from what came, and whether they beat the average."""
    if seen.backtest is None:
        return ""
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
    if no_better(ledger):
        return (
            f"{said} The chances do no better than the average for everybody (squared error "
            f"{brier.full} against {null.full}), so do not rank customers by them."
        )
    return (
        f"{said} The squared error of the chances is {brier.full}, of the average for everybody "
        f"{null.full}. Of pairs of customers, {in_hundred(order)} ({order.between}) are put in the "
        "right order; a guess would do so with 50."
    )


def churn_lost(evidence: pd.DataFrame | Missing) -> str:
    """Say how often customers called lost after so many silent days came back later."""
    if isinstance(evidence, Missing):
        return ""
    told = evidence[evidence["customers"] >= SMALL]
    if told.empty:
        return ""
    said = [
        f"after {row['days']} silent days {100 * row['later_returned']:.0f} in 100 "
        f"({100 * row['low']:.1f} to {100 * row['high']:.1f})"
        for row in told.to_dict("records")
    ]
    sentence = f"Of customers called lost, some return later: {listed(said)}."
    if not told["refused"].any():
        return sentence
    least = told.loc[told["refused"], "days"].min()
    return (
        f"{sentence} From {least} days on, whoever buys today cannot be called lost within the "
        "days that this page looks ahead, so such a number is of no use here."
    )


def churn_list(ledger: Ledger, seen: Outlook) -> str:
    """Say whom a list takes, and what it does not tell."""
    if seen.forecast is None:
        return ""
    if no_better(ledger):
        return "The chances do no better than the average for everybody: make no list by them."
    rest = LIST_RETURNED if seen.endpoint.kind == "returned" else LIST
    return f"{top(ledger, seen.endpoint)} {rest}".strip()


def churn_repeat(found: pd.DataFrame | Missing) -> str:
    """Say how to read the ratios of repeat purchases."""
    if isinstance(found, Missing):
        return ""
    return (
        "A ratio of 1.2 means 20 in 100 more purchases on a day than among those it is held "
        f"against. {DIFFER}"
    )


def churn_left_out(seen: Outlook) -> str:
    """Say which factors the data cannot tell, which states were put together, and who is not in."""
    said = [f"The data do not tell: {listed(seen.unused)}."] if seen.unused else []
    told = () if seen.forecast is None else seen.forecast.left_out
    return " ".join([*said, *told])
