"""Log likelihood of BG/NBD and MBG/NBD with its gradient and Hessian, written out.

It is what it would be had nobody stopped, and the odds that they did since: no power of a small
number, and no hypergeometric function, is left in it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import numpy as np
from scipy.special import digamma, expit, gammaln, polygamma

from retention_lab.inference.btyd.histories import Histories
from retention_lab.inference.btyd.maximum import Floats, Likelihood

Model = Literal["BG/NBD", "MBG/NBD"]

_Special = Callable[[Floats], Floats]


def chances(model: Model, x: Floats) -> Floats:
    """How often a customer with `x` repeat purchases could have stopped by now."""
    return x + (model == "MBG/NBD")


def log_odds(parameters: Floats, known: Histories, *, chance: Floats) -> Floats:
    """Logarithm of the odds that customers who could have stopped `chance` times have done so.

    Minus infinity where they could not have.

    References
    ----------
    Fader, Hardie & Lee (2008), Computing P(alive) using the BG/NBD model, equation 1.
    """
    r, alpha, a, b = parameters
    free = chance > 0
    kept = np.where(free, b + chance - 1, 1.0)
    silent = (r + known.x) * np.log1p((known.T - known.t_x) / (alpha + known.t_x))
    return np.where(free, np.log(a / kept) + silent, -np.inf)


def likelihood(known: Histories, *, chance: Floats) -> Likelihood:
    """Log likelihood of (r, alpha, a, b), where customers could have stopped `chance` times."""
    counted, stayed = _counted(known, chance), _stayed(known)
    free = chance > 0
    able, tried = known.where(free), chance[free]

    def at(parameters: Floats) -> tuple[float, Floats, Floats]:
        parts = (
            counted(parameters),
            stayed(parameters),
            _stopped(able, tried, parameters),
        )
        value = sum(part[0] for part in parts)
        gradient = np.sum([part[1] for part in parts], axis=0)
        return value, gradient, np.sum([part[2] for part in parts], axis=0)

    return at


def _counted(known: Histories, chance: Floats) -> Likelihood:
    """What depends on counts alone, of which there are few: gamma functions once per count."""
    levels, first, inverse = np.unique(known.x, return_index=True, return_inverse=True)
    weight = np.bincount(inverse, known.weight)
    tried = chance[first]

    def at(parameters: Floats) -> tuple[float, Floats, Floats]:
        r, _, a, b = parameters

        def rose(special: _Special, start: float, by: Floats) -> float:
            return float(weight @ (special(start + by) - special(np.array(start))))

        def shares(special: _Special) -> tuple[float, float, float]:
            return rose(special, r, levels), rose(special, b, tried), -rose(special, a + b, tried)

        slope_r, slope_b, slope_ab = shares(digamma)
        bend_r, bend_b, bend_ab = shares(lambda value: polygamma(1, value))
        hessian = np.diag([bend_r, 0, bend_ab, bend_b + bend_ab])
        hessian[2, 3] = hessian[3, 2] = bend_ab
        return sum(shares(gammaln)), np.array([slope_r, 0, slope_ab, slope_b + slope_ab]), hessian

    return at


def _stayed(known: Histories) -> Likelihood:
    """Purchases of a Gamma mixture of rates until `T`, as if nobody had stopped: once per `T`."""
    ages, place = np.unique(known.T, return_inverse=True)
    weight = np.bincount(place, known.weight)
    bought, customers = np.bincount(place, known.weight * known.x), known.customers

    def at(parameters: Floats) -> tuple[float, Floats, Floats]:
        r, alpha, _, _ = parameters
        inverse, exposed = 1 / (alpha + ages), r * weight + bought
        logs = float(weight @ np.log1p(ages / alpha))
        gradient, hessian = np.zeros(4), np.zeros((4, 4))
        gradient[0] = -logs
        gradient[1] = customers * r / alpha - exposed @ inverse
        hessian[0, 1] = hessian[1, 0] = customers / alpha - weight @ inverse
        hessian[1, 1] = exposed @ inverse**2 - customers * r / alpha**2
        return -r * logs - float(bought @ np.log(alpha + ages)), gradient, hessian

    return at


def _stopped(known: Histories, chance: Floats, parameters: Floats) -> tuple[float, Floats, Floats]:
    """Log of one plus the odds of having stopped since the last purchase."""
    r, alpha, a, b = parameters
    odds = log_odds(parameters, known, chance=chance)
    gone, last, end = expit(odds), 1 / (alpha + known.t_x), 1 / (alpha + known.T)
    closer, exponent, kept = end - last, r + known.x, b + chance - 1
    slopes = np.stack(
        [
            np.log(last / end),
            exponent * closer,
            np.full_like(odds, 1 / a),
            -1 / kept,
        ]
    )
    weight = known.weight * gone
    hessian = (slopes * (weight * (1 - gone))) @ slopes.T
    hessian[0, 1] += weight @ closer
    hessian[1, 0] = hessian[0, 1]
    hessian[1, 1] += (weight * exponent) @ (last**2 - end**2)
    hessian[2, 2] -= weight.sum() / a**2
    hessian[3, 3] += weight @ kept**-2
    return float(known.weight @ np.logaddexp(0, odds)), slopes @ weight, hessian
