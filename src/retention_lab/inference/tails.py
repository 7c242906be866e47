"""Tails of Student's t and of chi-squared, by `scipy.special`.

`scipy.stats` gives the same numbers, and takes most of a second to import: each notebook would wait
for it, and each page of a report. Degrees of freedom may be infinite for Student's t.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import special

Values = Any  # a number, or an array of them: what goes in comes out


def student_sf(value: Values, freedom: Values) -> Values:
    """Chance of more than a value, by Student's t."""
    return special.stdtr(freedom, -value)


def student_isf(chance: Values, freedom: Values) -> Values:
    """Value that Student's t exceeds by this chance."""
    return -special.stdtrit(freedom, chance)


def chi2_sf(value: Values, freedom: Values) -> Values:
    """Chance of more than a value, by chi-squared."""
    return special.chdtrc(freedom, value)


def chi2_isf(chance: Values, freedom: Values) -> Values:
    """Value that chi-squared exceeds by this chance."""
    return special.chdtri(freedom, chance)


def chi2_ppf(chance: Values, freedom: Values) -> Values:
    """Value that chi-squared stays below by this chance, also by one next to nothing."""
    return 2 * special.gammaincinv(freedom / 2, chance)


def binom_ppf(chance: float, n: Values, share: float) -> Values:
    """Return the least number of `n` that is not exceeded by this chance, by the binomial."""
    root = np.ceil(special.bdtrik(chance, np.maximum(n, 1), share))
    # Rounding can put the root on the wrong side of a whole number.
    nearby = np.clip(np.stack([root - 1, root, root + 1]), 0, n)
    enough = special.bdtr(nearby, n, share) >= chance
    return np.take_along_axis(nearby, enough.argmax(axis=0)[None], axis=0)[0]
