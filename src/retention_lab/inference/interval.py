"""An estimate with the range it is compatible with."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, sqrt


@dataclass(frozen=True, kw_only=True)
class Interval:
    """A value and its two-sided interval, all three in the unit of the value."""

    value: float
    low: float
    high: float


def minus(now: Interval, before: Interval, *, correlation: float = 0.0) -> Interval:
    """Difference of two estimates, from their intervals of the same level alone.

    Each bound adds the squared distances to the bounds that lie on its side, less what the
    `correlation` of the two estimates takes off, so lopsided intervals stay so. With Wilson
    intervals of two independent shares this is Newcombe's interval.

    References
    ----------
    Zou & Donner (2008), Statistics in Medicine 27, 1693-1702 (known as MOVER); for correlated
    estimates Zou (2007), Psychological Methods 12, 399-413.
    """
    value = now.value - before.value
    down, up = (
        sqrt(max(0.0, a**2 + b**2 - 2 * correlation * a * b)) for a, b in _arms(now, before)
    )
    return Interval(value=value, low=value - down, high=value + up)


def lift(now: Interval, before: Interval, *, correlation: float = 0.0) -> Interval | None:
    """Relative difference ``now / before - 1``: 0.02 is 2 percent more.

    Its bounds are the multiples of `before` at which a bound of the difference, by `minus`, is
    zero; so it leaves out zero whenever the difference does.

    Returns
    -------
    Interval or None
        None where `before` may be zero, or either may be less.

    References
    ----------
    Fieller (1954), Journal of the Royal Statistical Society B 16, 175-185, with the bounds of
    `minus` in the place of normal ones.
    """
    if now.low < 0 or before.low <= 0:
        return None
    (a, b), (a_up, b_up) = _arms(now, before)
    low, _ = _multiples(now.value, before.value, a, b, correlation=correlation)
    _, high = _multiples(now.value, before.value, a_up, b_up, correlation=correlation)
    return Interval(value=now.value / before.value - 1, low=low - 1, high=high - 1)


def _arms(now: Interval, before: Interval) -> tuple[tuple[float, float], tuple[float, float]]:
    """How far both estimates may be off when their difference is least, and when it is greatest."""
    least = (now.value - now.low, before.high - before.value)
    return least, (now.high - now.value, before.value - before.low)


def _multiples(
    now: float, before: float, a: float, b: float, *, correlation: float
) -> tuple[float, float]:
    """Solve ``(now - m before)^2 = a^2 + m^2 b^2 - 2 correlation m a b`` for both m."""
    half = now * before - correlation * a * b
    first, last = (now - a) * (now + a), (before - b) * (before + b)
    root = half + sqrt(max(0.0, half**2 - first * last))
    return first / root if first else 0.0, root / last if last > 0 else inf
