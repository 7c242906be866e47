"""Checks of everything that a Cox model is given, each refused in a sentence with its remedy."""

from __future__ import annotations

from typing import get_args

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from retention_lab import checks
from retention_lab.checks import BadData, BadParameter
from retention_lab.survival.cox_rows import Cells, Floats, Places, Rows, Ties


def prepare(  # noqa: PLR0913 - the parts of a counting process; `cox.fit` documents each
    covariates: pd.DataFrame,
    *,
    stop: ArrayLike,
    event_observed: ArrayLike,
    start: ArrayLike | None,
    strata: ArrayLike | None,
    weights: ArrayLike | None,
    cluster: ArrayLike | None,
    ties: Ties,
) -> Rows:
    """Check everything that `cox.fit` is given, and find each row's place among the events."""
    n = len(covariates)
    checks.known("A Cox model", "way with ties", [ties], get_args(Ties))
    event = _events(event_observed, n)
    until = numbers("stop", stop, n)
    since = None if start is None else numbers("start", start, n)
    _refuse_reversed(since, until, event)
    counts = np.ones(n) if weights is None else _counts(weights, n)
    alone = np.zeros(n, dtype="int64"), pd.Index(["all"])
    codes, labels = alone if strata is None else _groups("strata", strata, n, sort=True)
    # In the order of time, neighbours in a column are neighbours among the events, too.
    order = np.lexsort((until, codes)) if len(labels) > 1 else np.argsort(until, kind="stable")
    codes, until, event, counts = codes[order], until[order], event[order], counts[order]
    since = None if since is None else since[order]
    cells = _cells(labels, codes, since, until, event)
    x, centre, scale = _standardised(covariates, counts, order)
    return Rows(
        names=tuple(map(str, covariates.columns)),
        order=order,
        x=x,
        centre=centre,
        scale=scale,
        weights=counts,
        event=event,
        cells=cells,
        first=cells.bounds[codes] if since is None else cells.after(codes, since),
        after=cells.after(codes, until),
        ties=ties,
        cluster=None if cluster is None else _groups("cluster", cluster, n)[0][order],
    )


def column(covariates: pd.DataFrame, name: str) -> Floats:
    """One covariate as numbers.

    Raises
    ------
    BadData
        If it is missing, is no number, or has gaps; the sentence names it and the remedy.
    """
    if name not in covariates.columns:
        raise BadData(f"The covariates lack column {name!r}; they have {_list(covariates)}.")
    values = covariates[name]
    if not (pd.api.types.is_numeric_dtype(values) or pd.api.types.is_bool_dtype(values)):
        raise BadData(
            f"Column {name!r} holds no numbers but {values.dtype}: make a 0/1 column of each of "
            "its states but one."
        )
    got = values.to_numpy(dtype="float64", na_value=np.nan)
    bad = np.flatnonzero(~np.isfinite(got))
    if len(bad):
        raise BadData(
            f"Column {name!r} is missing or infinite in {len(bad)} of {len(got)} rows, first in "
            f"row {bad[0]}: fill it in, give 'unknown' a column of its own, or leave the rows out."
        )
    return got


def numbers(name: str, values: ArrayLike, n: int) -> Floats:
    """Times of `n` rows: finite and not negative."""
    got = _as_long(name, values, n)
    bad = np.flatnonzero(~np.isfinite(got) | (got < 0))
    if len(bad):
        raise BadData(
            f"{name} is {got[bad[0]]:g} in row {bad[0]}: times are counted from time zero on and "
            f"must not be missing or negative; mend or leave out these {len(bad)} rows."
        )
    return got


def _as_long(name: str, values: ArrayLike, n: int) -> Floats:
    series = pd.Series(values)
    try:
        if series.dtype.kind in "mM":  # pandas would count nanoseconds
            raise TypeError
        got = np.asarray(series.to_numpy(dtype="float64", na_value=np.nan), dtype="float64")
    except (TypeError, ValueError):
        raise BadData(
            f"{name} holds no numbers but {series.dtype}: count times in days, and events as true "
            "or false."
        ) from None
    if len(got) != n:
        raise BadParameter(f"{name} has {len(got)} values for {n} rows of covariates.")
    return got


