"""What the overview claims: names, units and definitions of its results, in one place.

Results of the period before carry the same name and `_before`.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pandas as pd

from retention_lab.customers.kpis import PeriodKpis, RepeatPurchaseRate, RetentionRate
from retention_lab.customers.newest import Cohort, Newest
from retention_lab.customers.repurchase import completed_median
from retention_lab.inference.interval import Interval
from retention_lab.inference.proportions import proportion
from retention_lab.record.ledger import Ledger
from retention_lab.survival.daygrid import median_time, survival_at

BEFORE = "_before"


def newest(ledger: Ledger, found: Newest | None, *, days: int) -> None:
    """Record how many of the newest complete month returned, the month before, and the difference; nothing where there is none."""
    if found is None:
        return
    _cohort(ledger, found.cohort, days=days, suffix="", key=True)
    ledger.record(
        "returned_count",
        found.cohort.returned,
        unit="count",
        n=found.cohort.customers,
        about=f"{found.cohort.month:%B %Y}",
        label=f"Customers who returned within {days} days",
        definition=f"New customers of the month who bought on a later day, at most {days} days after their first purchase.",
    )
    if found.before is None:
        return
    _cohort(ledger, found.before, days=days, suffix=BEFORE, key=False)
    ledger.record(
        "returned_change",
        found.change,
        unit="points",
        n=found.cohort.customers + found.before.customers,
        about=f"{found.cohort.month:%B %Y} against {found.before.month:%B %Y}",
        label="Change, in points",
        definition="The newer share minus the older, with Newcombe's interval for two independent shares.",
    )


def _cohort(ledger: Ledger, cohort: Cohort, *, days: int, suffix: str, key: bool) -> None:
    ledger.record(
        "returned" + suffix,
        cohort.share,
        unit="share",
        n=cohort.customers,
        about=f"{cohort.month:%B %Y}",
        label=f"Returned within {days} days, first bought in {cohort.month:%B %Y}",
        definition=f"Customers who bought again on a later day within {days} days of their first purchase, of all who first bought in the month.",
        key=key,
    )


def period(
    ledger: Ledger, kpis: PeriodKpis, *, currency: str, minor_per_unit: int, suffix: str = ""
) -> None:
    """Record what was bought in a period; money in whole units of the currency."""
    about = f"{kpis.start} to {kpis.end}"
    ledger.record(
        "revenue" + suffix, kpis.revenue / minor_per_unit, unit="money", currency=currency, n=kpis.orders, about=about,
        label="Revenue", definition="Sum of order amounts before returns.", key=not suffix,
    )  # fmt: skip
    ledger.record(
        "orders" + suffix, kpis.orders, unit="count", about=about, label="Orders",
        definition="Days on which a customer bought: what one customer orders on one day is one order.",
    )  # fmt: skip
    ledger.record(
        "buyers" + suffix, kpis.customers, unit="count", about=about, label="Customers who bought",
        definition="Customers with at least one order in the period.",
    )  # fmt: skip
    ledger.record(
        "average_order_value" + suffix, _scaled(kpis.average_order_value, minor_per_unit), unit="money", currency=currency,
        n=kpis.orders, about=about, label="Average order value",
        definition="Revenue divided by orders; the interval allows for orders of one customer being alike.",
    )  # fmt: skip
    ledger.record(
        "purchase_frequency" + suffix, kpis.purchase_frequency, unit="per_customer", n=kpis.customers, about=about,
        label="Orders per customer", definition="Orders divided by the customers who bought in the period.",
    )  # fmt: skip
    ledger.record(
        "buyers_again" + suffix, kpis.repeat_share, unit="share", n=kpis.customers, about=about,
        label="Of them, had bought before", definition="Customers of the period with an order on an earlier day, of all customers of the period.",
    )  # fmt: skip


def _scaled(value: Interval, minor_per_unit: int) -> Interval:
    return replace(
        value,
        value=value.value / minor_per_unit,
        low=value.low / minor_per_unit,
        high=value.high / minor_per_unit,
    )


def retention(ledger: Ledger, rate: RetentionRate, *, suffix: str = "") -> None:
    """Record the customer retention rate and the companion that cannot exceed 100 %."""
    about = f"{rate.days} days to {rate.end}"
    ledger.record(
        "retention_rate" + suffix, rate.rate, unit="share", n=rate.active_at_start, about=about, label="Customer retention rate",
        definition="(Active at the end, less new customers) divided by active at the start; those who came back after a pause count.",
        key=not suffix,
    )  # fmt: skip
    ledger.record(
        "kept_share" + suffix, rate.kept_share, unit="share", n=rate.active_at_start, about=about,
        label="Of those active at the start, active at the end",
        definition=f"Active means bought in the {rate.days} days up to the day.",
    )  # fmt: skip


def repeat(ledger: Ledger, rate: RepeatPurchaseRate) -> None:
    """Record the repeat purchase rate of all customers so far."""
    ledger.record(
        "repeat_rate", rate.share, unit="share", n=rate.customers, about=f"all customers to {rate.as_of}", label="Repeat purchase rate",
        definition="Customers who bought on two or more days, of all customers; newer ones have had less time.",
    )  # fmt: skip


def repurchase(ledger: Ledger, grid: pd.DataFrame, curve: pd.DataFrame, *, days: int) -> None:
    """Record the share who bought again by a day, and both medians: of everybody, and of those who did."""
    at = survival_at(curve, [days]).iloc[0]
    customers = int(grid[["events", "censored"]].to_numpy().sum())
    ledger.record(
        "bought_again_by", Interval(value=1 - at["survival"], low=1 - at["high"], high=1 - at["low"]), unit="share", n=customers,
        about="all customers", label=f"Bought again within {days} days",
        definition="Kaplan-Meier: customers still waiting count for the time that they were followed; log-log interval.",
    )  # fmt: skip
    median = median_time(curve).days
    if median is not None:
        ledger.record(
            "median_days_again", median, unit="days", n=customers, about="all customers", label="Median days to the second purchase",
            definition="First day by which half of all customers have bought again, by the same curve.",
        )  # fmt: skip
    if grid["events"].sum():
        ledger.record(
            "median_days_completed", completed_median(grid), unit="days", n=int(grid["events"].sum()), about="customers who bought again",
            label="Median days among those who did", definition="Leaves out everybody still waiting, so it is too short.",
        )  # fmt: skip


def activity(
    ledger: Ledger, tiers: pd.DataFrame, *, as_of: dt.date, days: int, suffix: str = ""
) -> None:
    """Record the share of customers in all tiers but the last, that is active within `days` days."""
    customers = int(tiers["customers"].sum())
    ledger.record(
        "active_share" + suffix, proportion(int(tiers["customers"].iloc[:-1].sum()), customers), unit="share", n=customers,
        about=f"as of {as_of}", label=f"Active within {days} days",
        definition=f"Customers whose last purchase is at most {days} days ago, of all customers so far.",
    )  # fmt: skip
