"""Segments of a playbook: ordered rules over scores, of which the first that fits counts.

Scores go from 1 to `BINS`, 5 the most recent, the most often and the most spent.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from itertools import product
from typing import Annotated, Literal

from pydantic import Field, field_validator

from retention_lab.tables.factor import Line, rising
from retention_lab.tables.location import Strict

BINS = 5

Scores = tuple[Annotated[int, Field(ge=1, le=BINS)], Annotated[int, Field(ge=1, le=BINS)]]
Bought = Literal["once", "again"]
Cell = tuple[int, int, int, Bought]  # scores of recency, frequency and monetary value


class Segment(Strict):
    """A rule: the lowest and the highest score of each measure, and whether a customer came back.

    What is not said may be anything.
    """

    name: Line
    recency: Scores = (1, BINS)
    frequency: Scores = (1, BINS)
    monetary: Scores = (1, BINS)
    bought: Bought | None = None
    owner: Line
    review_by: dt.date

    @field_validator("recency", "frequency", "monetary")
    @classmethod
    def _reach(cls, scores: Scores) -> Scores:
        if scores[0] > scores[1]:
            raise ValueError(f"must be the lowest score and the highest, got {[*scores]}")
        return scores

    def fits(self, cell: Cell) -> bool:
        """Whether the rule holds for such a customer, whatever stands above it."""
        bounds = zip((self.recency, self.frequency, self.monetary), cell[:3], strict=True)
        scored = all(low <= score <= high for (low, high), score in bounds)
        return scored and self.bought in (None, cell[3])


def grid() -> Iterator[Cell]:
    """Every cell that a customer can be in."""
    scores = range(1, BINS + 1)
    bought: tuple[Bought, ...] = ("once", "again")
    return product(scores, scores, scores, bought)


def first_fit(rules: Sequence[Segment], cell: Cell) -> Segment:
    """Return the rule that counts: the first that fits."""
    return next(rule for rule in rules if rule.fits(cell))


class Segments(Strict):
    """Value `cohorts` and `named` segments, and the days that end tiers of `activity`.

    Frequency and monetary value are those of the last `within` days.

    The last rule of each list fits everybody, so that every customer is in exactly one.
    """

    cohorts: Annotated[tuple[Segment, ...], Field(min_length=1)]
    named: Annotated[tuple[Segment, ...], Field(min_length=1)]
    activity: tuple[int, ...] = (30, 90)
    within: Annotated[int, Field(ge=30, le=3650)] = 365

    @field_validator("activity")
    @classmethod
    def _rise(cls, days: tuple[int, ...]) -> tuple[int, ...]:
        return rising(days)

    @field_validator("cohorts", "named")
    @classmethod
    def _cover(cls, rules: tuple[Segment, ...]) -> tuple[Segment, ...]:
        names = [rule.name for rule in rules]
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice is not None:
            raise ValueError(f"two segments have the name {twice!r}")
        left = next((cell for cell in grid() if not rules[-1].fits(cell)), None)
        if left is not None:
            raise ValueError(
                f"the last rule, {names[-1]!r}, must fit everybody: put one without scores there"
            )
        reached = {first_fit(rules, cell).name for cell in grid()}
        idle = next((name for name in names if name not in reached), None)
        if idle is not None:
            raise ValueError(f"nobody can be in {idle!r}, for a rule above it always fits first")
        return rules
