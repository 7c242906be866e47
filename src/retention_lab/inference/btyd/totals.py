"""What groups of customers bring together: a sum has one range, not the sum of many ranges.

All customers share the parameters, so their errors go together and do not average out; what each
happens to do varies on its own, and does. Both are in the range of a total.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import betaincinv

from retention_lab import checks
from retention_lab.inference.btyd import answers, histories, spend
from retention_lab.inference.btyd.fitting import Fit, Process
from retention_lab.inference.btyd.histories import Histories
from retention_lab.inference.btyd.likelihood import chances
from retention_lab.inference.btyd.maximum import Floats, Maximum, normal, std_errors
from retention_lab.inference.btyd.spend import SpendFit
from retention_lab.inference.btyd.value import DAYS_A_MONTH, log_purchases

_NODES = (np.arange(32) + 0.5) / 32  # equally likely chances to stop
_LEAST = 1e-4  # below it the formula cancels; its limit is as good


@dataclass(frozen=True, kw_only=True)
class Terms:
    """What a total counts: `months` to come, discounted each month, and the `margin` of it."""

    months: int
    monthly_discount: float
    margin: float = 1.0


@dataclass(frozen=True, kw_only=True, eq=False)
class Spending:
    """Mean value of a purchase to come, per row, as a function of the parameters of `maximum`.

    Squared coefficients of variation say how it varies: `within` from purchase to purchase of a
    customer, `unknown` (per row) of the mean that a customer turns out to have, and `between` the
    expected means of the customers of a row.
    """

    maximum: Maximum
    mean: Callable[[Floats], Floats]
    within: float
    unknown: Floats
    between: float


def by_model(spend_fit: SpendFit, rows: pd.DataFrame, *, between: float) -> Spending:
    """Spending of each row by Gamma-Gamma: `rows` has `frequency` and `monetary`, the mean value.

    `between` is the squared coefficient of variation of the mean values of customers.
    """
    x, mean = rows["frequency"], rows["monetary"]
    p, q, _ = spend_fit.maximum.parameters.tolist()
    # Without a limit its variance has no end where q is at most 2; what was seen bounds it.
    beyond = np.maximum(p * x.to_numpy("float64") + q - 2, 1 / max(between, 1e-9))
    return Spending(
        maximum=spend_fit.maximum,
        mean=lambda vector: spend.conditional_mean(vector, frequency=x, monetary=mean),
        within=1 / p,
        unknown=1 / beyond,
        between=between,
    )


def by_group(means: pd.DataFrame, group: pd.Series, *, between: float) -> Spending:
    """Spending of each row as observed in its `group`: `means` has `mean` and `std_error` by group.

    All means must be above 0.
    """
    place = means.index.get_indexer(pd.Index(group))
    values = means["mean"].to_numpy("float64")
    relative = means["std_error"].to_numpy("float64") / values
    maximum = Maximum(
        names=tuple(map(str, means.index)),
        parameters=values,
        covariance=np.diag(relative**2),
        log_likelihood=0.0,
        gradient_norm=0.0,
    )
    return Spending(
        maximum=maximum,
        mean=lambda vector: vector[place],
        within=between,
        unknown=np.zeros(len(group)),
        between=between,
    )


def totals(  # noqa: PLR0913  two models, the customers, the terms, and how far off it was before
    fit: Fit,
    spending: Spending,
    rows: pd.DataFrame,
    *,
    terms: Terms,
    off: float = 0.0,
    month: float = DAYS_A_MONTH,
    alpha: float = 0.05,
) -> pd.DataFrame:
    """Value of the months to come by group, and of all.

    Parameters
    ----------
    rows
        `group`, and what `histories.read` takes; in the order of `spending`.
    off
        Standard deviation of the logarithm of a total besides: how far an earlier one was off.
    month
        A month in the unit of time of `rows`.

    Returns
    -------
    DataFrame
        Indexed by `group` in order of appearance, and "" for all together: `customers`, `active`
        (expected number not gone), `expected` (purchases, not discounted), `value` (unit of the
        spending), `low`, `high` (errors of the parameters by the delta method on the logarithm of
        the sum, chance of the customers, and `off`).

    Raises
    ------
    BadParameter
        If there are no months.
    BadData
        As `histories.read`.
    """
    checks.at_least("months", terms.months, 1)
    known, sums = histories.read(rows), _sums(rows["group"])
    ends = np.arange(1, terms.months + 1)
    logs = log_purchases(
        fit.process,
        known,
        ends=[float(end * month) for end in ends],
        weight=(1 + terms.monthly_discount) ** -ends.astype("float64"),
    )
    horizon = float(terms.months * month)
    here, ahead = logs(fit.process.vector), answers.log_expected(fit.process, known, horizon)
    often, each = np.exp(here), spending.mean(spending.maximum.parameters)
    weight = terms.margin * known.weight
    value = sums(weight * often * each)
    varies = _varies(fit.process, known, spending, horizon=horizon)
    chance = sums(terms.margin * weight * (np.exp(here - ahead) * each) ** 2 * varies)
    errors = (
        std_errors(fit.maximum, lambda v: np.log(sums(weight * np.exp(logs(v)) * each))),
        std_errors(spending.maximum, lambda v: np.log(sums(weight * often * spending.mean(v)))),
        np.sqrt(chance) / value,
    )
    far = np.exp(normal(alpha) * np.sqrt(np.sum(np.square(errors), axis=0) + off**2))
    alive = answers.p_alive(fit.process, rows)
    told = {"customers": sums(known.weight), "active": sums(known.weight * alive)}
    told["expected"] = sums(known.weight * np.exp(ahead))
    told |= {"value": value, "low": value / far, "high": value * far}
    return pd.DataFrame(told, index=pd.Index([*rows["group"].unique(), ""], name="group"))


def cumulative(
    fit: Fit, rows: pd.DataFrame, *, ends: Sequence[float], alpha: float = 0.05
) -> pd.DataFrame:
    """Purchases of all together by each of the `ends`, with errors of the parameters and chance.

    Returns
    -------
    DataFrame
        `end`, `expected`, `low`, `high`, one row per end, in order; `ends` must rise.
    """
    known = histories.read(rows)
    kinds, place = known.kinds()

    def logs(vector: Floats) -> Floats:
        here = fit.process.at(vector)
        there = np.bincount(place, known.weight * np.exp(answers.log_alive(here, known)))
        return np.log([there @ answers.if_alive(here, kinds, end) for end in ends])

    expected = np.exp(logs(fit.process.vector))
    # Variance has a part that grows with time and one with its square: two points give both.
    at = np.array([ends[-1] / 2, ends[-1]])
    seen = [known.weight @ purchase_variance(fit.process, known, horizon=end) for end in at]
    steady, rising = np.linalg.solve(np.stack([at, at**2], axis=1), seen)
    time = np.asarray(ends, dtype="float64")
    chance = np.sqrt(np.maximum(steady * time + rising * time**2, 0)) / expected
    far = np.exp(normal(alpha) * np.hypot(std_errors(fit.maximum, logs), chance))
    return pd.DataFrame(
        {"end": time, "expected": expected, "low": expected / far, "high": expected * far}
    )


def purchase_variance(process: Process, known: Histories, *, horizon: float) -> Floats:
    """Variance of the purchases of a customer within `horizon`, one number per history.

    Given rate and chance to stop, q = 1 - p, N of a Poisson law: E[Y (Y - 1)] is the sum of
    2 (k - 1) q**(k - 1) P(N >= k), with a closed form, here averaged over p by its quantiles.
    """
    r, alpha, a, b = process.vector
    kinds, place = known.kinds()
    levels, level = np.unique(kinds.x, return_inverse=True)
    tried = b + chances(process.model, levels)
    stops = np.maximum(betaincinv(a, tried, _NODES[:, None]), _LEAST)
    age, rate, squares = alpha + kinds.T, r + kinds.x, np.zeros_like(kinds.x)
    for p in stops[:, level]:
        older = age + p * horizon
        still = (age / older) ** rate
        squares += 2 * (1 - p) / p**2 * (1 - still * (1 + rate * p * horizon / older))
    pairs = np.exp(answers.log_alive(process, known)) * (squares / len(_NODES))[place]
    mean = np.exp(answers.log_expected(process, known, horizon))
    return np.asarray(np.maximum(pairs + mean - mean**2, 0))


def _varies(process: Process, known: Histories, spending: Spending, *, horizon: float) -> Floats:
    """Variance of what a customer brings, over the square of the mean value of a purchase."""
    mean = np.exp(answers.log_expected(process, known, horizon))
    often = purchase_variance(process, known, horizon=horizon)
    values = mean * spending.within + (often + mean**2) * spending.unknown
    return np.asarray((1 + spending.between) * (values + often))


def _sums(group: pd.Series) -> Callable[[Floats], Floats]:
    """Sum by group, in order of appearance, and of all."""
    code, names = pd.factorize(group)

    def sums(each: Floats) -> Floats:
        parts = np.bincount(code, each, minlength=len(names))
        return np.append(parts, parts.sum())

    return sums
