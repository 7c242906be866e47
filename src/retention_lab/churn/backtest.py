"""What earlier forecasts said, and what came.

Each origin is a day that saw only what was known then: its model is trained on windows that ended
by that day, and its forecast is compared with the window after it. Origins lie one horizon apart,
so no outcome is counted twice.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace

import pandas as pd

from retention_lab.checks import BadData
from retention_lab.churn import forecast as forecasts
from retention_lab.churn import model as models
from retention_lab.churn.endpoints import Endpoint
from retention_lab.inference.interval import Interval
from retention_lab.survival import daygrid, metrics
from retention_lab.survival.estimate import Estimate
from retention_lab.tables.playbook import Factor

MOST_STRANGERS = 0.1  # of the customers of an origin; with more it is too early to learn


@dataclass(frozen=True, kw_only=True)
class Backtest:
    """How well earlier forecasts told how many, and all together who.

    `origins` has a row per forecast: `origin`, `customers`, `expected` (number of events), `low`,
    `high`, `observed`, `held` (whether that lies between the two). `calibration` has one per tenth
    of the customers by probability of the good thing (to stay; to return): `group`, `n`,
    `predicted`, `observed`, `low`, `high`. `brier_null` is the score of somebody who knows only the
    share of the earlier windows. `left_out` are sentences of days from which nothing could be said.
    """

    origins: pd.DataFrame
    calibration: pd.DataFrame
    brier: Interval
    brier_null: Interval
    concordance: Interval
    auc: Interval
    left_out: tuple[str, ...] = ()


def backtest(
    landmarks: pd.DataFrame,
    factors: Sequence[Factor],
    *,
    horizon: int,
    as_of: dt.date,
    endpoint: Endpoint,
    origins: int = 8,
) -> Backtest:
    """Forecast from up to `origins` earlier days, and compare with what came by `as_of`.

    Parameters
    ----------
    landmarks
        As `churn.model.fit` takes them.

    Raises
    ------
    BadData
        If no earlier day has both a window after it and enough events before it to learn from.
    """
    seen = landmarks[landmarks["landmark"] <= pd.Timestamp(as_of - dt.timedelta(days=horizon))]
    if seen.empty:
        raise BadData(
            f"The history does not reach back {horizon} days from {as_of}, so no earlier forecast "
            "can be compared with what came. Wait, or use a shorter horizon."
        )
    windows = models.training(seen, horizon=horizon)
    judged, unjudged, why = [], [], ""
    for origin in sorted(windows["landmark"].unique())[-origins:]:
        before = seen[seen["landmark"] <= origin - pd.Timedelta(days=horizon)]
        window = windows[windows["landmark"] == origin]
        try:
            judged.append(_judged(before, window, factors, horizon=horizon, endpoint=endpoint))
        except BadData as error:  # too early to learn from what came before
            why = str(error)
            unjudged.append(f"The forecast of {origin.date()} is not judged. {why}")
    if not judged:
        raise BadData(f"No earlier forecast can be compared with what came by {as_of}. {why}")
    lines, rows = zip(*judged, strict=True)
    pooled = pd.concat(rows).groupby(["predicted", "null", "day", "event_observed"])
    found = _pooled(pd.DataFrame(lines), pooled["weight"].sum().reset_index(), endpoint, horizon)
    return replace(found, left_out=tuple(unjudged))


def _judged(
    before: pd.DataFrame,
    window: pd.DataFrame,
    factors: Sequence[Factor],
    *,
    horizon: int,
    endpoint: Endpoint,
) -> tuple[dict[str, object], pd.DataFrame]:
    """Forecast one window from those before it: a line of `origins`, and the window's rows."""
    if before.empty:
        raise BadData("No window ends before its first day.")
    origin = window["landmark"].iloc[0]
    model = models.fit(before, factors, horizon=horizon)
    names = [factor.name for factor in factors]
    people = window.groupby(names)["weight"].sum().reset_index()
    if model.states.strangers(people) > MOST_STRANGERS * people["weight"].sum():
        raise BadData(
            f"On {origin.date()} more than {MOST_STRANGERS:.0%} of the customers were in a state "
            "that nobody had been in before."
        )
    said = forecasts.forecast(model, people, endpoint=endpoint, as_of=origin.date())
    observed = int((window["weight"] * window["event_observed"]).sum())
    line = {
        "origin": origin,
        "customers": said.customers,
        **{name: getattr(said.expected, name) for name in ("low", "high")},
        "expected": said.expected.value,
        "observed": observed,
        "held": said.expected.low <= observed <= said.expected.high,
    }
    rows = window.merge(said.people[[*names, "probability"]], on=names)
    stays = 1 - rows["probability"] if endpoint.kind == "returned" else rows["probability"]
    return line, rows.assign(predicted=stays, null=_share(before, horizon))


def _share(before: pd.DataFrame, horizon: int) -> float:
    """Share without the event at the end of earlier windows, whatever the factors."""
    rows = models.training(before, horizon=horizon)
    events = rows["weight"] * rows["event_observed"]
    grid = pd.DataFrame({"day": rows["day"], "events": events, "censored": rows["weight"] - events})
    curve = daygrid.kaplan_meier(grid)
    return float(daygrid.survival_at(curve, [horizon])["survival"].iloc[0])


def _pooled(
    origins: pd.DataFrame, rows: pd.DataFrame, endpoint: Endpoint, horizon: int
) -> Backtest:
    """Score the predictions of all origins together."""
    days, event, weights = rows["day"], rows["event_observed"], rows["weight"]
    stays, risk = rows["predicted"], 1 - rows["predicted"]
    scores = [
        metrics.brier(days, event_observed=event, predicted=each, day=horizon, weights=weights)
        for each in (stays, rows["null"])
    ]
    tenths = metrics.calibration(
        days, event_observed=event, predicted=stays, day=horizon, weights=weights
    )
    ranked = metrics.concordance(days, event_observed=event, risk=risk, weights=weights)
    at_end = metrics.auc(days, event_observed=event, risk=risk, day=horizon, weights=weights)
    return Backtest(
        origins=origins[_LINE],
        calibration=_calibration(tenths, endpoint),
        brier=_interval(scores[0]),
        brier_null=_interval(scores[1]),
        concordance=_interval(ranked),
        auc=_interval(at_end),
    )


_LINE = ["origin", "customers", "expected", "low", "high", "observed", "held"]


def _calibration(stay: pd.DataFrame, endpoint: Endpoint) -> pd.DataFrame:
    """Turn the shares of those who stay without the event into those of the good thing."""
    if endpoint.kind != "returned":
        return stay
    turned = stay[::-1].reset_index(drop=True)
    shares = 1 - turned[["predicted", "observed", "high", "low"]].to_numpy()
    turned[["predicted", "observed", "low", "high"]] = shares
    return turned.assign(group=range(1, len(turned) + 1))


def _interval(estimate: Estimate) -> Interval:
    return Interval(value=estimate.value, low=estimate.low, high=estimate.high)
