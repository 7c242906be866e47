"""How many of today's customers will leave (or return) within the horizon, and who.

Three things make a forecast miss: the coefficients are estimated, one period is not like another,
and people are people. The interval of one customer's probability allows for the first two, that of
the number for all three.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from math import hypot, sqrt

import numpy as np
import pandas as pd
from ibis import _
from numpy.typing import NDArray
from scipy.special import ndtri

from retention_lab import checks
from retention_lab.checks import BadData
from retention_lab.churn import design, endpoints, landmarks
from retention_lab.churn.endpoints import Endpoint
from retention_lab.churn.model import Model
from retention_lab.inference.interval import Interval
from retention_lab.inference.tails import student_isf
from retention_lab.survival import cox
from retention_lab.tables.engine import collect
from retention_lab.tables.playbook import Factor
from retention_lab.tables.snapshot import Snapshot

Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Forecast:
    """What is expected from `as_of` until `until`, `horizon` days later.

    `expected` is the number of `customers` who will have the event (leave; return), `people` the
    table given, one row per combination of states and `weight` (customers), with the `probability`
    of the good thing (to stay; to return), `low` and `high`. `checked` says whether earlier ones
    can be compared with what came, `left_out` who and what is not in it.
    """

    endpoint: Endpoint
    as_of: dt.date
    horizon: int
    customers: int
    expected: Interval
    people: pd.DataFrame
    checked: bool
    left_out: tuple[str, ...]

    @property
    def until(self) -> dt.date:
        """Last day of the forecast."""
        return self.as_of + dt.timedelta(days=self.horizon)


def forecast(
    model: Model, people: pd.DataFrame, *, endpoint: Endpoint, as_of: dt.date, alpha: float = 0.05
) -> Forecast:
    """Forecast the events of the `model.horizon` days after `as_of`.

    Parameters
    ----------
    model
        Trained on windows that end by `as_of`.
    people
        One text column per factor, as known on `as_of`, and `weight` (customers).

    Raises
    ------
    BadData
        If nobody is a customer, or a column is missing.
    """
    _refuse_nobody(people, as_of)
    covariates, weight = model.design(people), people["weight"].to_numpy()
    each = cox.predict(model.fit, covariates, day=model.horizon)
    total = cox.expected_events(model.fit, covariates, day=model.horizon, weights=weight)
    spread = _Spread(between=model.between, windows=len(model.windows), alpha=alpha)
    return Forecast(
        endpoint=endpoint,
        as_of=as_of,
        horizon=model.horizon,
        customers=int(weight.sum()),
        expected=_number(each, total.std_error, weight, spread),
        people=_people(people, each, spread, endpoint),
        checked=True,
        left_out=(*model.left_out, *_strangers(model.states.strangers(people), people)),
    )


def own_clock(
    episodes: pd.DataFrame,
    people: pd.DataFrame,
    factors: Sequence[Factor],
    *,
    horizon: int,
    endpoint: Endpoint,
    as_of: dt.date,
) -> Forecast:
    """Forecast from how long customers of the same age stayed, where the calendar does not tell.

    That is where the history is too short for a window to be checked, or all who left did so at its
    end. A Cox model on each customer's own clock gives S(age + horizon) / S(age). No earlier
    forecast can be compared with what came, so it is not `checked`, and what differs from one
    period to the next is not in its intervals. Who would reach an age that nobody was followed to
    is left out, and counted.

    Parameters
    ----------
    episodes
        `start`, `stop` (days since time zero), one text column per factor, `event_observed`,
        `weight`, as `churn.episodes.collapsed` makes them.
    people
        The factors' columns, `age` (days since time zero) and `weight` of today's customers.

    Raises
    ------
    BadData
        If nobody had the event, a column is missing, or nobody is left for whom it can be told.
    """
    _refuse_nobody(people, as_of)
    checks.columns("people", people.columns, ["age"])
    states = design.of(episodes, factors)
    fitted = cox.fit(
        states.matrix(episodes),
        start=episodes["start"],
        stop=episodes["stop"],
        event_observed=episodes["event_observed"],
        weights=episodes["weight"],
    )
    followed = int(episodes["stop"].max())
    told = _within(people, followed, horizon)
    covariates, weight = states.matrix(told), told["weight"].to_numpy()
    since, day = told["age"], told["age"] + horizon
    total = cox.expected_events(fitted, covariates, since=since, day=day, weights=weight)
    each = cox.predict(fitted, covariates, since=since, day=day)
    spread = _Spread(between=0.0, windows=1, alpha=0.05)
    return Forecast(
        endpoint=endpoint,
        as_of=as_of,
        horizon=horizon,
        customers=int(weight.sum()),
        expected=_number(each, total.std_error, weight, spread),
        people=_people(told, each, spread, endpoint),
        checked=False,
        left_out=(*states.left_out, *_beyond(people, told, followed - horizon)),
    )


def _within(people: pd.DataFrame, followed: int, horizon: int) -> pd.DataFrame:
    """Keep those who will be no older at the horizon than somebody was followed to."""
    told = people[people["age"] + horizon <= followed]
    if told.empty:
        raise BadData(
            f"To look {horizon} days ahead, somebody must have been followed for {horizon} days "
            f"longer than a customer has been here, and {followed} days is the longest. Use a "
            "shorter horizon."
        )
    return told


def _beyond(people: pd.DataFrame, told: pd.DataFrame, oldest: int) -> tuple[str, ...]:
    """Say how many are left out for their age, if any."""
    count = int(people["weight"].sum() - told["weight"].sum())
    if not count:
        return ()
    return (
        f"{_of(count, people)} are not in the forecast: they have been here for more than "
        f"{oldest:,} days, and nobody has been followed long enough beyond.",
    )


def _strangers(count: int, people: pd.DataFrame) -> tuple[str, ...]:
    """Say how many are in a state of which nothing is known, if any."""
    if not count:
        return ()
    return (
        f"{_of(count, people)} are in a state that nobody was in before, so their chances are "
        "those of other states.",
    )


def _of(count: int, people: pd.DataFrame) -> str:
    if count < design.SMALLEST:  # beside the number of all a reader could take the forecast's off
        return f"Fewer than {design.SMALLEST} customers"
    return f"{count:,} of {people['weight'].sum():,} customers"


def ages(shop: Snapshot, endpoint: Endpoint, factors: Sequence[Factor]) -> pd.DataFrame:
    """Count today's customers as `own_clock` takes them: factors, `age`, `weight`.

    The age is the days since time zero of the spell that is open; of several, of the newest.
    """
    open_spells = endpoints.spells(shop, endpoint).filter(~_.event_observed)
    age = open_spells.group_by("customer_id").agg(age=_.day.min())
    rows = landmarks.people(shop, endpoint, factors).inner_join(age, "customer_id")
    by = [*(factor.name for factor in factors), "age"]
    frame = collect(rows.group_by(by).agg(weight=_.count()), max_rows=landmarks.ROWS)
    return frame.sort_values(by, ignore_index=True)


def allocation(forecast: Forecast) -> pd.DataFrame:
    """Share of the expected events that falls on the customers at highest risk.

    Customers of the same states are at the same risk, so a share of them brings the same share of
    their events.

    Returns
    -------
    DataFrame
        From 0 to 1 in steps of one twentieth: `top_share` (of customers), `customers`, `share` (of
        the expected losses; of the expected returns without a contract).
    """
    weight = forecast.people["weight"].to_numpy()
    good = forecast.people["probability"].to_numpy()
    risk = good if forecast.endpoint.kind == "returned" else 1 - good
    order = np.argsort(-risk, kind="stable")
    customers, events = (
        np.concatenate([[0.0], np.cumsum(values[order])]) for values in (weight, weight * risk)
    )
    top = np.linspace(0, 1, 21)
    share = np.interp(top * customers[-1], customers, events) / events[-1]
    whole = np.rint(top * customers[-1]).astype("int64")
    return pd.DataFrame({"top_share": top, "customers": whole, "share": share})


@dataclass(frozen=True, kw_only=True)
class _Spread:
    """What the log of a rate is off by: its own error and, between windows, that of a period."""

    between: float
    windows: int
    alpha: float

    def arm(self, std_error: Floats, moved: Floats) -> Floats:
        """Half the width of the interval of the log of a rate.

        `moved` is the derivative by which the standard error becomes one of that log. A variance of
        a few windows is itself uncertain: degrees of freedom by Satterthwaite (1946), Biometrics
        Bulletin 2, 110-114.
        """
        relative = np.divide(std_error, moved, out=np.zeros_like(moved), where=moved > 0)
        variance = relative**2 + self.between
        if not self.between:
            return float(ndtri(1 - self.alpha / 2)) * np.sqrt(variance)
        freedom = (self.windows - 1) * (variance / self.between) ** 2
        arm: Floats = student_isf(self.alpha / 2, freedom) * np.sqrt(variance)
        return arm


def _refuse_nobody(people: pd.DataFrame, as_of: dt.date) -> None:
    checks.columns("people", people.columns, ["weight"])
    if not people["weight"].sum():
        raise BadData(f"Nobody is a customer on {as_of}, so there is nothing to forecast.")


def _moved(survival: Floats) -> Floats:
    """By how much the chance of the event rises with the log of its rate."""
    return survival * -np.log(survival)


def _number(
    each: pd.DataFrame, std_error: float, weight: NDArray[np.int64], spread: _Spread
) -> Interval:
    """Expected events, with the bounds of the rates and of chance joined by root of squares."""
    survival = each["survival"].to_numpy()
    arm = spread.arm(np.array([std_error]), np.array([weight @ _moved(survival)]))
    value, low, high = (float(weight @ (1 - stay)) for stay in (survival, *_bounds(each, arm)))
    chance = ndtri(1 - spread.alpha / 2) * sqrt(float(weight @ (survival * (1 - survival))))
    return Interval(
        value=value,
        low=max(0.0, value - hypot(value - low, chance)),
        high=min(float(weight.sum()), value + hypot(high - value, chance)),
    )


def _people(
    people: pd.DataFrame, each: pd.DataFrame, spread: _Spread, endpoint: Endpoint
) -> pd.DataFrame:
    """Add the chance of the good thing and its interval."""
    survival = each["survival"].to_numpy()
    high, low = _bounds(each, spread.arm(each["std_error"].to_numpy(), _moved(survival)))
    if endpoint.kind == "returned":
        survival, low, high = 1 - survival, 1 - high, 1 - low
    return people.assign(probability=survival, low=low, high=high)


def _bounds(each: pd.DataFrame, arm: Floats) -> tuple[Floats, Floats]:
    """Survival with all rates lower, and higher, by a factor of ``exp(arm)``.

    Where no event has been seen, and the rate is zero, the lower bound of `cox.predict` stays.
    """
    survival = each["survival"].to_numpy()
    low = np.where(survival < 1, survival ** np.exp(arm), each["low"])
    return survival ** np.exp(-arm), low
