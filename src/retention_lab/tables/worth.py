"""What a playbook says of worth: margin, rising interest, target bands and tiers of loyalty."""

from __future__ import annotations

import datetime as dt
from itertools import pairwise
from typing import Annotated

from pydantic import Field, field_validator, model_validator

from retention_lab import checks
from retention_lab.tables.factor import Line
from retention_lab.tables.location import Strict

RATES = ("open", "click", "conversion")


class Value(Strict):
    """What customers are worth: over `months`, discounted by a share a year, times the `margin`.

    A margin of 1 counts revenue.
    """

    months: Annotated[int, Field(ge=1, le=60)] = 12
    yearly_discount: Annotated[float, Field(ge=0, le=1)] = 0.10
    margin: Annotated[float, Field(gt=0, le=1)] = 1.0


class Rising(Strict):
    """Who bought more often `within` the last days than their history lets expect.

    `false_alerts` is the share of all alerts that chance alone may raise.
    """

    within: Annotated[int, Field(ge=7, le=365)] = 30
    false_alerts: float = 0.10

    @field_validator("false_alerts")
    @classmethod
    def _is_share(cls, false_alerts: float) -> float:
        return checks.share("false_alerts", false_alerts)


Band = tuple[Annotated[float, Field(ge=0, le=1)], Annotated[float, Field(ge=0, le=1)]]


class Target(Strict):
    """Bands that are claimed for the messages to a cohort: from and to, shares of the delivered.

    `source` says who claims them.
    """

    cohort: Line
    open: Band
    click: Band
    conversion: Band
    source: Line
    owner: Line
    review_by: dt.date

    @model_validator(mode="after")
    def _rise(self) -> Target:
        for rate in RATES:
            low, high = getattr(self, rate)
            if low >= high:
                raise ValueError(f"{rate}: give the lower share first, got {[low, high]}")
        return self


class Tier(Strict):
    """A step of the ladder: days with a `purchases` and money `spent` that it takes at least.

    Both are counted within the days that segments look at; `spent` is less returns, in whole units
    of the shop's currency.
    """

    name: Line
    purchases: Annotated[int, Field(ge=0)] = 0
    spent: Annotated[float, Field(ge=0)] = 0
    owner: Line
    review_by: dt.date


def ladder(tiers: tuple[Tier, ...]) -> tuple[Tier, ...]:
    """Return tiers from the highest to the lowest, or raise ValueError where they are no ladder."""
    if not tiers or tiers[-1].purchases or tiers[-1].spent:
        raise ValueError("the last tier must take everybody: put one without conditions there")
    for above, below in pairwise(tiers):
        higher = above.purchases >= below.purchases and above.spent >= below.spent
        if not higher or (above.purchases, above.spent) == (below.purchases, below.spent):
            raise ValueError(f"{above.name!r} must ask for more than {below.name!r}, below it")
    return tiers
