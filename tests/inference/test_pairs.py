"""Two ratios of partly the same customers: how far their estimates go together."""

from __future__ import annotations

import numpy as np
import pytest

from retention_lab.inference.moments import RatioMoments
from retention_lab.inference.pairs import CrossMoments, correlation


def moments(y, x):
    y, x = y.tolist(), x.tolist()
    pairs = {
        "y": (y, [1] * len(y)),
        "x": (x, [1] * len(x)),
        "yy": (y, y),
        "xy": (x, y),
        "xx": (x, x),
    }
    return RatioMoments(n=len(y), **{name: dot(*pair) for name, pair in pairs.items()})


def dot(first, second):
    return sum(a * b for a, b in zip(first, second, strict=True))


def cross(now, before):
    (y1, x1), (y0, x0) = ((y.tolist(), x.tolist()) for y, x in (now, before))
    return CrossMoments(n=len(y1), yy=dot(y1, y0), yx=dot(y1, x0), xy=dot(x1, y0), xx=dot(x1, x0))


@pytest.mark.parametrize("overlap", [0, 150, 400])
def test_correlation_is_that_of_each_customers_influence(overlap):
    rng = np.random.default_rng(5)
    x1, x0 = rng.integers(1, 6, 400), rng.integers(1, 6, 500)
    x0[:overlap] = x1[:overlap]
    y1, y0 = x1 * rng.integers(0, 900, 400), x0 * rng.integers(0, 900, 500)
    y0[:overlap] += y1[:overlap]
    parts = (y1[:overlap], x1[:overlap]), (y0[:overlap], x0[:overlap])
    got = correlation(moments(y1, x1), moments(y0, x0), cross(*parts))
    now = (y1 - y1.sum() / x1.sum() * x1) / x1.sum()
    before = (y0 - y0.sum() / x0.sum() * x0) / x0.sum()
    # Of everybody, customers who are on one side only count 0 on the other.
    union = np.zeros((2, 900 - overlap))
    union[0, :400], union[1, :overlap], union[1, 400:] = now, before[:overlap], before[overlap:]
    wanted = np.corrcoef(union)[0, 1] if overlap else 0
    assert got == pytest.approx(wanted, abs=1e-3)
    assert (got > 0.2) == (overlap > 0)


def test_correlation_of_a_side_with_itself_is_one_and_of_what_cannot_vary_is_none():
    rng = np.random.default_rng(6)
    # So large that no float holds the products.
    y, x = rng.integers(10**11, 10**12, 300), rng.integers(1, 9, 300)
    assert correlation(moments(y, x), moments(y, x), cross((y, x), (y, x))) == 1
    assert correlation(moments(y, x), moments(3 * x, x), cross((y, x), (3 * x, x))) == 0
