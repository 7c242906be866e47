"""Sentences for what somebody asks the lab alone; the others are those of the reports."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from retention_lab.record import SMALL, Claim, Ledger
from retention_lab.tables.saved import Cohort
from retention_lab.wording.phrases import capitalised, counted_unless_few, of_all

NO_EFFECT = (
    "Groups differ in who is in them, so a difference between them is not the effect of anything "
    "done for them."
)


def mean_of_cohorts(ledger: Ledger, *, unit: str) -> str:
    """Say which share bought in the first period after that of the first purchase."""
    if "mean" not in ledger:
        return f"The first {unit.lower()} is not over yet for {SMALL} customers of one cohort."
    mean = ledger["mean"]
    return (
        f"{capitalised(of_all(mean, 'customers'))} ({mean.ranged}) of {mean.about} bought in the "
        f"first {unit.lower()} after that of their first purchase."
    )


def mean_by_group(claims: Sequence[Claim], *, by: str, unit: str, few: Sequence[str]) -> str:
    """Say the same of each group, largest first; `few` are groups that are too small to show."""
    if not claims:
        return (
            f"No group by {_plain(by)} has {SMALL} customers whose first {unit.lower()} is over "
            f"and who would not tell of fewer.{_few(few)}"
        )
    return (
        f"Bought in the first {unit.lower()} after that of their first purchase, by {_plain(by)}: "
        f"{_each(claims)}. {NO_EFFECT}{_few(few)}"
    )


def returned_by_group(claims: Sequence[Claim], *, by: str, days: int, few: Sequence[str]) -> str:
    """Say which share of each group's newest complete month came back."""
    if not claims:
        return (
            f"No group by {_plain(by)} has a newest month of {SMALL} customers that had all its "
            f"{days} days and would not tell of fewer.{_few(few)}"
        )
    months = dict.fromkeys(claim.about for claim in claims)
    if len(months) == 1:
        return (
            f"Of those who first bought in {claims[0].about}, bought again within {days} days, by "
            f"{_plain(by)}: {_each(claims)}. {NO_EFFECT}{_few(few)}"
        )
    dated = "; ".join(f"{claim.label} {claim.full}, {claim.about}" for claim in claims)
    return (
        f"Bought again within {days} days, the newest complete month of each {_plain(by)}: "
        f"{dated}. {NO_EFFECT}{_few(few)}"
    )


def _plain(by: str) -> str:
    return by.replace("_", " ")


def _each(claims: Sequence[Claim]) -> str:
    return "; ".join(f"{claim.label} {claim.full}" for claim in claims)


def _few(few: Sequence[str]) -> str:
    if not few:
        return ""
    return f" Not drawn, with fewer than {SMALL} customers: {', '.join(few)}."


def last_month(ledger: Ledger) -> str:
    """Say what the last month that is over brought, and how much of it from returning customers."""
    if "revenue" not in ledger:
        return f"No month is over yet, or the last would tell of fewer than {SMALL} customers."
    revenue = ledger["revenue"]
    sentence = f"In {revenue.about} customers bought for {revenue.text}."
    if "returning_share" not in ledger:
        return sentence
    return (
        f"{sentence} Of that, {ledger['returning_share'].text} came from customers who had first "
        "bought in an earlier month."
    )


def concentration(ledger: Ledger) -> str:
    """Say which share of the revenue the best customers brought."""
    said = [
        f"the best {claim.label}\N{NO-BREAK SPACE}% of customers ({claim.n:,}) brought {claim.text}"
        for claim in ledger.claims()
    ]
    if not said:
        return f"There are fewer than {SMALL} such customers, too few to say what they brought."
    return f"{capitalised('; '.join(said))} of all revenue."


def gaps(ledger: Ledger) -> str:
    """Say how long customers take from one purchase to the next."""
    if "median_closed_gap" not in ledger:
        return f"Fewer than {SMALL} times has a customer bought again, too few to say how soon."
    closed = ledger["median_closed_gap"]
    leaves_out = (
        f"Among the {closed.n:,} gaps that ended, the median is {closed.text} days; that leaves "
        "out everybody still waiting and is not how long it takes."
    )
    if "median_gap" not in ledger:
        return f"Fewer than half of all gaps between purchases have ended. {leaves_out}"
    median = ledger["median_gap"]
    between = "" if median.low is None else f" ({median.between})"
    return (
        f"Half of all gaps between purchases end within {median.text} days{between}. {leaves_out}"
    )


def unused(columns: Mapping[str, Mapping[str, str]]) -> str:
    """Name the columns of frames that are not used, by table, and say why."""
    each = [
        f"{table}.{name} ({why})" for table, found in columns.items() for name, why in found.items()
    ]
    return f"Not used: {'; '.join(each)}." if each else ""


def cohort(saved: Cohort) -> str:
    """Say how many a saved cohort holds, where it lies and how to choose it."""
    return (
        f"The cohort `{saved.name}` has {counted_unless_few(saved.customers, 'customer')} as of "
        f"{saved.saved_as_of}; it is saved in `{saved.file}`. Any condition may name it: "
        f"`cohort('{saved.name}')`."
    )
