"""Two ratios of partly the same customers: how far their estimates go together."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

from retention_lab.inference.moments import RatioMoments


@dataclass(frozen=True, kw_only=True)
class CrossMoments:
    """Sums over the `n` units (customers) of both sides: the side now comes first in each product.

    `yx` is the sum of y now times x before; all are whole numbers of any size.
    """

    n: int
    yy: int
    yx: int
    xy: int
    xx: int


def correlation(now: RatioMoments, before: RatioMoments, both: CrossMoments) -> float:
    """Correlation of two ratios' estimates, -1 to 1; 0 where one of them cannot vary.

    By the linearised ratio, each customer moves it by ``(y - r x) / sum(x)``. The sums of squares
    and products of these are exact before they are divided.

    References
    ----------
    Cochran (1977), Sampling Techniques, 3rd ed., ch. 6 (linearised ratios).
    """
    squares = [
        side.yy * side.x**2 - 2 * side.x * side.y * side.xy + side.y**2 * side.xx
        for side in (now, before)
    ]
    if 0 in squares:
        return 0.0
    product = now.x * (both.yy * before.x - both.yx * before.y) - now.y * (
        both.xy * before.x - both.xx * before.y
    )
    return max(-1.0, min(1.0, product / sqrt(squares[0]) / sqrt(squares[1])))
