"""The partial likelihood of a Cox model and its derivatives, as running sums over cells."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from retention_lab.survival.cox_rows import Floats, Rows

BLOCK = 65_536  # rows of which a weighted copy stays within the processor's cache


@dataclass(frozen=True, kw_only=True, repr=False)
class Risk:
    """Risk sets at given coefficients, all in the units of the standardised covariates.

    With Efron's ties the events of a cell leave one after the other: the denominator of each is
    what weighs at risk, less the share that the events before it have `lost` of what all events of
    the cell weigh. Sums over these denominators are all that any derivative needs.

    References
    ----------
    Efron (1977), Journal of the American Statistical Association 72, 557-565; Therneau & Grambsch
    (2000), Modeling Survival Data, ch. 3 and appendix.
    """

    rows: Rows
    hazards: Floats  # weight x exp(linear predictor - shift) of each row
    shift: float  # the largest linear predictor, taken off so that nothing overflows
    at_risk: Floats  # sum of the hazards at risk in each cell
    denominators: Floats  # one per event, cell by cell
    log_likelihood: float

    def over_events(self, values: Floats) -> Floats:
        """Sum of a value per event over the events of each cell."""
        return np.add.reduceat(values, self.rows.tied.cumsum() - self.rows.tied)

    @cached_property
    def steps(self) -> Floats:
        """Step of the baseline hazard in each cell, for a row whose predictor is the shift."""
        return self.over_events(1 / self.denominators)

    @cached_property
    def steps_lost(self) -> Floats:
        """What rows with an event in a cell are spared of its step."""
        return self.over_events(self.rows.lost / self.denominators)

    @cached_property
    def squares(self) -> tuple[Floats, Floats, Floats]:
        """Sums of lost^0, lost^1 and lost^2 over the squared denominators of each cell."""
        inverse, lost = self.denominators**-2, self.rows.lost
        return (
            self.over_events(inverse),
            self.over_events(lost * inverse),
            self.over_events(lost**2 * inverse),
        )

    @cached_property
    def sums(self) -> tuple[Floats, Floats]:
        """Weighted sums of the covariates at risk and with an event (columns x cells)."""
        at_risk, leaving = (np.empty((len(self.rows.names), len(self.steps))) for _ in range(2))
        for place, column in enumerate(self.rows.x.T):
            weighted = self.hazards * column
            at_risk[place], leaving[place] = (
                self.rows.at_risk(weighted),
                self.rows.at_event(weighted),
            )
        return at_risk, leaving

    @cached_property
    def slopes(self) -> Floats:
        """Minus the first derivative of each cell's step (columns x cells)."""
        (at_risk, leaving), (one, share, _) = self.sums, self.squares
        return one * at_risk - share * leaving

    def expected(self, scale: Floats | None = None) -> Floats:
        """Expected events of each row, each cell's multiplied by its `scale`."""
        steps, lost = self.steps, self.steps_lost
        if scale is not None:
            steps, lost = steps * scale, lost * scale
        hazard = self.rows.through(steps)
        hazard[self.rows.happened] -= lost[self.rows.cell]
        return self.hazards * hazard

    @property
    def gradient(self) -> Floats:
        """First derivative of the log likelihood."""
        return self.rows.x.T @ (self.rows.weights * self.rows.event - self.expected())

    @cached_property
    def means(self) -> Floats:
        """Covariates expected of an event in each cell (columns x cells)."""
        at_risk, leaving = self.sums
        return (self.steps * at_risk - self.steps_lost * leaving) / self.rows.tied

    @property
    def unexpected(self) -> Floats:
        """Observed less expected covariates of the events of each cell (columns x cells)."""
        observed = [self.rows.at_event(self.rows.weights * each) for each in self.rows.x.T]
        return observed - self.rows.tied * self.means

    @property
    def scores(self) -> Floats:
        """What each row, as often as it counts, adds to the gradient (columns x rows).

        With Efron's ties, as if the tied events had left in every order.
        """
        rows, (at_risk, leaving), (_, share, share2) = self.rows, self.sums, self.squares
        spared = share * at_risk - share2 * leaving
        happened, cell = rows.happened, rows.cell
        scores = rows.x.T * (rows.weights * rows.event - self.expected())
        scores += self.hazards * rows.through(self.slopes)
        scores[:, happened] -= rows.weights[happened] * self.means[:, cell]
        scores[:, happened] -= self.hazards[happened] * spared[:, cell]
        return scores

    def information(self, scale: Floats | None = None) -> Floats:
        """Minus the second derivative, each cell's part multiplied by its `scale`.

        The squares of the covariates are summed over rows, by how much hazard each row is exposed
        to, and those of the means over cells; so nothing of size rows x columns x columns is made.
        """
        (at_risk, leaving), (one, share, share2) = self.sums, self.squares
        if scale is not None:
            one, share, share2 = one * scale, share * scale, share2 * scale
        cross = at_risk @ (share * leaving).T
        means = at_risk @ (one * at_risk).T - cross - cross.T
        means += leaving @ (share2 * leaving).T
        return _squares(self.rows.x, self.expected(scale)) - means


def at(rows: Rows, coefficients: Floats) -> Risk:
    """Risk sets at coefficients of the standardised covariates."""
    predictor = rows.x @ coefficients
    shift = float(predictor.max())
    predictor -= shift
    hazards = rows.weights * np.exp(predictor)
    leaving = rows.at_event(hazards)
    # No risk set weighs less than its own events, whatever rounding says of those who came late.
    at_risk = np.maximum(rows.at_risk(hazards), leaving)
    denominators = np.repeat(at_risk, rows.tied) - rows.lost * np.repeat(leaving, rows.tied)
    return Risk(
        rows=rows,
        hazards=hazards,
        shift=shift,
        at_risk=at_risk,
        denominators=denominators,
        log_likelihood=_log_likelihood(rows, predictor, denominators),
    )


def _log_likelihood(rows: Rows, predictor: Floats, denominators: Floats) -> float:
    if denominators.min() < 1e-150:  # so far out that squares have no digits: as bad as can be
        return -np.inf
    observed = rows.weights[rows.happened] @ predictor[rows.happened]
    return float(observed - np.log(denominators).sum())


def _squares(x: Floats, weights: Floats) -> Floats:
    total = np.zeros((x.shape[1], x.shape[1]))
    for begin in range(0, len(x), BLOCK):
        block = x[begin : begin + BLOCK]
        total += block.T @ (block * weights[begin : begin + BLOCK, None])
    return total
