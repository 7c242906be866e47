"""An estimate with the range it is compatible with."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Interval:
    """A value and its two-sided interval, all three in the unit of the value."""

    value: float
    low: float
    high: float
