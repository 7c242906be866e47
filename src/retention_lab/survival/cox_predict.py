"""What a fitted Cox model says about customers: survival to a day, and events to expect."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.special import ndtri

from retention_lab import checks
from retention_lab.checks import BadData, BadParameter
from retention_lab.survival import cox_input
from retention_lab.survival.cox_fit import CoxFit
from retention_lab.survival.cox_rows import Floats, Places, between


@dataclass(frozen=True, kw_only=True)
class Expected:
    """A number of events to expect, and the standard error of that expectation.

    The error is that of the estimate alone; the events that come scatter about it besides.
    """

    value: float
    std_error: float


def predict(
    fit: CoxFit,
    covariates: pd.DataFrame,
    *,
    day: ArrayLike,
    since: ArrayLike = 0,
    stratum: object = None,
    alpha: float = 0.05,
) -> pd.DataFrame:
    """Share expected to be without the event after `day`, of those without it after `since`.

    Parameters
    ----------
    covariates
        The columns of the fit, one row per customer.
    day, since
        Days on the clock of the fit, one for all or one per row; `since` 0 is time zero itself.
    stratum
        Needed where the fit has strata: one for all or one per row.
    alpha
        One minus the confidence level.

    Returns
    -------
    DataFrame
        Index as `covariates`: `survival`, `std_error`, `low`, `high` (log-log, with what is
        uncertain in coefficients, robust where the fit is, and in the baseline, as if events came
        one by one; where no event was seen between the two days, Wilson's interval of those still
        at risk afterwards, counted in customers like this one).

    Raises
    ------
    BadParameter
        If `day` does not lie after `since`, or the stratum is not one of the fit's.
    BadData
        If a column is missing, or a day lies outside the follow-up of the stratum.

    References
    ----------
    Therneau & Grambsch (2000), Modeling Survival Data, s. 10.2.3.
    """
    z = float(ndtri(1 - checks.share("alpha", alpha) / 2))
    path = _path(fit, covariates, day=day, since=since, stratum=stratum)
    hazard, error = path.hazard, np.sqrt(path.variance(fit))
    spread = np.exp(z * np.divide(error, hazard, out=np.zeros_like(error), where=hazard > 0))
    alike = np.append(fit.risk.at_risk, 0)[path.after] / path.relative
    alike[path.after == fit.rows.cells.bounds[path.stratum + 1]] = 0
    low = np.where(hazard > 0, np.exp(-hazard * spread), alike / (alike + z**2))
    frame = {
        "survival": np.exp(-hazard),
        "std_error": np.exp(-hazard) * error,
        "low": low,
        "high": np.exp(-hazard / spread),
    }
    return pd.DataFrame(frame, index=covariates.index)


def expected_events(
    fit: CoxFit,
    covariates: pd.DataFrame,
    *,
    day: ArrayLike,
    since: ArrayLike = 0,
    stratum: object = None,
    weights: ArrayLike | None = None,
) -> Expected:
    """Events to expect by `day` among customers without one after `since`; as `predict`.

    The standard error is one for the sum: predictions of one model go up and down together.
    """
    path = _path(fit, covariates, day=day, since=since, stratum=stratum)
    counts = np.ones(len(covariates)) if weights is None else np.asarray(weights, dtype="float64")
    survival = np.exp(-path.hazard)
    # What a change of the hazard per unit of baseline would change in the sum, row by row.
    moved = counts * survival * path.relative
    cells = len(fit.rows.cells.keys)
    opened = np.bincount(path.first, moved, cells + 1) - np.bincount(path.after, moved, cells + 1)
    chance = fit.risk.squares[0] @ opened.cumsum()[:-1] ** 2
    slope = (counts * survival) @ path.slopes(fit)
    variance = chance + slope @ _standardised_covariance(fit) @ slope
    return Expected(value=float(counts @ -np.expm1(-path.hazard)), std_error=float(variance**0.5))


@dataclass(frozen=True, kw_only=True, repr=False)
class _Path:
    """Customers' ways through the cells of a fit, in its standardised units."""

    x: Floats
    relative: Floats  # hazard of each row in steps of the baseline
    stratum: Places
    first: Places
    after: Places
    hazard: Floats  # cumulative

    def slopes(self, fit: CoxFit) -> Floats:
        """Derivative of each cumulative hazard by the coefficients (rows x columns)."""
        mean = self.relative * between(fit.risk.slopes, self.first, self.after)
        return self.x * self.hazard[:, None] - mean.T

    def variance(self, fit: CoxFit) -> Floats:
        """Variance of each cumulative hazard: of the baseline, and of the coefficients."""
        baseline = self.relative**2 * between(fit.risk.squares[0], self.first, self.after)
        slopes = self.slopes(fit)
        quadratic: Floats = ((slopes @ _standardised_covariance(fit)) * slopes).sum(axis=1)
        return baseline + quadratic


def _path(
    fit: CoxFit, covariates: pd.DataFrame, *, day: ArrayLike, since: ArrayLike, stratum: object
) -> _Path:
    rows, cells, n = fit.rows, fit.rows.cells, len(covariates)
    columns = [cox_input.column(covariates, name) for name in fit.names]
    x = (np.column_stack(columns) if columns else np.empty((n, 0))) - rows.centre
    x /= rows.scale
    code = _codes(fit, stratum, n)
    until, begin = (np.broadcast_to(np.asarray(each, "float64"), n) for each in (day, since))
    _refuse_outside(fit, code, begin, until)
    # Day 0 is part of the time since time zero, as it is for rows without a start.
    first = cells.after(code, np.where(begin > 0, begin, -np.inf))
    after = cells.after(code, until)
    relative = np.exp(x @ (fit.coefficients * rows.scale) - fit.risk.shift)
    hazard = relative * between(fit.risk.steps, first, after)
    return _Path(x=x, relative=relative, stratum=code, first=first, after=after, hazard=hazard)


def _codes(fit: CoxFit, stratum: object, n: int) -> Places:
    labels = fit.rows.cells.strata
    if stratum is None and len(labels) == 1:
        return np.zeros(n, dtype="int64")
    asked = pd.Series(stratum, index=range(n))
    codes = labels.get_indexer(pd.Index(asked))
    if (codes < 0).any():
        checks.known("The fit", "stratum", map(str, asked[codes < 0]), map(str, labels))
    return codes.astype("int64")


def _refuse_outside(fit: CoxFit, code: Places, since: Floats, day: Floats) -> None:
    cells = fit.rows.cells
    if not (since < day).all():
        row = int(np.argmin(since < day))
        raise BadParameter(f"day must lie after since, got {day[row]:g} and {since[row]:g}.")
    late = day > cells.followed[code]
    if late.any():
        raise BadData(
            f"Day {day[late].max():g} lies beyond the {cells.followed[code][late].min():g} days "
            "that anybody was followed: ask for an earlier day, or wait for longer follow-up."
        )
    early = since < cells.entered[code]
    if early.any():
        raise BadData(
            f"Nobody was followed before day {cells.entered[code][early].max():g}, so nothing is "
            f"known since day {since[early].min():g}: set since to that day or later."
        )


def _standardised_covariance(fit: CoxFit) -> Floats:
    scaled: Floats = fit.covariance * np.outer(fit.rows.scale, fit.rows.scale)
    return scaled
