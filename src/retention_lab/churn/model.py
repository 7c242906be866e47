"""Landmark model: what is known at the end of a day, and who has the event in the days after it.

A landmark is a day on which everybody's factors are known; its window, the `horizon` days after,
shows who left or came back. The windows that a model is trained on do not overlap, so each outcome
counts once, and end before the day from which it looks ahead. All share one baseline; how far the
windows themselves differ, beyond chance, is estimated and widens what is said of the next one.

References
----------
van Houwelingen (2007), Scandinavian Journal of Statistics 34, 70-85: landmarks.
DerSimonian & Laird (1986), Controlled Clinical Trials 7, 177-188: variance between periods.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import pandas as pd

from retention_lab import checks
from retention_lab.checks import BadData, BadParameter
from retention_lab.churn import design
from retention_lab.churn.design import Design
from retention_lab.survival import cox
from retention_lab.survival.cox import CoxFit
from retention_lab.tables.playbook import Factor

LEAST_EVENTS = 10
FEWEST_WINDOWS = 3  # from which it can be told how much they differ
_TOO_FEW_WINDOWS = (
    f"There are fewer than {FEWEST_WINDOWS} periods to learn from, so the intervals do not allow "
    "for one period being unlike another."
)


@dataclass(frozen=True, kw_only=True)
class Model:
    """A Cox model of the days from a landmark to the event.

    `trained` are the first and last landmark, `windows` a table of them (`landmark`, `customers`,
    `events`, `expected` by the model), `between` the variance of the log rate of the next window
    about the model's (zero where there are fewer than three), `counts` the `customers`, once a
    window, and `events` of each column (`name`). `left_out` are sentences.
    """

    fit: CoxFit
    states: Design
    horizon: int
    trained: tuple[dt.date, dt.date]
    windows: pd.DataFrame
    between: float
    counts: pd.DataFrame
    left_out: tuple[str, ...]

    @property
    def factors(self) -> tuple[Factor, ...]:
        """Those that tell customers apart."""
        return self.states.factors

    @property
    def levels(self) -> Mapping[str, tuple[design.Group, ...]]:
        """The groups of states of each factor, its reference first."""
        return self.states.levels

    def design(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Columns "factor: state" of 0 and 1, as `churn.design.Design.matrix` makes them."""
        return self.states.matrix(frame)


def training(landmarks: pd.DataFrame, *, horizon: int) -> pd.DataFrame:
    """Rows of the landmarks whose windows are complete and apart, from the last one back.

    Raises
    ------
    BadParameter
        If the table looks further ahead than `horizon`.
    BadData
        If columns are missing, or no window is complete.
    """
    checks.at_least("horizon", horizon, 1)
    checks.columns("landmarks", landmarks.columns, ["landmark", "day", "event_observed", "weight"])
    last = landmarks.groupby("landmark")["day"].max()
    if last.max() > horizon:
        raise BadParameter(
            f"The landmarks look {last.max()} days ahead, and the horizon is {horizon}. Use one."
        )
    # Somebody is still there at the end of every complete window, and of none that is cut off.
    complete = last.index[last.index <= last.index[last == horizon].max()]
    if complete.empty:
        raise BadData(
            f"No landmark has been followed for {horizon} days. Wait, or use a shorter horizon."
        )
    apart = [complete[-1]]
    for landmark in complete[::-1]:
        if (apart[-1] - landmark).days >= horizon:
            apart.append(landmark)
    return landmarks[landmarks["landmark"].isin(apart)]