def _events(event_observed: ArrayLike, n: int) -> NDArray[np.bool_]:
    got = _as_long("event_observed", event_observed, n)
    bad = np.flatnonzero((got != 0) & (got != 1))
    if len(bad):
        raise BadData(
            f"event_observed is {got[bad[0]]:g} in row {bad[0]}: it must be true or false, or 1 or "
            "0, in every row."
        )
    if not got.any():
        raise BadData(
            f"None of the {n} rows has an event (event_observed is never true), so no hazard can "
            "be compared: follow for longer, or choose an event that happens."
        )
    return got.astype(bool)


def _refuse_reversed(start: Floats | None, stop: Floats, event: NDArray[np.bool_]) -> None:
    if start is None:
        return
    # A row that is censored as it starts is at risk of nothing and does no harm.
    bad = np.flatnonzero((start > stop) | ((start == stop) & event))
    if len(bad):
        row = bad[0]
        raise BadData(
            f"start is {start[row]:g} and stop {stop[row]:g} in row {row}: an interval (start, "
            f"stop] must end after it starts; mend or leave out these {len(bad)} rows."
        )


def _counts(weights: ArrayLike, n: int) -> Floats:
    got = _as_long("weights", weights, n)
    bad = np.flatnonzero(~((got >= 1) & (got % 1 == 0)))
    if len(bad):
        raise BadData(
            f"weights is {got[bad[0]]:g} in row {bad[0]}: a weight says of how many equal rows "
            "this is the one, so it must be a whole number of at least 1; leave out the others."
        )
    return got


def _groups(name: str, values: ArrayLike, n: int, *, sort: bool = False) -> tuple[Places, pd.Index]:
    codes, labels = pd.factorize(pd.Series(values), sort=sort)
    if len(codes) != n:
        raise BadParameter(f"{name} has {len(codes)} values for {n} rows of covariates.")
    if (codes < 0).any():
        raise BadData(
            f"{name} is missing in {(codes < 0).sum()} of {n} rows: give them a name, such as "
            "'unknown', or leave them out."
        )
    return codes.astype("int64"), pd.Index(labels)


def _cells(
    labels: pd.Index,
    codes: Places,
    start: Floats | None,
    stop: Floats,
    event: NDArray[np.bool_],
) -> Cells:
    moments, place = np.unique(stop[event], return_inverse=True)
    keys = codes[event] * (len(moments) + 1) + place + 1
    keys = keys[np.diff(keys, prepend=-1) > 0]
    followed = np.asarray(pd.Series(stop).groupby(codes).max(), dtype="float64")
    entered = np.zeros(len(labels))
    if start is not None:
        entered = np.asarray(pd.Series(start).groupby(codes).min(), dtype="float64")
    return Cells(strata=labels, moments=moments, keys=keys, entered=entered, followed=followed)


def _standardised(
    covariates: pd.DataFrame, weights: Floats, order: Places
) -> tuple[Floats, Floats, Floats]:
    names = list(covariates.columns)
    if len(set(names)) < len(names):
        raise BadData(f"Two covariates have the same name: {_list(covariates)}; rename one.")
    x = np.empty((len(covariates), len(names)), order="F")
    centre, scale = np.zeros(len(names)), np.ones(len(names))
    total = weights.sum()
    for place, name in enumerate(names):
        values = column(covariates, name)[order]
        centre[place] = (weights * values).sum() / total
        values -= centre[place]
        scale[place] = np.sqrt((weights * values * values).sum() / total)
        if scale[place] <= 1e-12 * max(1e-300, abs(centre[place])):
            raise BadData(
                f"Column {name!r} is {centre[place]:g} in every row, so it goes with nothing: "
                "leave it out."
            )
        np.divide(values, scale[place], out=x[:, place])
    return x, centre, scale


def _list(covariates: pd.DataFrame) -> str:
    return ", ".join(map(str, covariates.columns)) or "none"
