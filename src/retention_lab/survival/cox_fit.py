"""Fitting a Cox model to rows (start, stop]."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.special import ndtr, ndtri

from retention_lab import checks
from retention_lab.survival import cox_input, cox_newton
from retention_lab.survival.cox_newton import Certificate
from retention_lab.survival.cox_risk import Risk
from retention_lab.survival.cox_rows import Floats, Places, Rows, Ties


@dataclass(frozen=True, kw_only=True, repr=False)
class CoxFit:
    """A fitted Cox model; coefficients are log hazard ratios of the covariates as given.

    The rows are kept, standardised, for tests and residuals.
    """

    names: tuple[str, ...]
    coefficients: Floats
    covariance: Floats  # robust where clusters were given
    log_likelihood: float
    null_log_likelihood: float
    n: int  # rows, counted by their weights
    events: int
    certificate: Certificate
    rows: Rows
    risk: Risk  # at the coefficients
    model_covariance: Floats  # as if rows were independent and the model right

    @property
    def baseline(self) -> pd.DataFrame:
        """Baseline hazard at x = 0.

        Returns
        -------
        DataFrame
            One row per stratum and day with an event, in order: `stratum`, `day`, `hazard` (its
            step on that day), `cumulative` (since the start of follow-up).
        """
        cells, risk = self.rows.cells, self.risk
        at_zero = np.exp(-risk.shift - self.rows.centre @ self.coefficients)
        hazard = pd.Series(risk.steps * at_zero)
        frame = {
            "stratum": cells.strata.take(cells.stratum),
            "day": cells.day,
            "hazard": hazard,
            "cumulative": hazard.groupby(cells.stratum).cumsum(),
        }
        return pd.DataFrame(frame)

    def summary(self, *, alpha: float = 0.05) -> pd.DataFrame:
        """One row per covariate.

        Returns
        -------
        DataFrame
            `name`, `coefficient` (log hazard ratio per unit), `std_error`, `hazard_ratio`, its
            `low` and `high` bounds, `z`, `p_value` (Wald, two-sided).
        """
        width = float(ndtri(1 - checks.share("alpha", alpha) / 2))
        error = np.sqrt(np.diag(self.covariance))
        z = self.coefficients / error
        frame = {
            "name": self.names,
            "coefficient": self.coefficients,
            "std_error": error,
            "hazard_ratio": np.exp(self.coefficients),
            "low": np.exp(self.coefficients - width * error),
            "high": np.exp(self.coefficients + width * error),
            "z": z,
            "p_value": 2 * ndtr(-abs(z)),
        }
        return pd.DataFrame(frame)


def fit(  # noqa: PLR0913 - the parts of a counting process, each by its name
    covariates: pd.DataFrame,
    *,
    stop: ArrayLike,
    event_observed: ArrayLike,
    start: ArrayLike | None = None,
    strata: ArrayLike | None = None,
    weights: ArrayLike | None = None,
    cluster: ArrayLike | None = None,
    ties: Ties = "efron",
) -> CoxFit:
    """Fit a Cox model by Newton's method.

    Parameters
    ----------
    covariates
        One column of numbers per covariate, one row per interval; a customer may have several.
        Without columns, the baseline is that of everybody.
    stop, event_observed
        End of each interval, and whether the event happened there.
    start
        A row is at risk after its start, up to and including its stop; without it, from time zero
        on, day 0 included.
    strata
        A baseline of its own for each value.
    weights
        Of how many equal rows each row is the one; whole numbers. The numbers are those of the
        repeated rows, variances too.
    cluster
        Whose row it is; then `covariance` is robust: that of score residuals summed by cluster,
        without a factor for small samples.
    ties
        How events of one day share their risk set.

    Raises
    ------
    BadParameter
        If lengths differ, or `ties` is unknown.
    BadData
        If there are no events, if times are missing, negative or reversed, or if a column is
        missing in places, constant, collinear or separated; the sentence names it and the remedy.

    References
    ----------
    Cox (1972), Journal of the Royal Statistical Society B 34, 187-220; Andersen & Gill (1982),
    Annals of Statistics 10, 1100-1120; Lin & Wei (1989), Journal of the American Statistical
    Association 84, 1074-1078 (robust).

    Examples
    --------
    >>> six = pd.DataFrame({"x": [0, 1, 1, 1, 0, 0]})
    >>> fitted = fit(six, stop=[9, 1, 1, 6, 6, 8], event_observed=[1, 1, 0, 1, 1, 0])
    >>> round(float(fitted.coefficients[0]), 6)
    1.676857
    """
    rows = cox_input.prepare(
        covariates,
        stop=stop,
        event_observed=event_observed,
        start=start,
        strata=strata,
        weights=weights,
        cluster=cluster,
        ties=ties,
    )
    scaled, risk, information, certificate = cox_newton.climb(rows)
    model = np.asarray(np.linalg.inv(information), dtype="float64")
    covariance = model if rows.cluster is None else _robust(risk, model, rows.cluster)
    units = np.outer(rows.scale, rows.scale)
    return CoxFit(
        names=rows.names,
        coefficients=scaled / rows.scale,
        covariance=covariance / units,
        log_likelihood=risk.log_likelihood,
        null_log_likelihood=risk.log_likelihood - certificate.above_null,
        n=int(rows.weights.sum()),
        events=int(rows.tied.sum()),
        certificate=certificate,
        rows=rows,
        risk=risk,
        model_covariance=model / units,
    )


def _robust(risk: Risk, covariance: Floats, cluster: Places) -> Floats:
    """Sandwich of score residuals summed by cluster, in standardised units."""
    summed = [np.bincount(cluster, each) for each in risk.scores]
    moved = np.column_stack(summed) @ covariance
    return moved.T @ moved
