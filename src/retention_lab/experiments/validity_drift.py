"""Whether the effect of a test is the same for early and late enrolment, and early and late on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import expit

from retention_lab import checks
from retention_lab.checks import BadData
from retention_lab.inference.tails import chi2_sf

Floats = NDArray[np.float64]
LEAST_EVENTS = 20  # in control, and in the other arms together: a chi-squared needs some


@dataclass(frozen=True, kw_only=True)
class Drift:
    """P-values of no drift of the hazard ratio: from week to week, and from day to day.

    Each is at one value of the other: a novelty that wears off within days is none of enrolment,
    though whoever came late has only been seen while it lasted. `by_week` is None while customers
    of one week only have been compared.
    """

    by_week: float | None
    by_day: float


def drift(grid: pd.DataFrame, *, control: str) -> Drift:
    """Test that the hazard ratio of all other arms to control does not drift.

    Of the events of a day and week of enrolment the arms have a binomial share, by Cox's partial
    likelihood; its logit is a constant plus slopes on the week and on the share of all events that
    came before the day. Each slope is tested by its score, given the other.

    Parameters
    ----------
    grid
        `week`, `arm`, `day`, `events`, `censored`.

    Raises
    ------
    BadData
        If control or the others have had fewer than 20 events beside each other, or all came on one
        day.

    References
    ----------
    Grambsch & Therneau (1994), Biometrika 81, 515-526, of which this is the case of two groups with
    strata and one more slope.
    """
    checks.columns("grid", grid.columns, ["week", "arm", "day", "events", "censored"])
    cells = _cells(grid, control=control)
    treated = int(cells["treated"].sum())
    if min(treated, int(cells["events"].sum()) - treated) < LEAST_EVENTS:
        raise BadData(
            f"Fewer than {LEAST_EVENTS} events of control or of the other arms can be compared, so "
            "no drift could be told from chance: wait for more."
        )
    week = (cells["week"] - cells["week"].min()) / pd.Timedelta(days=7)
    both = [_centred(each, cells["events"]) for each in (week, _passed(cells))]
    if not both[1].any():
        raise BadData("All events came on one day, so no drift from day to day can be told: wait.")
    return Drift(
        by_week=_p_value(cells, both[0], given=both[1]) if both[0].any() else None,
        by_day=_p_value(cells, both[1], given=both[0]),
    )


def _cells(grid: pd.DataFrame, *, control: str) -> pd.DataFrame:
    """Weeks and days on which control and others, side by side, had events.

    Returns
    -------
    DataFrame
        `week`, `day`, `events`, of them `treated`, and at risk `n` and `n_treated`.
    """
    others, left = grid["arm"] != control, grid["events"] + grid["censored"]
    told = grid.assign(treated=grid["events"] * others, n=left, n_treated=left * others)
    counts = told.groupby(["week", "day"])[["events", "treated", "n", "n_treated"]].sum()
    leaving = counts[["n", "n_treated"]]
    at_risk = leaving[::-1].groupby("week").cumsum()[::-1]
    cells = counts.assign(**at_risk).reset_index()
    beside = (cells["n_treated"] > 0) & (cells["n_treated"] < cells["n"])
    return cells[beside & (cells["events"] > 0)]


def _passed(cells: pd.DataFrame) -> pd.Series:
    """Share of all events that came before the day: a clock that runs as events do."""
    by_day = cells.groupby("day")["events"].sum().sort_index()
    return cells["day"].map((by_day.cumsum() - by_day) / by_day.sum())


def _centred(values: pd.Series, weights: pd.Series) -> Floats:
    centred: Floats = (values - np.average(values, weights=weights)).to_numpy("float64")
    return centred


def _p_value(cells: pd.DataFrame, slope: Floats, *, given: Floats) -> float:
    """Score test of a slope that joins a constant and the given one."""
    columns = [np.ones_like(given), *([given] if given.any() else [])]
    design = np.column_stack(columns)
    share = _fitted(cells, design)
    events, n = cells["events"].to_numpy("float64"), cells["n"].to_numpy("float64")
    # Events of one day share those at risk: hypergeometric, not binomial.
    variance = events * share * (1 - share) * (n - events) / np.maximum(n - 1, 1)
    root = np.sqrt(variance)
    fitted = np.linalg.lstsq(design * root[:, None], slope * root, rcond=None)[0]
    left = slope - design @ fitted  # what the given columns do not explain of it
    information = float(variance @ left**2)
    if not information > 1e-9:
        raise BadData("Week and day of the events go together, so their drifts cannot be told.")
    score = float(left @ (cells["treated"].to_numpy() - events * share))
    return float(chi2_sf(score**2 / information, 1))


def _fitted(cells: pd.DataFrame, design: Floats) -> Floats:
    """Shares of the events that the treated have by the fit of these columns."""
    events, treated = cells["events"].to_numpy("float64"), cells["treated"].to_numpy("float64")
    offset = np.log(cells["n_treated"] / (cells["n"] - cells["n_treated"])).to_numpy()
    slopes = np.zeros(design.shape[1])
    for _ in range(50):
        share = expit(offset + design @ slopes)
        information = design.T @ (design * (events * share * (1 - share))[:, None])
        step = np.linalg.lstsq(information, design.T @ (treated - events * share), rcond=None)[0]
        slopes = slopes + np.clip(step, -2, 2)
        if np.abs(step).max() < 1e-10:
            break
    fitted: Floats = expit(offset + design @ slopes)
    return fitted
