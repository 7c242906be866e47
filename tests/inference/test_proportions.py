"""Shares and differences of shares."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm
from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint

from retention_lab.checks import BadData, BadParameter
from retention_lab.inference.proportions import difference, proportion, wilson

counts = st.integers(1, 5000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


@given(pair=counts, alpha=st.sampled_from([0.01, 0.05, 0.2]))
def test_wilson_bounds_are_where_the_score_test_is_just_rejected(pair, alpha):
    count, n = pair
    got = proportion(count, n, alpha=alpha)
    z = norm.isf(alpha / 2)
    for bound in (got.low, got.high):
        # Solves (share - bound)^2 = z^2 bound (1 - bound) / n, or is the trivial bound.
        gap = (count / n - bound) ** 2 - z**2 * bound * (1 - bound) / n
        assert gap == pytest.approx(0, abs=1e-9)
    assert 0 <= got.low <= got.value <= got.high <= 1


def test_wilson_takes_many_pairs_at_once_and_keeps_their_index():
    frame = pd.DataFrame({"did": [2, 0], "of": [10, 100]}, index=["a", "b"])
    got = wilson(frame["did"], frame["of"])
    assert list(got.columns) == ["share", "low", "high"]
    assert list(got.index) == ["a", "b"]
    one = proportion(2, 10)
    assert got.loc["a"].tolist() == [one.value, one.low, one.high]


def test_difference_meets_newcombe_table_ii():
    # Newcombe (1998), Table II, method 10: 56/70 - 48/80 has the interval 0.0524 to 0.3339.
    got = difference(56, 70, 48, 80)
    assert got.value == pytest.approx(0.2)
    assert (got.low, got.high) == pytest.approx((0.0524, 0.3339), abs=5e-5)


def test_difference_keeps_a_width_when_nobody_did_it():
    # Newcombe (1998), Table II, method 10: 0/10 - 0/20 has the interval -0.1611 to 0.2775.
    got = difference(0, 10, 0, 20)
    assert (got.low, got.high) == pytest.approx((-0.1611, 0.2775), abs=5e-5)


@given(one=counts, zero=counts)
def test_difference_turns_its_sign_with_the_groups(one, zero):
    forward, backward = difference(*one, *zero), difference(*zero, *one)
    assert forward.value == pytest.approx(-backward.value)
    assert (forward.low, forward.high) == pytest.approx((-backward.high, -backward.low), abs=1e-12)


def test_a_share_of_nobody_is_refused_in_words():
    with pytest.raises(BadData, match="share of no customers"):
        proportion(0, 0)
    with pytest.raises(BadData, match="share of no customers"):
        difference(1, 2, 0, 0)


@pytest.mark.parametrize("count", [-1, 11])
def test_an_impossible_count_is_refused(count):
    with pytest.raises(BadData, match="between 0 and"):
        wilson([count], [10])


def test_alpha_is_a_share():
    with pytest.raises(BadParameter, match="alpha"):
        proportion(1, 2, alpha=5)


def test_wilson_of_no_rows_is_no_rows():
    none = np.array([], dtype="int64")
    assert wilson(none, none).empty


@given(one=counts, other=counts, alpha=st.sampled_from([0.05, 0.1, 0.002]))
def test_both_ranges_are_those_of_statsmodels(one, other, alpha):
    found = wilson([one[0]], [one[1]], alpha=alpha).iloc[0]
    expected = proportion_confint(*one, alpha=alpha, method="wilson")
    assert found[["low", "high"]].tolist() == pytest.approx(expected, rel=1e-12, abs=1e-12)
    apart = difference(*one, *other, alpha=alpha)
    expected = confint_proportions_2indep(*one, *other, method="newcomb", alpha=alpha)
    assert (apart.low, apart.high) == pytest.approx(expected, rel=1e-12, abs=1e-12)
