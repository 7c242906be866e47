"""An estimate with the range it is compatible with."""

from __future__ import annotations

from dataclasses import dataclass
from math import hypot


@dataclass(frozen=True, kw_only=True)
class Interval:
    """A value and its two-sided interval, all three in the unit of the value."""

    value: float
    low: float
    high: float


def minus(now: Interval, before: Interval) -> Interval:
    """Difference of two independent estimates, from their intervals of the same level alone.

    Each bound adds the squared distances to the bounds that lie on its side, so lopsided intervals
    stay so. With Wilson intervals of two shares this is Newcombe's interval.

    References
    ----------
    Zou & Donner (2008), Statistics in Medicine 27, 1693-1702 (known as MOVER).
    """
    value = now.value - before.value
    return Interval(
        value=value,
        low=value - hypot(now.value - now.low, before.high - before.value),
        high=value + hypot(now.high - now.value, before.value - before.low),
    )
