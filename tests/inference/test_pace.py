"""The pace of arrivals and its range, against exact counts and simulated weeks."""

from __future__ import annotations

import numpy as np
import pytest

from retention_lab.checks import BadData
from retention_lab.inference.pace import pace


def test_even_weeks_have_the_exact_range_of_their_sum():
    found = pace([10] * 10)
    # poisson.test(100) of R: 81.36 to 121.63 customers in ten weeks
    assert found.value == pytest.approx(100 / 70)
    assert (found.low, found.high) == pytest.approx((81.36 / 70, 121.63 / 70), rel=1e-4)


def test_weeks_that_scatter_more_have_a_wider_range_and_the_same_mean():
    even, clumped = pace([40] * 12), pace([80, 0] * 6)
    assert even.value == clumped.value == pytest.approx(40 / 7)
    assert clumped.low < even.low < even.high < clumped.high
    assert clumped.low > 0


@pytest.mark.parametrize("weeks", [[], [7], [0, 0, 0]])
def test_one_week_or_nobody_is_no_pace(weeks):
    with pytest.raises(BadData, match="two weeks or more"):
        pace(weeks)


def covered(draw, *, mean, times=4_000):
    """Share of ranges that hold the pace that the weeks were drawn with."""
    rng = np.random.default_rng(7)
    ranges = [pace(weeks) for weeks in draw(rng, mean, (times, 12)) if weeks.sum()]
    return np.mean([one.low <= mean / 7 <= one.high for one in ranges])


def clumps(rng, mean, size):
    """Customers come in groups of four on average: a variance of seven times the mean."""
    drawn = [rng.geometric(0.25, groups).sum() for groups in rng.poisson(mean / 4, size).flat]
    return np.array(drawn).reshape(size)


def busy(rng, mean, size):
    """Weeks differ in how busy they are, by a third: a negative binomial."""
    return rng.poisson(mean * rng.gamma(9, 1 / 9, size))


@pytest.mark.slow
@pytest.mark.parametrize("mean", [3, 50])
@pytest.mark.parametrize("draw", [np.random.Generator.poisson, busy, clumps])
def test_the_range_holds_the_pace_nineteen_times_in_twenty(draw, mean):
    # 0.95 less three standard errors of 4,000 trials; of the mean of the next weeks it holds fewer.
    assert covered(draw, mean=mean) >= 0.94
