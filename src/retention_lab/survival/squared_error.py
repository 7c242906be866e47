"""The squared error of predictions, with the censored stood for by those followed longer."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from retention_lab.checks import BadData, BadParameter
from retention_lab.survival.censoring import Floats, Followed, censoring


def averaged(rows: Followed, predicted: ArrayLike, days: Sequence[float]) -> tuple[float, Floats]:
    """Brier score averaged over days, and the effect of one more unit of each row on it."""
    if not len(days) or (np.diff(days) <= 0).any():
        raise BadParameter(f"days must be one or more days in rising order, got {list(days)}.")
    predictions = shares(predicted, (len(rows.durations), len(days)))
    each = [_one_day(rows, predictions[:, k], day) for k, day in enumerate(days)]
    share = np.ones(1)
    if len(days) > 1:
        steps = np.diff(days)
        share = (np.append(steps, 0) + np.insert(steps, 0, 0)) / 2 / steps.sum()
    value = float(share @ [score for score, _ in each])
    return value, share @ np.array([effect for _, effect in each])


def _one_day(rows: Followed, share: Floats, day: float) -> tuple[float, Floats]:
    weighing = censoring(rows, day=day)
    part = weighing.inverse * (weighing.stays - share) ** 2 / rows.n
    value = float(rows.weights @ part)
    return value, part - value / rows.n + weighing.influence(rows.weights * part)


def shares(predicted: ArrayLike, shape: tuple[int, ...]) -> Floats:
    """Return predictions in that shape, or refuse what is no share."""
    given = np.asarray(predicted, dtype="float64")
    if given.ndim == 1 and shape[1:] == (1,) and len(given) == shape[0]:
        given = given[:, None]
    try:
        told = np.broadcast_to(given, shape)
    except ValueError:
        raise BadData(f"predicted must have the shape {shape}, got {given.shape}.") from None
    if not ((told >= 0) & (told <= 1)).all():
        raise BadData("predicted must be shares between 0 and 1 without gaps: P(T > day).")
    return np.asarray(told)
