"""What a test has seen, and how likely it is to find its effect, on each calendar day."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import ceil, floor

import pandas as pd

from retention_lab.checks import BadParameter
from retention_lab.experiments.design.normal import Errors
from retention_lab.experiments.design.timed import Timed

_ERRORS = Errors()


@dataclass(frozen=True, kw_only=True)
class Readout:
    """A calendar day to read a test on, customers entered and events by then, and the power."""

    day: int
    entered: float
    events: float
    power: float


def by_day(
    design: Timed,
    hazard_ratio: float,
    *,
    errors: Errors = _ERRORS,
    days: Sequence[float] | None = None,
) -> pd.DataFrame:
    """Power of a test that is read once, on any of some calendar days.

    Parameters
    ----------
    design
        Its own `day` is not read.
    days
        Calendar days since the first entry; all on which there is something to read, by default,
        until everybody has been followed to the end.

    Returns
    -------
    DataFrame
        One row per day: `day`, `entered` (customers of all arms), `events_control` and
        `events_treated` (expected, in control and in all the other arms together, each with the
        effect) and `power` (of one look on that day; looking on all of them needs another test).

    Raises
    ------
    BadParameter
        If there is nothing to read on one of the days.
    """
    if days is None:
        days = range(floor(design.first_day) + 1, ceil(design.assumptions.last_day) + 1)
    rows = [_row(replace(design, day=float(day)), hazard_ratio, errors) for day in days]
    return pd.DataFrame(rows)


def earliest(design: Timed, hazard_ratio: float, *, errors: Errors = _ERRORS) -> Readout:
    """Find the first whole calendar day on which a test has the power asked for.

    With entry that goes on for as long as it could, this is the shortest test there is.

    Raises
    ------
    BadParameter
        If it never has: not even when everybody has been followed to the end.

    Examples
    --------
    >>> from retention_lab.experiments.design.assumptions import Assumptions
    >>> from retention_lab.experiments.design.curve import still_there
    >>> from retention_lab.experiments.design.timed import LogRankTest
    >>> curve = still_there(0.60, day=90)
    >>> plan = Assumptions(baseline=curve, entry=((60, 47),), follow_up_days=90)
    >>> earliest(LogRankTest(assumptions=plan, day=90), plan.hazard_ratio(share=0.66, day=90)).day
    91
    """
    last = ceil(design.assumptions.last_day)
    low, high = floor(design.first_day), last
    if (most := _row(replace(design, day=last), hazard_ratio, errors))["power"] < errors.power:
        raise BadParameter(
            f"Even on day {last}, when all {most['entered']:,.0f} customers have been followed to "
            f"the end, the power is {most['power']:.2f}, and {errors.power:g} is asked for: let "
            "customers enter for longer, follow them for longer, or look for a larger effect."
        )
    while high - low > 1:  # power grows with every day, as customers and events do
        middle = (low + high) // 2
        enough = _row(replace(design, day=middle), hazard_ratio, errors)["power"] >= errors.power
        low, high = (low, middle) if enough else (middle, high)
    row = _row(replace(design, day=high), hazard_ratio, errors)
    events = row["events_control"] + row["events_treated"]
    return Readout(day=high, entered=row["entered"], events=events, power=row["power"])


def _row(design: Timed, hazard_ratio: float, errors: Errors) -> dict[str, float]:
    entered = design.assumptions.entered(design.day)
    control, treated = design.seen(hazard_ratio).events
    share = design.allocation[0]
    return {
        "day": design.day,
        "entered": float(entered),
        "events_control": float(entered * share * control),
        "events_treated": float(entered * (1 - share) * treated),
        "power": design.contrast(hazard_ratio).power(entered, errors),
    }
