"""What may be said at a look, and after a stop."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite, sqrt

import numpy as np
import pandas as pd
import scipy
from scipy.special import ndtr

from retention_lab import checks
from retention_lab.checks import BadParameter
from retention_lab.inference.interval import Interval
from retention_lab.inference.sequential.bounds import Rule
from retention_lab.inference.sequential.recursion import crossing
from retention_lab.inference.sequential.spending import Floats

_SURE = 20.0  # beyond any bound by 8 standard deviations


@dataclass(frozen=True, kw_only=True)
class Stopped:
    """What a test that stopped found, with the looks it had taken into account.

    `p_value` orders outcomes by stage: the earlier the stop, the stronger. `effect`, in the unit of
    the estimate, is median-unbiased: as likely too high as too low; its interval, of two sides,
    leaves out zero when the test rejects.
    """

    p_value: float
    effect: Interval


def of_events(events: float, *, treated_share: float = 0.5) -> float:
    """Information on the log hazard ratio in so many events; its standard error is 1 / sqrt of it.

    `treated_share` is the share of customers in the one arm, strictly between 0 and 1.

    References
    ----------
    Schoenfeld (1981), Biometrika 68, 316-319.
    """
    share = checks.share("treated_share", treated_share)
    if checks.at_least("events", events, 0) == 0:
        raise BadParameter("events must be above 0, got 0: there is no information yet. Wait.")
    return events * share * (1 - share)


def conditional_power(*, information: float, z: float, bound: float, drift: float) -> float:
    """Chance to end above the final `bound`, given `z` at a fraction of the planned information.

    Parameters
    ----------
    information
        Fraction that is in, strictly between 0 and 1.
    z, bound
        The statistic now, and what it has to reach at the end.
    drift
        Mean of z at the end that is assumed of what comes: 0 for no effect, that of the design, or
        ``z / sqrt(information)`` for the trend so far.

    Raises
    ------
    BadParameter
        If nothing is in, or nothing is left to come.

    References
    ----------
    Lan & Wittes (1988), Biometrics 44, 579-585. Looks in between are left out.
    """
    left = 1 - information
    if not 0 < left < 1:
        raise BadParameter(
            f"information must lie between 0 and 1, got {information!r}: before the first look and "
            "after the last there is no condition to set. Read the plan, or the result."
        )
    return float(ndtr((z * sqrt(information) + drift * left - bound) / sqrt(left)))


def repeated(estimate: float, *, std_error: float, bound: float) -> Interval:
    """Interval at a look that holds at all looks together, whether or not the test stops.

    `bound` is the upper one of the look (z); the interval has the level of both sides together.

    References
    ----------
    Jennison & Turnbull (1989), Journal of the Royal Statistical Society B 51, 305-361.
    """
    _refuse_without_spread(estimate, std_error)
    far = bound * std_error
    return Interval(value=estimate, low=estimate - far, high=estimate + far)


def stopped(looks: pd.DataFrame, *, rule: Rule, estimate: float, std_error: float) -> Stopped:
    """Read a test that stopped at the last of `looks`.

    Parameters
    ----------
    looks
        As `bounds` returns it, up to the look at which the test stopped, for whatever reason.
        Bounds for futility were heeded, so the effect allows for them; -inf where they were not.
    rule
        That of the design. The p-value holds whether or not anybody heeds futility.
    estimate, std_error
        The effect at that look, positive where the upper bound is, and its standard error.

    Returns
    -------
    Stopped
        A p-value of as many sides as the rule has, and an interval of level 1 - alpha for two
        sides, 1 - 2 alpha for one.

    Raises
    ------
    BadParameter
        If the estimate is no number, or its standard error is not above 0.

    References
    ----------
    Tsiatis, Rosner & Mehta (1984), Biometrics 40, 797-803: ordering by stage.
    """
    _refuse_without_spread(estimate, std_error)
    information = looks["information"].to_numpy()
    lower = looks["lower"].to_numpy()
    binding = lower if rule.sides == 2 else np.full(len(looks), -np.inf)
    z = estimate / std_error
    upper = np.append(looks["upper"].to_numpy()[:-1], z)
    widest = max(_SURE, abs(z) + 8) / sqrt(information[0])

    def as_extreme(drift: float, lower: Floats = lower) -> float:
        exits = crossing(information, lower=lower, upper=upper, drift=drift)
        return float(exits["above"].sum())

    def at(chance: float) -> float:
        """The effect at which an outcome as high as this has such a chance."""
        drift = scipy.optimize.brentq(
            lambda drift: as_extreme(drift) - chance, -widest, widest, xtol=1e-10
        )
        return float(drift) * std_error * sqrt(information[-1])

    above = as_extreme(0.0, lower=binding)
    p_value = above if rule.sides == 1 else 2 * min(above, 1 - above)
    effect = Interval(value=at(0.5), low=at(rule.level), high=at(1 - rule.level))
    return Stopped(p_value=p_value, effect=effect)


def _refuse_without_spread(estimate: float, std_error: float) -> None:
    if not (isfinite(estimate) and isfinite(std_error) and std_error > 0):
        raise BadParameter(
            f"An interval needs an estimate and a standard error above 0, got {estimate!r} and "
            f"{std_error!r}: wait for more events."
        )
