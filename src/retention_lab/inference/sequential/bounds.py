"""Bounds of a test that is looked at more than once, wherever the looks really fall."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from math import inf
from typing import Literal

import numpy as np
import pandas as pd
import scipy
from numpy.typing import ArrayLike
from scipy.special import ndtri

from retention_lab import checks
from retention_lab.checks import BadParameter
from retention_lab.inference.sequential.recursion import Step, rising, walk
from retention_lab.inference.sequential.spending import Floats, Spending

_FARTHEST = 12.0  # no bound is drawn beyond: to cross it has a chance of 2e-33
_ROUNDING = 1e-9  # of fractions, which are quotients
_COLUMNS = ["information", "lower", "upper", "alpha_spent", "beta_spent"]


@dataclass(frozen=True, kw_only=True)
class Rule:
    """What a test may spend, and how.

    `alpha` is of the whole test, half of it for each side if it has two `sides`; `power` that at
    the drift it is designed for. `futility` spends what the power leaves, 1 - power, on stopping
    early for want of effect. That is not binding: `alpha` holds if nobody heeds it.

    Raises
    ------
    BadParameter
        If `alpha` or `power` is no share, the power is not above `alpha`, there are not one or two
        sides, or a test of two sides has futility.
    """

    alpha: float = 0.05
    sides: Literal[1, 2] = 2
    power: float = 0.8
    spending: Spending = field(default_factory=Spending)
    futility: Spending | None = None

    def __post_init__(self) -> None:
        checks.share("alpha", self.alpha)
        if checks.share("power", self.power) <= self.alpha:
            raise BadParameter(
                f"power must be above alpha ({self.alpha:g}), got {self.power:g}: a test without "
                "data does as well."
            )
        if self.sides not in (1, 2):
            raise BadParameter(f"sides must be 1 or 2, got {self.sides!r}.")
        if self.futility and self.sides == 2:
            raise BadParameter(
                "A test of two sides has no futility: take one side at half of alpha "
                f"({self.alpha / 2:g}), which finds the same effects."
            )

    @property
    def level(self) -> float:
        """Alpha of one side."""
        return self.alpha / self.sides

    @property
    def fixed_drift(self) -> float:
        """Mean of z that gives a test with one look its power."""
        return float(ndtri(1 - self.level) + ndtri(self.power))


def bounds(
    information: ArrayLike,
    *,
    rule: Rule,
    drift: float,
    past: pd.DataFrame | None = None,
    final: bool = False,
) -> pd.DataFrame:
    """Bounds at the looks as they fell; those of `past` stay as they were used.

    What `past` spent is never refunded: if the spending function now asks for less than that, a
    look spends nothing, and its bound lies 12 standard deviations out. A look that was planned and
    did not take place is simply not there.

    Parameters
    ----------
    information
        Fractions of the planned information at all looks so far, those of `past` first; rising.
        The last one may lie beyond 1.
    rule, drift
        As of a `planning.Design`; the drift is heeded by futility only.
    past
        What this function returned for the looks before. If the planned information has changed
        since, give all of `information` as fractions of the new one.
    final
        Whether the last look is the last of all, whatever its information: it spends what is left.
        One at 1 or beyond is the last anyway.

    Returns
    -------
    DataFrame
        One row per look: `information`, `lower` and `upper` (z; -inf where there is no lower one),
        `alpha_spent` (by all sides, so far) and `beta_spent` (by futility, so far). With one side,
        `lower` says when to stop for futility.

    Raises
    ------
    BadParameter
        If the information does not rise, or a look comes after all was spent.
    BadData
        If `past` lacks a column.

    References
    ----------
    Lan & DeMets (1983), Biometrika 70, 659-663; for futility Pampallona, Tsiatis & Kim (2001), Drug
    Information Journal 35, 1113-1121; for the last look Wassmer & Brannath (2016), Group Sequential
    and Confirmatory Adaptive Designs in Clinical Trials, p. 78.
    """
    fractions = rising(information)
    known = pd.DataFrame(columns=_COLUMNS, dtype="float64") if past is None else past
    checks.columns("past", known.columns, _COLUMNS)
    _refuse_after_the_end(fractions, known, rule)
    alpha = _so_far(
        rule.spending, fractions, level=rule.level, used=known["alpha_spent"] / rule.sides
    )
    last = final or fractions[-1] >= 1 - _ROUNDING
    if last:
        alpha[-1] = rule.level
    looks = _rejecting(fractions, np.diff(alpha, prepend=0.0), sides=rule.sides, past=known)
    looks["alpha_spent"], looks["beta_spent"] = rule.sides * alpha, 0.0
    if rule.futility is not None:
        beta = _so_far(rule.futility, fractions, level=1 - rule.power, used=known["beta_spent"])
        looks["lower"], looks["beta_spent"] = _futile(
            looks, beta, drift=drift, past=known, last=last
        )
    return looks


def _refuse_after_the_end(fractions: Floats, past: pd.DataFrame, rule: Rule) -> None:
    if len(past) >= len(fractions):
        raise BadParameter(
            f"information needs the {len(past)} looks of the past and those to come, got "
            f"{len(fractions)} in all."
        )
    over = len(past) and past["alpha_spent"].iloc[-1] >= rule.alpha * (1 - 1e-12)
    if over or (fractions[len(past) : -1] >= 1 - _ROUNDING).any():
        raise BadParameter(
            "A look was to come after the last one: by all of the planned information, or a look "
            f"said to be final, all of alpha ({rule.alpha:g}) is spent. What comes later is "
            "another test, on other customers."
        )


def _so_far(spending: Spending, fractions: Floats, *, level: float, used: pd.Series) -> Floats:
    """What is spent by each look: what was `used`, then by the function, but never less."""
    spent = spending.spent(fractions, level=level)
    spent[: len(used)] = used
    return np.maximum.accumulate(spent)


def _rejecting(fractions: Floats, alpha: Floats, *, sides: int, past: pd.DataFrame) -> pd.DataFrame:
    """Bounds that spend `alpha` on each side, heeding no futility."""
    used = past["upper"].to_numpy()

    def chosen(k: int, at: Step) -> tuple[float, float]:
        upper = float(used[k]) if k < len(used) else _bound(at.above, alpha[k])
        return -upper if sides == 2 else -inf, upper

    return walk(fractions, drift=0.0, bounds=chosen)[_COLUMNS[:3]]


def _futile(
    looks: pd.DataFrame, beta: Floats, *, drift: float, past: pd.DataFrame, last: bool
) -> tuple[Floats, Floats]:
    """Lower bounds that spend `beta`, in all by each look, under `drift`; and what they do spend.

    No lower bound lies above the upper one, and at the final look it is the upper one.
    """
    used, upper = past["lower"].to_numpy(), looks["upper"].to_numpy()
    spent = 0.0

    def chosen(k: int, at: Step) -> tuple[float, float]:
        nonlocal spent
        if k < len(used):
            low = float(used[k])
        elif last and k == len(upper) - 1:
            low = float(upper[k])
        else:
            low = min(-_bound(lambda z: at.below(-z), beta[k] - spent), float(upper[k]))
        spent += at.below(low)
        return low, float(upper[k])

    exits = walk(looks["information"].to_numpy(), drift=drift, bounds=chosen)
    return exits["lower"].to_numpy(), exits["below"].cumsum().to_numpy()


def _bound(chance: Callable[[float], float], target: float) -> float:
    """Where a `chance` that falls with z is `target`, no farther out than `_FARTHEST`."""
    if chance(_FARTHEST) >= target:
        return _FARTHEST
    if chance(-_FARTHEST) <= target:
        return -_FARTHEST
    return float(
        scipy.optimize.brentq(lambda z: chance(z) - target, -_FARTHEST, _FARTHEST, xtol=1e-11)
    )
