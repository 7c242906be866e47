"""What a fitted Cox model leaves over, row by row and event by event."""

from __future__ import annotations

import numpy as np
import pandas as pd

from retention_lab.survival.cox_fit import CoxFit
from retention_lab.survival.cox_rows import Floats, Rows


def martingale(fit: CoxFit) -> Floats:
    """Events observed less events expected of each row; a weighted row is one of its like.

    References
    ----------
    Therneau, Grambsch & Fleming (1990), Biometrika 77, 147-160.
    """
    rows = fit.rows
    return _as_given(rows, rows.event - fit.risk.expected() / rows.weights)


def score(fit: CoxFit) -> pd.DataFrame:
    """What each row adds to the derivative of the log likelihood by each coefficient.

    Returns
    -------
    DataFrame
        One row per row of the fit, one column per covariate; a weighted row is one of its like.
    """
    each = (fit.risk.scores / fit.rows.weights).T * fit.rows.scale
    return pd.DataFrame(_as_given(fit.rows, each), columns=list(fit.names))


def dfbeta(fit: CoxFit) -> pd.DataFrame:
    """About how much each coefficient would fall without a row; shaped as `score`."""
    return score(fit) @ pd.DataFrame(
        fit.model_covariance, index=list(fit.names), columns=list(fit.names)
    )


def schoenfeld(fit: CoxFit) -> pd.DataFrame:
    """Covariates of each event less those expected of an event in its risk set.

    Returns
    -------
    DataFrame
        One row per row with an event, by day within stratum: `stratum`, `day`, then one column per
        covariate.

    References
    ----------
    Schoenfeld (1982), Biometrika 69, 239-241; tied events share the mean of Efron's risk sets.
    """
    rows, risk, cells = fit.rows, fit.risk, fit.rows.cells
    residual = (rows.x[rows.happened] - risk.means[:, rows.cell].T) * rows.scale
    frame = pd.DataFrame(residual, columns=list(fit.names))
    frame.insert(0, "day", cells.day[rows.cell])
    frame.insert(0, "stratum", cells.strata.take(cells.stratum[rows.cell]))
    return frame


def _as_given(rows: Rows, values: Floats) -> Floats:
    """Put values per row into the order of the rows as they were given."""
    given = np.empty_like(values)
    given[rows.order] = values
    return given
