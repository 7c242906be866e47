"""Maximum likelihood of BG/NBD and MBG/NBD, on distinct purchase histories.

Customers buy at a rate of their own (Gamma with `r`, `alpha`) and stop for good after a purchase
with a chance of their own (Beta with `a`, `b`). BG/NBD lets nobody stop after the first purchase,
MBG/NBD does: that one chance more is the whole difference between the two.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import get_args

import numpy as np
import pandas as pd

from retention_lab.checks import BadData
from retention_lab.inference.btyd import histories
from retention_lab.inference.btyd.histories import Histories
from retention_lab.inference.btyd.likelihood import Model, chances, likelihood
from retention_lab.inference.btyd.maximum import Floats, Maximum, certified, climb

_MODELS: tuple[Model, ...] = get_args(Model)
_NAMES = ("r", "alpha", "a", "b")
_STARTS = ((0.5, 0.5, 0.7, 2.0), (2.0, 2.0, 0.2, 2.0), (0.2, 0.1, 2.0, 2.0))
_FEW, _SOME = 5_000, 20_000  # histories that the starts race on, and the models
_ADVICE = "Take a longer period or more customers, or forecast with the return rate observed."


@dataclass(frozen=True, kw_only=True)
class Process:
    """Parameters of a purchase model: `alpha` is in the unit of time, the rest have none."""

    model: Model
    r: float
    alpha: float
    a: float
    b: float

    @property
    def vector(self) -> Floats:
        """The four parameters as an array."""
        return np.array([self.r, self.alpha, self.a, self.b])

    def at(self, vector: Floats) -> Process:
        """The same model with other parameters."""
        return replace(self, **dict(zip(_NAMES, vector.tolist(), strict=True)))


@dataclass(frozen=True, kw_only=True, eq=False)
class Fit:
    """A purchase model fitted to `customers`, and how much better it is than customers who stay.

    `null_log_likelihood` is that of NBD: rates that differ, and nobody ever stops.
    """

    process: Process
    maximum: Maximum
    null_log_likelihood: float
    customers: float


def fit(patterns: pd.DataFrame, *, model: Model = "MBG/NBD") -> Fit:
    """Fit a purchase model by maximum likelihood.

    Parameters
    ----------
    patterns
        As `histories.read` takes them, in any unit of time, which `alpha` is in thereafter.
    model
        BG/NBD, or MBG/NBD, in which also those who bought once may be gone.

    Raises
    ------
    BadData
        As `histories.read` does; if nobody bought again; if the data do not determine the
        parameters, or are no likelier than if nobody ever stopped.

    References
    ----------
    Fader, Hardie & Lee (2005), Marketing Science 24, 275-284, equation 6; Batislam, Denizel &
    Filiztekin (2007), International Journal of Research in Marketing 24, 201-209.
    """
    known = histories.read(patterns)
    known = known.where(known.weight > 0)
    if not known.x.any():
        raise BadData(
            f"None of the {known.customers:,.0f} customers bought again, so {model} has no rate to "
            "learn. Take a longer period, or forecast with the return rate of an earlier group."
        )
    unit = float(known.weight @ known.T) / known.customers  # ages around 1: well conditioned
    scaled = replace(known, t_x=known.t_x / unit, T=known.T / unit)
    top = _top(scaled, model)
    shift = float(known.weight @ known.x) * np.log(unit)
    maximum = replace(
        top,
        parameters=top.parameters * [1, unit, 1, 1],
        log_likelihood=top.log_likelihood - shift,
    )
    r, alpha, a, b = maximum.parameters.tolist()
    return Fit(
        process=Process(model=model, r=r, alpha=alpha, a=a, b=b),
        maximum=maximum,
        null_log_likelihood=_null(scaled, top, model) - shift,
        customers=known.customers,
    )


def likelier(patterns: pd.DataFrame) -> Fit:
    """Fit the model under which the histories are likelier; `patterns` are those of `fit`.

    Both have as many parameters, so the likelihood alone decides, on some of very many histories.

    Raises
    ------
    BadData
        As `fit` does, of both models.
    """
    some = patterns.iloc[:: max(1, len(patterns) // _SOME)]
    raced = []
    for model in _MODELS:
        try:
            raced.append(fit(some, model=model))
        except BadData as refusal:
            refused = refusal
    if not raced:
        raise refused
    best = max(raced, key=lambda each: each.maximum.log_likelihood)
    return best if len(some) == len(patterns) else fit(patterns, model=best.process.model)


def _top(known: Histories, model: Model) -> Maximum:
    """Race the starts on some of the histories, and climb to the top of all from the best."""
    thin = slice(None, None, max(1, len(known.x) // _FEW))
    some = known.where(thin)
    rough = likelihood(some, chance=chances(model, some.x))
    ends = [climb(rough, np.array(start)) for start in _STARTS]
    best = max(ends, key=lambda end: rough(end)[0])
    whole = likelihood(known, chance=chances(model, known.x))
    return certified(whole, climb(whole, best), names=_NAMES, what=model, advice=_ADVICE)


def _null(known: Histories, top: Maximum, model: Model) -> float:
    """Log likelihood of NBD; a fit that is not above it has found no stopping."""
    both = likelihood(known, chance=np.zeros_like(known.x))
    none = np.ones(2)

    def stays(rate: Floats) -> tuple[float, Floats, Floats]:
        value, gradient, hessian = both(np.concatenate([rate, none]))
        return value, gradient[:2], hessian[:2, :2]

    value = stays(climb(stays, top.parameters[:2]))[0]
    if top.log_likelihood <= value:
        raise BadData(f"{model} is no likelier than customers who never stop. {_ADVICE}")
    return value
