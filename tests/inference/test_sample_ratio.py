"""Sizes of arms: verdicts, and a test that may be repeated at every look."""

from __future__ import annotations

from itertools import pairwise
from math import factorial

import numpy as np
import pytest
from scipy.stats import chisquare

from retention_lab.checks import BadData, BadParameter
from retention_lab.inference import sample_ratio


def test_sizes_at_one_look_are_judged_as_by_scipy():
    counts, planned = [900, 1_060, 2_040], [1, 1, 2]
    found = sample_ratio.once(counts, planned=planned)
    oracle = chisquare(counts, np.sum(counts) * np.array(planned) / 4)
    assert (found.statistic, found.p_value) == pytest.approx((oracle.statistic, oracle.pvalue))


# The two thresholds of the verdict, and Cookie Cats (44,700 to 45,489), which warns.
@pytest.mark.parametrize(
    ("counts", "verdict"),
    [((44_700, 45_489), "warn"), ((500, 500), "pass"), ((450, 550), "warn"), ((440, 560), "fail")],
)
def test_the_verdict_is_by_the_p_value(counts, verdict):
    assert sample_ratio.once(counts, planned=[1, 1]).verdict == verdict


def test_the_bayes_factor_is_that_of_a_beta_binomial():
    # The share is Beta(3, 3), worked by hand: B(10, 6) / B(3, 3), which is 1 / 30, over 1 / 2^10.
    found = sample_ratio.anytime([[7, 3]], planned=[1, 1], concentration=6)
    worked = np.log(factorial(9) * factorial(5) / factorial(15) * 30 * 2**10)
    assert found.log_bayes_factor.tolist() == pytest.approx([worked])


def test_the_p_value_never_rises_from_look_to_look():
    counts = [[100, 60], [180, 140], [900, 880]]
    found = sample_ratio.anytime(counts, planned=[0.5, 0.5])
    assert all(now <= then for then, now in pairwise(found.p_value))
    assert found.verdict == sample_ratio.verdict(found.p_value[0])


@pytest.mark.slow
def test_looking_at_every_customer_warns_as_rarely_as_it_says():
    rng = np.random.default_rng(20261122)
    warned = 0
    for _ in range(4_000):
        first = rng.integers(0, 2, 2_000).cumsum()
        counts = np.column_stack([first, np.arange(1, 2_001) - first])
        warned += sample_ratio.anytime(counts, planned=[1, 1]).verdict != "pass"
    # The test holds for ever, so that 2,000 customers use up a part of its 0.01 only.
    assert 0 < warned / 4_000 < 0.01 + 3 * np.sqrt(0.01 * 0.99 / 4_000)


@pytest.mark.parametrize(
    ("act", "error", "sentence"),
    [
        (lambda: sample_ratio.once([5], planned=[1]), BadParameter, "got \\[1\\] for 1 counts"),
        (lambda: sample_ratio.once([5, 5], planned=[1, 0]), BadParameter, "a share above 0"),
        (lambda: sample_ratio.once([5, 5], planned=[1, 1, 1]), BadParameter, "for 2 counts"),
        (lambda: sample_ratio.once([0, 0], planned=[1, 1]), BadData, "No arm has a customer yet"),
        (lambda: sample_ratio.once([5, -1], planned=[1, 1]), BadData, "fewer than no customers"),
        (
            lambda: sample_ratio.anytime([[5, 5], [4, 9]], planned=[1, 1]),
            BadData,
            "lost customers from one look to the next",
        ),
        (
            lambda: sample_ratio.anytime([[5, 5]], planned=[1, 1], concentration=0),
            BadParameter,
            "concentration must be above 0, got 0",
        ),
    ],
)
def test_sizes_that_cannot_be_compared_are_refused(act, error, sentence):
    with pytest.raises(error, match=sentence):
        act()
