"""What is claimed of customers who leave or return: names, units and definitions in one place.

What rests on fewer than `SMALL` customers, or would tell of as few, is not recorded; the sentences
of `wording` say so in its place.
"""

from __future__ import annotations

import datetime as dt

import pandas as pd

from retention_lab.churn.backtest import Backtest
from retention_lab.churn.endpoints import Endpoint
from retention_lab.churn.evidence import TOLD, Evidence
from retention_lab.churn.forecast import Forecast, allocation
from retention_lab.churn.outlook import Outlook
from retention_lab.inference.interval import Interval
from retention_lab.inference.proportions import proportion
from retention_lab.record.ledger import BEFORE, Ledger
from retention_lab.record.small import SMALL, splits
from retention_lab.survival.daygrid import kaplan_meier, survival_at

_CHECKED = (
    "by the model of earlier periods; the range holds chance and, from three periods on, how they "
    "differ."
)
_OWN_CLOCK = (
    "by how long customers of the same age have stayed; the range does not allow for one period "
    "being unlike another."
)
_WITH_CONTRACT = "Customers with a subscription at the end of the day, of whom a forecast can tell."
_WITHOUT = "Everybody who has bought by the end of the day."
TOP = 0.1  # the share of customers whom the first screen calls those at highest risk


def happens(endpoint: Endpoint) -> str:
    """Say in a verb what is waited for."""
    return {"cancelled": "leave", "returned": "buy again", "lost": "be lost"}[endpoint.kind]


def outlook(ledger: Ledger, seen: Outlook) -> None:
    """Record the forecast, how earlier ones fared, and how good the chances were."""
    if seen.forecast is not None and _forecast(ledger, seen.forecast) and seen.backtest is not None:
        _tested(ledger, seen.backtest, endpoint=seen.endpoint)
        _quality(ledger, seen.backtest)


def evidence(ledger: Ledger, found: Evidence, *, day: int, horizon: int) -> None:
    """Record what the first screen says of the first milestone and of the causes."""
    for label, grid in [*found.by_milestone.items()][:1]:
        _milestone(ledger, grid, label=label, day=day, horizon=horizon)
    if isinstance(found.lately, pd.DataFrame):
        _causes(ledger, found.lately, horizon=horizon)


def _forecast(ledger: Ledger, found: Forecast) -> bool:
    """Record how many customers there are, how many are expected to leave or return, and of whom.

    Nothing where those who are, or those who are not, would be few: then it says so.
    """
    if splits(round(found.expected.value), found.customers) or found.customers < SMALL:
        return False
    what, n = happens(found.endpoint), found.customers
    ledger.record(
        "churn_customers",
        n,
        unit="count",
        n=n,
        about=_day(found.as_of),
        label="Customers now",
        definition=_WITH_CONTRACT if found.endpoint.kind == "cancelled" else _WITHOUT,
    )
    method = _CHECKED if found.checked else _OWN_CLOCK
    ledger.record(
        "churn_expected",
        _whole(found.expected),
        unit="count",
        n=n,
        about=f"to {_day(found.until)}",
        period=_after(found.as_of, days=found.horizon),
        label=f"Expected to {what} within {found.horizon} days",
        definition=f"Sum of the chances of all customers now, {method}",
    )
    ledger.record(
        "churn_expected_share",
        _over(found.expected, n),
        unit="share",
        n=n,
        key=True,
        about=f"to {_day(found.until)}",
        period=_after(found.as_of, days=found.horizon),
        label=f"Expected to {what} within {found.horizon} days, of customers now",
        definition=f"Expected number over the customers now, {method}",
    )
    _top(ledger, found)
    return True


def _day(day: dt.date) -> str:
    return f"{day.day} {day:%B %Y}"


def _after(day: dt.date, *, days: int) -> str:
    return f"{day + dt.timedelta(days=1)}/{day + dt.timedelta(days=days)}"


def _whole(number: Interval) -> Interval:
    """Round to whole customers."""
    return Interval(value=round(number.value), low=round(number.low), high=round(number.high))


def _over(number: Interval, n: int) -> Interval:
    return Interval(value=number.value / n, low=number.low / n, high=number.high / n)


def _top(ledger: Ledger, found: Forecast) -> None:
    """Record how much of what is expected the first tenth of the customers carries."""
    curve = allocation(found)
    place = int((curve["top_share"] - TOP).abs().to_numpy().argmin())
    customers, share = int(curve["customers"].iloc[place]), float(curve["share"].iloc[place])
    if customers < SMALL:
        return
    ledger.record(
        "churn_top",
        share,
        unit="share",
        n=customers,
        about=f"to {_day(found.until)}",
        label=f"Share of it among the {100 * TOP:.0f} % most likely",
        definition=f"Sum of their chances to {happens(found.endpoint)} over that of all customers.",
    )


