"""Means and ratios made less noisy by what was measured of the same customers before the test."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from math import sqrt

from retention_lab.inference.means import Estimate, around, mean
from retention_lab.inference.moments import RatioMoments
from retention_lab.inference.pairs import CrossMoments, correlation


@dataclass(frozen=True, kw_only=True)
class Arm:
    """Sums over the customers of an arm of a metric, of its covariate, and of their products.

    `now` is of the test, `before` of the time before it; a mean has x = 1 for everybody.
    """

    now: RatioMoments
    before: RatioMoments
    both: CrossMoments


def adjusted(arms: Sequence[Arm], *, alpha: float = 0.05) -> list[Estimate]:
    """Metric of each arm, had all arms been alike before: compare these as any estimates.

    One slope is taken from the customers of all arms together. The covariate must be of before
    time zero, or the adjustment takes away part of the effect.

    Raises
    ------
    BadData
        As `means.mean` does for the metric or its covariate; or if an arm has no spread left.

    References
    ----------
    Deng, Xu, Kohavi & Walker (2013), WSDM, 123-132, eq. 3 to 5; ratios are linearised.
    """
    everybody = Arm(
        now=RatioMoments(**_added([asdict(arm.now) for arm in arms])),
        before=RatioMoments(**_added([asdict(arm.before) for arm in arms])),
        both=CrossMoments(**_added([asdict(arm.both) for arm in arms])),
    )
    _, before, together = _parts(everybody)
    slope = together / before.std_error**2 if together else 0.0
    return [_adjusted(arm, slope, before.value, alpha) for arm in arms]


def _adjusted(arm: Arm, slope: float, usual: float, alpha: float) -> Estimate:
    now, before, together = _parts(arm)
    variance = now.std_error**2 - 2 * slope * together + (slope * before.std_error) ** 2
    return around(
        now.value - slope * (before.value - usual),
        std_error=sqrt(max(0.0, variance)),
        freedom=now.freedom,
        alpha=alpha,
    )


def _parts(arm: Arm) -> tuple[Estimate, Estimate, float]:
    """Metric, covariate, and the covariance of their estimates."""
    now, before = mean(arm.now), mean(arm.before)
    together = correlation(arm.now, arm.before, arm.both)
    return now, before, together * now.std_error * before.std_error


def _added(parts: Sequence[dict[str, int]]) -> dict[str, int]:
    return {name: sum(part[name] for part in parts) for name in parts[0]}
