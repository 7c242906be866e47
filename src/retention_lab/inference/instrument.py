"""Effect on those whom the treatment reached, with the random assignment as the instrument.

Comparing the reached with the rest compares customers who differ. This does not: it divides the
effect of assignment on everybody by the share that it reached.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

from scipy.special import ndtri

from retention_lab import checks
from retention_lab.checks import BadData
from retention_lab.inference.interval import Interval
from retention_lab.inference.means import Estimate, around
from retention_lab.inference.moments import RatioMoments


@dataclass(frozen=True, kw_only=True)
class TwoStage:
    """What assignment did to everybody, how many more it reached, and its effect on these.

    `assigned` is the effect of being assigned (intention to treat), `reached` the difference of the
    shares reached, `effect` the one over the other.
    """

    assigned: Estimate
    reached: Estimate
    effect: Estimate


def two_stage(treated: RatioMoments, control: RatioMoments, *, alpha: float = 0.05) -> TwoStage:
    """Two-stage least squares with robust errors; read `anderson_rubin` where few were reached.

    Parameters
    ----------
    treated, control
        Sums over all customers of an arm as assigned: y of the outcome, x of being reached (1 or 0,
        so ``xx = x``, and ``xy`` is the sum of y of those reached).

    Raises
    ------
    BadData
        If an arm has nobody, no more were reached in one arm than in the other, or nobody varies.

    References
    ----------
    Imbens & Angrist (1994), Econometrica 62, 467-475; Imbens & Rubin (2015), Causal Inference for
    Statistics, Social, and Biomedical Sciences, ch. 23 and 24.
    """
    y, x, variance = _parts(treated, control)
    if x == 0:
        raise BadData(
            "As many were reached in both arms, so nothing tells what reaching them does."
        )
    effect = y / x
    std_error = sqrt(_variance(variance, effect)) / abs(x)
    return TwoStage(
        assigned=around(y, std_error=sqrt(variance[0]), alpha=alpha),
        # All of one arm and nobody of the other: certain, and then its interval has no width.
        reached=Estimate(value=x, low=x, high=x, std_error=0.0)
        if variance[2] == 0
        else around(x, std_error=sqrt(variance[2]), alpha=alpha),
        effect=around(effect, std_error=std_error, alpha=alpha),
    )


def anderson_rubin(
    treated: RatioMoments, control: RatioMoments, *, alpha: float = 0.05
) -> Interval:
    """Effects on the reached that the data do not refute, which hold however few were reached.

    Parameters
    ----------
    treated, control
        As of `two_stage`.

    Raises
    ------
    BadData
        As `two_stage` does; or if these effects have no bounds, with what they are.

    References
    ----------
    Anderson & Rubin (1949), Annals of Mathematical Statistics 20, 46-63; with one instrument the
    set holds the estimate, so it is never empty.
    """
    y, x, variance = _parts(treated, control)
    squared = float(ndtri(checks.share("alpha", alpha) / 2)) ** 2
    # (y - b x)^2 <= z^2 variance(b), as a b^2 - 2 half b + c <= 0.
    a = x**2 - squared * variance[2]
    half = y * x - squared * variance[1]
    c = y**2 - squared * variance[0]
    root = half**2 - a * c
    if a > 0:
        return Interval(value=y / x, low=(half - sqrt(root)) / a, high=(half + sqrt(root)) / a)
    raise BadData(_without_bounds(a, half, root, reached=x))


def _without_bounds(a: float, half: float, root: float, *, reached: float) -> str:
    """What to say of the effects on the reached that the data do not refute."""
    said = "any effect on those reached fits the data"
    if a < 0 < root:
        low, high = sorted((half + side * sqrt(root)) / a for side in (-1, 1))
        said = f"an effect on those reached below {low:.3g} or above {high:.3g} fits the data"
    return (
        f"The treated arm reached only {100 * reached:.3g} in 100 customers more than control, too "
        f"few to tell: {said}. Read the effect on all who were assigned."
    )


def _parts(
    treated: RatioMoments, control: RatioMoments
) -> tuple[float, float, tuple[float, float, float]]:
    """Differences of y and of x, and their variances: of y, together, of x."""
    for arm in (treated, control):
        if arm.n < 1:
            raise BadData("An arm has no customers, so there is nothing to compare: wait.")
    parts = [
        (
            (arm.n * arm.yy - arm.y**2) / arm.n**3,
            (arm.n * arm.xy - arm.y * arm.x) / arm.n**3,
            (arm.n * arm.xx - arm.x**2) / arm.n**3,
        )
        for arm in (treated, control)
    ]
    first, together, second = (sum(pair) for pair in zip(*parts, strict=True))
    y = treated.y / treated.n - control.y / control.n
    x = treated.x / treated.n - control.x / control.n
    return y, x, (first, together, second)


def _variance(variance: tuple[float, float, float], effect: float) -> float:
    """Variance of the difference of ``y - effect * x``."""
    return max(0.0, variance[0] - 2 * effect * variance[1] + effect**2 * variance[2])
