"""Climbing the partial likelihood, and the proof that the top was reached."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.linalg import LinAlgError, cho_factor, cho_solve

from retention_lab.checks import BadData
from retention_lab.survival.cox_risk import Risk, at
from retention_lab.survival.cox_rows import Floats, Rows

STEPS, HALVINGS = 50, 40
ARRIVED = 1e-14  # squared gradient in units of standard errors: off by 1e-7 of one at most
SETTLED = 1e-8  # the same, where the likelihood hardly changes any more
FAR = 10.0  # log hazard ratio between the ends of a column: 22,000 times the hazard
DEPENDENT = 1e-9  # share of a column's variation that other columns leave unexplained


@dataclass(frozen=True, kw_only=True)
class Certificate:
    """Evidence that the coefficients are those of the highest partial likelihood."""

    steps: int  # Newton steps taken
    gradient: float  # length of the gradient in units of standard errors: 0 at the top
    above_null: float  # log likelihood above that of no effect at all: never negative
    score_statistic: float  # score test of no effect at all, chi-square with a degree per column


def climb(rows: Rows) -> tuple[Floats, Risk, Floats, Certificate]:
    """Coefficients of the standardised covariates, risk sets and information at the top.

    Raises
    ------
    BadData
        If a column does not vary among those at risk, follows from other columns, or separates
        those with an event from those without; or if the top is not reached.
    """
    coefficients = np.zeros(len(rows.names))
    risk = start = at(rows, coefficients)
    step, score = np.zeros(len(rows.names)), 0.0
    for taken in range(STEPS):
        information, gradient = risk.information(), risk.gradient
        if taken == 0:
            _refuse_dependent(rows, information)
        before, step = step, _solved(rows, information, gradient, coefficients)
        length = float(gradient @ step)
        score = score if taken else length
        if length <= SETTLED:
            _refuse_separated(rows, coefficients, before, step)
        if length <= ARRIVED:
            above = risk.log_likelihood - start.log_likelihood
            proof = Certificate(
                steps=taken,
                gradient=max(length, 0.0) ** 0.5,
                above_null=max(above, 0.0),
                score_statistic=score,
            )
            return coefficients, risk, information, proof
        coefficients, risk = _uphill(rows, coefficients, step, risk)
    raise _not_reached(rows, coefficients)


def _uphill(rows: Rows, coefficients: Floats, step: Floats, risk: Risk) -> tuple[Floats, Risk]:
    """Take the step, or half of it, until the likelihood does not fall."""
    least = risk.log_likelihood - 1e-10 * abs(risk.log_likelihood)  # rounding is no fall
    for _ in range(HALVINGS):
        reached = at(rows, coefficients + step)
        if reached.log_likelihood >= least:
            return coefficients + step, reached
        step = step / 2
    raise _not_reached(rows, coefficients)


def _solved(rows: Rows, information: Floats, gradient: Floats, coefficients: Floats) -> Floats:
    if not rows.names:
        return gradient
    try:
        step: Floats = cho_solve(cho_factor(information), gradient)
    except LinAlgError:
        raise _not_reached(rows, coefficients) from None
    return step


def _refuse_dependent(rows: Rows, information: Floats) -> None:
    """Refuse columns without a variation of their own in the risk sets, before the first step."""
    variation = np.diag(information)
    for flat in np.flatnonzero(variation <= DEPENDENT * rows.tied.sum()):
        raise BadData(
            f"Column {rows.names[flat]!r} does not differ between customers of one stratum who "
            "are at risk when an event happens, so it goes with nothing: leave it out."
        )
    alike = information / np.sqrt(np.outer(variation, variation))
    for place in range(1, len(alike)):
        others = np.linalg.lstsq(alike[:place, :place], alike[:place, place], rcond=None)[0]
        if 1 - others @ alike[:place, place] <= DEPENDENT:
            causes = [rows.names[each] for each in np.flatnonzero(abs(others) > 1e-6)]
            raise BadData(
                f"Column {rows.names[place]!r} follows from {', '.join(causes)}, so their effects "
                "cannot be told apart: leave one of them out."
            )


def _refuse_separated(rows: Rows, coefficients: Floats, before: Floats, step: Floats) -> None:
    """Refuse a coefficient on its way to infinity.

    The likelihood is flat, and yet steps stay as long as they were; near a top they would shrink.
    """
    apart, moving = _ends_apart(rows, coefficients), _ends_apart(rows, step)
    if ((apart > FAR) & (moving > 0.1) & (abs(step) > abs(before) / 2)).any():
        raise _not_reached(rows, coefficients)


def _ends_apart(rows: Rows, coefficients: Floats) -> Floats:
    """Log hazard ratio between the two ends of each column."""
    width: Floats = rows.x.max(axis=0) - rows.x.min(axis=0)
    return abs(coefficients) * width


def _not_reached(rows: Rows, coefficients: Floats) -> BadData:
    apart = _ends_apart(rows, coefficients)
    name = rows.names[int(np.argmax(apart))]
    if apart.max() > FAR:
        return BadData(
            f"Column {name!r} separates those with an event from those without: the more it "
            "counts, the better the fit, so it has no hazard ratio. Put a state in which nobody, "
            "or everybody, had the event together with another, or leave the column out."
        )
    return BadData(
        f"The highest likelihood was not reached; column {name!r} counts most at the last step. "
        "Look for extreme values in it, or leave it out."
    )