def fit(landmarks: pd.DataFrame, factors: Sequence[Factor], *, horizon: int) -> Model:
    """Learn from all windows that `training` takes.

    Parameters
    ----------
    landmarks
        As `churn.landmarks.landmarks` makes them: `landmark`, one text column per factor, `day` (1
        to `horizon`), `event_observed`, `weight`; none that is later than `horizon` days before the
        day from which the model is to look ahead.
    factors
        Those of the table's columns to use.

    Raises
    ------
    BadParameter, BadData
        As `training`, `churn.design.of` and `survival.cox.fit` do, or if there was no event.
    """
    frame = training(landmarks, horizon=horizon)
    first, last = (frame["landmark"].agg(end).date() for end in ("min", "max"))
    events = int((frame["weight"] * frame["event_observed"]).sum())
    if events < LEAST_EVENTS:
        raise BadData(
            f"{events} customers had the event within {horizon} days of a landmark from {first} to "
            f"{last}, and to learn from them takes {LEAST_EVENTS} or more. Wait for them."
        )
    made = design.of(frame, factors)
    if not made.factors:
        raise BadData(
            f"None of the factors ({', '.join(each.name for each in factors) or 'none given'}) "
            "tells customers apart. Give the playbook others, or wait for more customers."
        )
    patterns = made.matrix(frame)
    covariates = list(patterns.columns)
    rows = pd.concat([patterns, frame[["day", "event_observed", "weight"]]], axis=1)
    rows = rows.groupby([*covariates, "day", "event_observed"])["weight"].sum().reset_index()
    fitted = cox.fit(
        rows[covariates],
        stop=rows["day"],
        event_observed=rows["event_observed"],
        weights=rows["weight"],
    )
    windows = _windows(frame, patterns, fitted)
    few = () if len(windows) >= FEWEST_WINDOWS else (_TOO_FEW_WINDOWS,)
    return Model(
        fit=fitted,
        states=made,
        horizon=horizon,
        trained=(first, last),
        windows=windows,
        between=_between(windows),
        counts=_counts(frame, patterns),
        left_out=(*made.left_out, *few),
    )


def _windows(frame: pd.DataFrame, patterns: pd.DataFrame, fitted: CoxFit) -> pd.DataFrame:
    """Customers, events and events expected by the model of each window."""
    baseline = fitted.baseline
    upto = np.searchsorted(baseline["day"], frame["day"], side="right")
    hazard = np.concatenate([[0.0], baseline["cumulative"]])[upto]
    expected = hazard * np.exp(patterns.to_numpy() @ fitted.coefficients)
    weight = frame["weight"]
    rows = pd.DataFrame(
        {
            "customers": weight,
            "events": weight * frame["event_observed"],
            "expected": weight * expected,
        }
    )
    return rows.groupby(frame["landmark"]).sum().reset_index()


def _between(windows: pd.DataFrame) -> float:
    """Variance of the log rate of a new window: between windows, and of their mean.

    The moment estimate of the variance of observed over expected events, each of which is one on
    average and has Poisson variance ``1 / expected`` besides.
    """
    events, expected = windows["events"].to_numpy(), windows["expected"].to_numpy()
    if len(events) < FEWEST_WINDOWS:
        return 0.0
    share = expected / expected.sum()
    excess = ((events - expected) ** 2 / expected).sum() - (len(events) - 1)
    between = excess / (expected.sum() * (1 - share @ share))
    return max(0.0, float(between * (1 + share @ share)))


def _counts(frame: pd.DataFrame, patterns: pd.DataFrame) -> pd.DataFrame:
    """Customers (once a window) and events of each column of a design."""
    weight = frame["weight"].to_numpy()
    events = weight * frame["event_observed"].to_numpy()
    counts = {
        name: (each @ patterns.to_numpy()).astype("int64")
        for name, each in (("customers", weight), ("events", events))
    }
    return pd.DataFrame({"name": patterns.columns, **counts})


class Fitted(Protocol):
    """A Cox model of a design, with how many stand behind each of its columns."""

    @property
    def fit(self) -> CoxFit:
        """The Cox model."""
        ...

    @property
    def counts(self) -> pd.DataFrame:
        """`name` of a column, its `customers` and `events`."""
        ...

    @property
    def factors(self) -> tuple[Factor, ...]:
        """Those that tell customers apart."""
        ...

    @property
    def levels(self) -> Mapping[str, tuple[design.Group, ...]]:
        """The groups of states of each factor, its reference first."""
        ...


def coefficients(model: Fitted, *, alpha: float = 0.05) -> pd.DataFrame:
    """How much more often the event comes in each state than in the reference of its factor.

    A comparison of customers who differ in much else, too; no proof of a cause.

    Returns
    -------
    DataFrame
        One row per state but the references: `factor`, `label`, `state`, `reference`,
        `hazard_ratio`, `low`, `high`, `p_value`, `customers` (in the state, counted once a window),
        `events`.
    """
    told = [
        {
            "name": design.column(factor, group),
            "factor": factor.name,
            "label": factor.label,
            "state": design.words(group),
            "reference": design.words(model.levels[factor.name][0]),
        }
        for factor in model.factors
        for group in model.levels[factor.name][1:]
    ]
    ratios = model.fit.summary(alpha=alpha)[["name", "hazard_ratio", "low", "high", "p_value"]]
    return pd.DataFrame(told).merge(ratios, on="name").merge(model.counts).drop(columns="name")
