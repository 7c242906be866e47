"""Which share of the customers goes to which arm: control first."""

from __future__ import annotations

from math import isclose
from typing import NamedTuple

from retention_lab import checks
from retention_lab.checks import BadParameter

Shares = tuple[float, ...]
HALVES: Shares = (0.5, 0.5)


class Pair(NamedTuple):
    """Shares of control and of the smallest other arm, and how many arms are compared with control.

    Holm's method promises each arm the power of its first step, which the smallest arm finds
    hardest to reach.
    """

    control: float
    treated: float
    comparisons: int

    @property
    def both(self) -> float:
        """Share of all customers that one comparison looks at."""
        return self.control + self.treated


def pair(allocation: Shares) -> Pair:
    """Find the comparison with control that needs most customers.

    Raises
    ------
    BadParameter
        If there are fewer than two arms, or their shares are none or do not add up to 1.
    """
    if len(allocation) < 2:
        raise BadParameter(f"allocation needs control and another arm at least, got {allocation}.")
    for share in allocation:
        checks.share("allocation", share)
    if not isclose(sum(allocation), 1):
        raise BadParameter(
            f"allocation must add up to 1, got {allocation}, which is {sum(allocation):g} in all."
        )
    return Pair(allocation[0], min(allocation[1:]), len(allocation) - 1)


def to_one(ratio: float) -> Shares:
    """Shares of two arms when `ratio` customers are treated for each one who is not."""
    if not 0 < ratio < float("inf"):
        raise BadParameter(f"ratio must be a number above 0, got {ratio!r}.")
    return (1 / (1 + ratio), ratio / (1 + ratio))
