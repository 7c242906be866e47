"""One group against another: difference and ratio of two independent estimates, with intervals."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from math import hypot, log, sqrt

import numpy as np
import pandas as pd
from scipy.special import chdtrc

from retention_lab.checks import BadData
from retention_lab.survival.daygrid import greenwood, survival_at
from retention_lab.survival.estimate import Estimate, of_difference, of_ratio

_CERTAIN = (
    "An estimate of {value:g} has no standard error (all or none of its group had the event), so "
    "it cannot be compared: choose another day, or put groups together."
)


@dataclass(frozen=True, kw_only=True)
class Contrast(Estimate):
    """A difference or a ratio, and the two-sided p value of there being none."""

    p_value: float


@dataclass(frozen=True, kw_only=True)
class FixedDay:
    """A test that two shares of one day are equal: chi-squared with one degree of freedom."""

    statistic: float
    p_value: float


def difference(one: Estimate, other: Estimate, *, alpha: float = 0.05) -> Contrast:
    """`one` minus `other`, in their unit, with a symmetric interval.

    Raises
    ------
    BadData
        If either estimate has no standard error, as one of exactly 0 or 1.
    """
    _refuse_certain(one, other)
    std_error = hypot(one.std_error, other.std_error)
    found = of_difference(one.value - other.value, std_error=std_error, alpha=alpha)
    return Contrast(**asdict(found), p_value=_p_value(found.value / std_error))


def ratio(one: Estimate, other: Estimate, *, alpha: float = 0.05) -> Contrast:
    """`one` over `other`, with an interval that is symmetric on the log scale.

    Raises
    ------
    BadData
        As `difference` does, or if either is not positive.
    """
    _refuse_certain(one, other)
    if min(one.value, other.value) <= 0:
        raise BadData(
            f"A ratio needs two positive values, got {one.value:g} and {other.value:g}: read their "
            "difference."
        )
    value = one.value / other.value
    relative = hypot(one.std_error / one.value, other.std_error / other.value)
    found = of_ratio(value, std_error=value * relative, alpha=alpha)
    return Contrast(**asdict(found), p_value=_p_value(log(value) / relative))


def fixed_day_test(one: pd.DataFrame, other: pd.DataFrame, *, day: float) -> FixedDay:
    """Test that two curves of `kaplan_meier` are equal at a day, on the log(-log) scale.

    It keeps its level with few units better than the plain difference. Between two days of a curve
    the variance is read on the line between theirs, as lifelines does: larger than that of the day
    before, so the test is somewhat careful there.

    Raises
    ------
    BadData
        As `difference` does, or if nobody was followed until `day`.

    References
    ----------
    Klein, Logan, Harhoff & Andersen (2007), Statistics in Medicine 26, 4505-4519.
    """
    ends = [_log_log(curve, day) for curve in (one, other)]
    z = (ends[0][0] - ends[1][0]) / hypot(ends[0][1], ends[1][1])
    return FixedDay(statistic=z**2, p_value=_p_value(z))


def _log_log(curve: pd.DataFrame, day: float) -> tuple[float, float]:
    """Log(-log) of a curve at a day, and its standard error."""
    share = float(survival_at(curve, [day])["survival"].iloc[0])
    terms = greenwood(curve["at_risk"].to_numpy(), curve["events"].to_numpy())
    spread = sqrt(np.interp(day, curve["day"], np.cumsum(terms)))
    if not 0 < share < 1:
        raise BadData(_CERTAIN.format(value=share))
    return log(-log(share)), spread / -log(share)


def _p_value(z: float) -> float:
    return float(chdtrc(1, z**2))


def _refuse_certain(one: Estimate, other: Estimate) -> None:
    for each in (one, other):
        if each.std_error <= 0:
            raise BadData(_CERTAIN.format(value=each.value))
