"""Each of sample size, power and smallest detectable effect, from the other two."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import Literal, Protocol

import scipy

from retention_lab import checks
from retention_lab.checks import BadParameter
from retention_lab.experiments.design.allocation import Shares
from retention_lab.experiments.design.normal import Contrast, Errors

_ERRORS = Errors()
_HALVINGS = 40


class Design(Protocol):
    """What all designs have: shares of the arms, and what the test sees of an effect."""

    @property
    def allocation(self) -> Shares:
        """Share of the customers in each arm, control first."""

    @property
    def limits(self) -> tuple[float, float, float]:
        """Lowest effect that can be, no effect, and highest effect."""

    def contrast(self, effect: float) -> Contrast:
        """Distance and spread that the test sees; refuses an effect that cannot be."""


@dataclass(frozen=True, kw_only=True)
class Size:
    """Customers of all arms together, not rounded, and their shares, control first."""

    customers: float
    allocation: Shares

    @property
    def arms(self) -> tuple[int, ...]:
        """Customers of each arm, rounded up."""
        # A share of 1/3 of 300 customers is 100, whatever the last bit of the product says.
        return tuple(ceil(self.customers * share - 1e-9) for share in self.allocation)

    @property
    def total(self) -> int:
        """Customers of all arms, each rounded up."""
        return sum(self.arms)


def sample_size(design: Design, effect: float, *, errors: Errors = _ERRORS) -> Size:
    """Customers needed to find an effect with the power that `errors` asks for.

    Raises
    ------
    BadParameter
        If the effect cannot be, or is none.

    Examples
    --------
    >>> from retention_lab.experiments.design.proportions import Proportions
    >>> sample_size(Proportions(control=0.60), 0.06).arms
    (1016, 1016)
    """
    customers = design.contrast(effect).customers(errors)
    return Size(customers=customers, allocation=design.allocation)


def power(design: Design, effect: float, *, customers: float, errors: Errors = _ERRORS) -> float:
    """Share of tests of `customers` (of all arms) that find an effect; `errors.power` is not read.

    Raises
    ------
    BadParameter
        If the effect cannot be, or there are fewer than two customers an arm.
    """
    _refuse_few(design, customers)
    return design.contrast(effect).power(customers, errors)


def smallest_effect(
    design: Design,
    *,
    customers: float,
    direction: Literal["higher", "lower"] = "higher",
    errors: Errors = _ERRORS,
) -> float:
    """Effect on one side of none that `customers` (of all arms) find with the power asked for.

    Raises
    ------
    BadParameter
        If every effect that can be is found less often, or there are fewer than two customers an
        arm.
    """
    _refuse_few(design, customers)
    lowest, none, highest = design.limits
    room = (highest if direction == "higher" else lowest) - none

    def missing(effect: float) -> float:
        return design.contrast(effect).power(customers, errors) - errors.power

    # From small to large, as some scales see the very largest effects less well again.
    near, most = none, missing(none)
    for halvings in range(_HALVINGS, -1, -1):
        far = none + room / 2**halvings
        if (lacking := missing(far)) >= 0:
            return float(scipy.optimize.brentq(missing, near, far, xtol=1e-14, rtol=1e-12))
        near, most = far, max(most, lacking)
    raise BadParameter(
        f"With {customers:,.0f} customers no effect is found with a power of more than "
        f"{most + errors.power:.2f}, and {errors.power:g} is asked for: more customers are needed."
    )


def _refuse_few(design: Design, customers: float) -> None:
    least = 2 / min(design.allocation)
    checks.at_least("customers (two for each arm)", customers, least)
