"""How well predictions of who stays agree with what came: ranking, error and calibration.

Weights are frequencies: a row of weight 3 is three equal rows. Standard errors are infinitesimal
jackknives: the root of the sum of the squared effects of every unit on the number, the effect by
way of the estimated censoring weights among them.

References
----------
Efron (1982), The Jackknife, the Bootstrap and Other Resampling Plans, ch. 6.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from retention_lab.checks import BadData
from retention_lab.survival.censoring import Floats, Followed, censoring, column, followed
from retention_lab.survival.daygrid import kaplan_meier
from retention_lab.survival.estimate import Estimate, of_difference, of_share
from retention_lab.survival.pairs import pairs
from retention_lab.survival.squared_error import averaged, shares


def concordance(
    durations: ArrayLike,
    *,
    event_observed: ArrayLike,
    risk: ArrayLike,
    weights: ArrayLike | None = None,
    alpha: float = 0.05,
) -> Estimate:
    """Harrell's C: share of comparable pairs in which the higher risk had the event first.

    A pair is comparable when the shorter time is an event; an event and a censoring on the same day
    are, two events on it are not. Equal risks count one half.

    Parameters
    ----------
    durations, event_observed
        Time, and whether it ended in the event, one entry per row.
    risk
        Any score that is higher for those expected to leave earlier.
    weights
        Units that each row stands for; default one.
    alpha
        One minus the confidence level.

    Raises
    ------
    BadData
        If no two rows can be compared, or a value is missing.

    References
    ----------
    Harrell, Lee & Mark (1996), Statistics in Medicine 15, 361-387.
    """
    rows = followed(durations, event_observed=event_observed, weights=weights)
    # Events of a day come before its censorings, and neither are compared among themselves.
    order = 2 * np.unique(rows.durations, return_inverse=True)[1] + ~rows.event_observed
    event = rows.weights * rows.event_observed
    score = column("risk", risk, rows=len(order))
    found = pairs(score, order=order, first=event, second=rows.weights)
    total = float(event @ found.first_all)
    if total == 0:
        raise BadData(
            "No two rows can be compared, as nobody was followed beyond an event of another. "
            "Wait for more events."
        )
    value = float(event @ found.first_agreeing) / total
    effect = found.second_agreeing - value * found.second_all
    effect += rows.event_observed * (found.first_agreeing - value * found.first_all)
    std_error = rows.std_error(effect / total)
    return of_share(value, std_error=std_error, n=float(event.sum()), alpha=alpha)


def auc(
    durations: ArrayLike,
    *,
    event_observed: ArrayLike,
    risk: ArrayLike,
    day: float,
    weights: ArrayLike | None = None,
    alpha: float = 0.05,
) -> Estimate:
    """Chance that who has the event by `day` had a higher risk than who stays beyond it.

    Cumulative cases, dynamic controls; those censored before `day` are stood for by the others, by
    the inverse of the Kaplan-Meier share not yet censored. Parameters as those of `concordance`.

    Raises
    ------
    BadData
        If nobody had the event by `day`, nobody is known to stay beyond it, or a value is missing.

    References
    ----------
    Uno, Cai, Tian & Wei (2007), Journal of the American Statistical Association 102, 527-537.
    Blanche, Dartigues & Jacqmin-Gadda (2013), Biometrical Journal 55, 687-704.
    """
    rows = followed(durations, event_observed=event_observed, weights=weights)
    score = column("risk", risk, rows=len(rows.durations))
    weighing = censoring(rows, day=day)
    case, stays = weighing.case, weighing.stays
    if not (case.any() and stays.any()):
        raise BadData(
            f"A ranking at day {day:g} needs rows with the event by then and rows without it; "
            f"{'all' if case.any() else 'none'} of those known had it. Choose another day."
        )
    each = case * weighing.inverse
    first, second = rows.weights * each, rows.weights * stays
    found = pairs(score, order=1 * stays, first=first, second=second)
    total = float(first.sum() * second.sum())
    value = float(first @ found.first_agreeing) / total
    as_case = each * (found.first_agreeing - value * second.sum()) / total
    effect = as_case + stays * (found.second_agreeing - value * first.sum()) / total
    effect += weighing.influence(rows.weights * as_case)
    fewest = float(min(rows.weights[case].sum(), second.sum()))
    return of_share(value, std_error=rows.std_error(effect), n=fewest, alpha=alpha)


def brier(
    durations: ArrayLike,
    *,
    event_observed: ArrayLike,
    predicted: ArrayLike,
    day: float,
    weights: ArrayLike | None = None,
    alpha: float = 0.05,
) -> Estimate:
    """Mean squared difference between P(T > day) and whether the event came later; 0 is best.

    Parameters
    ----------
    predicted
        Chance of being without the event after `day`, one entry per row (or one for all).
    durations, event_observed, weights, alpha
        As in `concordance`.

    Raises
    ------
    BadData
        If nobody was followed for `day`, a prediction is no share, or a value is missing.

    References
    ----------
    Graf, Schmoor, Sauerbrei & Schumacher (1999), Statistics in Medicine 18, 2529-2545.
    """
    rows = followed(durations, event_observed=event_observed, weights=weights)
    value, effect = averaged(rows, predicted, [day])
    return of_share(value, std_error=rows.std_error(effect), n=rows.n, alpha=alpha)


def integrated_brier(
    durations: ArrayLike,
    *,
    event_observed: ArrayLike,
    predicted: ArrayLike,
    days: Sequence[float],
    weights: ArrayLike | None = None,
    alpha: float = 0.05,
) -> Estimate:
    """Brier score averaged over time: trapezoids between `days`, over the length of their range.

    `predicted` has a row for each row of `durations` and a column for each of `days`; the rest, and
    what is raised, are those of `brier`.
    """
    rows = followed(durations, event_observed=event_observed, weights=weights)
    value, effect = averaged(rows, predicted, days)
    return of_share(value, std_error=rows.std_error(effect), n=rows.n, alpha=alpha)


def skill(
    durations: ArrayLike,
    *,
    event_observed: ArrayLike,
    predicted: ArrayLike,
    days: Sequence[float],
    weights: ArrayLike | None = None,
    alpha: float = 0.05,
) -> Estimate:
    """Share of the null model's (integrated) Brier score that the predictions save.

    1 is perfect, 0 no better than telling everybody the Kaplan-Meier share of these same rows, and
    below 0 worse than that. Parameters as those of `integrated_brier`; one day is enough.

    Raises
    ------
    BadData
        As `brier`, and where everybody or nobody stays, so that the null model makes no error.

    References
    ----------
    Kattan & Gerds (2018), Diagnostic and Prognostic Research 2, 7: index of prediction accuracy.
    """
    rows = followed(durations, event_observed=event_observed, weights=weights)
    error, effect = averaged(rows, predicted, days)
    # Hardly any constant has a lower score than the null share, so its own error does not matter.
    told = null_shares(durations, event_observed=event_observed, days=days, weights=weights)
    null, moved = averaged(rows, told, days)
    if null == 0:
        raise BadData(
            f"By day {days[-1]:g} everybody had the event or nobody had, so there is nothing to "
            "predict. Choose other days."
        )
    ratio = error / null
    std_error = rows.std_error((effect - ratio * moved) / null)
    return of_difference(1 - ratio, std_error=std_error, alpha=alpha)


def null_shares(
    durations: ArrayLike,
    *,
    event_observed: ArrayLike,
    days: Sequence[float],
    weights: ArrayLike | None = None,
) -> Floats:
    """Kaplan-Meier share without the event after each of `days`: what the null model predicts."""
    rows = followed(durations, event_observed=event_observed, weights=weights)
    return np.array([_curve(rows, day)["survival"] for day in days])


def calibration(
    durations: ArrayLike,
    *,
    event_observed: ArrayLike,
    predicted: ArrayLike,
    day: float,
    groups: int = 10,
    weights: ArrayLike | None = None,
) -> pd.DataFrame:
    """Predicted and observed share without the event after `day`, by groups of the prediction.

    Parameters
    ----------
    predicted
        P(T > day), one entry per row.
    groups
        Number of groups, cut at the quantiles of the prediction (type 7, to eight decimals). Equal
        predictions stay together, so where many are equal there are fewer groups.
    durations, event_observed, weights
        As in `concordance`.

    Returns
    -------
    DataFrame
        One row per group, lowest prediction first: `group` (from 1), `n`, `predicted` (mean),
        `observed` (Kaplan-Meier, so the censored count for as long as they were followed), `low`,
        `high` (95 %, of `observed`).

    Raises
    ------
    BadData
        If nobody of a group was followed for `day`, a prediction is no share, or a value is
        missing.
    """
    rows = followed(durations, event_observed=event_observed, weights=weights)
    share = np.round(shares(predicted, (len(rows.durations),)), 8)
    edges = np.unique(_quantiles(share, rows.weights, np.linspace(0, 1, groups + 1)))
    group = np.searchsorted(edges[1:-1], share, side="right")
    table = []
    for number in np.unique(group):
        held = group == number
        part = Followed(**{name: values[held] for name, values in vars(rows).items()})
        mean = float(part.weights @ share[held] / part.n)
        table.append({"n": round(part.n), "predicted": mean, **_curve(part, day)})
    frame = pd.DataFrame(table).rename(columns={"survival": "observed"})
    return frame.assign(group=range(1, len(frame) + 1))[
        ["group", "n", "predicted", "observed", "low", "high"]
    ]


def _curve(rows: Followed, day: float) -> dict[str, float]:
    """Kaplan-Meier share of these rows after `day`: `survival`, `low`, `high`."""
    events = rows.weights * (rows.event_observed & (rows.durations <= day))
    until = np.minimum(rows.durations, day)
    known = pd.DataFrame({"day": until, "events": events, "censored": rows.weights - events})
    last = kaplan_meier(known).iloc[-1]
    if last["day"] < day and last["survival"] > 0:
        raise BadData(
            f"Of {rows.n:,.0f} rows with about the same prediction nobody was followed for "
            f"{day:g} days, only for {last['day']:g}. Choose an earlier day, or fewer groups."
        )
    return {name: float(last[name]) for name in ("survival", "low", "high")}


def _quantiles(values: Floats, weights: Floats, shares: Floats) -> Floats:
    """Quantiles of type 7 of values that stand for `weights` equal ones each."""
    by_size = np.argsort(values, kind="stable")
    upto = np.cumsum(weights[by_size])
    place = shares * (upto[-1] - 1)
    # The value at a place is the first whose count goes beyond it.
    ends = np.searchsorted(upto, [np.floor(place), np.ceil(place)], side="right")
    below, above = values[by_size][ends]
    return np.asarray(below + (place - np.floor(place)) * (above - below))
