"""Tails are those of scipy.stats, whose import they spare every notebook."""

from __future__ import annotations

import subprocess
import sys
from math import inf

import numpy as np
import pytest
from scipy import stats

from retention_lab.inference import tails

CHANCES = (0.5, 0.025, 1e-6, 1e-12)


@pytest.mark.parametrize("freedom", [1, 2.5, 30, 1e6, inf])
def test_student_is_that_of_scipy_stats(freedom):
    for chance in (*CHANCES, 1e-300):
        assert tails.student_isf(chance, freedom) == stats.t.isf(chance, freedom)
    for value in (-40, -3, 0, 1.7, 8, 40):
        assert tails.student_sf(value, freedom) == stats.t.sf(value, freedom)


@pytest.mark.parametrize("freedom", [1, 3.3, 7, 120, 1e5])
def test_chi_squared_is_that_of_scipy_stats(freedom):
    for chance in CHANCES:
        assert tails.chi2_isf(chance, freedom) == stats.chi2.isf(chance, freedom)
        assert tails.chi2_ppf(chance, freedom) == stats.chi2.ppf(chance, freedom)
    for value in (0, 1e-9, 1, 30, 2000):
        assert tails.chi2_sf(value, freedom) == stats.chi2.sf(value, freedom)


@pytest.mark.parametrize("share", [0.5, 0.03])
@pytest.mark.parametrize("chance", [0.025, 0.975])  # at 0.5 rounding would decide ties
def test_binomial_is_that_of_scipy_stats(share, chance):
    n = np.r_[0:3000, 10**6, 10**9]
    assert (tails.binom_ppf(chance, n, share) == stats.binom.ppf(chance, n, share)).all()


def test_no_notebook_waits_for_what_only_some_need():
    heavy = ("scipy.stats", "scipy.optimize", "statsmodels", "lifelines", "openpyxl", "matplotlib")
    code = f"""
import sys
import retention_lab.explore.cohorts, retention_lab.explore.planner, retention_lab.explore.segments
print([name for name in {heavy} if name in sys.modules])
"""
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"
