"""Purchase models of a shop: what those who bought once do, and whether a forecast comes true."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Literal

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd
from ibis import _

from retention_lab.checks import BadData, BadParameter
from retention_lab.customers.purchases import calendar_days_between, customer_days
from retention_lab.customers.summary import PATTERNS
from retention_lab.inference import proportions
from retention_lab.inference.btyd import answers, totals
from retention_lab.inference.btyd.fitting import Fit
from retention_lab.inference.btyd.maximum import Floats, normal
from retention_lab.inference.interval import Interval
from retention_lab.tables.engine import collect

Verdict = Literal["better", "worse", "no different"]

LONG = 60  # days


@dataclass(frozen=True, kw_only=True, eq=False)
class Holdout:
    """Customers as of a day, and what they bought in the `days` days after it.

    `patterns` has the distinct `frequency`, `recency`, `T` (as `customers.summary` has them as of
    that day), `before` (repeat purchases in as many days up to it), `later` (purchases after it)
    and `weight` (customers).
    """

    days: int
    patterns: pd.DataFrame


@dataclass(frozen=True, kw_only=True)
class Tracking:
    """Purchases of a holdout, as a model expected them and as they came.

    `expected` has errors of the parameters and chance in its interval; `naive` is that everybody
    buys as often as in as many days before. The errors are mean absolute ones, in purchases per
    customer; `gain` is by how much the mean squared error of the model is smaller. The verdict is
    by the squared one: where most buy nothing, the absolute one is least for a forecast of nothing,
    however wrong its total.
    """

    customers: int
    days: int
    actual: int
    expected: Interval
    naive: int
    error: float
    naive_error: float
    gain: Interval

    @property
    def verdict(self) -> Verdict:
        """The model against the naive forecast, customer by customer and beyond chance."""
        if self.gain.low > 0:
            return "better"
        return "worse" if self.gain.high < 0 else "no different"

    @property
    def beats_naive(self) -> bool:
        """Whether the model has earned to be used."""
        return self.verdict == "better"


def holdout(orders: ibis.Table, *, until: dt.date, as_of: dt.date) -> Holdout:
    """Split the purchases at the end of a day: what could be known then, and what came after.

    Parameters
    ----------
    orders
        As `customer_days` takes them.
    until
        Last day of the calibration; who first bought later is left out.
    as_of
        Last day of the holdout.

    Raises
    ------
    BadParameter
        If the holdout has no day.
    BadData
        If a column is missing, or nobody had bought by then.
    """
    if as_of <= until:
        raise BadParameter(
            f"until must be before as_of, {as_of}, got {until}. Leave days to hold out between."
        )
    since = until - (as_of - until)
    days = customer_days(orders, as_of=as_of)
    known = days.mutate(first_day=_.day.min().over(group_by="customer_id"))
    people = known.group_by("customer_id", "first_day").agg(
        frequency=_.count(where=_.day <= until) - 1,
        last_day=_.day.max(where=_.day <= until),
        before=_.count(where=(_.day > since) & (_.day <= until) & (_.day > _.first_day)),
        later=_.count(where=_.day > until),
    )
    start = people.filter(_.first_day <= until)
    rows = start.select(
        "frequency",
        recency=calendar_days_between(start.first_day, start.last_day),
        T=calendar_days_between(start.first_day, ibis.literal(until)),
        before=start.before,
        later=start.later,
    )
    counted = rows.group_by("frequency", "recency", "T", "before", "later").agg(weight=_.count())
    patterns = collect(counted, max_rows=PATTERNS)
    if patterns.empty:
        raise BadData(
            f"Nobody had bought by {until}, so nothing can be held out. Choose a later day."
        )
    order = ["frequency", "recency", "T", "before", "later"]
    return Holdout(
        days=(as_of - until).days, patterns=patterns.sort_values(order, ignore_index=True)
    )


def came(orders: ibis.Table, *, until: dt.date, as_of: dt.date) -> pd.DataFrame:
    """Purchases of a holdout by week, of those who had bought by `until`.

    Parameters
    ----------
    orders, until, as_of
        As `holdout` takes them.

    Returns
    -------
    DataFrame
        `week` (1, 2, ... after `until`), `purchases`; weeks without any are no row, and days after
        the last whole week are left out.
    """
    days = customer_days(orders, as_of=as_of)
    known = days.mutate(first_day=_.day.min().over(group_by="customer_id"))
    later = known.filter((_.day > until) & (_.first_day <= until))
    after = calendar_days_between(ibis.literal(until), later.day)
    weeks = later.group_by(week=(after + 6) // 7).agg(purchases=_.count())
    whole = weeks.filter(_.week <= (as_of - until).days // 7)
    return collect(whole).sort_values("week", ignore_index=True)


def by_week(
    fit: Fit, held: Holdout, arrived: pd.DataFrame, *, points: int = 13, alpha: float = 0.05
) -> pd.DataFrame:
    """Purchases of a holdout up to the end of weeks, as expected and as they came.

    Parameters
    ----------
    fit
        As `track` takes it.
    arrived
        What `came` counted.
    points
        The most weeks to tell; they are evenly apart, up to the last.

    Returns
    -------
    DataFrame
        `week`, `actual`, `expected`, `low`, `high` (errors of the parameters, and chance), all
        since the holdout began; no row where it has no whole week.
    """
    last = held.days // 7
    ends = np.unique(np.linspace(0, last, min(points, last) + 1).round())[1:].astype("int64")
    columns = ["week", "actual", "expected", "low", "high"]
    if not len(ends):
        return pd.DataFrame(columns=columns)
    upto = [int(arrived.loc[arrived["week"] <= end, "purchases"].sum()) for end in ends]
    told = totals.cumulative(fit, held.patterns, ends=(7.0 * ends).tolist(), alpha=alpha)
    return told.assign(week=ends, actual=upto)[columns]


def daily(summary: ir.Table) -> ir.BooleanValue:
    """Say who bought on more than half of all days, for `LONG` days at least: a reseller, a bot.

    `summary` is that of `customers.summary`.
    """
    return (summary["T"] >= LONG) & (2 * summary.purchases > summary["T"] + 1)


def return_rate(held: Holdout, *, alpha: float = 0.05) -> Interval:
    """Share of those who had bought once that came back within the holdout (Wilson).

    Raises
    ------
    BadData
        If nobody had bought exactly once.
    """
    once = held.patterns[held.patterns["frequency"] == 0]
    if once.empty:
        raise BadData("Nobody had bought exactly once by then, so no return rate was observed.")
    back = int(once.loc[once["later"] > 0, "weight"].sum())
    return proportions.proportion(back, int(once["weight"].sum()), alpha=alpha)


def track(fit: Fit, held: Holdout, *, alpha: float = 0.05) -> Tracking:
    """Compare what a model expected of a holdout, and what a naive forecast did, with what came.

    Parameters
    ----------
    fit
        Fitted to ``held.patterns``, in days; nothing of the holdout is known to it.
    """
    rows = held.patterns
    total = totals.cumulative(fit, rows, ends=[held.days], alpha=alpha).iloc[0]
    expected = answers.expected(fit.process, rows, horizon=held.days)
    weight = rows["weight"].to_numpy("float64")
    later, before = (rows[name].to_numpy("float64") for name in ("later", "before"))
    off, naive_off = np.abs(expected - later), np.abs(before - later)
    return Tracking(
        customers=int(weight.sum()),
        days=held.days,
        actual=int(weight @ later),
        expected=Interval(
            value=float(total["expected"]), low=float(total["low"]), high=float(total["high"])
        ),
        naive=int(weight @ before),
        error=float(np.average(off, weights=weight)),
        naive_error=float(np.average(naive_off, weights=weight)),
        gain=mean_gain(naive_off**2 - off**2, weight, alpha),
    )


def outlook(
    fit: Fit, patterns: pd.DataFrame, *, days: int, returned: Interval, alpha: float = 0.05
) -> pd.DataFrame:
    """How likely customers still buy, and how often they will, one row per purchase history.

    BG/NBD is sure of everybody who bought once; they get the rate `returned` at which such
    customers were seen to come back, by `return_rate`, and say so.

    Returns
    -------
    DataFrame
        Indexed as `patterns`: `probability`, `low`, `high`, `meaning` ("not gone" by the model, or
        "comes back" as observed), `expected` (purchases within `days`), `expected_low`,
        `expected_high`.
    """
    told = answers.forecast(fit, patterns, horizon=days, alpha=alpha)
    told.columns = ["probability", "low", "high", "expected", "expected_low", "expected_high"]
    told.insert(3, "meaning", "not gone")
    if fit.process.model == "BG/NBD":
        once = patterns["frequency"] == 0
        seen = {"probability": returned.value, "low": returned.low, "high": returned.high}
        for name, number in {**seen, "meaning": "comes back"}.items():
            told[name] = told[name].mask(once, number)
    return told


def mean_gain(values: Floats, weight: Floats, alpha: float = 0.05) -> Interval:
    """Mean over customers, with its normal interval: every customer adds a little of it.

    Raises
    ------
    BadData
        If there are fewer than two customers.
    """
    customers = weight.sum()
    if customers < 2:
        raise BadData("One customer is no test of a model. Hold out more customers.")
    mean = float(np.average(values, weights=weight))
    variance = float(weight @ (values - mean) ** 2) / (customers - 1)
    far = normal(alpha) * float(np.sqrt(variance / customers))
    return Interval(value=mean, low=mean - far, high=mean + far)
