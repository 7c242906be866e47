"""A test statistic from look to look: the chance to be where, by numerical integration.

The score at a fraction t of the information is Z sqrt(t): its steps are independent and normal, of
mean `drift` times the step in t and variance the step in t. `drift` is the mean of Z at fraction 1.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import ceil, sqrt

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.special import ndtr

from retention_lab.checks import BadParameter
from retention_lab.inference.sequential.spending import Floats

_FOLLOWED = 8.0  # standard deviations from the mean; the chance of paths beyond is 1e-15
_LEAST_STEP = 1e-3  # of information; narrower steps would need thousands of points
_PANEL = 5.0  # width of a panel in standard deviations of a step: 16 points give 14 digits
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(16)


@dataclass(frozen=True, kw_only=True, eq=False)
class Step:
    """A look to come: of those who got there, `mass` is expected at `centre`, give or take `sd`."""

    information: float
    centre: Floats
    mass: Floats
    sd: float

    def above(self, z: float) -> float:
        """Chance to get to this look and to stand at `z` or above."""
        return float(self.mass @ ndtr((self.centre - z * sqrt(self.information)) / self.sd))

    def below(self, z: float) -> float:
        """Chance to get to this look and to stand at `z` or below."""
        return float(self.mass @ ndtr((z * sqrt(self.information) - self.centre) / self.sd))


Bounds = Callable[[int, Step], tuple[float, float]]
"""The lower and upper bound (z) of a look, by its place and what leads to it."""


def crossing(
    information: ArrayLike, *, lower: ArrayLike, upper: ArrayLike, drift: float = 0.0
) -> pd.DataFrame:
    """Chances to leave between two bounds, at each look for the first time.

    Parameters
    ----------
    information
        Fractions of the planned information, rising; beyond 1 is fine.
    lower, upper
        Bounds (z), one each or one for all looks; without bound -inf and inf.
    drift
        Mean of z at fraction 1; 0 if there is no effect.

    Returns
    -------
    DataFrame
        One row per look: `information`, `lower`, `upper`, `below` and `above`, the chances.

    Raises
    ------
    BadParameter
        If the information does not rise by at least 0.001 from look to look.

    References
    ----------
    Armitage, McPherson & Rowe (1969), Journal of the Royal Statistical Society A 132, 235-244.
    """
    fractions = rising(information)
    low, high = (np.broadcast_to(np.asarray(b, "float64"), fractions.shape) for b in (lower, upper))
    return walk(fractions, drift=drift, bounds=lambda k, _: (float(low[k]), float(high[k])))


def walk(information: Floats, *, drift: float, bounds: Bounds) -> pd.DataFrame:
    """Go from look to look between bounds that are chosen on arrival; returns as `crossing`."""
    rows = []
    points, mass, steps = np.zeros(1), np.ones(1), np.diff(information, prepend=0.0)
    for k, (t, step) in enumerate(zip(information, steps, strict=True)):
        at = Step(information=t, centre=points + drift * step, mass=mass, sd=sqrt(step))
        low, high = bounds(k, at)
        rows.append((t, low, high, at.below(low), at.above(high)))
        finest = sqrt(steps[k : k + 2].min())
        points, mass = _staying(at, low, high, middle=drift * t, finest=finest)
    return pd.DataFrame(rows, columns=["information", "lower", "upper", "below", "above"])


def rising(information: ArrayLike) -> Floats:
    """Return the fractions of the information at the looks if they are finite and rise enough."""
    fractions = np.atleast_1d(np.asarray(information, dtype="float64"))
    if not fractions.size or not np.isfinite(fractions).all():
        raise BadParameter(f"information needs a number for each look, got {fractions.tolist()}.")
    if fractions[0] < _LEAST_STEP:
        raise BadParameter(
            f"information at the first look must be at least {_LEAST_STEP:g}, got "
            f"{fractions[0]:g}: there is nothing to look at yet. Wait for events."
        )
    # A hair less, as fractions of events carry the error of a division.
    short = np.flatnonzero(np.diff(fractions) < _LEAST_STEP * (1 - 1e-9))
    if short.size:
        before, after = fractions[short[0]], fractions[short[0] + 1]
        raise BadParameter(
            f"information must rise by at least {_LEAST_STEP:g} from look to look, got {after:g} "
            f"after {before:g}. A second run on the same events is the same look: leave it out."
        )
    return fractions


def _staying(
    at: Step, low: float, high: float, *, middle: float, finest: float
) -> tuple[Floats, Floats]:
    """Points between the bounds of a look, fine enough for the next step, and the mass at each."""
    root = sqrt(at.information)
    begin, end = (
        float(np.clip(z * root, middle - _FOLLOWED * root, middle + _FOLLOWED * root))
        for z in (low, high)
    )
    panels = ceil(max(0.0, end - begin) / (_PANEL * finest))
    edges = np.linspace(begin, end, panels + 1)
    half = (end - begin) / max(panels, 1) / 2
    points = ((edges[:-1] + half)[:, None] + half * _NODES).ravel()
    distance = (points[:, None] - at.centre) / at.sd
    density = np.exp(-(distance**2) / 2) @ at.mass / (at.sd * sqrt(2 * np.pi))
    return points, np.tile(half * _WEIGHTS, panels) * density
