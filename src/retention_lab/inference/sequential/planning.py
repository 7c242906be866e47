"""A test with several looks before it begins: its bounds, its drift, its expected stop."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf

import numpy as np
import pandas as pd
import scipy
from numpy.typing import ArrayLike
from scipy.special import ndtri

from retention_lab import checks
from retention_lab.checks import BadParameter
from retention_lab.inference.sequential.bounds import Rule, bounds
from retention_lab.inference.sequential.recursion import crossing, rising


@dataclass(frozen=True, kw_only=True, eq=False)
class Design:
    """A plan of looks.

    `looks` is as `bounds` returns it; `drift` is the mean of z at the planned information at which
    the test has its power.
    """

    rule: Rule
    looks: pd.DataFrame
    drift: float

    @property
    def inflation(self) -> float:
        """Planned information over that of a test with one look and the same power."""
        return (self.drift / self.rule.fixed_drift) ** 2


def design(information: ArrayLike, *, rule: Rule) -> Design:
    """Bounds and drift of a test with looks at these fractions of its information, the last at 1.

    Raises
    ------
    BadParameter
        If the fractions do not rise by 0.001 from look to look, or do not end at 1.

    References
    ----------
    Jennison & Turnbull (2000), Group Sequential Methods, ch. 7 and 19.
    """
    fractions = rising(information)
    if abs(fractions[-1] - 1) > 1e-9:
        raise BadParameter(
            f"information of a design must end at 1, all that is planned, got {fractions[-1]:g}."
        )
    if rule.futility is None:
        looks = bounds(fractions, rule=rule, drift=0.0)
        return Design(rule=rule, looks=looks, drift=needed_drift(looks, power=rule.power))

    def missed(drift: float) -> float:
        """Type II error beyond what may be spent, if the drift is this."""
        looks = bounds(fractions, rule=rule, drift=drift)
        return float(looks["beta_spent"].iloc[-1]) - (1 - rule.power)

    drift = float(scipy.optimize.brentq(missed, rule.fixed_drift / 2, 3 * rule.fixed_drift))
    return Design(rule=rule, looks=bounds(fractions, rule=rule, drift=drift), drift=drift)


def needed_drift(looks: pd.DataFrame, *, power: float) -> float:
    """Mean of z at fraction 1 at which the upper bounds of `looks` are crossed with this chance.

    `looks` is as `bounds` or `wang_tsiatis` returns it.
    """
    checks.share("power", power)

    def short(drift: float) -> float:
        return float(stops(looks, drift=drift)["above"].sum()) - power

    if short(0.0) >= 0:
        raise BadParameter(f"power must be above what luck alone gives, got {power:g}.")
    return float(scipy.optimize.brentq(short, 0.0, 40.0))


def stops(looks: pd.DataFrame, *, drift: float) -> pd.DataFrame:
    """Chances to stop at each of `looks`, as `crossing` returns them; futility is heeded."""
    return crossing(looks["information"], lower=looks["lower"], upper=looks["upper"], drift=drift)


def expected(looks: pd.DataFrame, *, drift: float, of: ArrayLike) -> float:
    """Mean of something known of each look, such as its day or events, where the test stops.

    Parameters
    ----------
    looks, drift
        As `stops` takes them.
    of
        One value per look, such as ``looks["information"]``; its unit is that of the answer.

    Raises
    ------
    BadParameter
        If `of` has not one value per look.
    """
    values, leaves = np.asarray(of, "float64"), stops(looks, drift=drift)[["below", "above"]]
    if len(values) != len(looks):
        raise BadParameter(f"of needs one value for each of {len(looks)} looks, got {len(values)}.")
    stay = 1 - leaves.to_numpy().sum(axis=1).cumsum()
    # At the last look everything stops, whether or not a bound is crossed.
    return float(values[0] + stay[:-1] @ np.diff(values))


def wang_tsiatis(information: ArrayLike, *, alpha: float, sides: int, delta: float) -> pd.DataFrame:
    """Bounds of one shape, c t^(delta - 1/2), at fractions t of the information, the last at 1.

    `delta` 0 gives the bounds of O'Brien and Fleming, 1/2 those of Pocock; `alpha` is of all
    `sides`, 1 or 2. They need the looks to fall as planned, so a test in use spends instead.

    Returns
    -------
    DataFrame
        One row per look: `information`, `lower` (-inf with one side), `upper`.

    References
    ----------
    Wang & Tsiatis (1987), Biometrics 43, 193-199.
    """
    fractions = rising(information)
    shape = fractions ** (delta - 0.5)
    below = -1.0 if sides == 2 else -inf

    def beyond(c: float) -> float:
        exits = crossing(fractions, lower=below * c * shape, upper=c * shape)
        return float(exits["above"].sum()) - checks.share("alpha", alpha) / sides

    # No bound lower than that of a single look; shares of alpha for each would be too strict.
    least, most = float(ndtri(1 - alpha / sides)), float(ndtri(1 - alpha / sides / len(shape)))
    c = (
        float(scipy.optimize.brentq(beyond, 0.9 * least, 1.1 * most, xtol=1e-11))
        if len(shape) > 1
        else least
    )
    return pd.DataFrame({"information": fractions, "lower": below * c * shape, "upper": c * shape})