def _tested(ledger: Ledger, found: Backtest, *, endpoint: Endpoint) -> None:
    """Record what was forecast one period ago and what came, and how many forecasts held."""
    last = found.origins.sort_values("origin").iloc[-1]
    came, n = int(last["observed"]), int(last["customers"])
    if splits(came, n) or n < SMALL:
        return
    about = _day(last["origin"])
    what = happens(endpoint)
    ledger.record(
        "churn_expected" + BEFORE,
        _whole(Interval(value=last["expected"], low=last["low"], high=last["high"])),
        unit="count",
        n=n,
        about=about,
        label=f"Forecast to {what}, one period ago",
        definition="The same model, told only what was known then.",
    )
    ledger.record(
        "churn_came",
        came,
        unit="count",
        n=n,
        about=about,
        label="What came of that forecast",
        definition="Customers of that day who did so within the period.",
    )
    ledger.record(
        "churn_forecasts_held",
        int(found.origins["held"].sum()),
        unit="count",
        n=len(found.origins),
        about=f"{len(found.origins)} periods",
        label="Forecasts that held",
        definition="Periods in which what came lay within the 95 % range forecast for it.",
    )


def _quality(ledger: Ledger, found: Backtest) -> None:
    """Record how good the chances of single customers were, over all past forecasts."""
    n, about = int(found.origins["customers"].sum()), f"{len(found.origins)} periods"
    scores = {
        "churn_brier": (found.brier, "Error of the chances (Brier score)"),
        "churn_brier_null": (found.brier_null, "The same, if all were given the average chance"),
        "churn_concordance": (found.concordance, "Pairs put in the right order (Harrell's C)"),
        "churn_auc": (found.auc, "Told apart at the end of the period (AUC)"),
    }
    definitions = {
        "churn_brier": "Mean squared distance of chance and outcome; less is better, 0 is perfect.",
        "churn_brier_null": "Brier score of a forecast that knows only the earlier share.",
        "churn_concordance": "Of two customers, how often the likelier one was the sooner; a guess "
        "would be right in 50 of 100.",
        "churn_auc": "Of one who did and one who did not, how often the chance was higher for the "
        "first.",
    }
    for name, (value, label) in scores.items():
        ledger.record(
            name, value, unit="share", n=n, about=about, label=label, definition=definitions[name]
        )


def _milestone(ledger: Ledger, grid: pd.DataFrame, *, label: str, day: int, horizon: int) -> None:
    """Record who did it within `horizon` days after a milestone's day, by whether they reached it.

    `grid` is what `churn.grids.from_day` gave, `reached` its column. Nothing where either group is
    small, was not followed so long, or the share would tell of a few.
    """
    found = {}
    for name, reached in (("milestone_reached", True), ("milestone_not", False)):
        rows = grid[grid["reached"] == reached]
        followed = rows.loc[rows["day"] >= horizon, ["events", "censored"]].to_numpy().sum()
        before = int(rows.loc[rows["day"] <= horizon, "events"].sum())
        n = int(rows[["events", "censored"]].to_numpy().sum())
        if followed < SMALL or splits(before, n):
            return
        at = survival_at(kaplan_meier(rows), [horizon]).iloc[0]
        share = Interval(value=1 - at["survival"], low=1 - at["high"], high=1 - at["low"])
        found[name] = share, n
    for name, (share, n) in found.items():
        ledger.record(
            name,
            share,
            unit="share",
            n=n,
            about=label,
            label=f"{label}: {'reached' if name.endswith('reached') else 'not'} by day {day}",
            definition=(
                f"Kaplan-Meier from day {day} on, {horizon} days later, of those still there then."
            ),
        )


def _causes(ledger: Ledger, counts: pd.DataFrame, *, horizon: int) -> None:
    """Record which share of the last cancellations nobody wished for, such as failed payments.

    `counts` has a row per `cause`: `events`. Those of no known cause are left out.
    """
    by = counts.set_index("cause")["events"]
    voluntary, involuntary = (int(by.get(cause, 0)) for cause in TOLD)
    total = voluntary + involuntary
    if not involuntary or total < SMALL or splits(involuntary, total):
        return
    ledger.record(
        "churn_involuntary",
        proportion(involuntary, total),
        unit="share",
        n=total,
        about=f"the last {horizon} days",
        label=f"Involuntary, of cancellations of the last {horizon} days",
        definition=(
            "Cancellations that the customer did not ask for, such as failed payments, of those "
            "whose cause is known."
        ),
    )
