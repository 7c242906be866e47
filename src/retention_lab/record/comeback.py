"""What is claimed of customers who came back: names, units and definitions in one place.

What rests on fewer than `SMALL` customers, or would tell of as few, is not recorded; the sentences
of `wording` say so in its place.
"""

from __future__ import annotations

import pandas as pd

from retention_lab.customers.kpis import RepeatPurchaseRate
from retention_lab.customers.measures import measure
from retention_lab.customers.newest import Cohort, Newest
from retention_lab.customers.repurchase import completed_median
from retention_lab.inference.interval import Interval
from retention_lab.record.ledger import BEFORE, Ledger
from retention_lab.record.small import SMALL, few, splits
from retention_lab.survival.daygrid import MedianTime, median_time, survival_at


def newest(ledger: Ledger, found: Newest | None, *, days: int) -> None:
    """Record how many of the newest complete month returned, the month before, the difference."""
    if found is None or not _can_be_shown(found.cohort):
        return
    _returned(ledger, found.cohort, days=days)
    ledger.record(
        "returned_count",
        found.cohort.returned,
        unit="count",
        n=found.cohort.customers,
        about=f"{found.cohort.month:%B %Y}",
        period=f"{found.cohort.month}/{found.cohort.last_day}",
        label=f"Customers who returned within {days} days",
        definition=(
            "New customers of the month who bought on a later day, at most "
            f"{days} days after their first purchase."
        ),
    )
    if found.before is None or not _can_be_shown(found.before):
        return
    _returned(ledger, found.before, days=days, suffix=BEFORE)
    ledger.record(
        "returned_change",
        found.change,
        unit="points",
        n=found.cohort.customers + found.before.customers,
        about=f"{found.cohort.month:%B %Y} against {found.before.month:%B %Y}",
        period=f"{found.before.month}/{found.cohort.last_day}",
        label="Change, in points",
        definition=(
            "The newer share minus the older, with Newcombe's interval for two independent shares."
        ),
    )


def _can_be_shown(cohort: Cohort) -> bool:
    return cohort.customers >= SMALL and not splits(cohort.returned, cohort.customers)


def _returned(ledger: Ledger, cohort: Cohort, *, days: int, suffix: str = "") -> None:
    ledger.record(
        "returned" + suffix,
        cohort.share,
        unit="share",
        n=cohort.customers,
        about=f"{cohort.month:%B %Y}",
        label=f"Returned within {days} days, first bought in {cohort.month:%B %Y}",
        definition=measure(f"returned_{days}").definition,
        key=not suffix,
        period=f"{cohort.month}/{cohort.last_day}",
        population=f"first_ordered_on between date '{cohort.month}' and date '{cohort.last_day}'",
    )


def repeat(ledger: Ledger, rate: RepeatPurchaseRate) -> None:
    """Record the repeat purchase rate of all customers so far."""
    if rate.customers < SMALL or splits(rate.repeat_customers, rate.customers):
        return
    ledger.record(
        "repeat_rate",
        rate.share,
        unit="share",
        n=rate.customers,
        about=f"all customers to {rate.as_of}",
        label="Repeat purchase rate",
        definition=(
            "Customers who bought on two or more days, of all customers; newer ones have had less "
            "time."
        ),
    )


def repurchase(ledger: Ledger, grid: pd.DataFrame, curve: pd.DataFrame, *, days: int) -> None:
    """Record the share who bought again by a day, and both medians: of all, and of those who did.

    Where fewer than `SMALL` customers were followed for `days` days, the last day on which as many
    were takes its place; a median beyond that day is not recorded, and nothing where only a few
    have bought again by it.
    """
    followed = curve.loc[curve["at_risk"] >= SMALL, "day"].max()
    if pd.isna(followed) or followed < 1:
        return
    day = min(days, int(followed))
    if few(int(grid.loc[grid["day"] <= day, "events"].sum())):
        return
    at = survival_at(curve, [day]).iloc[0]
    customers = int(grid[["events", "censored"]].to_numpy().sum())
    ledger.record(
        "bought_again_by",
        Interval(value=1 - at["survival"], low=1 - at["high"], high=1 - at["low"]),
        unit="share",
        n=customers,
        about="all customers",
        label=f"Bought again within {day} day{'' if day == 1 else 's'}",
        definition=(
            "Kaplan-Meier: customers still waiting count for the time that they were followed; "
            "log-log interval."
        ),
    )
    median = median_time(curve)
    if median.days is not None and median.days <= followed:
        ledger.record(
            "median_days_again",
            _with_bounds(median, median.days),
            unit="days",
            n=customers,
            about="all customers",
            label="Median days to the second purchase",
            definition="First day by which half of all customers bought again, by the same curve.",
        )
    _completed(ledger, grid)


def _with_bounds(median: MedianTime, days: float) -> float | Interval:
    """Half-open where the upper bound was not reached: then only the day itself is recorded."""
    if median.low is None or median.high is None:
        return days
    return Interval(value=days, low=median.low, high=median.high)


def _completed(ledger: Ledger, grid: pd.DataFrame) -> None:
    events = int(grid["events"].sum())
    if events >= SMALL:
        ledger.record(
            "median_days_completed",
            completed_median(grid),
            unit="days",
            n=events,
            about="customers who bought again",
            label="Median days among those who did",
            definition="Leaves out everybody still waiting, so it is too short.",
        )
