"""Cox models of rows (start, stop]: fit, predict, test, and what they leave over."""

from __future__ import annotations

from retention_lab.survival.cox_fit import CoxFit, fit
from retention_lab.survival.cox_predict import Expected, expected_events, predict
from retention_lab.survival.cox_proportional import proportional_hazards
from retention_lab.survival.cox_residuals import dfbeta, martingale, schoenfeld, score

__all__ = [
    "CoxFit",
    "Expected",
    "dfbeta",
    "expected_events",
    "fit",
    "martingale",
    "predict",
    "proportional_hazards",
    "schoenfeld",
    "score",
]
