"""What a test of time to an event takes for granted before it begins."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import inf, log
from typing import TypeVar

import numpy as np

from retention_lab import checks
from retention_lab.checks import BadParameter
from retention_lab.experiments.design.allocation import HALVES, Shares, pair
from retention_lab.experiments.design.curve import Curve, Floats
from retention_lab.experiments.design.proportions import refuse_contact

Number = TypeVar("Number", float, Floats)
Entry = tuple[tuple[float, float], ...]


@dataclass(frozen=True, kw_only=True)
class Assumptions:
    """Who comes, how fast they have the event, and what disturbs the view of it.

    Parameters
    ----------
    baseline
        Curve of customers who are not treated.
    entry
        Steps (until day, customers per day), one after the other from calendar day 0; their last
        day is the last day of entry. ``((60, 47),)``: 47 a day for 60 days.
    follow_up_days
        Days since their entry for which customers are followed at most.
    dropout_per_day
        Rate per day at which customers are lost from view, for reasons of their own; see `dropout`.
    onset_delay_days
        Days since entry before the treatment has any effect.
    contact_rate
        Share of the treated arms that the treatment reaches; effects are those on customers
        reached, and tests compare everybody as assigned.
    allocation
        Share of the customers in each arm, control first. Several arms share alpha by Holm.

    Raises
    ------
    BadParameter
        If a number is impossible, the effect would set in after follow-up, or the baseline curve
        ends before follow-up does.
    """

    baseline: Curve
    entry: Entry
    follow_up_days: float
    dropout_per_day: float = 0.0
    onset_delay_days: float = 0.0
    contact_rate: float = 1.0
    allocation: Shares = HALVES

    def __post_init__(self) -> None:
        _refuse_entry(self.entry)
        checks.at_least("dropout_per_day", self.dropout_per_day, 0)
        checks.at_least("onset_delay_days", self.onset_delay_days, 0)
        refuse_contact(self.contact_rate)
        pair(self.allocation)
        if not self.onset_delay_days < self.follow_up_days < inf:
            raise BadParameter(
                f"follow_up_days must be above {self.onset_delay_days:g}, the days before the "
                f"treatment has an effect, got {self.follow_up_days!r}."
            )
        if self.follow_up_days > self.baseline.end:
            raise BadParameter(
                f"The baseline curve ends on day {self.baseline.end:g}, before the "
                f"{self.follow_up_days:g} days of follow-up: follow for fewer days, or estimate "
                "the curve from customers who were seen for longer."
            )

    @cached_property
    def first_entry(self) -> float:
        """Calendar day on which entry begins: 0, unless the first steps bring nobody."""
        ends, totals = self.totals
        return float(ends[np.flatnonzero(totals == 0)[-1]])

    @property
    def entry_days(self) -> float:
        """Calendar day on which the last customer enters."""
        return self.entry[-1][0]

    @property
    def last_day(self) -> float:
        """Calendar day on which everybody has been followed to the end."""
        return self.entry_days + self.follow_up_days

    def entered(self, day: Number) -> Number:
        """Customers who have entered by a calendar day."""
        ends, totals = self.totals
        return np.interp(day, ends, totals)

    @cached_property
    def totals(self) -> tuple[Floats, Floats]:
        """Calendar days on which the pace of entry changes, and customers until then."""
        ends, pace = np.array([(0.0, 0.0), *self.entry], dtype="float64").T
        return ends, np.cumsum(np.diff(ends, prepend=0) * pace)

    def treated(self, hazard_ratio: float) -> Curve:
        """Curve of customers whom the treatment reaches."""
        return self.baseline.times(hazard_ratio, after=self.onset_delay_days)

    def hazard_ratio(self, *, share: float, day: float) -> float:
        """Ratio of rates that leaves a share of the customers reached without the event at a day.

        Raises
        ------
        BadParameter
            If the day is not after the onset of the effect, nothing happens between the two, or
            more would remain than do when the treatment stops all events from its onset on.
        """
        checks.share("share", share)
        if not self.onset_delay_days < day <= self.follow_up_days:
            raise BadParameter(
                f"day must be after {self.onset_delay_days:g}, when the effect sets in, and within "
                f"the {self.follow_up_days:g} days of follow-up, got {day!r}."
            )
        onset, end = (self.baseline.survival(time) for time in (self.onset_delay_days, day))
        if not end < onset:
            raise BadParameter(
                f"Nobody has the event between the onset of the effect and day {day:g}, so no "
                "effect can be seen there: choose a later day."
            )
        if not share < onset:
            raise BadParameter(
                f"A share of {share:g} cannot remain on day {day:g}: {onset:.3g} remain when the "
                f"effect sets in, after {self.onset_delay_days:g} days."
            )
        return log(share / onset) / log(end / onset)


def dropout(share: float, *, days: float) -> float:
    """Rate per day at which a share of the customers is lost from view within some days.

    0.05 within 90 days is a rate of 0.00057.
    """
    checks.share("share", share)
    return -log(1 - share) / checks.at_least("days", days, 1)


def _refuse_entry(entry: Entry) -> None:
    ends = [until for until, _ in entry]
    paces = [per_day for _, per_day in entry]
    rising = all(a < b for a, b in zip([0.0, *ends], ends, strict=False))
    if not entry or not rising or not ends[-1] < inf:
        raise BadParameter(f"entry must have steps until later and later days, got {entry}.")
    if not all(0 <= pace < inf for pace in paces) or max(paces) == 0:
        raise BadParameter(f"entry must bring customers, never fewer than 0 a day, got {entry}.")
