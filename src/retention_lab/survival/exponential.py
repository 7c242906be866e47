"""A constant rate of events: the simplest formula for survival, and one without an end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import log, sqrt

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from retention_lab.checks import BadData
from retention_lab.survival.censoring import followed
from retention_lab.survival.estimate import Estimate, of_ratio


@dataclass(frozen=True, kw_only=True)
class Exponential:
    """A constant `rate` of events per day, and the log likelihood of the times it was fitted to."""

    rate: Estimate
    log_likelihood: float
    followed: float

    @property
    def std_error_log_rate(self) -> float:
        """Standard error of the logarithm of the rate."""
        return self.rate.std_error / self.rate.value

    def survival(self, days: Sequence[float]) -> pd.DataFrame:
        """Share without the event after each of `days`.

        Returns
        -------
        DataFrame
            One row per day: `day`, `survival`, `low`, `high` and `extrapolated`: true beyond
            follow-up, where the formula alone speaks.
        """
        day = np.asarray(days, dtype="float64")
        bounds = {"survival": self.rate.value, "low": self.rate.high, "high": self.rate.low}
        shares = {name: np.exp(-rate * day) for name, rate in bounds.items()}
        return pd.DataFrame({"day": day, **shares, "extrapolated": day > self.followed})


def exponential(
    durations: ArrayLike,
    *,
    event_observed: ArrayLike,
    weights: ArrayLike | None = None,
    alpha: float = 0.05,
) -> Exponential:
    """Events per day of follow-up, as if their rate never changed.

    Parameters
    ----------
    durations, event_observed, weights
        Days, whether they ended in the event, and how many units a row stands for (default one).
    alpha
        One minus the confidence level; the interval is symmetric in the logarithm of the rate.

    Raises
    ------
    BadData
        If there is no event or no time, or a value is missing.

    References
    ----------
    Kalbfleisch & Prentice (2002), The Statistical Analysis of Failure Time Data, 2nd ed., s. 3.4.
    """
    rows = followed(durations, event_observed=event_observed, weights=weights)
    events = float(rows.weights @ rows.event_observed)
    exposure = float(rows.weights @ rows.durations)
    if events == 0 or exposure == 0:
        raise BadData(
            f"A rate needs events and days, got {events:g} events in {exposure:g} days. "
            "Follow for longer, or choose an event that happens."
        )
    rate = events / exposure
    return Exponential(
        rate=of_ratio(rate, std_error=rate / sqrt(events), alpha=alpha),
        log_likelihood=events * log(rate) - events,
        followed=float(rows.durations.max()),
    )
