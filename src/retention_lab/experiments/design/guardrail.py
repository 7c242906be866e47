"""Guardrails: showing that a treatment does no more harm than a margin allows."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import isfinite

import scipy

from retention_lab.checks import BadParameter
from retention_lab.experiments.design.allocation import Shares
from retention_lab.experiments.design.means import Means
from retention_lab.experiments.design.normal import Contrast, Errors
from retention_lab.experiments.design.proportions import Proportions

ONE_SIDED = Errors(alpha=0.025, sided=1)


@dataclass(frozen=True, kw_only=True)
class Guardrail:
    """Non-inferiority: the difference is shown to lie on the harmless side of a margin.

    `margin` is negative where less is worse (-0.03: at most three points of retention lost) and
    positive where more is worse (0.002: at most 0.2 points more who unsubscribe). It belongs to the
    arms as assigned, whoever was reached. Use it with `ONE_SIDED` errors.
    """

    design: Proportions | Means
    margin: float

    def __post_init__(self) -> None:
        if self.margin == 0 or not isfinite(self.margin):
            raise BadParameter(
                f"margin must say how much harm would be borne, and not be 0, got {self.margin!r}."
            )

    @property
    def allocation(self) -> Shares:
        """Share of the customers in each arm, control first."""
        return self.design.allocation

    @property
    def limits(self) -> tuple[float, float, float]:
        """True effects on the harmless side of the margin."""
        low, at_margin, high = replace(self.design, null=self.margin).limits
        return (at_margin, at_margin, high) if self.margin < 0 else (low, at_margin, at_margin)

    def contrast(self, effect: float) -> Contrast:
        """See `sizing.Design`; `effect` is the true one, mostly 0.

        Raises
        ------
        BadParameter
            If the true effect is beyond the margin, so that nothing harmless could be shown.
        """
        found = replace(self.design, null=self.margin).contrast(effect)
        if found.effect * self.margin > 1e-15:  # at the margin itself, less than rounding
            raise BadParameter(
                f"A true effect of {effect:+g} is more harm than the margin of {self.margin:+g} "
                "allows, so the guardrail ought to fail: widen the margin, or expect less harm."
            )
        return found


def smallest_margin(
    guardrail: Guardrail, *, effect: float = 0.0, customers: float, errors: Errors = ONE_SIDED
) -> float:
    """Margin on the side of `guardrail.margin` that `customers` (of all arms) can show.

    Raises
    ------
    BadParameter
        If the widest margin is shown less often than `errors.power`, or no harm at all more often.
    """
    low, _, high = guardrail.design.limits
    widest = (low if guardrail.margin < 0 else high) * guardrail.design.contact_rate
    # Never on the other side of no harm, nor on this side of the true effect.
    nearest = max(effect * guardrail.design.contact_rate / widest, 0) * widest + 1e-9 * widest

    def missing(margin: float) -> float:
        asked = replace(guardrail, margin=margin)
        return asked.contrast(effect).power(customers, errors) - errors.power

    if missing(widest) < 0:
        raise BadParameter(
            f"{customers:,.0f} customers cannot show any margin with a power of {errors.power:g}: "
            "more customers are needed."
        )
    if missing(nearest) > 0:
        raise BadParameter(
            f"With a true effect of {effect:+g}, {customers:,.0f} customers show that there is no "
            "harm at all, so no margin is needed: test for the effect itself."
        )
    return float(scipy.optimize.brentq(missing, nearest, widest))
