"""Whether hazard ratios stay the same over time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import numpy as np
import pandas as pd
from scipy.special import chdtrc

from retention_lab import checks
from retention_lab.checks import BadData
from retention_lab.survival.cox_fit import CoxFit
from retention_lab.survival.cox_rows import Floats, Rows

Transform = Literal["km", "identity", "rank", "log"]


def proportional_hazards(fit: CoxFit, *, transform: Transform = "km") -> pd.DataFrame:
    """Exact score test that no coefficient changes with time.

    Each covariate's product with a transform of time joins the model as one more column, with
    coefficient 0: each alone, then all together.

    Parameters
    ----------
    transform
        Of time: `km`, one minus the Kaplan-Meier share just before the day; the day itself; its
        mean rank among all event days; or its logarithm.

    Returns
    -------
    DataFrame
        One row per covariate and one named "global": `name`, `statistic` (chi-square),
        `degrees_of_freedom`, `p_value`. Clusters are not allowed for.

    Raises
    ------
    BadParameter
        If the transform is not one of these.
    BadData
        If all events fall on one day, the logarithm of day 0 is asked for, or a column differs
        among those at risk on too few days to change over time.

    References
    ----------
    Grambsch & Therneau (1994), Biometrika 81, 515-526, with the score test of R's survival 3.0 on.
    """
    checks.known("The test of proportional hazards", "transform", [transform], TRANSFORMS)
    if not fit.names:
        raise BadData("A model without covariates has no hazard ratios that could change.")
    rows, risk = fit.rows, fit.risk
    time = TRANSFORMS[transform](rows)
    time = time - rows.tied @ time / rows.tied.sum()
    if not np.ptp(time) > 0:
        raise BadData("All events fall on one day, so no change over time can be tested.")
    moved = risk.unexpected @ time
    covariance = fit.model_covariance * np.outer(rows.scale, rows.scale)
    crossed = risk.information(time)
    left = risk.information(time**2) - crossed @ covariance @ crossed
    _refuse_undecided(rows, left / (time**2).max(), risk.information())
    alone = moved**2 / np.diag(left)
    together = moved @ np.linalg.solve(left, moved)
    degrees = np.append(np.ones(len(moved), dtype="int64"), len(moved))
    statistic = np.append(alone, together)
    frame = {
        "name": [*fit.names, "global"],
        "statistic": statistic,
        "degrees_of_freedom": degrees,
        "p_value": chdtrc(degrees, statistic),
    }
    return pd.DataFrame(frame)


def _refuse_undecided(rows: Rows, left: Floats, information: Floats) -> None:
    """Refuse columns of which too little is left to tell a change over time from none."""
    units = np.sqrt(np.diag(information))
    smallest, mixture = np.linalg.eigh(left / np.outer(units, units))
    if smallest[0] < 1e-9:
        name = rows.names[int(np.argmax(abs(mixture[:, 0])))]
        raise BadData(
            f"Column {name!r} differs between customers at risk on too few days with an event, so "
            "no change over time can be tested: put its state together with another, or leave it "
            "out."
        )


def _km(rows: Rows) -> Floats:
    """One minus the share without an event just before the day, all strata together."""
    moments = rows.cells.moments
    place = np.searchsorted(moments, rows.cells.day)
    events = np.bincount(place, rows.tied, len(moments))
    at_risk = np.bincount(place, rows.at_risk(rows.weights), len(moments))
    return 1 - np.append(1, np.cumprod(1 - events / at_risk))[place]


def _rank(rows: Rows) -> Floats:
    place = np.searchsorted(rows.cells.moments, rows.cells.day)
    events = np.bincount(place, rows.tied)
    return (events.cumsum() - (events - 1) / 2)[place]


def _log(rows: Rows) -> Floats:
    if rows.cells.moments[0] <= 0:
        raise BadData("Events on day 0 have no logarithm of time: choose another transform.")
    return np.log(rows.cells.day)


TRANSFORMS: dict[str, Callable[[Rows], Floats]] = {
    "km": _km,
    "identity": lambda rows: rows.cells.day,
    "rank": _rank,
    "log": _log,
}
