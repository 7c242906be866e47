"""Cumulative incidence: the share that has had the event by each cause, the others competing."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.special import ndtri

from retention_lab import checks
from retention_lab.checks import BadData
from retention_lab.survival.daygrid import (
    Counts,
    Floats,
    bounds,
    greenwood,
    refuse_beyond,
    staying,
)
from retention_lab.survival.tally import CAUSE, tally


def cumulative_incidence(grid: pd.DataFrame, *, alpha: float = 0.05) -> pd.DataFrame:
    """Share that has had the event by each cause after each day (Aalen-Johansen).

    With the survival curve the shares of all causes sum to 1. Ties are counted as they are.

    Parameters
    ----------
    grid
        As `tally` takes it, with one column `events_<cause>` per cause.
    alpha
        One minus the confidence level of the pointwise intervals.

    Returns
    -------
    DataFrame
        For each cause one row for day 0 and for each day on which anybody left or came, in order:
        `cause`, `day`, `at_risk`, `events` (of that cause), `incidence`, `std_error` (delta
        method), `low`, `high` (log-log of the rest; Wilson's interval at 0 and 1). Of one cause
        alone, all is that of `kaplan_meier`.

    Raises
    ------
    BadData
        As `tally` does; or if the grid has no causes, or they do not add up to the events.

    References
    ----------
    Aalen & Johansen (1978), Scandinavian Journal of Statistics 5, 141-150; variance: Marubini &
    Valsecchi (1995), Analysing Survival Data from Clinical Trials, s. 10.4.
    """
    z = float(ndtri(1 - checks.share("alpha", alpha) / 2))
    days = tally(grid)
    names = _causes(days)
    at_risk, events = days["at_risk"].to_numpy(), days["events"].to_numpy()
    stay = staying(at_risk, events)
    before = np.append(1.0, stay)[:-1]
    pace = before / np.maximum(at_risk, 1)
    shares = {name: np.cumsum(pace * days[name].to_numpy()) for name in names}
    parts = []
    for name in names:
        own = days[name].to_numpy()
        others = [shares[other] for other in names if other != name]
        # Exactly 1 before the first event of the cause, where a sum would be a last bit off.
        rest = np.where(shares[name] > 0, stay + np.sum(others, axis=0), 1.0)
        std_error = np.sqrt(_variance(at_risk, events, own, before))
        relative = np.divide(std_error, rest, where=rest > 0, out=np.zeros(len(rest)))
        low, high = bounds(rest, relative**2, at_risk, z)
        part = days[["day", "at_risk"]].assign(
            events=own, incidence=shares[name], std_error=std_error, low=1 - high, high=1 - low
        )
        part.insert(0, "cause", name.removeprefix(CAUSE))
        parts.append(part)
    return pd.concat(parts, ignore_index=True)


def incidence_at(curves: pd.DataFrame, day: float) -> pd.DataFrame:
    """Read the curves of `cumulative_incidence` at one day.

    Returns
    -------
    DataFrame
        One row per cause: `cause`, `day`, `incidence`, `std_error`, `low`, `high`.

    Raises
    ------
    BadData
        As `refuse_beyond` does.
    """
    refuse_beyond(curves, day)
    last = curves[curves["day"] <= day].groupby("cause", sort=False).tail(1)
    columns = ["cause", "day", "incidence", "std_error", "low", "high"]
    return last.assign(day=day)[columns].reset_index(drop=True)


def _variance(at_risk: Counts, events: Counts, own: Counts, before: Floats) -> Floats:
    """Variance by sums of what each day adds, so that nothing large is taken from anything large.

    Marubini and Valsecchi's three terms are sums over earlier days s of (F(t) - F(s))^2, of
    1 and of F(t) - F(s). Powers of the rise F(t) - F(s) grow by a day's own rise alone.
    """
    n = np.maximum(at_risk, 1).astype("float64")
    rise = before * own / n

    def earlier(sums: Floats) -> Floats:
        return np.append(0.0, np.cumsum(sums))[:-1]

    weight = greenwood(at_risk, events)
    sums = earlier(weight)
    squared = np.cumsum(2 * rise * earlier(rise * sums) + rise**2 * sums)
    alone = np.cumsum(before**2 * own * (n - own) / n**3)
    crossed = np.cumsum(rise * earlier(before * own / n**2))
    variance: Floats = np.maximum(squared + alone - 2 * crossed, 0)
    return variance


def _causes(days: pd.DataFrame) -> list[str]:
    names = [name for name in days.columns if str(name).startswith(CAUSE)]
    if not names:
        raise BadData(f"The grid counts no causes: it needs a column {CAUSE}<cause> for each.")
    if (wrong := days[names].sum(axis=1) != days["events"]).any():
        raise BadData(
            f"The causes {', '.join(names)} do not add up to the events of day "
            f"{days.loc[wrong, 'day'].iloc[0]:g}: give the events of no known cause a column too."
        )
    return names
