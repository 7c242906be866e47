"""How many come a day, told from how many came week by week."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.special import ndtri

from retention_lab.checks import BadData
from retention_lab.inference.interval import Interval
from retention_lab.inference.tails import chi2_isf, chi2_ppf, student_isf

_TAIL = 0.025  # beyond either end of the range


def pace(weeks: Sequence[int]) -> Interval:
    """Mean per day of counts by week, with a range (95 %) for the pace that they came at.

    Weeks count as independent. They may scatter more than chance alone makes them, by campaigns or
    because customers come in clumps: then the range is as much wider; it is never narrower. It says
    how sure the mean is, not what the next weeks bring: these scatter, too, and no season and no
    change of pace is in it.

    Raises
    ------
    BadData
        If there are fewer than two weeks, or nobody came.

    References
    ----------
    McCullagh & Nelder (1989), Generalized Linear Models, 2nd ed., s. 6.2.3 (over-dispersed counts);
    Garwood (1936), Biometrika 28, 437-442, for the range of a count.
    """
    counts = np.asarray(weeks, dtype="float64")
    n, total = len(counts), counts.sum()
    if n < 2 or total <= 0:
        raise BadData(f"A pace needs two weeks or more, and somebody who came, got {[*weeks]}.")
    mean = total / n
    dispersion = ((counts - mean) ** 2).sum() / mean / (n - 1)
    # The scatter is itself uncertain, of a few weeks: Student's t in the place of the normal.
    scale = max(1.0, dispersion * (student_isf(_TAIL, n - 1) / ndtri(1 - _TAIL)) ** 2)
    low = scale * chi2_ppf(_TAIL, 2 * total / scale) / 2
    high = scale * chi2_isf(_TAIL, 2 * total / scale + 2) / 2
    return Interval(value=float(mean) / 7, low=float(low) / n / 7, high=float(high) / n / 7)
