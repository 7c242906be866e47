"""What a test is worth in money: the gain, the chance of a loss, and what one more look would add.

Amounts are in one unit of money, which the caller chooses. What is known of the gain is a normal
distribution around its estimate, with nothing known before the test.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import exp, inf, pi, sqrt

from scipy.special import ndtr

from retention_lab import checks
from retention_lab.checks import BadParameter
from retention_lab.inference.interval import Interval
from retention_lab.inference.means import Estimate


def unit_normal_loss(u: float) -> float:
    """Mean shortfall of a standard normal below -u, which is that above u.

    References
    ----------
    Raiffa & Schlaifer (1961), Applied Statistical Decision Theory, s. 5.4 and table.
    """
    return float(exp(-(u**2) / 2) / sqrt(2 * pi) - u * ndtr(-u))


@dataclass(frozen=True, kw_only=True)
class Stake:
    """Sending to so many customers from now on, against sending to nobody.

    `gain` is the mean per customer, `spread` how far it may be off (standard error), in money.

    Raises
    ------
    BadParameter
        If the spread or the customers are not above 0.
    """

    gain: float
    spread: float
    customers: float

    def __post_init__(self) -> None:
        for name in ("spread", "customers"):
            if not 0 < (value := getattr(self, name)) < inf:
                raise BadParameter(f"{name} must be a number above 0, got {value!r}.")

    @property
    def expected(self) -> float:
        """Money expected from sending to all, against sending to nobody."""
        return self.customers * self.gain

    @property
    def chance_of_loss(self) -> float:
        """Chance that sending to all loses money."""
        return float(ndtr(-self.gain / self.spread))

    @property
    def regret(self) -> float:
        """Money expected to be lost by the better of sending and not, as it may be the worse.

        What knowing the truth would be worth (expected value of perfect information).
        """
        return self.customers * self.spread * unit_normal_loss(abs(self.gain) / self.spread)


def stake(effect: Estimate, *, worth: float, cost: float, customers: float) -> Stake:
    """Turn an effect per customer assigned into money.

    Parameters
    ----------
    worth
        Money for one unit of the effect, such as the margin of one more customer retained.
    cost
        Of treating one customer assigned: messages each times what a message costs.
    customers
        To whom it would be sent.
    """
    return Stake(
        gain=effect.value * worth - cost, spread=effect.std_error * worth, customers=customers
    )


def waiting(now: Stake, *, spread: float, meanwhile: float, treated_share: float = 0.5) -> float:
    """Money that one more look is worth; below 0, deciding now is better.

    The look may change the decision for all who come after it; those who come `meanwhile` are
    treated by lot, not all by the better of the two.

    Parameters
    ----------
    now
        What is at stake today, with those who come meanwhile.
    spread
        Standard error of the gain after that look.
    meanwhile
        Customers who come before it, of whom `treated_share` are treated.

    Raises
    ------
    BadParameter
        If the look makes nothing surer, or more come meanwhile than there are.

    References
    ----------
    Raiffa & Schlaifer (1961), s. 5.5 (expected value of sample information, normal prior).
    """
    checks.share("treated_share", treated_share)
    if not 0 <= spread < now.spread:
        raise BadParameter(f"spread must be below today's {now.spread:g}, got {spread!r}.")
    if not 0 <= meanwhile <= now.customers:
        raise BadParameter(f"meanwhile must be at most {now.customers:g}, got {meanwhile!r}.")
    moves = sqrt(now.spread**2 - spread**2)  # how far the estimate may still move
    learnt = (now.customers - meanwhile) * moves * unit_normal_loss(abs(now.gain) / moves)
    return learnt - meanwhile * (max(now.gain, 0) - treated_share * now.gain)


def break_even(effect: Interval, *, worth: float, messages: float) -> Interval:
    """Cost per message at which sending neither gains nor loses; below 0 where it never pays.

    `messages` are those of one customer assigned, on average; `worth` is as of `stake`.
    """
    if not 0 < messages < inf:
        raise BadParameter(f"messages must be a number above 0, got {messages!r}.")
    value, low, high = (
        bound * worth / messages for bound in (effect.value, effect.low, effect.high)
    )
    return Interval(value=value, low=low, high=high)
