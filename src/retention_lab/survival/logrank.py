"""Log-rank tests on a day grid: whether groups lose their units at one pace."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import chdtrc

from retention_lab import checks
from retention_lab.checks import BadData
from retention_lab.survival.daygrid import Floats, staying
from retention_lab.survival.tally import tally


@dataclass(frozen=True, kw_only=True)
class LogRank:
    """A log-rank test of the groups of one column.

    `groups` has one row per group, in order: `group`, `n` (units), `observed` (events), `expected`
    (events, had all groups one pace) and `variance` (of their difference, were that so), these
    three weighted as the test is.
    """

    statistic: float
    degrees_of_freedom: int
    p_value: float
    groups: pd.DataFrame


def logrank(
    grid: pd.DataFrame,
    *,
    by: str = "group",
    stratum: str | None = None,
    rho: float = 0.0,
    gamma: float = 0.0,
) -> LogRank:
    """Test that two or more groups have one hazard, within each stratum where there are such.

    Parameters
    ----------
    grid
        As `tally` takes it, with the columns that the next two name.
    by, stratum
        Column of the groups to compare, and of the strata to compare them within.
    rho, gamma
        Fleming-Harrington weight of a day, S^rho (1 - S)^gamma, S being the Kaplan-Meier curve of
        all groups of the stratum just before it: (0, 0) weighs all events alike, (1, 0) early ones
        more, (0, 1) late ones.

    Returns
    -------
    LogRank
        Chi-squared with one degree of freedom less than there are groups.

    Raises
    ------
    BadParameter
        If `rho` or `gamma` is negative.
    BadData
        As `tally` does; or if there is one group only, no event, or a group of which nobody was at
        risk with others when an event happened.

    References
    ----------
    Fleming & Harrington (1991), Counting Processes and Survival Analysis, s. 7.2; variance of the
    hypergeometric distribution.
    """
    power = (checks.at_least("rho", rho, 0), checks.at_least("gamma", gamma, 0))
    groups = _groups(grid, by, stratum)
    names = groups["group"].tolist()
    strata = [grid]
    if stratum is not None:
        strata = [part for _, part in grid.groupby(stratum, observed=True)]
    sums = [_sums(part, by=by, names=names, power=power) for part in strata]
    observed, expected, covariance = (np.sum(each, axis=0) for each in zip(*sums, strict=True))
    _refuse_incomparable(covariance, names, by)
    apart = (observed - expected)[:-1]
    statistic = float(apart @ np.linalg.solve(covariance[:-1, :-1], apart))
    return LogRank(
        statistic=statistic,
        degrees_of_freedom=len(apart),
        p_value=float(chdtrc(len(apart), statistic)),
        groups=groups.assign(observed=observed, expected=expected, variance=covariance.diagonal()),
    )


def _groups(grid: pd.DataFrame, by: str, stratum: str | None) -> pd.DataFrame:
    """Units of each group, once the grid is known to hold what a test needs."""
    checks.columns("grid", grid.columns, [by] if stratum is None else [by, stratum])
    for column in (by, stratum):
        if column is not None and grid[column].isna().any():
            raise BadData(f"The column {column} lacks values: name these units, or leave them out.")
    if not tally(grid)["events"].any():
        raise BadData("No group has had an event yet, so there is nothing to compare: wait longer.")
    units = (grid["events"] + grid["censored"]).groupby(grid[by], observed=True).sum()
    units = units[units > 0]
    if len(units) < 2:
        raise BadData(
            f"The column {by} holds only {units.index[0]!r}, and a comparison needs two groups: "
            "choose another column, or more data."
        )
    return units.rename("n").rename_axis("group").reset_index()


def _sums(
    grid: pd.DataFrame, *, by: str, names: list[object], power: tuple[float, float]
) -> tuple[Floats, Floats, Floats]:
    """Weighted events that were observed and expected in one stratum, and their covariance."""
    day = np.unique(grid["day"], return_inverse=True)[1]
    cell = (day, pd.Index(names).get_indexer(pd.Index(grid[by])))
    events, left = np.zeros((2, day.max() + 1, len(names)))
    np.add.at(events, cell, grid["events"])
    np.add.at(left, cell, grid["events"] + grid["censored"] - grid.get("entered", 0))
    at_risk = left[::-1].cumsum(axis=0)[::-1]
    happened = events.any(axis=1)
    events, at_risk = events[happened], at_risk[happened]
    d, n = events.sum(axis=1), at_risk.sum(axis=1)
    weight = _weight(staying(n, d), power)
    shares = at_risk / n[:, None]
    spread = weight**2 * d * (n - d) / np.maximum(n - 1, 1)
    covariance = np.diag(spread @ shares) - (shares * spread[:, None]).T @ shares
    return weight @ events, (weight * d) @ shares, covariance


def _weight(survival: Floats, power: tuple[float, float]) -> Floats:
    """Weight of each day by the curve just before it."""
    before = np.append(1.0, survival)[:-1]
    return before ** power[0] * (1 - before) ** power[1]


def _refuse_incomparable(covariance: Floats, names: list[object], by: str) -> None:
    """Refuse groups that were never at risk beside others, as the test is blind to them."""
    own = covariance.diagonal()
    alone = [str(name) for name, variance in zip(names, own, strict=True) if variance <= 0]
    if not alone:
        correlation = (covariance / np.sqrt(np.outer(own, own)))[:-1, :-1]
        if np.linalg.matrix_rank(correlation, tol=1e-9, hermitian=True) == len(names) - 1:
            return
    raise BadData(
        f"The groups of {by} cannot all be compared: "
        f"{', '.join(alone) or 'some'} had nobody at risk together with other groups when events "
        "happened. Leave these out, or put groups or strata together."
    )
