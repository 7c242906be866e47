"""Gamma-Gamma: what a purchase of a customer is worth, learnt from few of them.

Purchases of a customer vary around a mean of their own, and the means vary between customers. The
model takes value and frequency to be unrelated, so their correlation stands beside every fit.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.special import digamma, gammaln, polygamma

from retention_lab import checks
from retention_lab.checks import BadData
from retention_lab.inference.btyd.maximum import (
    Floats,
    Likelihood,
    Maximum,
    certified,
    climb,
    normal,
    std_errors,
)
from retention_lab.inference.interval import Interval

_NAMES = ("p", "q", "v")
_STARTS = ((2.0, 3.0, 1.0), (6.0, 2.0, 0.3), (0.5, 6.0, 5.0))
_FEW = 5_000  # customers that the starts race on
_ADVICE = "Take more customers who bought again, or use the mean value of all purchases."


@dataclass(frozen=True, kw_only=True, eq=False)
class SpendFit:
    """Gamma-Gamma fitted to `customers` who bought again: p, q, v (in the unit of value).

    `correlation` is Pearson's, of frequency and mean value among them; `related` says that its
    interval leaves out 0, so that the assumption that they are unrelated does not hold.
    """

    maximum: Maximum
    customers: float
    correlation: Interval

    @property
    def related(self) -> bool:
        """Whether customers who buy often spend differently on a purchase."""
        return self.correlation.low > 0 or self.correlation.high < 0


def fit(spending: pd.DataFrame, *, alpha: float = 0.05) -> SpendFit:
    """Fit Gamma-Gamma by maximum likelihood.

    Parameters
    ----------
    spending
        Columns `frequency` (repeat purchases), `monetary` (mean value of those) and, if there are
        several customers to a row, `weight`. Customers who bought once are left out.
    alpha
        One minus the level of the interval of the correlation.

    Raises
    ------
    BadData
        A column or value is missing; a value is zero or negative; fewer than four customers bought
        again; the data do not determine the parameters.

    References
    ----------
    Fader & Hardie (2013), The Gamma-Gamma model of monetary value, equation 1a.
    """
    x, mean, weight = _read(spending)
    unit = float(weight @ mean) / weight.sum()
    likelihood = _likelihood(x, mean / unit, weight)
    thin = slice(None, None, max(1, len(x) // _FEW))
    rough = _likelihood(x[thin], mean[thin] / unit, weight[thin])
    ends = [climb(rough, np.array(start)) for start in _STARTS]
    best = climb(likelihood, max(ends, key=lambda end: rough(end)[0]))
    top = certified(likelihood, best, names=_NAMES, what="Gamma-Gamma", advice=_ADVICE)
    maximum = replace(
        top,
        parameters=top.parameters * [1, 1, unit],
        log_likelihood=top.log_likelihood - float(weight.sum()) * np.log(unit),
    )
    return SpendFit(
        maximum=maximum, customers=weight.sum(), correlation=_correlation(x, mean, weight, alpha)
    )


def conditional_mean(parameters: ArrayLike, *, frequency: ArrayLike, monetary: ArrayLike) -> Floats:
    """Mean value of a purchase to come, given (p, q, v) and what a customer spent so far.

    Customers who bought once (`frequency` 0, whatever their `monetary`) get the mean of all.

    Raises
    ------
    BadData
        If q is 1 or less, and somebody bought once: the mean of all is infinite. If the mean value
        of somebody who bought again is missing or negative.
    """
    p, q, v = np.asarray(parameters, dtype="float64").tolist()
    x = np.asarray(frequency, dtype="float64")
    weight = p * x + q - 1
    if (weight <= 0).any():
        raise BadData(
            f"Spending varies so much (q = {q:.2f}, at most 1) that its mean over customers has no "
            f"end. {_ADVICE}"
        )
    spent = np.where(x > 0, np.asarray(monetary, dtype="float64") * x, 0.0)
    if not (np.isfinite(spent).all() and (spent >= 0).all()):
        raise BadData("A customer who bought again has a missing or negative mean. Leave it out.")
    return np.asarray(p * (v + spent) / weight)


def forecast(spend: SpendFit, spending: pd.DataFrame, *, alpha: float = 0.05) -> pd.DataFrame:
    """Mean value of a purchase to come: `value`, `low`, `high`, one row per row of `spending`."""
    checks.columns("spending", spending.columns, ["frequency", "monetary"])
    x, mean = spending["frequency"], spending["monetary"]

    def logs(vector: Floats) -> Floats:
        return np.log(conditional_mean(vector, frequency=x, monetary=mean))

    value = np.exp(logs(spend.maximum.parameters))
    far = np.exp(normal(alpha) * std_errors(spend.maximum, logs))
    return pd.DataFrame({"value": value, "low": value / far, "high": value * far}, spending.index)


def _read(spending: pd.DataFrame) -> tuple[Floats, Floats, Floats]:
    checks.columns("spending", spending.columns, ["frequency", "monetary"])
    counted = spending.assign(weight=spending.get("weight", 1.0))
    again = counted.loc[~(counted["frequency"] == 0) & (counted["weight"] != 0)]
    x, mean, weight = (
        again[["frequency", "monetary", "weight"]].to_numpy("float64", na_value=np.nan).T.copy()
    )
    if not (np.isfinite([x, mean, weight]).all() and (x > 0).all() and (weight > 0).all()):
        raise BadData("spending has a missing, endless or negative count. Leave out those rows.")
    if (mean <= 0).any():
        worst = float(mean.min())
        raise BadData(
            f"{weight[mean <= 0].sum():,.0f} customers who bought again have a mean value of 0 or "
            f"less (down to {worst:g}), which Gamma-Gamma cannot have. Leave them out and say so."
        )
    if weight.sum() < 4:
        raise BadData(f"{weight.sum():.0f} customers bought again; 4 are the least. {_ADVICE}")
    return x, mean, weight


def _likelihood(x: Floats, mean: Floats, weight: Floats) -> Likelihood:
    levels, inverse = np.unique(x, return_inverse=True)
    many = np.bincount(inverse, weight)
    spent, customers = x * mean, float(weight.sum())
    fixed = float(weight @ np.log(mean))
    purchases = float(many @ (levels * np.log(levels))) + float((weight * x) @ np.log(mean))

    def at(parameters: Floats) -> tuple[float, Floats, Floats]:
        p, q, v = parameters
        # Logarithm and inverse of v + spent, each with the weights that it is needed with.
        log_end, end = np.log(v + spent), 1 / (v + spent)
        tries = p * levels + q
        buys, exposed = weight * x, weight * (p * x + q)
        value = (
            float(many @ (gammaln(tries) - gammaln(p * levels)))
            + customers * (q * np.log(v) - gammaln(q))
            + p * purchases
            - fixed
            - float(exposed @ log_end)
        )
        up, down = digamma(tries), digamma(p * levels)
        gradient = np.array(
            [
                many @ (levels * (up - down)) + purchases - buys @ log_end,
                many @ up + customers * (np.log(v) - digamma(q)) - weight @ log_end,
                customers * q / v - exposed @ end,
            ]
        )
        bend = polygamma(1, tries)
        qq = many @ bend - customers * polygamma(1, q)
        pp = many @ (levels**2 * (bend - polygamma(1, p * levels)))
        pq, pv, qv = many @ (levels * bend), -(buys @ end), customers / v - weight @ end
        vv = exposed @ end**2 - customers * q / v**2
        return value, gradient, np.array([[pp, pq, pv], [pq, qq, qv], [pv, qv, vv]])

    return at


def _correlation(x: Floats, mean: Floats, weight: Floats, alpha: float) -> Interval:
    """Pearson's correlation with Fisher's interval."""
    moments = np.cov(x, mean, aweights=weight, ddof=0)
    if moments[0, 0] * moments[1, 1] == 0:
        raise BadData(f"All customers bought as often, or as much, as all others. {_ADVICE}")
    value = float(moments[0, 1] / np.sqrt(moments[0, 0] * moments[1, 1]))
    centre, far = np.arctanh(value), normal(alpha) / np.sqrt(weight.sum() - 3)
    low, high = np.tanh([centre - far, centre + far]).tolist()
    return Interval(value=value, low=low, high=high)
