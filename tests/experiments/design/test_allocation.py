"""Shares of arms."""

from __future__ import annotations

import pytest

from retention_lab.checks import BadParameter
from retention_lab.experiments.design.allocation import pair, to_one


def test_the_comparison_that_counts_is_that_of_the_smallest_arm():
    assert pair((0.4, 0.35, 0.25)) == (0.4, 0.25, 2)
    assert pair((0.4, 0.35, 0.25)).both == pytest.approx(0.65)


def test_a_ratio_becomes_shares_of_one():
    assert to_one(3) == (0.25, 0.75)


@pytest.mark.parametrize(
    ("allocation", "sentence"),
    [
        ((1.0,), "control and another arm"),
        ((0.5, 0.4), "must add up to 1, .* which is 0.9"),
        ((1.0, 0.0), "must be a share"),
        ((1.5, -0.5), "must be a share"),
        ((50, 50), "If you meant 50 %"),
    ],
)
def test_shares_that_divide_nobody_are_refused(allocation, sentence):
    with pytest.raises(BadParameter, match=sentence):
        pair(allocation)


@pytest.mark.parametrize("ratio", [0, -1, float("inf"), float("nan")])
def test_a_ratio_that_is_none_is_refused(ratio):
    with pytest.raises(BadParameter, match="ratio must be a number above 0"):
        to_one(ratio)
