"""What a purchase model says of customers: still there, and how often they will buy.

References
----------
Fader, Hardie & Lee (2005), Marketing Science 24, 275-284, equations 9 and 10, after Euler's
transformation of the hypergeometric function; for MBG/NBD Batislam, Denizel & Filiztekin (2007),
International Journal of Research in Marketing 24, 201-209.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.special import expit, hyp2f1

from retention_lab import checks
from retention_lab.inference.btyd import histories
from retention_lab.inference.btyd.fitting import Fit, Process
from retention_lab.inference.btyd.histories import Histories
from retention_lab.inference.btyd.likelihood import chances, log_odds
from retention_lab.inference.btyd.maximum import Floats, normal, std_errors
from retention_lab.inference.interval import Interval

_NEAR, _AWAY = 1e-5, 1e-4


def p_alive(process: Process, patterns: pd.DataFrame) -> Floats:
    """Probability that a customer has not stopped by `T`, one per row of `patterns`.

    It is 1 for those who bought once under BG/NBD, which says nothing of them: give them the return
    rate observed in place of it.
    """
    return np.asarray(expit(-odds_of(process, histories.read(patterns))))


def expected(process: Process, patterns: pd.DataFrame, *, horizon: float) -> Floats:
    """Purchases expected within `horizon` after `T`, one number per row of `patterns`.

    Raises
    ------
    BadParameter
        If the horizon, in the unit of `T`, is not above 0.
    """
    _ahead(horizon)
    return np.exp(log_expected(process, histories.read(patterns), horizon))


def new_customer(fit: Fit, *, horizon: float, alpha: float = 0.05) -> Interval:
    """Repeat purchases expected of a new customer within `horizon` after the first purchase."""
    just = pd.DataFrame({"frequency": [0], "recency": [0.0], "T": [0.0]})
    row = forecast(fit, just, horizon=horizon, alpha=alpha).iloc[0]
    return Interval(
        value=float(row["expected"]),
        low=float(row["expected_low"]),
        high=float(row["expected_high"]),
    )


def forecast(
    fit: Fit, patterns: pd.DataFrame, *, horizon: float, alpha: float = 0.05
) -> pd.DataFrame:
    """P(alive) and expected purchases with intervals, one row per purchase history.

    Intervals are of the model's mean (delta method, on the logit and the log scale): what one
    customer happens to do varies more than that.

    Returns
    -------
    DataFrame
        Indexed as `patterns`: `p_alive`, `p_alive_low`, `p_alive_high`, `expected` (purchases
        within `horizon`), `expected_low`, `expected_high`.
    """
    _ahead(horizon)
    process, known = fit.process, histories.read(patterns)
    far = normal(alpha)
    odds = odds_of(process, known)
    # Where nobody can have stopped there is nothing to be unsure of: 0 in the place of infinity.
    odds_far = far * std_errors(
        fit.maximum, lambda vector: np.nan_to_num(odds_of(process.at(vector), known), neginf=0)
    )
    logs = log_expected(process, known, horizon)
    logs_far = far * std_errors(
        fit.maximum, lambda vector: log_expected(process.at(vector), known, horizon)
    )
    return pd.DataFrame(
        {
            "p_alive": expit(-odds),
            "p_alive_low": expit(-odds - odds_far),
            "p_alive_high": expit(-odds + odds_far),
            "expected": np.exp(logs),
            "expected_low": np.exp(logs - logs_far),
            "expected_high": np.exp(logs + logs_far),
        },
        index=patterns.index,
    )


def odds_of(process: Process, known: Histories) -> Floats:
    """Logarithm of the odds of having stopped."""
    return log_odds(process.vector, known, chance=chances(process.model, known.x))


def log_alive(process: Process, known: Histories) -> Floats:
    """Logarithm of P(alive)."""
    return np.asarray(-np.logaddexp(0, odds_of(process, known)))


def log_expected(process: Process, known: Histories, horizon: float) -> Floats:
    """Logarithm of the purchases expected: it is finite where the number itself would be 0."""
    return np.asarray(log_alive(process, known) + np.log(if_alive(process, known, horizon)))


def if_alive(process: Process, known: Histories, horizon: float) -> Floats:
    """Purchases expected of those who have not stopped.

    The formula is 0 / 0 at a = 1, and has a removable pole at a + b = 1 where nobody could have
    stopped; both are stepped over, at an error of 1e-8.
    """
    r, alpha, a, b = process.vector
    if min(abs(a - 1), abs(a + b - 1)) > _NEAR:
        return _formula((r, alpha, a, b), known, chances(process.model, known.x), horizon)
    tried = chances(process.model, known.x)
    beside = [
        _formula((r, alpha, near, b), known, tried, horizon) for near in (a - _AWAY, a + _AWAY)
    ]
    return np.asarray(np.mean(beside, axis=0))


def _formula(
    parameters: tuple[float, float, float, float], known: Histories, tried: Floats, horizon: float
) -> Floats:
    r, alpha, a, b = parameters
    top = a + b + tried - 1
    age = alpha + known.T
    left = (age / (age + horizon)) ** (a - 1)
    series = hyp2f1(a - 1, top - r - known.x, top, horizon / (age + horizon))
    return np.asarray(top / (a - 1) * (1 - left * series))


def _ahead(horizon: float) -> None:
    if not (np.isfinite(horizon) and horizon > 0):
        raise checks.BadParameter(
            f"horizon must be above 0, in the unit of T, got {horizon!r}. Pass 90 for 90 days."
        )
