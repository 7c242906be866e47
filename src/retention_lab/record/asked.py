"""What is claimed when somebody asks the lab for one thing: names, units and definitions."""

from __future__ import annotations

import numpy as np
import pandas as pd

from retention_lab.customers.newest import Cohort
from retention_lab.customers.repurchase import completed_median
from retention_lab.inference.interval import Interval
from retention_lab.inference.proportions import proportion
from retention_lab.record.ledger import Ledger
from retention_lab.record.small import SMALL, Mask, apart, covered, few, of_share, splits
from retention_lab.survival.daygrid import kaplan_meier, median_time
from retention_lab.tables.snapshot import Snapshot


def mean(ledger: Ledger, means: pd.DataFrame, *, name: str = "mean", group: str = "") -> None:
    """Record the weighted mean of the first period after that of the first purchase.

    One that is missing is hidden, and not recorded either.
    """
    first = means[(means["period"] == 1) & means["share"].notna()]
    if first.empty or first["size"].iloc[0] < SMALL:
        return
    size, share = int(first["size"].iloc[0]), float(first["share"].iloc[0])
    if of_share(share, size):
        return
    cohorts = int(first["cohorts"].iloc[0])
    ledger.record(
        name,
        proportion(round(share * size), size),
        unit="share",
        n=size,
        about=f"{cohorts} complete cohort{'' if cohorts == 1 else 's'}",
        label=group or "Bought in the first period after that of the first purchase",
        definition="Mean over the cohorts for which the period is over, weighted by their size.",
    )


def returned(ledger: Ledger, cohort: Cohort, *, name: str, group: str) -> None:
    """Record which share of a group's newest complete month came back."""
    if cohort.customers < SMALL or splits(cohort.returned, cohort.customers):
        return
    ledger.record(
        name,
        cohort.share,
        unit="share",
        n=cohort.customers,
        about=f"{cohort.month:%B %Y}",
        label=group,
        definition="Customers who bought again in time, of all who first bought in the month.",
    )


def hidden_months(months: pd.DataFrame) -> tuple[Mask, Mask]:
    """Say which of `revenue.monthly_revenue` to hide, and of which to hide who brought it.

    A month in which fewer than `SMALL` customers bought is hidden, and with a single one the next
    smallest. So is one with a few new customers: the cohorts of a triangle add up to what the
    others brought. With a few returning ones, the month is shown as a whole.
    """
    hidden = covered(months["customers"], hidden=few(months["customers_new"]))
    return hidden, few(months["customers"] - months["customers_new"])


def last_month(ledger: Ledger, months: pd.DataFrame, shop: Snapshot) -> None:
    """Record the revenue of the last month that is over, and what returning customers brought."""
    hidden, whole = hidden_months(months)
    over = months.assign(hidden=hidden, whole=whole)[months["complete"]]
    if over.empty or over["customers"].iloc[-1] < SMALL or over["hidden"].iloc[-1]:
        return
    last = over.iloc[-1]
    returning = int(last["revenue_returning"])
    revenue = int(last["revenue_new"]) + returning
    about, customers = f"{last['month']:%B %Y}", int(last["customers"])
    ledger.record(
        "revenue",
        revenue / shop.minor_per_unit,
        unit="money",
        currency=shop.currency,
        n=customers,
        about=about,
        definition="Sum of order amounts before returns.",
    )
    if revenue and not last["whole"]:
        ledger.record(
            "returning_share",
            returning / revenue,
            unit="share",
            n=customers,
            about=about,
            definition="Revenue of customers who first bought in an earlier month, of all revenue.",
        )


def tops_shown(frame: pd.DataFrame) -> Mask:
    """Say which of `revenue.revenue_concentration` tell of no few, alone or beside each other.

    From all customers down, each is shown that leaves out none or more than a few of the last.
    """
    ranked = frame["customers"].to_numpy().argsort(kind="stable")[::-1]
    counts = frame["customers"].to_numpy()[ranked]
    shown = np.zeros(len(frame), dtype=bool)
    shown[ranked] = apart([frame["of"].max(), *counts])[1:] & ~few(counts)
    return shown


def concentration(ledger: Ledger, frame: pd.DataFrame) -> None:
    """Record which share of the revenue each share of best customers brought."""
    for (place, row), shown in zip(
        enumerate(frame.to_dict("records")), tops_shown(frame), strict=True
    ):
        if shown:
            ledger.record(
                f"top_{place}",
                row["share"],
                unit="share",
                n=int(row["customers"]),
                label=f"{100 * row['top_share']:g}",
                definition="Revenue of the customers with the most revenue, of all revenue.",
            )


def gaps(ledger: Ledger, grid: pd.DataFrame) -> None:
    """Record the median days between purchases: of all gaps, and of those that are closed."""
    closed, every = int(grid["events"].sum()), int(grid[["events", "censored"]].to_numpy().sum())
    if closed < SMALL:
        return
    median = median_time(kaplan_meier(grid))
    if median.days is not None:
        whole = median.low is not None and median.high is not None
        ledger.record(
            "median_gap",
            Interval(value=median.days, low=median.low or 0, high=median.high or 0)
            if whole
            else median.days,
            unit="days",
            n=every,
            definition="First day by which half of all gaps have ended; open ones count as open.",
        )
    ledger.record(
        "median_closed_gap",
        completed_median(grid),
        unit="days",
        n=closed,
        definition="Leaves out the gaps that are still open, so it is too short.",
    )
