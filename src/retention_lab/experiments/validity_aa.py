"""A/A tests, of arms treated alike: whether a method finds effects as rarely as it says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

import numpy as np
import scipy

from retention_lab import checks
from retention_lab.checks import BadParameter
from retention_lab.inference.sample_ratio import WARN

ERRORS = 3  # standard errors: luck goes beyond them in about 3 of 1,000 simulations


@dataclass(frozen=True, kw_only=True)
class Rates:
    """P-values of tests without an effect.

    `distance` is the largest one between their distribution and the uniform one, `p_value` that of
    Kolmogorov and Smirnov, `below` the share of tests below `alpha`, which may lie from `low` to
    `high`.
    """

    distance: float
    p_value: float
    below: float
    low: float
    high: float

    @property
    def hold(self) -> bool:
        """Whether nothing speaks against the method."""
        return self.low <= self.below <= self.high and self.p_value >= WARN


def rates(p_values: Sequence[float], *, alpha: float = 0.05) -> Rates:
    """Look at the p-values of many A/A tests, which should be uniform.

    Raises
    ------
    BadParameter
        If there is none, one does not lie from 0 to 1, or `alpha` is no share.

    References
    ----------
    Kohavi, Tang & Xu (2020), Trustworthy Online Controlled Experiments, ch. 19.
    """
    values = np.asarray(p_values, dtype="float64")
    if not values.size or not ((values >= 0) & (values <= 1)).all():
        raise BadParameter(f"p_values must be one number or more from 0 to 1, got {p_values!r}.")
    low, high = accepted(alpha, repetitions=values.size)
    tested = scipy.stats.kstest(values, "uniform", method="exact")
    return Rates(
        distance=float(tested.statistic),
        p_value=float(tested.pvalue),
        below=float((values < alpha).mean()),
        low=low,
        high=high,
    )


def accepted(alpha: float, *, repetitions: int) -> tuple[float, float]:
    """Shares of false alarms that so many simulated tests may have: within 3 binomial errors.

    Raises
    ------
    BadParameter
        If `alpha` is no share, or there is no repetition.
    """
    checks.share("alpha", alpha)
    checks.at_least("repetitions", repetitions, 1)
    width = ERRORS * sqrt(alpha * (1 - alpha) / repetitions)
    return max(alpha - width, 0.0), min(alpha + width, 1.0)
