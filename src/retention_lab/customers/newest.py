"""The newest month of customers that can be judged, beside the one before."""

from __future__ import annotations

import datetime as dt
from calendar import monthrange
from dataclasses import dataclass

import pandas as pd

from retention_lab import checks
from retention_lab.inference.interval import Interval
from retention_lab.inference.proportions import difference, proportion


@dataclass(frozen=True, kw_only=True)
class Cohort:
    """One complete month of new customers: how many, and how many of them returned in time."""

    month: dt.date
    customers: int
    returned: int

    @property
    def last_day(self) -> dt.date:
        """The last day of the month."""
        return self.month.replace(day=monthrange(self.month.year, self.month.month)[1])

    @property
    def share(self) -> Interval:
        """Share who returned, with its Wilson interval."""
        return proportion(self.returned, self.customers)


@dataclass(frozen=True, kw_only=True)
class Newest:
    """The newest complete cohort; `before` is the month before it, where that had customers."""

    cohort: Cohort
    before: Cohort | None

    @property
    def change(self) -> Interval:
        """Difference of the two shares, newest minus before, with Newcombe's interval.

        Raises
        ------
        BadData
            When there is no month before to compare with.
        """
        if self.before is None:
            raise checks.BadData(
                f"There is no complete month before {self.cohort.month:%B %Y} to compare it with."
            )
        now, then = self.cohort, self.before
        return difference(now.returned, now.customers, then.returned, then.customers)


def newest_complete(returned: pd.DataFrame) -> Newest | None:
    """Find the newest complete cohort of `cohorts.returned` and the month before it.

    Returns
    -------
    Newest or None
        None as long as no cohort is complete: that is an answer, not an error.

    Raises
    ------
    BadData
        When a column is missing.
    """
    checks.columns("returned", returned.columns, ["cohort", "customers", "returned", "complete"])
    complete = _by_month(returned[returned["complete"]])
    if not complete:
        return None
    newest = complete[max(complete)]
    month_before = (newest.month - dt.timedelta(days=1)).replace(day=1)
    return Newest(cohort=newest, before=complete.get(month_before))


def next_complete(returned: pd.DataFrame) -> dt.date | None:
    """Find the first month of `cohorts.returned` that is not complete yet: None if all are.

    Raises
    ------
    BadData
        When a column is missing.
    """
    checks.columns("returned", returned.columns, ["cohort", "customers", "returned", "complete"])
    return min(_by_month(returned[~returned["complete"]]), default=None)


def well_followed(
    returned: pd.DataFrame, grid: pd.DataFrame, *, days: int, least: int
) -> pd.DataFrame:
    """Withdraw estimates that rest on few: the end of a curve moves by leaps.

    Parameters
    ----------
    returned
        What `cohorts.returned` gave for `days`.
    grid
        The `first_repeat_grid` of the same orders.
    least
        How many customers of a month must have waited for `days` days for its estimate to stay.

    Returns
    -------
    DataFrame
        `returned`, its months with an estimate on fewer being "too early".

    Raises
    ------
    BadData
        When a column is missing.
    """
    checks.columns("returned", returned.columns, ["cohort", "method", "share", "low", "high"])
    checks.columns("grid", grid.columns, ["cohort", "day", "events", "censored"])
    waited = grid[grid["day"] >= days].groupby("cohort")[["events", "censored"]].sum().sum(axis=1)
    at_risk = returned["cohort"].map(waited).fillna(0)
    few = (returned["method"] == "estimated") & (at_risk < least)
    judged = returned.assign(method=returned["method"].mask(few, "too early"))
    judged.loc[few, ["share", "low", "high"]] = pd.NA
    return judged


def _by_month(returned: pd.DataFrame) -> dict[dt.date, Cohort]:
    columns = (returned[name] for name in ("cohort", "customers", "returned"))
    return {
        month.date(): Cohort(month=month.date(), customers=int(customers), returned=int(count))
        for month, customers, count in zip(*columns, strict=True)
    }
