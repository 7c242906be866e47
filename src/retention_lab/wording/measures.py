"""Sentences that stand beside a measure or a picture of it."""

from __future__ import annotations

import datetime as dt

import pandas as pd

from retention_lab.record import BEFORE, SMALL, Ledger
from retention_lab.record.small import splits
from retention_lab.wording.phrases import (
    capitalised,
    counted,
    full_day,
    in_hundred,
    of_all,
    quoted,
    some,
)


def records_begin(records_from: dt.date) -> str:
    """Warn that the first cohorts hold everybody who was a customer already."""
    return (
        f"Records begin on {full_day(records_from)}; whoever was a customer before that counts as "
        "new on their first purchase since, so the first months may hold old customers too."
    )


def returned_curve(returned: pd.DataFrame, *, days: int) -> str:
    """Caution for the chart of returns by month; `returned` is what it was given."""
    small = returned["customers"] < SMALL
    methods = set(returned.loc[~small, "method"])
    if methods <= {"too early"}:
        return ""
    sentences = {
        "observed": f"Filled points are months whose customers have all had their {days} days.",
        "estimated": (
            "Open points are estimates from those who have had less time; they will still move."
        ),
        "too early": (
            f"Months too recent for {SMALL} of their customers to have been followed for {days} "
            "days are not drawn."
        ),
    }
    said = [sentence for method, sentence in sentences.items() if method in methods]
    if {"observed", "estimated"} <= methods:
        said.insert(2, "Compare only the filled ones.")
    if small.any():
        said.append(
            f"Nor are months with fewer than {SMALL} new customers."
            if "too early" in methods
            else f"Months with fewer than {SMALL} new customers are not drawn."
        )
    judged = returned[~small & returned["method"].ne("too early")]
    if splits(judged["returned"], judged["customers"]).any():
        said.append(
            f"Nor is a month drawn where fewer than {SMALL} customers came back, or did not."
        )
    return " ".join(said)


def retention_rate(ledger: Ledger, *, days: int, history_days: int) -> str:
    """Say the customer retention rate beside the companion that cannot exceed 100 %."""
    if "retention_rate" not in ledger:
        if history_days < 2 * days:
            return (
                f"A customer retention rate over {days} days needs {2 * days} days of records; "
                f"these hold {history_days:,}."
            )
        return (
            f"Fewer than {SMALL} customers bought in the {days} days before the period, or are in "
            "one of the groups that a customer retention rate tells apart, so there is none to "
            "show."
        )
    rate, kept = ledger["retention_rate"], ledger["kept_share"]
    return (
        f"The customer retention rate over the last {days} days is {in_hundred(rate)} "
        f"({rate.ranged}). It includes customers who came back after a pause, so it can exceed "
        f"100\N{NO-BREAK SPACE}%; of the {kept.n:,} active at the start, {some(kept)} "
        f"({kept.ranged}) were active at the end. Active means: bought in the {days} days up to "
        "then."
    )


def repeat_rate(ledger: Ledger, *, days: int) -> str:
    """Say the repeat purchase rate with the reason why it must not be compared over time."""
    if "repeat_rate" not in ledger:
        return (
            f"Fewer than {SMALL} customers have bought on two days or more, or on one alone, too "
            "few for a repeat purchase rate."
        )
    rate = ledger["repeat_rate"]
    fixed = ""
    if "returned" in ledger:
        fixed = f" ({ledger['returned'].text} for {ledger['returned'].about})"
    return (
        f"{capitalised(of_all(rate, 'customers'))} ({rate.ranged}) have bought on two"
        " days or more. Newer customers have had less time; compare only the "
        f"{days}-day figure between months{fixed}."
    )


def repurchase(ledger: Ledger) -> str:
    """Say how long the second purchase takes, with those still waiting counted as waiting."""
    if "bought_again_by" not in ledger:
        return (
            f"Fewer than {SMALL} customers have been followed for a day or more, or have bought "
            "again since, too few to say how long the second purchase takes."
        )
    share = ledger["bought_again_by"]
    sentences = [f"{share.label}: {in_hundred(share)} customers ({share.ranged})."]
    if "median_days_again" in ledger:
        median = ledger["median_days_again"]
        limits = "; these data set no upper limit to it"
        limits = limits if median.low is None else f" ({median.between})"
        sentences.append(f"Half have done so by day {median.text}{limits}.")
    else:
        sentences.append(
            f"In the time that {SMALL} customers or more were followed, fewer than half have done "
            "so, so there is no median."
        )
    if "median_days_completed" in ledger:
        sentences.append(
            f"Among those who did, the median is day {ledger['median_days_completed'].text}; that "
            "leaves out everybody still waiting and is not how long it takes."
        )
    return " ".join(sentences)


def activity(ledger: Ledger, *, days: int, history_days: int) -> str:
    """Say how many customers were active lately, on which clock."""
    if "active_share" not in ledger:
        if history_days <= days + 1:
            return (
                f"The records hold {counted(history_days, 'day')}, so nobody can have been away "
                f"for more than {days}."
            )
        return f"Fewer than {SMALL} customers are active, or are not, too few to say how many."
    now = ledger["active_share"]
    sentence = (
        f"{capitalised(of_all(now, 'customers'))} ({now.ranged}) last bought at most"
        f" {days} days ago (the purchase clock)."
    )
    if "active_share" + BEFORE not in ledger:
        return sentence
    before = ledger["active_share" + BEFORE]
    return (
        f"{sentence} It was {in_hundred(before)} ({before.ranged}) of the {before.n:,} customers "
        f"known {days} days earlier. The base only grows, so this share falls when few new "
        "customers arrive."
    )


def triangle(frame: pd.DataFrame, means: pd.DataFrame, *, periods: int) -> str:
    """Caution beside a triangle and its `weighted_mean`, drawn for periods 1 to `periods`.

    Nothing where no cohort is large and old enough to be drawn.
    """
    if not ((frame["size"] >= SMALL) & frame["period"].between(1, periods)).any():
        return ""
    shown = means[means["period"].between(1, periods) & (means["size"] >= SMALL)]
    later = (
        f"The measure {quoted('in it or later')} still grows while customers have time, so it is "
        "too low for recent cohorts."
    )
    if shown.empty:
        return (
            f"Hatched cells are incomplete. No column is complete yet, so there is no mean. {later}"
        )
    last = shown.iloc[-1]
    return (
        "Hatched cells are incomplete and excluded from the mean row, which weights each cohort by "
        "its size and counts those that are not drawn too; its last column rests on "
        f"{counted(int(last['cohorts']), 'cohort')}. {later}"
    )
